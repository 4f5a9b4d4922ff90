"""The story of a launch, told by a script of messages on a clock that only the script moves."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from runjob.errors import ApiError, Exit, LaunchError
from runjob.launcher import Launch
from runjob.messages import (
    Answered,
    Created,
    Listed,
    LogGap,
    LogRead,
    Message,
    Named,
    NotCreated,
    Observed,
    Removed,
    Settled,
    Signalled,
    Trouble,
)
from runjob.observed import Condition, ContainerView, JobView, PodView, Terminated
from runjob.options import RunOptions
from runjob.request import JobRequest
from runjob.verdict import Verdict
from tests.runjob.scenes import NOON

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
        self.stopped_before_the_end = not self.is_the_end()


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

    def __init__(self, *, removes: bool = True) -> None:
        self.removes = removes
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
        self.workshop = Workshop(removes=removes)
        self.inbox = Script(*steps)
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


def test_a_job_that_completes_is_removed_and_reported() -> None:
    stage = Stage((0, CREATED), (0.5, NO_POD), (0.9, ended(0)), (0.9, COMPLETE), (0.9, READ))
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.workshop.removed == [(JOB, (), False)]
    assert stage.workshop.watched == ["jobs", "pods"]
    assert all(thread.stopped for thread in stage.workshop.threads)
    (heart,) = stage.workshop.heartbeats
    assert heart.stopped
    assert [view.succeeded for view in heart.seen][:3] == [0, 0, 1]
    assert stage.workshop.kept == []


def test_what_explains_a_failure_is_asked_for_before_the_job_is_removed() -> None:
    stage = Stage((0, CREATED), (1, ended(3)), (1, FAILED), (1, READ))
    assert stage.play().exit_code == 1
    assert stage.workshop.asked == ["p1", UID]
    assert stage.workshop.removed


def test_a_quiet_launch_wakes_up_for_each_sign_of_life_and_for_nothing_else() -> None:
    stage = Stage((0, CREATED), (1, job(active=1, ready=1)), (1000, ended(0)), (1000, COMPLETE),
                  (1000, READ))  # fmt: skip
    stage.workshop.due = 300.0
    assert stage.play().exit_code == 0
    (heart,) = stage.workshop.heartbeats
    # A few looks at the clock at the start, then one each 300 s.
    assert 4 <= heart.kept_up < 20


def test_a_job_that_is_kept_is_settled_and_what_is_left_to_do_is_said() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), keep="always")
    stage.workshop.unsettled = "do it with: kubectl"
    assert stage.play().exit_code == 0
    assert stage.workshop.kept == [(JOB, True)]
    assert "do it with: kubectl" in stage.console.remarks


def test_a_signal_is_heard_while_a_job_that_is_kept_is_settled_and_removes_it() -> None:
    """As after any other end: an API that hangs there held the launch for minutes."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (9, KILL),
                  (10, pod(gone=True)), (11, JOB_GONE), keep="always")  # fmt: skip
    stage.workshop.settles = False
    verdict = stage.play()
    assert (verdict.exit_code, verdict.left_behind) == (8, "")
    assert stage.inbox.now() == 11
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_job_that_takes_long_to_be_settled_is_waited_for() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (99, Settled("do it")),
                  keep="always")  # fmt: skip
    stage.workshop.settles = False
    assert stage.play().exit_code == 0
    assert stage.inbox.now() == 99
    assert "do it" in stage.console.remarks


def test_events_are_watched_while_a_pod_waits_and_not_while_it_runs() -> None:
    stage = Stage((0, CREATED), (0.5, pod()), (9, RUNS), (1000, ended(0)), (1000, COMPLETE),
                  (1000, READ))  # fmt: skip
    assert stage.play().exit_code == 0
    assert stage.workshop.watched == ["jobs", "pods", "events"]
    _, _, events, *_ = stage.workshop.threads
    assert events.stopped_before_the_end


def test_the_end_waits_for_the_last_log_byte() -> None:
    stage = Stage((0, CREATED), (1, ended(3)), (1, FAILED), (9, READ))
    verdict = stage.play()
    assert verdict.exit_code == 1
    assert stage.inbox.now() == 9
    assert "exit code 3" in verdict.sentence


def test_a_log_that_never_ends_is_given_up_and_said() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE))
    assert stage.play().exit_code == 0
    assert stage.console.remarks == [
        "nothing more came in 30 s of the log of [hello-1/main]: the rest of it is lost"
    ]
    assert any(thread.broken_off for thread in stage.workshop.threads)
    assert stage.workshop.removed


