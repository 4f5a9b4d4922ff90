"""Signs of life, written on a Job while its launcher follows it."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from runjob import lease as terms
from runjob.errors import ApiError, NoClusterError
from runjob.observed import JobView, job_view
from runjob.plan import LAUNCH
from runjob.request import Body

# A beat is so much of the interval later, so that a thousand launchers that were started at once do
# not stay in step, and none beats in a Job's first 5 minutes: the log of one that is silent is then
# opened anew, and two such requests at that time would be one too many.
LATER, JITTER = 0.1, 0.1
# One that had no answer is tried again after so much of the interval: else two moments of trouble
# would make a launcher that lives count as gone.
AGAIN = 0.2
# How often in a row it may be forbidden before that is believed: an API server that has just
# started forbids what it will allow.
REFUSALS = 2
# How many answers in a row that would heal are no passing trouble: those of a whole interval.
LASTING = round(1 / AGAIN)


class Moment(NamedTuple):
    """A time by the API's clock, and when by our own it was first seen."""

    at: datetime
    seen: float


class Api(Protocol):
    """What a sign of life needs of the API."""

    def now(self) -> datetime:
        """Return the time by the API's clock."""

    def patch(self, body: Body, namespace: str, patch: Body) -> Body:
        """Change fields of an object."""


def here() -> str:
    """Name this launcher: host/pid."""
    return f"{socket.gethostname()}/{os.getpid()}"


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="heartbeat", daemon=True).start()


class Heartbeat:
    """Beats where `keep_up` is called, by one request in each interval that the Job's lease names.

    A Job of another launcher is taken over by a beat at once, and so is one that hangs on its
    beats: whoever may not write them is to know it before the Job ends of it. asked is the Job as
    this launch wrote it, remark tells the user; start has a request sent, elsewhere: there is no
    thread before one is due, since most Jobs end before that. stops_within waits for so many
    seconds, and tells whether `stop` was called meanwhile.
    """

    def __init__(
        self,
        api: Api,
        job: Body,
        asked: Body,
        remark: Callable[[str], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = _in_background,
        stops_within: Callable[[float], bool] | None = None,
    ) -> None:
        self._api = api
        self._job = job
        self._remark = remark
        self._monotonic = monotonic
        self._start = start
        self._lease = terms.read(job)
        mine, there = _names(asked), _names(job)
        self._untold = {} if mine == there else mine
        self._refusals = self._troubles = 0
        self._signed = terms.HEARTBEAT in (job["metadata"].get("annotations") or {})
        self._started: Moment | None = None
        self._ended: Moment | None = None
        self._beating = threading.Lock()
        self._stopped = threading.Event()
        self._stops_within = stops_within or self._stopped.wait
        self._due: float | None = None
        if self._lease.every:
            at_once = self._untold or self._lease.kills
            self._due = self._monotonic() + (0.0 if at_once else self._pause())
        self.look(job_view(job))

    def look(self, job: JobView) -> None:
        """Take in how the Job stands."""
        self._started = self._since(self._started, job.started)
        end = job.condition("Complete") or job.condition("Failed")
        self._ended = self._since(self._ended, end.since if end else None)

    def _since(self, known: Moment | None, at: datetime | None) -> Moment | None:
        if known is not None and known.at == at:
            return known
        return None if at is None else Moment(at, self._monotonic())

    def stop(self, patience: float = 0.0) -> None:
        """Beat no more; wait so many seconds for a beat that is under way."""
        self._stopped.set()
        if patience and self._beating.acquire(timeout=patience):
            self._beating.release()

    def keep_up(self) -> float | None:
        """Beat if it is time; return the seconds until it is again, None for never."""
        if self._due is None or self._stopped.is_set():
            return None
        now = self._monotonic()
        if now >= self._due:
            self._due = now + self._pause()
            self._start(self._in_turn)
        return None if self._stopped.is_set() else max(self._due - now, 0.0)

    def _in_turn(self) -> None:
        # One that takes longer than the interval stands for the next one too.
        if self._beating.acquire(blocking=False):
            try:
                while self._beat():
                    if self._stops_within(self._lease.every * AGAIN):
                        return
                    self._due = self._monotonic() + self._pause()
            finally:
                self._beating.release()

    def _pause(self) -> float:
        return self._lease.every * (1 + LATER + JITTER * random.random())

    def _beat(self) -> bool:
        """Write one sign of life; return whether to try again before the next is due."""
        metadata = self._job["metadata"]
        now = self._api.now()
        started, ended = self._elapsed(now, self._started), self._elapsed(now, self._ended)
        sign = terms.beat(self._lease, metadata["uid"], now, started, ended)
        sign["metadata"]["annotations"].update(self._untold)
        try:
            self._api.patch(self._job, metadata["namespace"], sign)
        except NoClusterError:
            return True
        except ApiError as error:
            if error.heals or error.status == 409:
                # One that is away (0) is told of by those who watch.
                self._troubles += error.status != 0
                if self._troubles == LASTING:
                    self._tell(error)
                return True
            if _is_of_another(error):
                self._stopped.set()  # the watch tells of it
            else:
                self._refused(error)
            return False
        self._refusals = self._troubles = 0
        self._signed, self._untold = True, {}
        return False

    def _elapsed(self, now: datetime, since: Moment | None) -> float | None:
        """Return the seconds since a moment, by whichever clock says more.

        One that is behind must not have the Job ended, or taken away.
        """
        if since is None:
            return None
        return max((now - since.at).total_seconds(), self._monotonic() - since.seen)

    def _refused(self, error: ApiError) -> None:
        """Tell of it once; stop where a right is missing, and nothing but a name hangs on it."""
        self._refusals += 1
        if self._refusals == 1:
            self._tell(error)
        if error.status == 403 and not self._lease.kills and self._refusals >= REFUSALS:
            self._stopped.set()

    def _tell(self, error: ApiError) -> None:
        since = "latest sign of life" if self._signed else "start"
        what = (
            f"--on-lost kill will end the Job {self._lease.term // 60} min after its {since}"
            if self._lease.kills
            else "this launcher will count as gone while it lives (--heartbeat off: as unknown)"
        )
        right = "; its Role needs the verb patch on jobs, as in k8s/runjob.yaml"
        self._remark(
            f"no sign of life can be written on the Job, and {what}: {error}"
            + (right if error.status == 403 else "")
        )


def _is_of_another(error: ApiError) -> bool:
    """Tell whether the Job is gone, or its name another one's, whose uid no patch can change."""
    return error.status == 404 or (error.status == 422 and "metadata.uid" in str(error))


def _names(job: Body) -> Mapping[str, str]:
    notes = job["metadata"].get("annotations") or {}
    return {name: notes[name] for name in (LAUNCH, terms.LAUNCHER) if name in notes}
