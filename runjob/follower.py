"""Follow one container's log through all its runs, over any number of broken streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

from runjob.errors import ApiError, NoClusterError
from runjob.logs import LogCursor
from runjob.marks import mark as marked
from runjob.messages import LogGap, LogRead, Message, Trouble
from runjob.observed import ContainerView, PodView, Terminated
from runjob.retry import REFUSALS, Backoff, wait_for

# How long a stream may end before the pod's status says that the container did, in seconds.
STATUS_LAG = 2.0

# How many reads in a row must bring nothing new where the log's last line does not tell the end, as
# in an empty log.
SAME_READS = 4

# How often the end of a log is tried when the stream breaks off before what is known to be there.
SHORT_READS = 6
_ROTATED = "its log was rotated away by the kubelet"
_SHORT = "each try breaks off before its log's end"


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


def has_begun(view: ContainerView, run: int) -> bool:
    """Tell whether that run of the container (0 is the first) has begun."""
    return view.restarts > run or (view.restarts == run and view.started)


def has_ended(view: ContainerView, run: int, pod: PodView) -> bool:
    """Tell whether that run of the container is over."""
    if view.restarts > run or pod.over:
        return True
    return view.restarts == run and view.latest_end is not None


def may_run_again(view: ContainerView, pod: PodView) -> bool:
    """Tell whether the kubelet may yet start the container, for the first time or once more."""
    if pod.over:
        return False
    end = view.latest_end
    if not (pod.restarts_in_place or view.role == "sidecar"):
        return not view.started
    return end is None or end.exit_code != 0 or view.role == "sidecar"


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
        self._api = api
        self._now = now
        self._namespace = namespace
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
        self._heard = 0.0
        self._printing = False
        self._bare = False  # whether nothing came when the log's last line was asked for

    @property
    def pod_name(self) -> str:
        return self._pod.name

    @property
    def heard(self) -> float:
        """When the stream last brought something, by now; what waits for its reader still does."""
        return self._now() if self._printing else self._heard

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
        kept = max(self._view.restarts - 1, 0)
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
            if self._view.restarts > run + 1:
                self._miss_runs(self._view.restarts - run - 1)
                run = self._view.restarts - 1
        self._tell(LogRead(self._pod.name, self._container))

    def _miss_runs(self, number: int) -> None:
        # The kubelet keeps the present run's log and the one before.
        runs = "an earlier run" if number == 1 else f"{number} earlier runs"
        self._miss(f"wrote in {runs} is gone: a node keeps the logs of the last two")

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
            self._printing = False

    def _begins(self, run: int) -> bool:
        """Wait for that run of the container; False when it will not come."""
        self._await(lambda: has_begun(self._view, run) or not may_run_again(self._view, self._pod))
        return not self._stop and has_begun(self._view, run)

    @property
    def _view(self) -> ContainerView:
        return next(each for each in self._pod.containers if each.name == self._container)

    def _await(self, happened: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until it happened; False when stopped, or when the seconds are over."""
        with self._news:
            self._news.wait_for(lambda: self._stop or happened(), seconds)
            return not self._stop and happened()

    def _read(self, run: int) -> str:
        """Read one run's log to its end; return in words what could not be read."""
        waits = self._backoff.waits()
        since = self._cursor.resume()
        ended = False  # whether the latest read came to what may be the log's end
        rest = b""  # what it left unfinished
        same = 0  # reads in a row that brought nothing new
        short = 0  # reads that broke off before what is known to be there
        refused = 0  # reads after the end that were forbidden, or met nobody who knows the pod

        # Whether the present log is the next run's already, which the status tells later; None
        # before there is a sign of it.
        passed: bool | None = None

        def is_over() -> bool:
            return has_ended(self._view, run, self._pod)

        while not self._stop:
            told = self._view.restarts > run
            over, previous = is_over() or bool(passed), told or bool(passed)
            asked = None
            try:
                fresh = self._stream_once(
                    run,
                    since,
                    follow=not over,
                    previous=previous,
                    doubt=not told and passed is not False and self._restarts,
                    end=self._view.latest_end if over and passed is None else None,
                )
                if fresh is None:
                    # What is missing in one of the two logs may stand in the other one.
                    passed = passed is None
                    since = self._cursor.resume()
                    continue
                refused = 0
                same = same + 1 if not fresh and self._cursor.unfinished == rest else 0
                # A node that has removed a container says so, or nothing, which takes nothing back.
                removed = self._cursor.is_refused or (
                    ended and not fresh and not self._cursor.caught_up
                )
                if not removed:
                    ended, rest = False, self._cursor.unfinished
                waits = self._backoff.waits() if fresh else waits
                # The stream's end comes a moment before the status that explains it; where none
                # does, the container goes on, and that was no end.
                over = over or self._await(is_over, STATUS_LAG)
                if over:
                    # A kubelet that dies ends a stream as cleanly as a log does, and where a proxy
                    # cuts each stream, all end at one place: the log's last line tells.
                    caught_up = self._cursor.caught_up
                    ended = ended if removed else caught_up
                    whole = caught_up and self._is_whole(
                        previous=self._view.restarts > run or bool(passed)
                    )
                    if whole or (whole is None and same >= SAME_READS):
                        self._put(run, self._cursor.finish())
                        return self._cursor.words if self._cursor.empty else ""
                    # No last line at all: a cut again, or the node has removed the log meanwhile.
                    ended = ended if removed else whole is not False or (caught_up and self._bare)
                    if whole is False and not fresh:
                        short += 1
                        if short == SHORT_READS and not told and passed:
                            short, passed = 0, False
                        elif short == SHORT_READS and ended and not rest:
                            return ""
                        elif short == SHORT_READS:
                            return _SHORT if caught_up else _ROTATED
                        raise ApiError(0, "the log broke off")
                    since = self._cursor.resume()
                    continue
            except ApiError as error:
                if self._stop:
                    break
                if passed and not told and error.status in (400, 404):
                    passed = False  # there was no run before this one
                    since = self._cursor.resume()
                    continue
                # A server that has just started knows no roles, and a kubelet no pods.
                unknown = error.status == 404 and not self._pod.gone
                if (error.status == 403 and over) or unknown:
                    refused += 1
                    waits = self._backoff.waits() if refused == 1 else waits
                    if refused == REFUSALS and not unknown:
                        return str(error)
                if (error.status == 404 and (self._pod.gone or refused == REFUSALS)) or (
                    error.status == 400 and over
                ):
                    # What was read to an end is whole, if its last line is.
                    return "" if ended and not rest else str(error)
                ended = ended and over
                if error.status != 400:  # 400: the container is about to start
                    self._tell(
                        Trouble(error, f"reading the log of {self._pod.name}", silence=False)
                    )
                asked = error.retry_after
            except NoClusterError as error:
                self._tell(Trouble(ApiError(401, str(error)), "reading a log", silence=False))
            since = self._cursor.resume()
            pause = wait_for(asked, next(waits))
            self._await(lambda: False if over else is_over(), pause)  # noqa: B023  # at once
        return ""

    @property
    def _restarts(self) -> bool:
        """Whether the kubelet may run the container more than once."""
        return self._pod.restarts_in_place or self._view.role == "sidecar"

    def _stream_once(
        self,
        run: int,
        since: str | None,
        *,
        follow: bool,
        previous: bool,
        doubt: bool,
        end: Terminated | None,
    ) -> bool | None:
        """Read one stream to its end; tell whether it brought anything new.

        In doubt, a stream that does not go on where we are, begins after that end of the run, or is
        not of the first run any more, is left as it is: None.
        """
        before = self._cursor.snapshot() if doubt else None
        first = doubt and not previous and not run and self._cursor.empty
        over = _second_after(end) if doubt else None
        self._stream = stream = self._api.log(
            self._namespace,
            self._pod.name,
            self._container,
            since=since,
            follow=follow,
            previous=previous,
        )
        some = False
        for chunk in stream:
            self._heard = self._now()
            if over is not None and chunk[: len(over)] > over:
                stream.close()
                return None
            if first and self._has_restarted():
                stream.close()
                return None
            over, first = None, False
            fresh = self._cursor.feed(chunk)
            gap = self._cursor.take_gap()
            if gap is not None and before is not None:
                stream.close()
                self._cursor = LogCursor.restored(before)
                return None
            if gap is not None:
                self._miss(
                    f"wrote after {gap.after} and before {gap.before} was rotated away by the "
                    "kubelet"
                )
            if fresh:
                some = True
                self._put(run, fresh)
        return some

    def _has_restarted(self) -> bool:
        """Tell whether there is a log of a run before the present one, whatever the status says."""
        try:
            for _ in self._api.log(
                self._namespace, self._pod.name, self._container, previous=True, tail=1
            ):
                pass
        except ApiError as error:
            if error.status in (400, 404):
                return False
            raise
        return True

    def _is_whole(self, *, previous: bool) -> bool | None:
        """Tell by the log's last line whether all of it was read; None where that does not tell."""
        if self._cursor.empty and not self._cursor.unfinished:
            return None
        self._stream = stream = self._api.log(
            self._namespace, self._pod.name, self._container, previous=previous, tail=1
        )
        tail = b"".join(stream)
        self._bare = not tail
        return self._cursor.ends_with(tail)


def _second_after(end: Terminated | None) -> bytes | None:
    """Return the last second in which what ended then can have written, as in a log's stamps."""
    if end is None or end.finished is None:
        return None
    return (end.finished + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S").encode()