def test_a_log_is_read_as_long_as_it_comes() -> None:
    """A naive launcher gives the rest of a long log so many seconds in all, and deletes it."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (999, READ))

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = now()
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert stage.play().exit_code == 0
    assert now() == 999
    assert stage.console.remarks == []
    (heart,) = stage.workshop.heartbeats
    assert heart.kept_up > 999, "it lives all the while"


@pytest.mark.parametrize("what", ["watching jobs", "watching pods"])
def test_the_wait_for_a_log_stands_still_while_the_api_is_away(what: str) -> None:
    stage = Stage(
        (0, CREATED),
        (1, ended(0)),
        (1, COMPLETE),
        (2, Trouble(ApiError(0, "refused"), what)),
        (500, Answered(what)),
        (529, READ),
    )
    assert stage.play().exit_code == 0
    assert stage.inbox.now() == 529
    assert stage.workshop.removed


def test_nothing_is_removed_when_the_api_stays_away_before_the_log_was_read() -> None:
    """A naive launcher deletes the Job as soon as the API is back, and its unread log with it."""
    stage = Stage(
        (0, CREATED),
        (1, ended(0)),
        (1, COMPLETE),
        (2, Trouble(ApiError(0, "refused"), "watching pods")),
        api_timeout=60,
    )
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.workshop.removed == []
    assert "NOT removed: the API gave no answer for" in verdict.left_behind
    assert "the log of [hello-1/main] is not read to its end" in verdict.left_behind
    assert "kubectl -n here delete job hello" in verdict.left_behind


def test_the_end_waits_for_a_pod_that_the_job_has_counted_already() -> None:
    stage = Stage((0, CREATED), (1, COMPLETE), (2, ended(0)), (2, READ))
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", True)]


def test_the_end_waits_for_pods_whose_watch_is_down_longer_than_the_jobs() -> None:
    away = ApiError(0, "Connection refused")
    stage = Stage(
        (0, CREATED),
        (1, Trouble(away, "watching pods")),
        (1, Trouble(away, "watching jobs")),
        (2, Answered("watching jobs")),
        (2, FAILED),
        (8, Answered("watching pods")),
        (9, ended(3)),
        (9, READ),
    )
    assert "exit code 3" in stage.play().sentence
    assert stage.workshop.followed == [("hello-1", "main", True)]


def test_what_could_not_be_read_is_said() -> None:
    lost = LogGap("hello-1", "main", "the pod was deleted")
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, lost), (1, lost), (1, READ))
    verdict = stage.play()
    assert (
        stage.console.remarks
        == ["not everything of [hello-1/main] could be read: the pod was deleted"] * 2
    )
    assert verdict.warnings == (
        "parts of the log that could not be read, each told of where it is missing: 2",
    )


@pytest.mark.parametrize(
    ("keep", "end", "code", "removed"),
    [
        pytest.param("never", COMPLETE, 0, True, id="never, succeeded"),
        pytest.param("failed", COMPLETE, 0, True, id="failed, succeeded"),
        pytest.param("failed", FAILED, 1, False, id="failed, failed"),
        pytest.param("always", COMPLETE, 0, False, id="always, succeeded"),
    ],
)
def test_keep_decides_whether_an_ended_job_stays(
    keep: str, end: Observed, code: int, removed: bool
) -> None:
    stage = Stage((0, CREATED), (1, ended(code)), (1, end), (1, READ), keep=keep)
    verdict = stage.play()
    assert verdict.exit_code == code
    assert bool(stage.workshop.removed) is removed
    assert ("kept" in verdict.sentence) is not removed


def test_a_job_that_could_start_yet_is_removed_even_with_keep() -> None:
    missing = pod(ContainerView(name="main", waiting=("InvalidImageName", "bad")))
    stage = Stage(
        (0, CREATED), (1, missing), (1, pod(gone=True)), (1, JOB_GONE), keep="always"
    )  # fmt: skip
    assert stage.play().exit_code == Exit.IMAGE
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_refused_create_leaves_nothing_of_what_came_before_it() -> None:
    refused = NotCreated(LaunchError("the API refused it", Exit.REFUSED), (MADE,))
    stage = Stage((0, refused))
    verdict = stage.play()
    assert (verdict.exit_code, verdict.ending.text) == (3, "was not created: the API refused it")
    assert stage.workshop.removed == [(None, (MADE,), False)]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(
            (NotCreated(LaunchError("no answer", Exit.UNREADABLE), unsure=True),),
            id="the API gave no answer",
        ),
        pytest.param((KILL, KILL), id="nobody waits for its answer"),
    ],
)
def test_a_create_in_doubt_is_told_under_the_name_that_was_tried(end: tuple[Message, ...]) -> None:
    verdict = Stage((0, Named("hello-2")), *((1, message) for message in end)).play()
    assert verdict.job == "hello-2"
    assert "get job hello-2;" in verdict.left_behind


def test_a_signal_before_the_create_is_answered_cancels_it() -> None:
    stage = Stage((0, KILL), (1, NotCreated(LaunchError("ended", Exit.KILLED))))
    verdict = stage.play()
    assert stage.workshop.cancelled
    assert verdict.exit_code == 8
    assert stage.console.remarks == ["SIGTERM: creating nothing more"]
    assert verdict.sentence == "was killed by SIGTERM. Nothing had been created."


def test_a_signal_in_the_wait_for_an_earlier_job_tells_of_its_removal() -> None:
    gone = NotCreated(LaunchError("ended", Exit.KILLED), leaving="here/hello")
    verdict = Stage((0, KILL), (1, gone)).play()
    assert verdict.exit_code == 8
    assert (
        "Nothing had been created, but the earlier Job here/hello is being removed"
        in verdict.sentence
    )


def test_a_job_that_was_created_after_all_is_removed_after_a_signal() -> None:
    stage = Stage((0, KILL), (1, CREATED), (2, JOB_GONE))
    assert stage.play().exit_code == 8
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_second_signal_does_not_wait_for_the_create() -> None:
    stage = Stage((0, KILL), (1, KILL))
    verdict = stage.play()
    assert verdict.exit_code == 8
    assert "not known whether the Job was created" in verdict.sentence


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 8, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 8, id="SIGHUP"),
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
    ],
)
def test_a_signal_removes_the_job_and_waits_until_its_pods_are_gone(number: int, code: int) -> None:
    stage = Stage(
        (0, CREATED), (1, RUNNING), (2, Signalled(number)), (9, pod(gone=True)), (10, JOB_GONE)
    )  # fmt: skip
    verdict = stage.play()
    assert verdict.exit_code == code
    assert stage.inbox.now() == 10
    assert "Job and pods are gone" in verdict.sentence
    assert stage.workshop.removed == [(JOB, (), True)]


def test_what_is_not_gone_in_time_is_said_with_the_command_that_removes_it() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL))
    verdict = stage.play()
    assert verdict.exit_code == 8
    assert "NOT removed yet: Job here/hello, pod hello-1" in verdict.sentence
    assert "kubectl -n here delete job hello" in verdict.sentence


def test_a_second_signal_hurries_the_removal() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), (3, KILL), (90, JOB_GONE))
    assert stage.play().exit_code == 8
    assert stage.inbox.now() == 3


def test_two_signals_at_once_hurry_but_the_deletion_is_waited_for() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), (2, KILL), (4, Removed()), removes=False)
    verdict = stage.play()
    assert (verdict.exit_code, stage.inbox.now()) == (8, 4)
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_signal_after_the_end_still_counts() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, KILL), (2, JOB_GONE))
    assert stage.play().exit_code == 8


def test_a_signal_in_the_very_last_step_still_counts() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (2, KILL), removes=False)
    assert stage.play().exit_code == 8


def test_a_job_that_somebody_deletes_is_told_as_that() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, JOB_GONE), (3, pod(gone=True)), (3, READ))
    assert stage.play().exit_code == Exit.DELETED
    assert stage.workshop.removed == [(None, (), False)]


def test_another_job_of_that_name_means_that_ours_is_gone() -> None:
    other = Observed(JobView(uid="u2", name="hello"))
    assert Stage((0, CREATED), (1, other)).play().exit_code == Exit.DELETED


def test_a_list_without_the_job_means_that_it_is_gone() -> None:
    stage = Stage((0, CREATED), (1, Listed("Job", frozenset())))
    assert stage.play().exit_code == Exit.DELETED


def test_a_pod_that_waits_too_long_ends_the_job() -> None:
    stage = Stage((0, CREATED), (1, UNSCHEDULABLE), start_timeout=60)
    stage.inbox._steps.append((62, pod(gone=True)))
    stage.inbox._steps.append((63, JOB_GONE))
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNSCHEDULABLE
    assert "within 60 s" in verdict.sentence


def test_each_step_of_a_pod_gives_it_new_time() -> None:
    stage = Stage(
        (0, CREATED),
        (50, UNSCHEDULABLE),
        (100, pod()),
        (150, ended(0)),
        (150, COMPLETE),
        (150, READ),
        start_timeout=60,
    )
    assert stage.play().exit_code == 0


def test_a_running_pod_has_all_the_time_it_wants() -> None:
    running = job(active=1, ready=1)
    stage = Stage(
        (0, CREATED), (1, running), (9999, ended(0)), (9999, COMPLETE), (9999, READ)
    )  # fmt: skip
    assert stage.play().exit_code == 0


def test_waiting_is_explained_once_per_change() -> None:
    stage = Stage(
        (0, CREATED),
        (1, UNSCHEDULABLE),
        (5, UNSCHEDULABLE),
        (6, UNSCHEDULABLE),
        (7, ended(0)),
        (7, COMPLETE),
        (7, READ),
    )
    stage.play()
    assert stage.console.remarks == ["waiting: pod hello-1: Unschedulable: 0/3 nodes"]
    assert "events" in stage.workshop.watched


def test_a_short_wait_is_not_worth_a_line() -> None:
    stage = Stage((0, CREATED), (0.2, pod()), (0.9, ended(0)), (0.9, COMPLETE), (0.9, READ))
    stage.play()
    assert stage.console.remarks == []
    assert "events" not in stage.workshop.watched


def test_an_api_that_is_away_for_a_while_is_ridden_out() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "watching jobs")
    stage = Stage(
        (0, CREATED),
        (1, RUNNING),
        (2, error),
        (5, error),
        (12, Answered("watching jobs")),
        (13, error),
        (14, Answered("watching jobs")),
        (14, ended(0)),
        (14, COMPLETE),
        (14, READ),
    )
    assert stage.play().exit_code == 0
    assert stage.console.remarks == [
        "trouble watching jobs: Connection refused; trying on",
        "the API answers again, after 10 s",
        "the API answers again, after 1 s",
    ]


def test_an_api_that_stays_away_ends_the_launch_but_not_the_job() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "watching jobs")
    stage = Stage((0, CREATED), (1, RUNNING), (2, error), api_timeout=60)
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNREADABLE
    assert "The Job lives on" in verdict.sentence
    assert stage.workshop.removed == []


def test_a_replacement_is_prefixed_though_the_first_pod_was_alone() -> None:
    second = ContainerView(name="main", terminated=Terminated(exit_code=0))
    stage = Stage(
        (0, CREATED),
        (1, ended(1)),
        (1, READ),
        (2, pod(second, uid="p2", name="hello-2", phase="Succeeded")),
        (2, job(succeeded=1, failed=1, conditions=COMPLETE.seen.conditions)),  # type: ignore[union-attr]
        (2, LogRead("hello-2", "main")),
    )
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", True), ("hello-2", "main", False)]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"parallelism": 2}, id="parallel pods"),
        pytest.param({"completions": 2}, id="several completions"),
        pytest.param(
            {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}},
            id="two containers",
        ),
    ],
)
def test_several_sources_are_prefixed_from_the_first_line(spec: dict[str, Any]) -> None:
    created = Created({**JOB, "spec": spec}, ())
    stage = Stage((0, created), (1, ended(0)), (1, COMPLETE), (1, READ))
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", False)]


def test_the_pods_own_grace_period_is_waited_for() -> None:
    spec = {"template": {"spec": {"terminationGracePeriodSeconds": 100}}}
    created = Created({**JOB, "spec": spec}, ())
    stage = Stage((0, created), (1, RUNNING), (2, KILL), (110, pod(gone=True)), (110, JOB_GONE))
    assert "Job and pods are gone" in stage.play().sentence


def test_the_last_words_of_a_killed_container_are_waited_for() -> None:
    """They come after the pod has gone, since the node keeps a log a moment longer."""
    running = ContainerView(name="main", running=NOON)
    stage = Stage(
        (0, CREATED),
        (1, pod(running, phase="Running")),
        (2, KILL),
        (3, pod(running, gone=True, phase="Running")),
        (3, JOB_GONE),
        (4, READ),
    )
    assert stage.play().exit_code == Exit.KILLED
    assert stage.inbox.now() == 4
