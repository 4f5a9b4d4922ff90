"""Faults on demand: which requests they hit, and what those requests meet."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

from .http import Reply, refusal_reply
from .refusals import Refusal
from .resources import Resource
from .store import event_line

MESSAGES = {
    401: "Unauthorized",
    410: "too old resource version: 1 (2)",
    429: "too many requests, please try again later",
    500: "Internal error occurred: injected",
    503: "apiserver is shutting down",
}
USER = "system:serviceaccount:controlm:sandbox"


@dataclass(frozen=True)
class Target:
    """What a request asks for, in the words of access rules."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def path(self) -> str:
        return self.resource.plural + (f"/{self.subresource}" if self.subresource else "")


@dataclass(frozen=True)
class Refuse:
    """Answer with this status instead of doing anything."""

    code: int
    retry_after: int | None = None
    message: str | None = None


@dataclass(frozen=True)
class Reset:
    """Reset the connection; with ``done`` after the effect, so that only the answer is lost."""

    done: bool = False


@dataclass(frozen=True)
class Mute:
    """Answer nothing and keep the connection open; with ``done`` after the effect."""

    done: bool = False


@dataclass(frozen=True)
class Cut:
    """Send ``at_byte`` bytes of the body, then close the stream, reset it or fall silent."""

    at_byte: int = 0
    how: Literal["close", "reset", "mute"] = "close"


@dataclass(frozen=True)
class Slow:
    """Do nothing for that long, then serve the request."""

    seconds: float


@dataclass(frozen=True)
class Gone:
    """Answer a watch with 200, let some events pass, then send 410 as an ERROR event and end."""

    after_events: int = 0


Effect = Refuse | Reset | Mute | Cut | Slow | Gone


@dataclass(frozen=True)
class Fault:
    """An effect, and the requests that meet it; what is left None matches everything.

    ``verb`` is get, list, watch, create, update, patch, delete or deletecollection; reading a
    log is get of ``pods/log``. The first ``after`` matching requests pass, the next ``times``
    are hit (None: all of them, until the fault is removed).
    """

    effect: Effect
    verb: str | None = None
    resource: str | None = None
    name: str | None = None
    after: int = 0
    times: int | None = 1

    def concerns(self, target: Target | None) -> bool:
        if target is None:
            return self.verb is None and self.resource is None and self.name is None
        return (
            self.verb in (None, target.verb)
            and self.resource in (None, target.path)
            and self.name in (None, target.name)
        )


class Injection:
    """A fault in force: counts its hits and can be waited for or removed, from any thread."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.hits = 0
        self._seen = 0
        self._removed = False
        self._changed = threading.Condition()

    def strikes(self, target: Target | None) -> bool:
        """Tell whether this request is hit, and count it."""
        if self._removed or not self.fault.concerns(target):
            return False
        with self._changed:
            self._seen += 1
            times = self.fault.times
            if self._seen <= self.fault.after or (times is not None and self.hits >= times):
                return False
            self.hits += 1
            self._changed.notify_all()
        return True

    def takes_away(self, target: Target) -> bool:
        """Tell whether it refuses such requests as forbidden until it is removed."""
        effect = self.fault.effect
        return (
            isinstance(effect, Refuse)
            and (effect.code, self.fault.times, self._removed) == (403, None, False)
            and self.fault.concerns(target)
        )

    def wait(self, hits: int = 1, timeout: float = 10.0) -> bool:
        """Block until the fault has hit that often; False when the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: self.hits >= hits, timeout)

    def remove(self) -> None:
        self._removed = True


def refuse(effect: Refuse, target: Target | None) -> Reply:
    """Word the refusal as a real server does."""
    message = effect.message or MESSAGES.get(effect.code)
    if effect.code == 403 and effect.message is None and target is not None:
        resource = target.resource
        where = f'in the namespace "{target.namespace}"'
        message = (
            f'{resource.qualified} is forbidden: User "{USER}" cannot {target.verb} resource '
            f'"{target.path}" in API group "{resource.group}" '
            f"{where if target.namespace else 'at the cluster scope'}"
        )
    refusal = Refusal(effect.code, message or "injected", retry_after=effect.retry_after)
    return refusal_reply(refusal)


def spoil(reply: Reply, effect: Effect) -> Reply:
    """Apply to an answer those effects that let the request through."""
    if isinstance(effect, Reset):
        return replace(reply, limit=None, ending="reset")
    if isinstance(effect, Mute):
        return replace(reply, limit=None, ending="mute")
    if isinstance(effect, Cut):
        return replace(reply, limit=effect.at_byte, ending=effect.how)
    if isinstance(effect, Gone) and reply.stream is not None:
        return replace(reply, stream=_gone(reply.stream, effect.after_events))
    return reply


async def _gone(stream: AsyncIterator[bytes], events: int) -> AsyncIterator[bytes]:
    passed = 0
    while passed < events:
        lines = (await anext(stream)).splitlines(keepends=True)[: events - passed]
        passed += len(lines)
        yield b"".join(lines)
    yield event_line("ERROR", Refusal(410, MESSAGES[410]).status())
