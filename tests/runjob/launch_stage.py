"""One launch, played from a script of messages on a clock that only the script moves."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from runjob.launcher import Launch
from runjob.messages import Created, LogRead, Message, Observed, Removed, Settled, Signalled
from runjob.observed import Condition, ContainerView, JobView, PodView, Terminated
from runjob.options import RunOptions
from runjob.request import JobRequest
from runjob.verdict import Verdict

UID = "u1"
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "hello", "namespace": "here", "uid": UID, "resourceVersion": "7"},
}
MADE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "uid": "c1"}}


class Script:
    """An inbox that plays messages at their times, and moves its clock to them."""

    def __init__(self, *steps: tuple[float, Message]) -> None:
        self._steps = list(steps)
        self._now = 0.0
        self.added: list[Message] = []

    def put(self, message: Message) -> None:
        self.added.append(message)

    def now(self) -> float:
        return self._now

    def get(self, seconds: float | None) -> Message | None:
        if self.added:
            return self.added.pop(0)
        if self._steps and (seconds is None or self._steps[0][0] <= self._now + seconds):
            time, message = self._steps.pop(0)
            self._now = max(self._now, time)
            return message
        assert seconds is not None, "the story waits for a message that never comes"
        self._now += seconds
        return None


class Thread:
    """Stands for an informer or a follower, and remembers what it was told."""

    def __init__(self, pod_name: str = "") -> None:
        self.pod_name = pod_name
        self.heard = 0.0
        self.fresh = 0.0
        self.seen = ""
        self.broken_off = 0
        self.stopped = False
        self.stopped_before_the_end = False
        self.is_the_end: Callable[[], bool] = lambda: False

    def look(self, pod: PodView) -> None: ...

    def break_off(self) -> None:
        self.broken_off += 1

    def stop(self) -> None:
        self.stopped = True
        self.stopped_before_the_end |= not self.is_the_end()


class Heart:
    """Stands for the signs of life, and remembers what it was told."""

    def __init__(self, due: float | None = None) -> None:
        self.seen: list[JobView] = []
        self.stopped = False
        self.due = due
        self.kept_up = 0

    def look(self, job: JobView) -> None:
        self.seen.append(job)

    def keep_up(self) -> float | None:
        self.kept_up += 1
        return self.due

    def stop(self, _patience: float = 0.0) -> None:
        self.stopped = True


class Workshop:
    """Does no work; the script tells what came of it."""

    def __init__(self, now: Callable[[], float], *, removes: bool = True) -> None:
        self._now = now
        self.removes = removes
        self.removed_at: list[float] = []
        self.removed: list[tuple[Any, Any, bool]] = []
        self.cancelled = False
        self.watched: list[str] = []
        self.followed: list[tuple[str, str, bool]] = []
        self.threads: list[Thread] = []
        self.heartbeats: list[Heart] = []
        self.kept: list[Any] = []
        self.asked: list[str] = []
        self.settles = True
        self.unsettled = ""
        self.due: float | None = None

    def cancel(self) -> None:
        self.cancelled = True

    def remove(self, job: Any, ours: Any, tell: Callable[[Message], None], wait: bool) -> None:
        self.removed.append((job, ours, wait))
        self.removed_at.append(self._now())
        if self.removes:
            tell(Removed())

    def accompany(self, _job: Any, _asked: Any, _remark: Any) -> Any:
        self.heartbeats.append(Heart(self.due))
        return self.heartbeats[-1]

    def settle(self, job: Any, tell: Callable[[Message], None], *, over: bool) -> None:
        self.kept.append((job, over))
        if self.settles:
            tell(Settled(self.unsettled))

    def inform(self, query: Any, _tell: Callable[[Message], None]) -> Any:
        self.watched.append(query.kind.plural)
        return self._thread("")

    def follow(self, pod: PodView, container: str, _tell: Any, *, alone: bool) -> Any:
        self.followed.append((pod.name, container, alone))
        return self._thread(pod.name)

    def _thread(self, name: str) -> Thread:
        self.threads.append(Thread(name))
        self.threads[-1].is_the_end = lambda: bool(self.removed)
        return self.threads[-1]

    def events(self, uid: str) -> tuple[Observed, ...]:
        assert not self.removed, "a launcher that is killed now leaves nothing that tells the end"
        self.asked.append(uid)
        return ()


class Journal:
    """Hears whether the Job stays."""

    verdict: Verdict | None = None

    def __init__(self) -> None:
        self.staying = False
        self.concluded: list[Verdict] = []

    def conclude(self, verdict: Verdict) -> None:
        self.concluded.append(verdict)

    def forget(self) -> None: ...

    def stays(self) -> None:
        self.staying = True


class Console:
    def __init__(self) -> None:
        self.remarks: list[str] = []

    def remark(self, text: str) -> None:
        self.remarks.append(text)


def job(**more: Any) -> Observed:
    return Observed(JobView(uid=UID, name="hello", **more))


COMPLETE = job(succeeded=1, conditions=(Condition(type="Complete", status="True"),))
FAILED = job(
    failed=1,
    conditions=(Condition(type="Failed", status="True", reason="BackoffLimitExceeded"),),
)
NO_POD = job()
JOB_GONE = Observed(JobView(uid=UID, name="hello"), gone=True)
CREATED = Created(JOB, ())
KILL = Signalled(signal.SIGTERM)


def pod(container: ContainerView | None = None, *, gone: bool = False, **more: Any) -> Observed:
    view = container or ContainerView(name="main", waiting=("ContainerCreating", ""))
    more = {"uid": "p1", "name": "hello-1", "node": "n", **more}
    return Observed(PodView(containers=(view,), **more), gone)


def ended(code: int, **more: Any) -> Observed:
    view = ContainerView(name="main", terminated=Terminated(exit_code=code, **more))
    return pod(view, phase="Failed" if code else "Succeeded")


RUNNING = pod(ContainerView(name="main", running=None, terminated=None), phase="Running")
UNSCHEDULABLE = Observed(
    PodView(
        uid="p1",
        name="hello-1",
        conditions=(
            Condition(
                type="PodScheduled", status="False", reason="Unschedulable", message="0/3 nodes"
            ),
        ),
    )
)
READ = LogRead("hello-1", "main")
RUNS = pod(ContainerView(name="main", running=datetime(2026, 1, 31, tzinfo=timezone.utc)),
           phase="Running")  # fmt: skip
# A Job that has failed, and is read whole.
OVER = ((0, CREATED), (1, ended(3)), (1, FAILED), (1, READ))


class Stage:
    """One launch, played from a script."""

    def __init__(
        self,
        *steps: tuple[float, Message],
        removes: bool = True,
        journal: Any = None,
        **options: Any,
    ) -> None:
        self.console = Console()
        self.inbox = Script(*steps)
        self.workshop = Workshop(lambda: self.inbox.now(), removes=removes)
        request = JobRequest("hello", "here", JOB)
        self.launch = Launch(
            request,
            RunOptions(**options),
            self.workshop.cancel,
            self.workshop,
            self.inbox,
            self.console,
            journal=journal,
        )

    def play(self) -> Verdict:
        return self.launch.run()
