"""Signs of life, written on a Job while its launcher follows it."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

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
        self._refusals = 0
        self._started: tuple[datetime, float] | None = None
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
        known = self._started
        if job.started is None:
            self._started = None
        elif known is None or known[0] != job.started:
            self._started = (job.started, self._monotonic())

    def stop(self) -> None:
        """Beat no more."""
        self._stopped.set()

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
        sign = terms.beat(self._lease, metadata["uid"], self._api.now(), self._elapsed())
        sign["metadata"]["annotations"].update(self._untold)
        try:
            self._api.patch(self._job, metadata["namespace"], sign)
        except NoClusterError:
            return True
        except ApiError as error:
            if error.heals or error.status == 409:
                return True
            # Gone (404), or another one of that name (422): the watch tells of it.
            if error.status != 403 or not self._is_allowed_yet(error):
                self.stop()
            return False
        self._refusals, self._untold = 0, {}
        return False

    def _elapsed(self) -> float | None:
        """Return the seconds since the Job's start, by whichever clock says more.

        One that is behind must not have the Job ended.
        """
        if self._started is None:
            return None
        started, seen = self._started
        return max((self._api.now() - started).total_seconds(), self._monotonic() - seen)

    def _is_allowed_yet(self, error: ApiError) -> bool:
        """Tell of a missing right; return whether it may yet be given."""
        self._refusals += 1
        if self._refusals == 1:
            what = (
                f"--on-lost kill will end the Job {self._lease.term // 60} min after its start"
                if self._lease.kills
                else "this launcher will count as gone while it lives (--heartbeat off: as unknown)"
            )
            self._remark(
                f"no sign of life can be written on the Job, and {what}: {error}; its Role needs "
                "the verb patch on jobs, as in k8s/runjob.yaml"
            )
        return self._lease.kills or self._refusals < REFUSALS


def _names(job: Body) -> Mapping[str, str]:
    notes = job["metadata"].get("annotations") or {}
    return {name: notes[name] for name in (LAUNCH, terms.LAUNCHER) if name in notes}
