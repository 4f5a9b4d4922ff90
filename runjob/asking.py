"""Ask the API for what a launch begins with, through any number of unanswered requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TypeVar

from runjob.errors import ApiError, Exit, LaunchError, ManifestError, NoClusterError
from runjob.messages import Message, Trouble
from runjob.request import JobRequest
from runjob.retry import REFUSALS, Backoff, wait_for

T = TypeVar("T")


class Asking:
    """Asks again and again, tells of trouble, and ends when it is cancelled.

    tell takes the messages; patience are the seconds that the API may give no answer. doubtful
    tells whether what was asked for last may have had its effect unnoticed, or yet have it.
    """

    def __init__(
        self,
        request: JobRequest,
        now: Callable[[], float],
        backoff: Backoff,
        patience: float,
        tell: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self.tell = tell
        self.doubtful = False
        self._request = request
        self._now = now
        self._backoff = backoff
        self._patience = patience
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask nothing further, and try nothing again."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether nothing is to be asked any more."""
        return self._cancelled.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, unless it is cancelled."""
        self._cancelled.wait(seconds)

    def persist(self, call: Callable[[], T], name: str) -> T:
        """Repeat a call while the API gives no answer or one that heals.

        Raises ApiError for an answer that does not heal, LaunchError when cancelled or when the
        patience is at its end.
        """
        began = self._now()
        access = Access(self._now)
        forbidden = 0
        self.doubtful = False
        for wait in self._backoff.waits():
            if self._cancelled.is_set():
                raise LaunchError("ended before anything was created", Exit.KILLED)
            try:
                return call()
            except ApiError as error:
                self.doubtful = self.doubtful or error.status == 0 or error.status >= 500
                forbidden += error.status == 403
                if not error.heals and not (_lacks_right(error) and forbidden < REFUSALS):
                    raise
                shut = access.shut(error)
                if shut:
                    raise NoClusterError(shut) from error
                if self._now() - began > self._patience:
                    raise LaunchError(
                        f"creating {name}: the API gave no answer for "
                        f"{self._now() - began:.0f} s ({error})",
                        Exit.UNREADABLE,
                    ) from error
                self.tell(Trouble(error, f"creating {name}"))
                self._cancelled.wait(wait_for(error.retry_after, wait))
        raise AssertionError("the waits never end")

    def refused(self, error: ApiError, name: str) -> LaunchError:
        """Return what to tell of a request that was refused for good."""
        manifest = self._request.source == "manifest"
        kind = ManifestError if manifest else LaunchError
        hint = _hint(error, self._request)
        return kind(
            f"the API refused {name}: {error}" + (f"; {hint}" if hint else ""),
            Exit.MANIFEST if manifest else Exit.REFUSED,
        )


# A token that is being replaced is accepted within seconds; one that is wrong never is.
LOGIN_PATIENCE = 20.0
# A certificate of the API that was trusted may be replaced before its authority's file is: the
# kubelet brings that into each pod within about 90 s.
TRUST_PATIENCE = 120.0


class Access:
    """Judges, by the errors of one request that is repeated, whether the cluster is open to us."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # Since when nothing else was said: by its certificate (True), or by the API (False).
        self._refused: tuple[bool, float] | None = None

    def shut(self, error: ApiError) -> str:
        """Say why no further try will be answered otherwise; nothing where one may be."""
        if error.reason == "NoSuchHost":
            return f"the API cannot be found: {error}"
        if error.status != 401:
            self._refused = None
            return ""
        untrusted = error.reason == "Untrusted"
        if self._refused is None or self._refused[0] is not untrusted:
            self._refused = untrusted, self._now()
        if self._now() - self._refused[1] <= (TRUST_PATIENCE if untrusted else LOGIN_PATIENCE):
            return ""
        return str(error) if untrusted else f"the API does not accept our credentials: {error}"


def _lacks_right(error: ApiError) -> bool:
    """Tell a missing right, which a server that just started may not know yet, from a policy."""
    return error.status == 403 and " cannot " in str(error)


def _hint(error: ApiError, request: JobRequest) -> str:
    if error.status == 404 and "namespaces" in str(error):
        return f"create the namespace {request.namespace}, or name another with -n"
    if error.status == 403 and "cannot create" in str(error):
        return "the ServiceAccount of this agent needs that right; k8s/runjob.yaml shows how"
    text = str(error)
    if re.search(r"cannot unmarshal (number|bool)\b.* of type string", text):
        return "put that value in quotes, since a text is asked for"
    if re.search(r"cannot unmarshal string .* of type (u?int|float|bool)", text):
        return "write that value without quotes, since a number, true or false is asked for"
    return ""
