"""The story of one launch: create the Job, follow it to its end, leave nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from runjob import verdict as judge
from runjob.errors import ApiError, Exit
from runjob.explaining import Explainer
from runjob.follower import Follower
from runjob.heartbeat import Heartbeat
from runjob.identity import how_to_adopt
from runjob.informer import Informer, Query, events_query, job_query, pods_query, watching
from runjob.messages import (
    Answered,
    Created,
    Listed,
    LogGap,
    LogRead,
    Message,
    NotCreated,
    Observed,
    Prepared,
    Removed,
    Signalled,
    Trouble,
)
from runjob.observed import Picture, PodView, job_view
from runjob.options import RunOptions
from runjob.outages import Outages
from runjob.readings import Readings
from runjob.remains import grace, how_to_find, how_to_remove, remains
from runjob.request import EVENT, JOB, POD, Body, JobRequest
from runjob.verdict import Ending, Verdict
from runjob.waiting import causes


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the story waits for what, in seconds.

    explain: before a wait is worth a line; usual: before one is that every Job passes through;
    events: before a watch of its events, for which an API server reads all events of the namespace;
    linger: for sidecars that end by themselves, after the main containers that decide have ended;
    mute: a stream that brings nothing after its container ended; drain: logs and last pod states
    after the Job's end; removal: beyond the pods' own grace period, until a deletion is seen to be
    done; answer: for a create that is under way when a signal comes; last_words: for logs of what
    has ended, before a removal; tick: between two looks at the clock while one of these runs.
    """

    explain: float = 1.0
    usual: float = 3.0
    events: float = 5.0
    linger: float = 3.0
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

    def settle(self, job: Body) -> str:
        """Give a Job that is kept what its author asked for; return in words what is left to do."""

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


class Narrator(Protocol):
    """Where the story is told."""

    def remark(self, text: str) -> None:
        """Print one line to stderr."""


