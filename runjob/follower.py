"""Follow one container's log through all its runs, over any number of broken streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from runjob import logend
from runjob.errors import ApiError, NoClusterError
from runjob.logend import Again, Ask, Done, Ending, Known, Next, Pause, Seen, Whole
from runjob.logs import Gap, LogCursor
from runjob.marks import mark as marked
from runjob.messages import LogGap, LogRead, Message, Trouble
from runjob.observed import PodView
from runjob.retry import Backoff, wait_for
from runjob.runs import RunView, run_of

# How long a stream may end before the pod's status says that the container did, in seconds.
STATUS_LAG = 2.0


class Stream(Protocol):
    """The bytes of a log as they come; `close` ends it from another thread."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Api(Protocol):
    """What a follower needs of the API."""

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: str | None = None,
        follow: bool = False,
        previous: bool = False,
        tail: int | None = None,
    ) -> Stream:
        """Open a container's log, or so many lines of its end."""


# The run of a container (0 is the first), and a LogCursor's snapshot in that run's log.
Position = tuple[int, Mapping[str, Any]]


class Follower:
    """Reads the log of one container exactly once and hands it on, until nothing more can come.

    `run` blocks, so it wants a thread of its own; `look` brings it each new view of the pod.
    What cannot be read is marked where it would stand, and told in a LogGap; a LogRead closes the
    account. With a position it goes on from there. record, where it is given,
    takes write's place: it writes what is new and remembers the position after it; what is new is
    empty where a run was read to its end.
    """

    def __init__(
        self,
        api: Api,
        namespace: str,
        pod: PodView,
        container: str,
        write: Callable[[bytes], None],
        mark: Callable[[str], None],
        tell: Callable[[Message], None],
        backoff: Backoff,
        now: Callable[[], float],
        position: Position | None = None,
        record: Callable[[Position, bytes], None] | None = None,
    ) -> None:
        self._log = partial(api.log, namespace, pod.name, container)
        self._now = now
        self._pod = pod
        self._container = container
        self._write = write
        self._record = record
        self._mark = mark
        self._tell = tell
        self._backoff = backoff
        self._first = None if position is None else position[0]
        self._cursor = LogCursor() if position is None else LogCursor.restored(position[1])
        self._news = threading.Condition()
        self._stop = False
        self._stream: Stream | None = None
        self._heard = self._fresh = now()
        self._printing = False

    @property
    def pod_name(self) -> str:
        return self._pod.name

    @property
    def heard(self) -> float:
        """When the log last brought something, by now; what waits for its reader still does.

        That is also what came before, and once the log has an end, an answer that brings nothing.
        """
        return self._now() if self._printing else self._heard

    @property
    def fresh(self) -> float:
        """When the log last brought something new, by now."""
        return self._now() if self._printing else self._fresh

    @property
    def seen(self) -> str:
        """The time stamp of the latest line that was passed on, "" where there is none."""
        return self._cursor.seen

    def look(self, pod: PodView) -> None:
        """Take the newest view of the pod."""
        with self._news:
            self._pod = pod
            self._news.notify_all()

    def stop(self) -> None:
        """Read no further."""
        with self._news:
            self._stop = True
            self._news.notify_all()
        self.break_off()

    def break_off(self) -> None:
        """End the stream that is open; it is opened anew where it was, unless all is read."""
        stream = self._stream
        if stream is not None:
            stream.close()

    def run(self) -> None:
        """Read until nothing more can come."""
        kept = max(self._restarts - 1, 0)
        run = kept if self._first is None else self._first
        if run < kept or (run and self._first is None):
            self._miss_runs(kept - (self._first or 0))
            self._cursor.next_run()
            run = kept
        while self._begins(run):
            lost = self._read(run)
            if lost:
                # It may have written nothing more, and nobody can tell.
                seen = f" after {self._cursor.seen}, if anything,"
                place = f" in its run {run + 1}, if anything," if run else ""
                self._miss(
                    f"wrote{place if self._cursor.empty else seen} could not be read: {lost}"
                )
            self._cursor.next_run()
            run += 1
            if not self._stop:
                self._put(run, b"")
            if self._restarts > run + 1:
                self._miss_runs(self._restarts - run - 1)
                run = self._restarts - 1
        self._tell(LogRead(self._pod.name, self._container))

    def _miss_runs(self, number: int) -> None:
        # The kubelet keeps the present run's log and the one before.
        runs = "an earlier run" if number == 1 else f"{number} earlier runs"
        self._miss(f"wrote in {runs} is gone: a node keeps the logs of the last two")

    def _miss_lines(self, gap: Gap) -> None:
        self._miss(
            f"wrote after {gap.after} and before {gap.before} was rotated away by the kubelet"
        )

    def _miss(self, what: str) -> None:
        """Tell of something that cannot be read, in the log too."""
        self._mark(marked(f"a gap: what [{self._pod.name}/{self._container}] {what}"))
        self._tell(LogGap(self._pod.name, self._container, f"what it {what}"))

    def _put(self, run: int, data: bytes) -> None:
        """Hand on what is new, with the position after it where that is kept."""
        self._printing = True
        try:
            if self._record is not None:
                self._record((run, self._cursor.snapshot()), data)
            elif data:
                self._write(data)
        finally:
            if data:  # who waited for a reader had no chance to hear more
                self._heard = self._fresh = self._now()
            self._printing = False

    def _begins(self, run: int) -> bool:
        """Wait for that run of the container; False when it will not come."""
        self._await(lambda: not self._run(run).pending)
        return not self._stop and self._run(run).begun

    def _run(self, number: int) -> RunView:
        """Return what the newest view of the pod tells of that run."""
        return run_of(self._pod, self._container, number)

    @property
    def _restarts(self) -> int:
        return self._run(0).container.restarts

    def _await(self, happened: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until it happened; False when stopped, or when the seconds are over."""
        with self._news:
            self._news.wait_for(lambda: self._stop or happened(), seconds)
            return not self._stop and happened()

    def _read(self, run: int) -> str:
        """Read one run's log to its end; return in words what could not be read."""
        known, waits, over = Known(), self._backoff.waits(), False
        while not self._stop:
            step = self._try(run, known)
            if isinstance(step, Done):
                return step.lost
            if isinstance(step, Whole):
                self._put(run, self._cursor.finish())
                # A log of nothing but the kubelet's words tells why there is none.
                return self._cursor.words if self._cursor.empty else ""
            counts, known = known.counts, step.known
            if known.counts != counts and (isinstance(step, Again) or step.over):
                self._heard = self._now()
            if isinstance(step, Pause):
                # How long the API was away while the container ran says nothing of its log's end.
                waits = self._backoff.waits() if step.anew or step.over > over else waits
                over = step.over
                self._wait(run, step, next(waits))
        return ""

    def _wait(self, run: int, step: Pause, planned: float) -> None:
        """Wait before the next try, no longer than the run goes on."""
        if step.trouble is not None and not self._stop:
            self._tell(Trouble(step.trouble, f"reading the log of {self._pod.name}", silence=False))
        seconds = wait_for(step.asked, planned)
        if step.asked is not None:
            self._heard = self._now() + seconds  # until then nobody is to ask
        self._await(lambda: not step.over and self._run(run).over, seconds)

    def _try(self, run: int, known: Known) -> Next:
        """Read the log once, and its last line where that may tell the end."""
        before = self._run(run)
        ask = logend.question(known, before)
        over = ask.over
        try:
            seen = self._stream_once(run, ask)
            if seen is None:
                return logend.after_another_run(known)
            if seen.error is not None:
                known = logend.after_break(known, seen)
                raise seen.error
            known = logend.after_read(known, seen)
            # The stream's end comes a moment before the status that explains it; where none does,
            # the container goes on.
            over = over or self._await(lambda: self._run(run).over, STATUS_LAG)
            if not over:
                return logend.while_it_runs(known)
            # A kubelet that dies ends a stream as cleanly as a log does, and where a proxy cuts
            # each stream, all end at one place: the log's last line tells.
            previous = logend.question(known, self._run(run)).previous
            ending = self._ending(previous=previous) if seen.caught_up else logend.CUT
            return logend.at_its_end(known, seen, ending, superseded=before.superseded)
        except ApiError as error:
            if self._stop:
                return Done()
            return logend.after_error(
                known, error, superseded=before.superseded, over=over, gone=self._pod.gone
            )
        except NoClusterError as error:
            self._tell(Trouble(ApiError(401, str(error)), "reading a log", silence=False))
            return logend.pause(known, over=over)

    def _stream_once(self, run: int, ask: Ask) -> Seen | None:
        """Read one stream to its end; None where it is another run's, and is left as it is."""
        since = self._cursor.resume()
        before = self._cursor.snapshot() if ask.doubt else None
        stream = self._open(since=since, follow=not ask.over, previous=ask.previous)
        some, error = False, None
        try:
            for number, chunk in enumerate(stream):
                self._heard = self._now()
                if number == 0 and self._begins_another_run(chunk, ask):
                    stream.close()
                    return None
                fresh = self._cursor.feed(chunk)
                gap = self._cursor.take_gap()
                if gap is not None and before is not None:
                    stream.close()
                    self._cursor = LogCursor.restored(before)
                    return None
                if gap is not None:
                    self._miss_lines(gap)
                if fresh:
                    some = True
                    self._put(run, fresh)
        except ApiError as broken:
            error = broken
        cursor = self._cursor
        return Seen(some, cursor.unfinished, cursor.caught_up, cursor.is_refused, error)

    def _open(self, **which: Any) -> Stream:
        """Open the log; a follower that was stopped meanwhile gets nothing of it."""
        self._stream = stream = self._log(**which)
        if self._stop:
            stream.close()
        return stream

    def _begins_another_run(self, chunk: bytes, ask: Ask) -> bool:
        """Tell by the first bytes of a log whether another run wrote it."""
        if ask.until is not None and chunk[: len(ask.until)] > ask.until:
            return True
        return ask.first and self._cursor.empty and self._has_restarted()

    def _has_restarted(self) -> bool:
        """Tell whether there is a log of a run before the present one, whatever the status says."""
        try:
            for _ in self._log(previous=True, tail=1):
                pass
        except ApiError as error:
            if error.status in (400, 404):
                return False
            raise
        return True

    def _ending(self, *, previous: bool) -> Ending:
        """Compare the log's last line with what was read."""
        if self._cursor.empty and not self._cursor.unfinished:
            return Ending(whole=None)
        tail = b"".join(self._open(previous=previous, tail=1))
        return Ending(self._cursor.ends_with(tail), bare=not tail)
