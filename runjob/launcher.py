"""The story of one launch: create the Job, follow it to its end, leave nothing behind."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from runjob.endings import Ending, early_end, killed, natural_end, overdue_end, sidecar_end
from runjob.errors import ApiError, Exit
from runjob.existing import how_to_adopt
from runjob.informer import watching
from runjob.marks import mark
from runjob.messages import Created, NotCreated, Signalled
from runjob.motion import is_moving
from runjob.observed import Picture
from runjob.readings import Listening, Unread
from runjob.remains import how_to_find
from runjob.removal import Removal
from runjob.request import JOB, POD
from runjob.verdict import Verdict, verdict


class Launch(Removal):
    """One launch, whose Job is being created: `run` tells it to the verdict and returns that.

    cancel has the creator create nothing further.
    """

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
                return killed(self._last_signal) if self._signals else None
            if isinstance(message, NotCreated):
                self._ours, self._uncertain = message.ours, message.unsure
                self._leaving = message.leaving
                if self._signals:
                    return killed(self._last_signal)
                error = message.error
                text = f"was not created: {error}"
                return Ending(code=error.exit_code, text=text, hint=error.hint)
            self._heed(message)
            if isinstance(message, Signalled):
                self._cancel()
                deadline = min(deadline, self._inbox.now() + self._patience.answer)
            if self._signals > 1 or self._inbox.now() >= deadline:
                self._uncertain = True
                return killed(self._last_signal)

    def _without_job(self, ending: Ending) -> Verdict:
        left = self._how_to_find() if self._uncertain else ""
        if self._ours:
            self._workshop.remove(None, self._ours, self._inbox.put, False)
            removal = self._await_removal(self._inbox.now() + self._patience.removal)
            left = ". ".join(part for part in (left, removal) if part)
        return self._verdict(ending, left=left)

    def _bring_to_its_end(self, told: Verdict) -> Verdict:
        """Finish the removal that an earlier launch had begun, or was about to begin."""
        left = self._remove(told.ending)
        if self._signals:
            verdict = self._verdict(killed(self._last_signal), left=left)
            return replace(verdict, lost=told.lost)
        return replace(told, left_behind=left)

    # -- track ---------------------------------------------------------------------------------

    def _track(self) -> Ending:
        """Follow the Job until it ends, or must be ended."""
        while True:
            assert self._picture is not None
            ending = self._ending()
            if ending is not None:
                return ending
            moving = is_moving(self._picture)
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
            or bool(self._readings.ended)
            or not is_moving(self._picture)
        )

    def _ending(self) -> Ending | None:
        assert self._picture is not None
        now = self._inbox.now()
        if self._signals:
            return killed(self._last_signal)
        natural = natural_end(self._picture)
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
        early = early_end(self._picture)
        if early is not None:
            return early
        decided = self._sidecar_end(now)
        if decided is not None:
            return decided
        if is_moving(self._picture):
            self._moved = now
        elif now - self._moved > self._options.start_timeout:
            return overdue_end(self._picture, self._options.start_timeout)
        return None

    def _sidecar_end(self, now: float) -> Ending | None:
        """Return the end that the main containers decide, once their sidecars had time to end."""
        assert self._picture is not None
        name = self._options.main_container
        ending = None if name is None else sidecar_end(self._picture, name)
        if ending is None or not ending.decided:
            self._decided = None
            return ending
        self._decided = now if self._decided is None else self._decided
        return ending if now - self._decided >= self._patience.linger else None

    # -- the end -------------------------------------------------------------------------------

    def _finish(self, ending: Ending, judged: Picture) -> Verdict:
        """Read what is left of the logs, remove the Job, sum up."""
        away = ""
        if ending.final:
            away = self._drain()
            # What came last may explain the end better than what was known at it.
            judged = self._picture or judged
            ending = killed(self._last_signal) if self._signals else natural_end(judged) or ending
        if away:
            return self._verdict(ending, left=away, judged=judged)
        if not ending.final:
            self._hear_out(ending)
        if ending.code is not Exit.SUCCEEDED and not self._signals:
            self._gather_events()
        # What is written down is the whole of it, and between removal and verdict nothing is asked:
        # a launcher that is killed there leaves no Job that tells its end once more.
        feared = Unread() if ending.final else self._readings.ended
        self._write_down(ending, judged, feared)
        left = self._remove(ending)
        if not ending.final:
            self._read_what_ended(self._patience.last_words)  # what they said as they were ended
            # What runs when a signal comes had more to say; a sidecar that is not needed had not.
            self._give_up(_ENDED, self._readings.unread if self._signals else self._readings.ended)
            if feared and not self._signals:
                self._write_down(ending, judged, Unread())
        if self._signals and ending.code not in (Exit.KILLED, Exit.INTERRUPTED):
            # After a signal no path returns 0, not even the last step.
            ending = killed(self._last_signal)
        return self._verdict(ending, left=left, judged=judged)

    def _write_down(self, ending: Ending, judged: Picture, feared: Unread) -> None:
        """Leave word of the end, so that a launch after a kill does not run the Job again.

        An end that somebody asked for leaves none: who launches the run after it wants it to run.
        What is feared to be lost, since it is unread yet, is told by a launch after a kill as lost.
        """
        if self._journal is None:
            return
        if self._signals or ending.code is Exit.KILLED:
            self._journal.forget()
        else:
            self._journal.conclude(self._verdict(ending, left="", judged=judged, feared=feared))

    def _drain(self) -> str:
        """Wait until each pod's end was seen and each log is read, as long as something comes.

        Return in words why nothing may be removed, since the API is away; nothing when it may.
        """
        listening = Listening(self._inbox.now())
        unheard = listening.begun  # until when the pods' watch had told nothing
        listed = False
        while not self._signals:
            assert self._picture is not None
            now = self._inbox.now()
            unread = self._readings.unread
            for watch in filter(self._outages.may_end, (watching(JOB), watching(POD))):
                listening = replace(listening, excused=now)  # what was missed comes when it is back
                silence = self._outages.of(watch)
                if silence is not None and now - silence.since > self._options.api_timeout:
                    return self._api_is_away(now - silence.since, silence.error, unread)
            if not (listed or self._picture.settled) and (
                now - listening.begun > self._patience.settle
            ):
                listed = True
                self._list_pods()
            if not self._watched:
                unheard = now  # the first answer about the pods is still to come
            listening = listening.to(unread)
            # A pod that was deleted before it was seen never shows its end.
            start = max(listening.begun, listening.excused, unheard)
            missing = not self._picture.settled and now - start <= self._patience.mute
            # An API that comes and goes is no reason to wait for ever.
            patience = self._patience.drain
            over = listening.silent(now) > patience or (
                listening.silent_in_all(now) > patience + self._options.api_timeout
            )
            if over or not (missing or unread):
                seconds = listening.since_new(unread, now)
                self._give_up(f"nothing more came in {seconds:.0f} s of the log of", unread)
                self._say_what_is_unseen()
                return ""
            self._beat()  # a long log takes longer than a Job is believed to be followed
            self._heed(self._inbox.get(self._patience.tick))
        return ""

    def _hear_out(self, ending: Ending) -> None:
        """Read what has ended before it is removed, and say which pods were not read at all."""
        if ending.decided:
            self._read_what_ended(self._patience.drain, quiet=True)
        else:
            self._read_what_ended(self._patience.last_words)
        self._say_what_is_unseen()

    def _give_up(self, why: str, unread: Unread) -> None:
        """Say which logs are not read to their end and never will be."""
        if not unread:
            return
        self._readings.stop()  # lest something comes behind what is said
        self._readings.gaps += len(unread.logs)
        self._console.remark(f"{why} {unread}: the rest of it is lost")
        self._lost += _marks(why, unread)

    def _say_what_is_unseen(self) -> None:
        """Say how many pods were not read at all, while those that are removed are none of them."""
        assert self._picture is not None
        unseen = self._picture.unseen
        self._readings.gaps += unseen
        if unseen:
            text = (
                f"{unseen} of the Job's pods could not be seen before the end: "
                "what they wrote was not read"
            )
            self._console.remark(text)
            self._lost += (_mark(text),)

    def _api_is_away(self, seconds: float, error: ApiError, unread: Unread) -> str:
        """Say in words why nothing is removed."""
        logs = f"the log of {unread} is not read to its end; " if unread else ""
        return (
            f"NOT removed: the API gave no answer for {seconds:.0f} s ({error}); {logs}"
            f"{self._how_to_find()}"
        )

    def _read_what_ended(self, seconds: float, *, quiet: bool = False) -> None:
        """Give the logs of containers that have ended so many seconds, before their pods go.

        With quiet these count from when one of them was last heard of, and not while the API is
        away.
        """
        signals, listening = self._signals, Listening(self._inbox.now())
        while self._signals == signals < 2:
            now, ended = self._inbox.now(), self._readings.ended
            silent = now - listening.begun
            if quiet:
                self._beat()  # a long log takes longer than a Job is believed to be followed
                away = any(map(self._outages.may_end, (watching(JOB), watching(POD))))
                listening = listening.to(ended)
                bound = seconds + self._options.api_timeout
                if away and listening.silent_in_all(now) <= bound:
                    listening = replace(listening, excused=now)
                silent = listening.silent(now)
            # The Job may count a pod before its end is seen here.
            late = self._is_behind and now - listening.begun < self._patience.last_words
            if silent >= seconds or not (ended or late):
                return
            self._heed(self._inbox.get(self._patience.tick))

    @property
    def _is_behind(self) -> bool:
        return self._picture is not None and self._picture.behind and not self._is_gone

    def _gather_events(self) -> None:
        assert self._picture is not None
        troubled = [pod.uid for pod in self._picture.pods.values() if pod.phase != "Succeeded"]
        for uid in (*troubled[-3:], self._picture.job.uid):
            if uid not in self._informers:
                for message in self._workshop.events(uid):
                    self._picture = self._picture.after(message.seen)

    def _how_to_find(self) -> str:
        return how_to_find(self._request, self._picture, how_to_adopt(self._options))

    def _verdict(
        self,
        ending: Ending,
        *,
        left: str,
        judged: Picture | None = None,
        feared: Unread = Unread(),  # noqa: B008  # frozen
    ) -> Verdict:
        if not ending.final and ending.code in (Exit.KILLED, Exit.INTERRUPTED):
            gone = "nothing had been created" if self._picture is None else "Job and pods are gone"
            if self._leaving:
                gone += f", but the earlier Job {self._leaving} is being removed"
            ending = replace(ending, hint="" if left else gone)
        if ending.decided and not left:
            hint = "; ".join(part for part in ("the launcher removed the Job", ending.hint) if part)
            ending = replace(ending, hint=hint)
        return verdict(
            self._request.label,
            ending,
            self._picture,
            judged=judged,
            container=self._options.container_exit,
            mapped=self._options.exit_map,
            main=self._options.main_container,
            gaps=self._readings.gaps + len(feared.logs),
            lost=(*self._lost, *_marks(_ENDED, feared)),
            left_behind=left,
        )


_ENDED = "the launch was ended before the end of the log of"


def _marks(why: str, unread: Unread) -> tuple[str, ...]:
    """Return what tells, behind the log, which logs are not read to their end."""
    return tuple(_mark(f"{why} {log}: the rest of it is lost") for log in unread.logs)


def _mark(text: str) -> str:
    return mark(f"a gap: {text}")