class Launch:
    """One launch, whose Job is being created: `run` tells it to the verdict and returns that.

    cancel has the creator create nothing further.
    """

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
        self._explainer = Explainer(patience.explain, patience.usual, events)
        self._outages = Outages()
        self._moved = 0.0
        self._progress: tuple[int, ...] = ()
        self._decided: float | None = None  # since when only sidecars keep the Job alive
        self._signals = 0
        self._last_signal = 0
        self._uncertain = False  # whether a create may yet succeed
        self._removing = False
        self._removed = False
        self._refusal = ""

    def run(self) -> Verdict:
        """Tell the whole story; blocks until it ends. Raises nothing that the API can cause."""
        try:
            ending = self._create()
            if self._concluded is not None:
                return self._bring_to_its_end(self._concluded)
            if ending is None:
                ending = self._track()
            if ending.code is Exit.UNREADABLE:
                return self._verdict(ending, left=self._how_to_find())
            if self._picture is None:
                return self._without_job(ending)
            return self._finish(ending, self._picture)
        finally:
            self._stop()

    # -- create --------------------------------------------------------------------------------

    def _create(self) -> Ending | None:
        """Wait until the Job stands; None when it does."""
        self._moved = self._inbox.now()
        deadline = inf
        while True:
            restless = self._outages or self._signals
            message = self._inbox.get(self._patience.tick if restless else None)
            if isinstance(message, Created):
                self._begin(message)
                return self._killed() if self._signals else None
            if isinstance(message, NotCreated):
                self._ours, self._uncertain = message.ours, message.unsure
                if self._signals:
                    return self._killed()
                text = f"was not created: {message.error}"
                return Ending(code=message.error.exit_code, text=text)
            self._heed(message)
            if isinstance(message, Signalled):
                self._cancel()
                deadline = min(deadline, self._inbox.now() + self._patience.answer)
            if self._signals > 1 or self._inbox.now() >= deadline:
                self._uncertain = True
                return self._killed()

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

    def _without_job(self, ending: Ending) -> Verdict:
        left = self._how_to_find() if self._uncertain else ""
        if self._ours:
            self._workshop.remove(None, self._ours, self._inbox.put, False)
            removal = self._await_removal(self._inbox.now() + self._patience.removal)
            left = ". ".join(part for part in (left, removal) if part)
        return self._verdict(ending, left=left)

    def _bring_to_its_end(self, verdict: Verdict) -> Verdict:
        """Finish the removal that an earlier launch had begun, or was about to begin."""
        left = self._remove(verdict.ending)
        if self._signals:
            return self._verdict(self._killed(), left=left)
        return replace(verdict, left_behind=left)

    # -- track ---------------------------------------------------------------------------------

    def _track(self) -> Ending:
        """Follow the Job until it ends, or must be ended."""
        while True:
            assert self._picture is not None
            ending = self._ending()
            if ending is not None:
                return ending
            moving = judge.is_moving(self._picture)
            pause = self._beat()
            message = self._inbox.get(self._patience.tick if self._is_restless() else pause)
            if moving:
                self._moved = self._inbox.now()  # it moved all the while
            self._heed(message)

    def _is_restless(self) -> bool:
        """Whether time alone can change something: a wait goes on, or the API is silent."""
        assert self._picture is not None
        return (
            bool(self._outages)
            or self._explainer.is_waiting
            or self._decided is not None
            or self._readings.has_ended
            or not judge.is_moving(self._picture)
        )

    def _ending(self) -> Ending | None:
        assert self._picture is not None
        now = self._inbox.now()
        if self._signals:
            return self._killed()
        natural = judge.natural_end(self._picture)
        if natural is not None:
            return natural
        # The Job's own watch tells how it ends; no other answer stands for it.
        silence = self._outages.of(watching(JOB))
        if silence is not None and now - silence.since > self._options.api_timeout:
            return Ending(
                code=Exit.UNREADABLE,
                text=f"the API gave no answer for {now - silence.since:.0f} s ({silence.error})",
            )
        if silence is not None or self._outages.may_end(watching(POD)):
            return None
        early = judge.early_end(self._picture)
        if early is not None:
            return early
        decided = self._sidecar_end(now)
        if decided is not None:
            return decided
        if judge.is_moving(self._picture):
            self._moved = now
        elif now - self._moved > self._options.start_timeout:
            return judge.overdue_end(self._picture, self._options.start_timeout)
        return None

    def _sidecar_end(self, now: float) -> Ending | None:
        """Return the end that the main containers decide, once their sidecars had time to end."""
        assert self._picture is not None
        name = self._options.main_container
        ending = None if name is None else judge.sidecar_end(self._picture, name)
        if ending is None or not ending.decided:
            self._decided = None
            return ending
        self._decided = now if self._decided is None else self._decided
        return ending if now - self._decided >= self._patience.linger else None

    def _killed(self) -> Ending:
        name = signal.Signals(self._last_signal).name
        code = Exit.INTERRUPTED if self._last_signal == signal.SIGINT else Exit.KILLED
        return Ending(code=code, text=f"killed by {name}", final=False)

    def _heed(self, message: Message | None) -> None:
        """Take in one message."""
        if isinstance(message, Signalled):
            self._signals += 1
            self._last_signal = message.number
            name = signal.Signals(message.number).name
            self._console.remark(
                f"{name}: removing the Job" if self._signals == 1 else f"{name} again: hurrying"
            )
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
            self._removed, self._refusal = True, message.refusal
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
        progress = judge.progress(self._picture)
        if progress != self._progress:
            self._progress, self._moved = progress, now
        # What starts while we remove it was never the Job's work.
        self._readings.look(self._picture.pods.values(), now, begin=not self._removing)

    # -- what is going on ------------------------------------------------------------------------

    def _note_trouble(self, message: Trouble) -> None:
        now = self._inbox.now()
        quiet = not self._outages
        if message.silence:
            self._outages.begin(message.what, message.error, now)
        text = f"trouble {message.what}: {message.error}; trying on"
        # An API that is away is told of once, not by each of those that ask it.
        if quiet and self._outages.is_news(text, now):
            self._console.remark(text)

    def _note_answer(self, what: str) -> None:
        now = self._inbox.now()
        seconds = self._outages.end(what, now)
        if seconds > 0 and not self._outages:
            self._moved = now
            if seconds >= self._patience.explain:
                self._console.remark(f"the API answers again, after {seconds:.0f} s")

    def _explain(self) -> None:
        """Tell what is worth a line now, and look closer at what waits long."""
        assert self._picture is not None
        if self._signals or self._removing or judge.natural_end(self._picture) is not None:
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

    def _watch_events(self, uid: str) -> None:
        """Watch the events of something that waits: pulls and mounts are told nowhere else."""
        assert self._picture is not None
        about = uid or self._picture.job.uid
        if about not in self._informers and len(self._informers) < MAX_WATCHES:
            self._informers[about] = self._workshop.inform(
                events_query(self._request.namespace, about), self._inbox.put
            )

    # -- the end -------------------------------------------------------------------------------

    def _finish(self, ending: Ending, judged: Picture) -> Verdict:
        """Read what is left of the logs, remove the Job, sum up."""
        away = ""
        if ending.final:
            away = self._drain()
            # What came last may explain the end better than what was known at it.
            judged = self._picture or judged
            ending = self._killed() if self._signals else judge.natural_end(judged) or ending
        else:
            patience = self._patience
            self._read_what_ended(patience.drain if ending.decided else patience.last_words)
        if away:
            return self._verdict(ending, left=away, judged=judged)
        self._write_down(ending, judged)
        left = self._remove(ending)
        if not ending.final and self._signals < 2:
            self._read_what_ended(self._patience.last_words)  # what they said as they were ended
        if ending.code is not Exit.SUCCEEDED and not self._signals:
            self._gather_events()
        if self._signals and ending.code not in (Exit.KILLED, Exit.INTERRUPTED):
            # After a signal no path returns 0, not even the last step.
            ending = self._killed()
        return self._verdict(ending, left=left, judged=judged)

    def _write_down(self, ending: Ending, judged: Picture) -> None:
        """Leave word of the end, so that a launch after a kill does not run the Job again.

        An end that somebody asked for leaves none: who launches the run after it wants it to run.
        """
        if self._journal is None:
            return
        if self._signals or ending.code is Exit.KILLED:
            self._journal.forget()
        else:
            self._journal.conclude(self._verdict(ending, left="", judged=judged))

    def _drain(self) -> str:
        """Wait until each pod's end was seen and each log is read, as long as something comes.

        Return in words why nothing may be removed, since the API is away; nothing when it may.
        """
        begun = start = quiet = self._inbox.now()
        while not self._signals:
            assert self._picture is not None
            now = self._inbox.now()
            unread = self._readings.unread
            for watch in filter(self._outages.may_end, (watching(JOB), watching(POD))):
                start = quiet = now  # what was missed comes when it is back
                silence = self._outages.of(watch)
                if silence is not None and now - silence.since > self._options.api_timeout:
                    return self._api_is_away(now - silence.since, silence.error, unread)
            heard = max(begun, self._readings.heard)
            quiet = max(quiet, heard)
            # A pod that was deleted before it was seen never shows its end.
            missing = not self._picture.settled and now - start <= self._patience.mute
            # An API that comes and goes is no reason to wait for ever.
            over = now - quiet > self._patience.drain or (
                now - heard > self._patience.drain + self._options.api_timeout
            )
            if over or not (missing or unread):
                self._give_up(now - heard, unread)
                return ""
            self._beat()  # a long log takes longer than a Job is believed to be followed
            self._heed(self._inbox.get(self._patience.tick))
        return ""

    def _give_up(self, seconds: float, unread: tuple[str, ...]) -> None:
        """Say which logs are not read to their end, or not at all, and never will be."""
        assert self._picture is not None
        unseen = self._picture.unseen
        self._readings.gaps += len(unread) + unseen
        if unread:
            self._console.remark(
                f"nothing more came in {seconds:.0f} s of the log of {', '.join(unread)}: "
                "the rest of it is lost"
            )
        if unseen:
            self._console.remark(
                f"{unseen} of the Job's pods could not be seen before the end: "
                "what they wrote was not read"
            )

    def _api_is_away(self, seconds: float, error: ApiError, unread: tuple[str, ...]) -> str:
        """Say in words why nothing is removed."""
        logs = f"the log of {', '.join(unread)} is not read to its end; " if unread else ""
        return (
            f"NOT removed: the API gave no answer for {seconds:.0f} s ({error}); {logs}"
            f"{self._how_to_find()}"
        )

    def _read_what_ended(self, seconds: float) -> None:
        """Give the logs of containers that have ended a moment, before their pods go."""
        signals, deadline = self._signals, self._inbox.now() + seconds
        while (
            self._inbox.now() < deadline and self._signals == signals and self._readings.has_ended
        ):
            self._heed(self._inbox.get(self._patience.tick))

    def _gather_events(self) -> None:
        assert self._picture is not None
        troubled = [pod.uid for pod in self._picture.pods.values() if pod.phase != "Succeeded"]
        for uid in (*troubled[-3:], self._picture.job.uid):
            if uid not in self._informers:
                for message in self._workshop.events(uid):
                    self._picture = self._picture.after(message.seen)

    def _remove(self, ending: Ending) -> str:
        """Delete what we made, unless it is to be kept; return in words what is left."""
        assert self._job is not None
        self._fall_silent()
        keep = self._options.keep
        if ending.final and (
            keep == "always" or (keep == "failed" and ending.code is not Exit.SUCCEEDED)
        ):
            place = f"{self._job['metadata']['name']} -n {self._request.namespace}"
            left = self._workshop.settle(self._job) if ending.code is not Exit.DELETED else ""
            if left:
                self._console.remark(left)
            return (
                ""
                if self._picture is not None and self._picture.job_gone
                else f"The Job is kept (--keep={keep}); look at it: runjob show {place}"
            )
        if not ending.final and keep != "never" and not self._signals:
            why = "its sidecars would run on" if ending.decided else "it could start yet"
            self._console.remark(f"--keep={keep}: removed all the same, since {why}")
        job = None if self._picture is not None and self._picture.job_gone else self._job
        wait = not ending.final
        self._removing = True
        self._workshop.remove(job, self._ours, self._inbox.put, wait)
        seconds = (grace(self._job) if wait else 0) + self._patience.removal
        if wait and self._signals:
            self._console.remark(
                f"waiting up to {seconds:.0f} s until its pods are gone; "
                "another signal does not wait"
            )
        return self._await_removal(self._inbox.now() + seconds, wait)

    def _await_removal(self, deadline: float, verified: bool = False) -> str:
        """Wait until the deletion was accepted, and with verified until nothing is left."""
        asked = verified
        hurried = False
        while self._inbox.now() < self._extended(deadline):
            if self._signals > 1 and not hurried:
                # Hurrying means not to wait for the pods; the deletion itself must be on its way.
                deadline = min(deadline, self._inbox.now() + self._patience.answer)
                verified, hurried = False, True
            if self._removed and (
                self._refusal or not (verified and remains(self._request, self._picture))
            ):
                break
            self._heed(self._inbox.get(self._patience.tick))
        if self._refusal:
            return f"NOT removed: {self._refusal}"
        if self._removed and not (asked and remains(self._request, self._picture)):
            return ""
        what = remains(self._request, self._picture) or "what was created"
        return f"NOT removed yet: {what}; remove it with: {how_to_remove(self._request)}"

    def _extended(self, deadline: float) -> float:
        """Return how long to wait for a removal: while the API is silent, as long as for its end.

        Who has sent a signal waits no longer than was said.
        """
        begun = self._outages.begun
        if begun is None or self._signals:
            return deadline
        return max(deadline, begun + self._options.api_timeout)

    def _how_to_find(self) -> str:
        return how_to_find(self._request, self._picture, how_to_adopt(self._options))

    def _verdict(self, ending: Ending, *, left: str, judged: Picture | None = None) -> Verdict:
        if not ending.final and ending.code in (Exit.KILLED, Exit.INTERRUPTED):
            gone = "nothing had been created" if self._picture is None else "Job and pods are gone"
            ending = replace(ending, hint="" if left else gone)
        return judge.verdict(
            self._request.label,
            ending,
            self._picture,
            judged=judged,
            container=self._options.container_exit,
            mapped=self._options.exit_map,
            main=self._options.main_container,
            gaps=self._readings.gaps,
            left_behind=left,
        )

    def _beat(self) -> float | None:
        """Give a sign of life if it is time; return the seconds until it is again."""
        return self._heartbeat.keep_up() if self._heartbeat is not None else None

    def _fall_silent(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _stop(self) -> None:
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
