"""The last act of a launch: delete what it made, or keep it, and say what is left."""

from __future__ import annotations

from runjob.endings import Ending, killed
from runjob.errors import Exit
from runjob.lease import kept
from runjob.remains import grace, not_removed, remains
from runjob.request import Body
from runjob.scene import Scene


class Removal(Scene):
    """A launch whose Job has come to its end, or must."""

    def _remove(self, ending: Ending) -> str:
        """Delete what we made, unless it is to be kept; return in words what is left."""
        assert self._job is not None
        self._fall_silent()
        keep = self._options.keep
        if self._is_kept(ending):
            words = self._keep(self._job, ending)
            if not self._signals:
                return words
            ending = killed(self._last_signal)
        if not ending.final and keep != "never" and not self._signals:
            why = "its sidecars would run on" if ending.decided else "it could start yet"
            self._console.remark(f"--keep={keep}: removed all the same, since {why}")
        if ending.decided and not self._signals:
            self._console.remark(
                f"removing the Job: what runs on is given {grace(self._job):.0f} s to end"
            )
        job = None if self._is_gone else self._job
        wait = not ending.final
        self._removing = True
        self._workshop.remove(job, self._ours, self._inbox.put, wait)
        seconds = (grace(self._job) if wait else 0) + self._patience.removal
        if wait and self._signals == 1:
            self._console.remark(
                f"waiting up to {seconds:.0f} s until its pods are gone; "
                "another signal does not wait"
            )
        # What others delete, and a lost node keeps, may not go now either.
        verified = wait or (self._is_leaving and not self._is_held)
        left = self._await_removal(self._inbox.now() + seconds, verified)
        # The Job may have gone though something else is left. An end that was asked for is none of
        # the Job's: what runs on may be taken up.
        if left and not (self._is_gone or self._signals):
            if self._removed:
                self._settle(self._job, over=ending.final)
            elif self._journal is not None:
                self._journal.stays()  # and what cannot be deleted cannot be marked either
        return left

    def _is_kept(self, ending: Ending) -> bool:
        """Tell whether the Job is to stay; one that others delete, and something holds, is not."""
        keep = self._options.keep
        wanted = keep == "always" or (keep == "failed" and ending.code is not Exit.SUCCEEDED)
        return ending.final and wanted and not self._is_leaving

    def _keep(self, job: Body, ending: Ending) -> str:
        """Leave the Job as its author wants it; say so, or nothing where it is gone."""
        look = self._request.commands.show(self._request.namespace, job["metadata"]["name"])
        self._fall_silent(self._patience.answer)  # lest a late beat moves the TTL once more
        gone = self._is_gone  # by other hands than the TTL that it gets back
        left = self._settle(job, over=True) if ending.code is not Exit.DELETED else ""
        return "" if gone else kept(job, self._options.keep, look, settled=not left)

    @property
    def _is_leaving(self) -> bool:
        """Whether others delete the Job, and it is there yet."""
        return self._picture is not None and self._picture.job.leaving and not self._is_gone

    @property
    def _is_held(self) -> bool:
        """Whether nothing but finalizers of others keeps the Job, which the deletion tells."""
        return self._picture is not None and self._picture.job.held

    @property
    def _is_gone(self) -> bool:
        """Whether the Job was seen to go."""
        return self._picture is not None and self._picture.job_gone

    def _settle(self, job: Body, *, over: bool) -> str:
        """Have no later launch tell this end again; say what is left to do.

        A signal ends the wait for that: an end that was asked for is told by no later launch.
        """
        signals, self._settled = self._signals, None
        self._workshop.settle(job, self._inbox.put, over=over)
        while self._settled is None and self._signals == signals:
            self._heed(self._inbox.get(self._patience.tick))
        if self._settled:
            self._console.remark(self._settled)
        return self._settled or ""

    def _await_removal(self, deadline: float, verified: bool = False) -> str:
        """Wait until the deletion was accepted and nobody holds it; return in words what is left.

        With verified wait until nothing is left at all.
        """
        begun = self._inbox.now()
        hurried = told = False
        while self._inbox.now() < self._extended(deadline):
            if self._signals > 1 and not hurried:
                # Hurrying means not to wait for the pods; the deletion itself must be on its way.
                deadline = min(deadline, self._inbox.now() + self._patience.answer)
                hurried = True
            # What is held usually goes in a moment: whoever set the finalizer is at work.
            left = self._held_words or (verified and remains(self._request, self._picture))
            if self._removed and (self._refusal or hurried or not left):
                break
            if not (self._removed or told) and self._inbox.now() - begun >= self._patience.answer:
                told = True
                self._console.remark("the API has not accepted the deletion yet; trying on")
            self._heed(self._inbox.get(self._patience.tick))
        seen = verified or not self._removed
        return not_removed(
            self._request,
            remains(self._request, self._picture) if seen else "",
            accepted=self._removed,
            refusal=self._refusal,
            held=self._held_words,
        )

    @property
    def _held_words(self) -> list[str]:
        """What is being deleted and others hold, in words; not a Job that was seen to go."""
        picture = self._picture
        gone = picture.job.uid if picture is not None and picture.job_gone else ""
        return [words for uid, words in self._held.items() if uid != gone]

    def _extended(self, deadline: float) -> float:
        """Return how long to wait for a removal: while the API is silent, as long as for its end.

        Who has sent a signal waits no longer than was said.
        """
        begun = self._outages.begun
        if begun is None or self._signals:
            return deadline
        return max(deadline, begun + self._options.api_timeout)
