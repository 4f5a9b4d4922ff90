"""What a launch knows and hears, and what it tells of that while it goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from runjob.endings import natural_end
from runjob.explaining import Explainer
from runjob.follower import Follower
from runjob.heartbeat import Heartbeat
from runjob.informer import Informer, Query, events_query, job_query, pods_query, watching
from runjob.messages import (
    Answered,
    Created,
    Listed,
    LogGap,
    LogRead,
    Message,
    Named,
    Observed,
    Prepared,
    Removed,
    Settled,
    Signalled,
    Trouble,
)
from runjob.motion import progress
from runjob.observed import Picture, PodView, job_view
from runjob.options import RunOptions
from runjob.outages import Outages
from runjob.readings import Readings
from runjob.request import EVENT, POD, Body, JobRequest
from runjob.verdict import Verdict
from runjob.waiting import causes


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the story waits for what, in seconds.

    explain: before a wait is worth a line; usual: before one is that every Job passes through;
    events: before a watch of its events, for which an API server reads all events of the namespace;
    linger: for sidecars that end by themselves, after the main containers that decide have ended;
    settle: for the ends of the pods behind the Job's, before they are asked for anew;
    mute: a stream that brings nothing after its container ended; drain: logs and last pod states
    after the Job's end; removal: beyond the pods' own grace period, until a deletion is seen to be
    done; answer: for a create that is under way when a signal comes; last_words: for logs of what
    has ended, before a removal; tick: between two looks at the clock while one of these runs.
    """

    explain: float = 1.0
    usual: float = 3.0
    events: float = 5.0
    linger: float = 3.0
    settle: float = 1.0
    mute: float = 3.0
    drain: float = 30.0
    removal: float = 15.0
    answer: float = 5.0
    last_words: float = 2.0
    tick: float = 0.5


class Inbox(Protocol):
    """Where the threads' messages arrive, and the clock by which the story waits for them."""

    def put(self, message: Message) -> None:
        """Add a message; safe in a signal handler."""

    def get(self, seconds: float | None) -> Message | None:
        """Return the next message, or None when none came in time; None waits for ever."""

    def now(self) -> float:
        """Return the time in seconds from any fixed point."""


class Workshop(Protocol):
    """Does the work that blocks, in the background."""

    def remove(
        self, job: Body | None, ours: tuple[Body, ...], tell: Callable[[Message], None], wait: bool
    ) -> None:
        """Delete the Job, with wait after its pods, and what we created with it."""

    def accompany(self, job: Body, asked: Body, remark: Callable[[str], None]) -> Heartbeat:
        """Give the Job signs of life; asked is that Job as this launch wrote it."""

    def settle(self, job: Body, tell: Callable[[Message], None], *, over: bool) -> None:
        """Have no later launch tell the end of a Job that stays, and tell what is left to do.

        One that is over gets what its author asked for.
        """

    def inform(self, query: Query, tell: Callable[[Message], None]) -> Informer:
        """Watch, and tell of each change."""

    def follow(
        self, pod: PodView, container: str, tell: Callable[[Message], None], *, alone: bool
    ) -> Follower:
        """Read a container's log and print it."""

    def events(self, pod_uid: str) -> tuple[Observed, ...]:
        """Return the events about an object, for a diagnosis; nothing when they cannot be read."""


class Journal(Protocol):
    """Where it is written down how the Job ended, for a launch after a kill."""

    @property
    def verdict(self) -> Verdict | None:
        """What was written down."""

    def conclude(self, verdict: Verdict) -> None:
        """Write down how it ended, before anything is removed."""

    def forget(self) -> None:
        """Let the next launch of the run begin anew."""

    def stays(self) -> None:
        """Hear that the Job stays, and that nothing on it says that its end was told."""


class Narrator(Protocol):
    """Where the story is told."""

    def remark(self, text: str) -> None:
        """Print one line to stderr."""


