"""What a launch does in the background, each piece in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from typing import Any, Protocol

from runjob.commands import Commands
from runjob.errors import ApiError, NoClusterError
from runjob.existing import as_told
from runjob.finalizers import held
from runjob.follower import Api as LogApi
from runjob.follower import Follower, Position
from runjob.heartbeat import Api as BeatApi
from runjob.heartbeat import Heartbeat
from runjob.informer import Api as WatchApi
from runjob.informer import Informer, Query, events_query
from runjob.lease import settled
from runjob.logs import clean
from runjob.messages import Message, Observed, Removed, Settled, Trouble
from runjob.observed import PodView
from runjob.request import Body
from runjob.retry import Backoff, persist

Tell = Callable[[Message], None]

# How often more it is tried to give a kept Job back what its author wrote, and looked whether what
# a finalizer holds is gone: for about 12 s.
TRIES = 6


class Api(LogApi, WatchApi, BeatApi, Protocol):
    """What a launch needs of the API once the Job stands."""

    def delete(
        self, body: Body, namespace: str, uid: str, *, propagation: str = "Background"
    ) -> tuple[str, ...]:
        """Delete the object of that uid; return the finalizers of others that hold it."""


class Printer(Protocol):
    """Where logs are printed."""

    def log(self, lines: bytes, prefix: bytes = b"") -> None:
        """Print a part of a log, with prefix before each line."""

    def line(self, text: str, prefix: bytes = b"") -> None:
        """Print one line of ours where it stands in the log, like one of its lines."""


class Journal(Protocol):
    """Where it is written down how far each log was printed."""

    def account(
        self, pod: str, container: str, prefix: bytes, name: str
    ) -> tuple[bytes, Position | None, Callable[[Position, bytes], None]]:
        """Return a log's prefix, where to go on, and what to call with each chunk to print."""

    def knows_only(self, pod: str, container: str) -> bool:
        """Tell whether no log but that one was opened, also by an earlier launch."""

    def stays(self) -> None:
        """Hear that the Job stays, and that nothing on it says that its end was told."""


