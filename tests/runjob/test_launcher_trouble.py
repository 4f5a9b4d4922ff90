"""The story of a launch in trouble: an API that is away, disrupted pods, sidecars that run on."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.errors import ApiError, Exit
from runjob.messages import Answered, Listed, LogRead, Message, Observed, Removed, Trouble
from runjob.observed import Condition, ContainerView, JobView, PodView, Terminated
from runjob.retry import REFUSALS
from tests.runjob.launch_stage import (
    COMPLETE,
    CREATED,
    FAILED,
    JOB,
    JOB_GONE,
    KILL,
    OVER,
    READ,
    RUNNING,
    UID,
    Journal,
    Stage,
    ended,
    job,
    pod,
)
from tests.runjob.scenes import NOON


def test_a_job_whose_end_can_be_seen_no_more_is_given_up_though_its_pods_are_seen() -> None:
    """A launcher that takes any answer for an answer waits for ever."""
    error = Trouble(ApiError(403, "you may not"), "watching jobs")
    seen = [(float(second), RUNNING) for second in range(3, 80)]
    stage = Stage((0, CREATED), (1, RUNNING), (2, error), *seen, api_timeout=60)
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNREADABLE
    assert "you may not" in verdict.sentence


def test_pods_that_may_not_be_watched_are_not_waited_for_at_the_end() -> None:
    error = Trouble(ApiError(403, "you may not"), "watching pods")
    forbidden = [(float(second), error) for second in range(1, 1 + REFUSALS)]
    stage = Stage((0, CREATED), *forbidden, (20, COMPLETE), (22, error))
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.inbox.now() < 26
    assert stage.console.remarks[-1].endswith("what they wrote was not read")
    assert verdict.warnings[-1].endswith("each told of where it is missing: 1")


def test_pods_are_waited_for_as_long_as_the_first_answer_about_them_may_come() -> None:
    """An API that is overrun has a watch wait in a queue, and answers that of the Job at once."""
    late = Answered("watching pods")
    stage = Stage((0, CREATED), (1, COMPLETE), (12, late), (14, ended(0)), (14, READ))
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.workshop.followed
    assert not any("could not be seen" in remark for remark in stage.console.remarks)
    stage = Stage((0, CREATED), (1, COMPLETE))
    assert stage.play().exit_code == 0
    assert 30 < stage.inbox.now() < 35
    assert stage.console.remarks[-1].endswith("what they wrote was not read")


def test_a_pod_whose_end_is_not_heard_of_is_asked_for_anew() -> None:
    """A watch whose connection died without a word tells of nothing for minutes."""
    open_, listed = Answered("watching pods"), Listed("Pod", frozenset({"p1"}))
    stage = Stage((0, CREATED), (1, open_), (2, COMPLETE), (6, ended(0)), (6, listed), (7, READ))
    assert stage.play().exit_code == 0
    assert stage.workshop.watched == ["jobs", "pods", "pods"]
    assert stage.workshop.followed


def test_a_log_is_not_waited_for_for_ever_where_the_api_comes_and_goes() -> None:
    """As behind a proxy that closes what is silent: each time the wait would begin anew."""
    broken, back = Trouble(ApiError(0, "reset"), "watching pods"), Answered("watching pods")
    flaps = [(float(second), each) for second in range(5, 999, 5) for each in (broken, back)]
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), *flaps, api_timeout=60)
    assert stage.play().exit_code == 0
    assert 90 < stage.inbox.now() < 100
    assert "the log of [hello-1/main]: the rest of it is lost" in stage.console.remarks[-1]


def test_a_removal_waits_as_long_for_the_api_as_the_launch_does() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "deleting Job hello")
    stage = Stage(
        (0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (2, error), (50, Removed()),
        removes=False, api_timeout=60,
    )  # fmt: skip
    assert stage.play().sentence == "succeeded."


def test_a_removal_that_the_api_does_not_answer_is_told_with_the_known_end() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "deleting Job hello")
    stage = Stage(
        (0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (2, error), removes=False,
        api_timeout=60,
    )  # fmt: skip
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert "NOT removed yet: Job here/hello" in verdict.sentence
    assert "(the API has not accepted the deletion); remove it with: kubectl" in verdict.sentence
    assert "kubectl -n here delete job hello" in verdict.sentence
    assert stage.inbox.now() < 80


def test_a_job_that_the_kill_of_its_run_removed_is_told_so() -> None:
    gone = Observed(JobView(uid=UID, name="hello", killed=True), gone=True)
    stage = Stage((0, CREATED), (1, RUNNING), (2, gone))
    verdict = stage.play()
    assert verdict.exit_code == Exit.KILLED
    assert "--kill" in verdict.sentence
    assert stage.workshop.removed[0][0] is None


def test_a_launch_with_an_api_that_hangs_ends_after_one_more_try() -> None:
    """Its watch went mute at 10 s, was given up at 160 s, and could not be opened anew."""
    hung = ApiError(0, "no answer in time", reason="Silence")
    first, second = Trouble(hung, "watching jobs"), Trouble(hung, "watching jobs", since=10)
    stage = Stage((0, CREATED), (1, RUNNING), (160, first), (170, second), api_timeout=60)
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNREADABLE
    assert "the API gave no answer for 160 s (no answer in time)" in verdict.sentence
    assert stage.inbox.now() == 170
    assert stage.workshop.removed == []


def test_an_api_that_hangs_for_a_while_is_told_of_for_all_the_while() -> None:
    hung = ApiError(0, "no answer in time", reason="Silence")
    first, second = Trouble(hung, "watching jobs"), Trouble(hung, "watching jobs", since=10)
    stage = Stage(
        (0, CREATED), (1, RUNNING), (160, first), (170, second), (180, Answered("watching jobs")),
        (181, ended(0)), (181, COMPLETE), (181, READ),
    )  # fmt: skip
    assert stage.play().exit_code == 0
    assert stage.console.remarks == [
        "trouble watching jobs: no answer in time; trying on",
        "the API answers again, after 170 s",
    ]


def test_an_outage_that_two_watches_notice_one_after_the_other_is_one() -> None:
    """The one of pods broke off only as the other one was open again."""
    refused = ApiError(0, "Connection refused")
    stage = Stage(
        (0, CREATED), (1, RUNNING), (2, Trouble(refused, "watching jobs")),
        (11.5, Trouble(refused, "watching pods")), (12, Answered("watching jobs")),
        (12.1, Answered("watching pods")), (13, ended(0)), (13, COMPLETE), (13, READ),
    )  # fmt: skip
    assert stage.play().exit_code == 0
    assert stage.console.remarks == [
        "trouble watching jobs: Connection refused; trying on",
        "the API answers again, after 10 s",
    ]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((), id="silence"),
        pytest.param(
            ((3, Trouble(ApiError(403, "jobs is forbidden"), "deleting Job hello")),), id="403"
        ),
    ],
)
def test_a_signal_whose_deletion_is_not_accepted_says_so_whatever_the_answer(
    answers: tuple[tuple[float, Trouble], ...],
) -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), *answers, removes=False)
    verdict = stage.play()
    assert verdict.exit_code == Exit.KILLED
    assert "the API has not accepted the deletion yet; trying on" in stage.console.remarks
    assert "(the API has not accepted the deletion); remove it with: kubectl" in verdict.sentence


EVICTED = pod(
    ContainerView(name="main", running=NOON),
    deleting=True,
    conditions=(
        Condition(
            type="DisruptionTarget",
            status="True",
            reason="EvictionByEvictionAPI",
            message="Eviction API: evicting",
        ),
    ),
)


def test_a_disrupted_pod_is_told_of_once_and_its_replacement_followed() -> None:
    second = ContainerView(name="main", terminated=Terminated(exit_code=0))
    stage = Stage(
        (0, CREATED),
        (1, RUNNING),
        (2, EVICTED),
        (6, pod(phase="Failed", gone=True)),
        (7, READ),
        (8, pod(second, uid="p2", name="hello-2", phase="Succeeded")),
        (9, job(succeeded=1, failed=1, conditions=COMPLETE.seen.conditions)),  # type: ignore[union-attr]
        (9, LogRead("hello-2", "main")),
    )
    assert stage.play().exit_code == 0
    told = [line for line in stage.console.remarks if "disrupted" in line]
    assert told == [
        "pod hello-1 was disrupted (EvictionByEvictionAPI: Eviction API: evicting): "
        "waiting for its replacement"
    ]


def test_a_pod_that_a_failing_job_takes_away_is_no_disruption() -> None:
    decided = job(conditions=(Condition(type="FailureTarget", status="True"),))
    stage = Stage((0, CREATED), (1, RUNNING), (2, EVICTED), (2.5, decided), (9, FAILED), (9, READ))
    assert stage.play().exit_code == 1
    assert not any("replacement" in line for line in stage.console.remarks)


def with_proxy(code: int, *, proxy: bool = True) -> Observed:
    """Return a pod whose main container has ended, with a sidecar that runs on or has ended too."""
    end = Terminated(exit_code=0)
    beside = ContainerView(
        name="proxy", running=NOON if proxy else None, terminated=None if proxy else end
    )
    main = ContainerView(name="main", terminated=Terminated(exit_code=code))
    return Observed(
        PodView(uid="p1", name="hello-1", node="n", phase="Running", containers=(main, beside))
    )


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (3, 1)])
def test_the_main_container_ends_a_job_that_its_sidecar_keeps_alive(
    code: int, exit_code: int
) -> None:
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(code)), (3, READ),
        (9, pod(gone=True)), (9, JOB_GONE), main_container="main", keep="always",
    )  # fmt: skip
    verdict = stage.play()
    assert (verdict.exit_code, verdict.container_code) == (exit_code, code)
    assert "proxy ran on" in verdict.sentence
    assert [wait for _, _, wait in stage.workshop.removed] == [True]
    kept = "--keep=always: removed all the same, since its sidecars would run on"
    assert kept in stage.console.remarks
    given = "removing the Job: what runs on is given 30 s to end"
    assert given in stage.console.remarks
    assert "The launcher removed the Job" in verdict.sentence


@pytest.mark.parametrize(("last", "at", "said"), [(999, 1000, False), (2, 35, True)])
def test_the_log_of_a_main_container_is_read_as_long_as_it_comes(
    last: float, at: float, said: bool
) -> None:
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)), (1000, READ),
        (1009, pod(gone=True)), (1009, JOB_GONE), main_container="main",
    )  # fmt: skip

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = thread.fresh = min(now(), last)
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert stage.play().exit_code == 0
    lost = "the launch was ended before the end of the log of [hello-1/main]"
    assert any(line.startswith(lost) for line in stage.console.remarks) == said
    assert stage.workshop.removed_at == [at]
    (heart,) = stage.workshop.heartbeats
    assert heart.kept_up > at, "it lives all the while"


@pytest.mark.parametrize(
    ("back", "at"),
    [pytest.param(100, 101, id="for a while"), pytest.param(9999, 665, id="for long")],
)
def test_the_wait_for_a_main_containers_log_stands_still_while_the_api_is_away(
    back: float, at: float
) -> None:
    what = "watching pods"
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)),
        (6, Trouble(ApiError(0, "refused"), what)), (back, Answered(what)), (back + 1, READ),
        (back + 9, pod(gone=True)), (back + 9, JOB_GONE), main_container="main",
    )  # fmt: skip
    assert stage.play().exit_code == 0
    assert any("is lost" in line for line in stage.console.remarks) == (at != back + 1)
    (removed_at,) = stage.workshop.removed_at
    assert at <= removed_at < at + 1


def test_what_may_be_lost_is_written_down_before_anything_is_removed() -> None:
    """A launcher that is killed then leaves nobody else who could tell."""
    journal = Journal()
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)), (90, pod(gone=True)),
        (90, JOB_GONE), main_container="main", journal=journal,
    )  # fmt: skip
    verdict = stage.play()
    assert verdict.ending.decided
    assert "[hello-1/main]" in verdict.lost[0]
    for concluded in journal.concluded:
        assert (concluded.lost, concluded.warnings) == (verdict.lost, verdict.warnings)


def test_what_is_read_after_all_is_written_down_too() -> None:
    journal = Journal()
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)), (36, READ),
        (37, pod(gone=True)), (37, JOB_GONE), main_container="main", journal=journal,
    )  # fmt: skip
    assert stage.play().lost == ()
    assert [bool(concluded.lost) for concluded in journal.concluded] == [True, False]


def test_a_signal_while_the_main_containers_log_is_awaited_says_so() -> None:
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)), (9, KILL),
        (11, LogRead("hello-1", "proxy")), (12, pod(gone=True)), (12, JOB_GONE),
        main_container="main",
    )  # fmt: skip
    assert stage.play().exit_code == Exit.KILLED
    lost = (
        "the launch was ended before the end of the log of [hello-1/main]: the rest of it is lost"
    )
    assert lost in stage.console.remarks


def test_a_sidecar_that_ends_by_itself_leaves_the_end_to_the_job() -> None:
    stage = Stage(
        (0, CREATED), (1, job(completions=1)), (2, with_proxy(0)), (3, with_proxy(0, proxy=False)),
        (30, COMPLETE), (30, pod(gone=True)), main_container="main",
    )  # fmt: skip
    assert stage.play().ending.final


def test_a_pod_without_the_main_container_ends_the_launch() -> None:
    stage = Stage(
        (0, CREATED), (2, RUNNING), (5, JOB_GONE), (5, pod(gone=True)), main_container="web"
    )
    verdict = stage.play()
    assert verdict.exit_code == Exit.CONFIGURATION
    assert "pod hello-1 has no container web" in verdict.sentence


INVALID = ContainerView(name="main", waiting=("InvalidImageName", "bad"))
REFUSAL = Removed("Job hello (no); remove it with: kubectl")


@pytest.mark.parametrize(
    ("steps", "settled"),
    [
        pytest.param((*OVER, (2, REFUSAL)), [(JOB, True)], id="it has ended"),
        pytest.param(
            ((0, CREATED), (1, pod(INVALID)), (9, REFUSAL)), [(JOB, False)], id="it may run on"
        ),
        pytest.param((*OVER, (2, KILL), (3, REFUSAL)), [], id="the end was asked for"),
        pytest.param((*OVER, (2, Removed())), [], id="it is gone"),
        pytest.param(
            (*OVER, (2, JOB_GONE), (9, Removed("ConfigMap hello (no)"))),
            [],
            id="it is gone, and what came along may not be removed",
        ),
    ],
)
def test_the_end_of_a_job_that_could_not_be_removed_is_marked_as_told(
    steps: tuple[tuple[float, Message], ...], settled: list[Any]
) -> None:
    stage = Stage(*steps, removes=False)
    stage.workshop.unsettled = "NOT marked" if settled else ""
    stage.play()
    assert stage.workshop.kept == settled
    assert ("NOT marked" in stage.console.remarks) == bool(settled)


@pytest.mark.parametrize(
    ("heard", "stays"),
    [
        pytest.param((), True, id="nothing"),
        pytest.param(((2, Removed()),), False, id="that it is done"),
        pytest.param(((2, JOB_GONE),), False, id="only that the Job is gone"),
    ],
)
def test_where_the_api_says_nothing_of_a_deletion_the_folder_knows_that_the_end_was_told(
    heard: tuple[tuple[float, Message], ...], stays: bool
) -> None:
    journal = Journal()
    Stage(*OVER, *heard, removes=False, journal=journal).play()
    assert journal.staying is stays