class Scene:
    """All that is known of one launch; whoever tells its story has it heed each message."""

    def __init__(
        self,
        request: JobRequest,
        options: RunOptions,
        cancel: Callable[[], None],
        workshop: Workshop,
        inbox: Inbox,
        console: Narrator,
        patience: Patience = Patience(),  # frozen
        *,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal
        self._request = request
        self._options = options
        self._cancel = cancel
        self._workshop = workshop
        self._inbox = inbox
        self._console = console
        self._patience = patience
        self._job: Body | None = None
        self._concluded: Verdict | None = None  # by an earlier launch
        self._ours: tuple[Body, ...] = ()
        self._picture: Picture | None = None
        self._heartbeat: Heartbeat | None = None
        self._informers: dict[str, Informer] = {}
        self._readings = Readings(
            lambda pod, name, alone: workshop.follow(pod, name, inbox.put, alone=alone)
        )
        # Only events tell of a pull, for which the start time-out waits.
        events = min(patience.events, options.start_timeout / 2)
        self._explainer = Explainer(
            patience.explain,
            patience.usual,
            events,
            decides=options.main_container is not None,
        )
        self._outages = Outages()
        self._watched = False  # whether the latest watch of pods was heard of
        self._moved = 0.0
        self._progress: tuple[int, ...] = ()
        self._decided: float | None = None  # since when only sidecars keep the Job alive
        self._signals = 0
        self._last_signal = 0
        self._uncertain = False  # whether a create may yet succeed
        self._leaving = ""  # an earlier Job that is on its way out
        self._lost: tuple[str, ...] = ()  # marks of what is never read
        self._removing = False
        self._removed = False
        self._refusal = ""
        self._settled: str | None = None  # what is left to do of a Job that stays
        self._held: Mapping[str, str] = {}  # by uid, what is being deleted and others hold

    # -- what is heard -------------------------------------------------------------------------

    def _begin(self, created: Created) -> None:
        job = created.job
        self._job, self._ours = job, created.ours
        self._request = replace(self._request, name=job["metadata"]["name"])
        if created.concluded and self._journal is not None:
            self._concluded = self._journal.verdict
        self._picture = Picture(job_view(job))
        self._outages.end_all()
        self._heartbeat = self._workshop.accompany(job, self._request.job, self._console.remark)
        self._readings.several = _has_several_sources(job)
        for name, query in (("job", job_query(job)), ("pods", pods_query(job))):
            self._informers[name] = self._workshop.inform(query, self._inbox.put)

    def _heed(self, message: Message | None) -> None:
        """Take in one message."""
        if isinstance(message, Signalled):
            self._signals += 1
            self._last_signal = message.number
            name = signal.Signals(message.number).name
            what = "creating nothing more" if self._picture is None else "removing the Job"
            self._console.remark(
                f"{name}: {what}" if self._signals == 1 else f"{name} again: hurrying"
            )
        elif isinstance(message, Named):
            self._request = replace(self._request, name=message.name)
        elif isinstance(message, Prepared):
            self._ours = (*self._ours, message.body)
        elif isinstance(message, Trouble):
            self._note_trouble(message)
        elif isinstance(message, LogRead):
            self._readings.close(message)
        elif isinstance(message, LogGap):
            self._readings.gaps += 1
            self._console.remark(
                f"not everything of [{message.pod}/{message.container}] could be read: "
                f"{message.what}"
            )
        elif isinstance(message, Removed):
            self._removed, self._refusal, self._held = True, message.refusal, message.held
        elif isinstance(message, Settled):
            self._settled = message.left
        elif isinstance(message, (Observed, Listed, Answered)):
            if isinstance(message, Answered):
                self._note_answer(message.what)
            else:
                self._see(message)
        if self._picture is not None:
            self._explain()
            self._readings.break_off_mute(self._inbox.now(), self._patience.mute)

    def _see(self, message: Observed | Listed) -> None:
        if self._picture is None:
            return
        if isinstance(message, Listed):
            self._picture = self._picture.with_only(message.kind, message.uids)
        else:
            self._picture = self._picture.after(message.seen, gone=message.gone)
        if self._heartbeat is not None:
            self._heartbeat.look(self._picture.job)
        now = self._inbox.now()
        come = progress(self._picture)
        if come != self._progress:
            self._progress, self._moved = come, now
        # What starts while we remove it was never the Job's work.
        self._readings.look(self._picture.pods.values(), now, begin=not self._removing)

    # -- what is going on ------------------------------------------------------------------------

    def _note_trouble(self, message: Trouble) -> None:
        now = self._inbox.now()
        self._watched = self._watched or message.what == watching(POD)
        quiet = not self._outages
        if message.silence:
            since = now if message.since is None else message.since
            self._outages.begin(message.what, message.error, since)
        text = f"trouble {message.what}: {message.error}; trying on"
        # An API that is away is told of once, not by each of those that ask it.
        if quiet and self._outages.is_news(text, now):
            self._console.remark(text)

    def _note_answer(self, what: str) -> None:
        now = self._inbox.now()
        self._watched = self._watched or what == watching(POD)
        seconds = self._outages.end(what, now)
        if seconds > 0:
            self._moved = now
            if seconds >= self._patience.explain:
                self._console.remark(f"the API answers again, after {seconds:.0f} s")

    def _explain(self) -> None:
        """Tell what is worth a line now, and look closer at what waits long."""
        assert self._picture is not None
        if self._signals or self._removing or natural_end(self._picture) is not None:
            self._explainer.pause()
            return
        told, waiting = self._explainer.lines(self._picture, self._inbox.now())
        for uid in waiting:
            self._watch_events(uid)
        for line in told:
            self._console.remark(line)
        self._leave_events()

    def _leave_events(self) -> None:
        """Watch no more events of what has started: a silent watch ends, and anew is a request."""
        picture = self._picture
        assert picture is not None
        done = {uid for uid, pod in picture.pods.items() if pod.started or pod.over}
        done = (done | ({picture.job.uid} if picture.pods else set())) & self._informers.keys()
        if not done:
            return
        waits = {uid or picture.job.uid for uid in causes(picture)}
        for about in done - waits:
            self._informers.pop(about).stop()
            self._outages.end(watching(EVENT), self._inbox.now())

    def _list_pods(self) -> None:
        """Ask for the pods anew: a watch whose connection died without a word tells of none."""
        assert self._job is not None
        self._informers.pop("pods").stop()
        query = replace(pods_query(self._job), start=None)
        self._informers["pods"] = self._workshop.inform(query, self._inbox.put)
        self._watched = False

    def _watch_events(self, uid: str) -> None:
        """Watch the events of something that waits: pulls and mounts are told nowhere else."""
        assert self._picture is not None
        about = uid or self._picture.job.uid
        if about not in self._informers and len(self._informers) < MAX_WATCHES:
            self._informers[about] = self._workshop.inform(
                events_query(self._request.namespace, about), self._inbox.put
            )

    def _beat(self) -> float | None:
        """Give a sign of life if it is time; return the seconds until it is again."""
        return self._heartbeat.keep_up() if self._heartbeat is not None else None

    def _fall_silent(self, patience: float = 0.0) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop(patience)

    def _stop(self) -> None:
        self._cancel()
        self._fall_silent()
        for informer in self._informers.values():
            informer.stop()
        self._readings.stop()


# Each watch of events costs a connection; a Job with more waiting pods has them wait alike.
MAX_WATCHES = 8


def _has_several_sources(job: Body) -> bool:
    """Tell whether more than one container can write at the same time or one after the other."""
    spec = job.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]
    return (
        len(containers) > 1
        or (spec.get("parallelism") or 1) > 1
        or (spec.get("completions") or 1) > 1
    )