class Workshop:
    """Watches, reads logs and deletes, in daemon threads, and tells of it by messages."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        printer: Printer,
        now: Callable[[], float],
        *,
        prefix: str = "auto",
        guard: bool = False,
        journal: Journal | None = None,
        commands: Commands = Commands(),  # noqa: B008  # frozen
        backoff: Backoff = Backoff(),  # noqa: B008  # frozen
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._printer = printer
        self._now = now
        self._prefix = prefix
        self._shape: Callable[[bytes], bytes] = _as_it_is
        if guard:
            from runjob.guard import guarded  # not for a launch without it

            self._shape = guarded
        self._journal = journal
        self._commands = commands
        self._backoff = backoff

    def remove(self, job: Body | None, ours: tuple[Body, ...], tell: Tell, wait: bool) -> None:
        """Delete the Job, with wait after its pods, and what we created with it."""
        _start("remove", lambda: self._remove(job, ours, tell, wait))

    def _remove(self, job: Body | None, ours: tuple[Body, ...], tell: Tell, wait: bool) -> None:
        refusals: list[str] = []
        stays: dict[str, str] = {}
        for body in (*([job] if job else []), *reversed(ours)):
            try:
                by = self._delete(body, tell, foreground=wait and body is job)
            except Exception as error:  # noqa: BLE001
                # Also for an answer that is none: a thread that dies would tell nothing.
                name = f"{body['kind']} {body['metadata']['name']}"
                refusals.append(f"{name} ({error}); {self._how_to_remove(body)}")
            else:
                if by:
                    stays[_uid(body)] = held(body, by, self._namespace, self._commands)
        told = Removed("; ".join(refusals), stays)
        tell(told)
        self._see_off(ours, told, tell)

    def _see_off(self, ours: tuple[Body, ...], told: Removed, tell: Tell) -> None:
        """Tell when what is held goes; a Job's own watch tells that."""
        for pause in islice(self._backoff.waits(), TRIES):
            stay = [body for body in ours if _uid(body) in told.held]
            if not stay:
                return
            threading.Event().wait(pause)
            gone = {_uid(body) for body in stay if not self._is_held(body)}
            told = replace(told, held={k: v for k, v in told.held.items() if k not in gone})
            tell(told)

    def _is_held(self, body: Body) -> bool:
        """Tell whether an object is there yet, by asking once more to delete it."""
        try:
            return bool(self._api.delete(body, self._namespace, _uid(body)))
        except Exception:  # noqa: BLE001
            return True  # also for an answer that is none: there are further looks

    def _delete(self, body: Body, tell: Tell, *, foreground: bool) -> tuple[str, ...]:
        """Delete one object, however often it takes; return the finalizers that hold it."""
        name = f"{body['kind']} {body['metadata']['name']}"
        propagation = "Foreground" if foreground else "Background"

        def ask() -> tuple[str, ...]:
            try:
                return self._api.delete(body, self._namespace, _uid(body), propagation=propagation)
            except NoClusterError as error:
                raise ApiError(401, str(error)) from error

        def enough(error: ApiError) -> bool:
            tell(Trouble(error, f"deleting {name}"))
            return False

        return persist(ask, threading.Event().wait, enough=enough, backoff=self._backoff)

    def _how_to_remove(self, body: Body) -> str:
        words = "delete", body["kind"].lower(), body["metadata"]["name"]
        return f"remove it with: {self._commands.kubectl(self._namespace, *words)}"

    def accompany(self, job: Body, asked: Body, remark: Callable[[str], None]) -> Heartbeat:
        """Give the Job signs of life; asked is that Job as this launch wrote it."""
        return Heartbeat(self._api, job, asked, remark)

    def settle(self, job: Body, tell: Tell, *, over: bool) -> None:
        """Have no later launch tell the end of a Job that stays, and tell what is left to do.

        One that is over gets what its author asked for; one that may run on keeps its launch's
        terms.
        """
        _start("settle", lambda: tell(Settled(self._settle(job, over=over))))

    def _settle(self, job: Body, *, over: bool) -> str:
        restored = settled(job) if over else None
        patch = as_told(job, restored)
        tries = count(1)
        try:
            persist(
                lambda: self._api.patch(job, self._namespace, patch),
                threading.Event().wait,
                enough=lambda _: next(tries) > TRIES,
                backoff=self._backoff,
            )
        except Exception as error:  # noqa: BLE001
            # Also for an answer that is none: a thread that dies would leave the launch waiting.
            if getattr(error, "status", 0) == 404:
                return ""  # there is nothing to write it on
            if self._journal is not None:
                self._journal.stays()
            name = job["metadata"]["name"]
            if restored is not None:
                text = json.dumps(patch, separators=(",", ":"))
                how = self._commands.kubectl(
                    self._namespace, "patch", "job", name, "--type=merge", "-p", text
                )
                return (
                    "the TTL of the Job's manifest could not be restored, nor its end marked as "
                    f"told ({error}); do both with: {how}"
                )
            if self._journal is None:
                return (
                    f"NOT marked as told: Job {name} ({error}), so that a launch which takes it up "
                    f"tells this end again; {self._how_to_remove(job)}"
                )
        return ""

    def inform(self, query: Query, tell: Tell) -> Informer:
        """Watch, and tell of each change."""
        informer = Informer(self._api, query, tell, self._backoff, self._now)
        _start(f"watch {query.kind.plural}", informer.run)
        return informer

    def follow(self, pod: PodView, container: str, tell: Tell, *, alone: bool) -> Follower:
        """Read a container's log and print it."""
        journal = self._journal
        alone = alone and (journal is None or journal.knows_only(pod.uid, container))
        plain = self._prefix == "never" or (self._prefix == "auto" and alone)
        prefix = b"" if plain else clean(f"[{pod.name}/{container}] ").encode(errors="replace")
        printer, shape = self._printer, self._shape
        position, record = None, None
        if journal is not None:
            name = f"[{pod.name}/{container}]"
            prefix, position, write = journal.account(pod.uid, container, prefix, name)
            record = lambda at, data: write(at, shape(data))  # noqa: E731
        follower = Follower(
            self._api,
            self._namespace,
            pod,
            container,
            lambda data: printer.log(shape(data), prefix),
            lambda text: printer.line(text, prefix),
            tell,
            self._backoff,
            self._now,
            position,
            record,
        )
        _start(f"log {pod.name}/{container}", follower.run)
        return follower

    def events(self, pod_uid: str) -> tuple[Observed, ...]:
        """Return the events about an object, nothing when they cannot be read."""
        query = events_query(self._namespace, pod_uid)
        try:
            bodies, _ = self._api.list(query.kind, query.namespace, query.select)
        except (ApiError, NoClusterError):
            return ()
        return tuple(Observed(view) for body in bodies if (view := query.read(body)) is not None)


def _uid(body: Body) -> str:
    return str(body["metadata"]["uid"])


def _as_it_is(data: bytes) -> bytes:
    return data


def _start(name: str, work: Callable[[], Any]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()
