"""What failed, in words: how a container ended, each failed run, and the cluster's warnings."""

from __future__ import annotations

import signal

import pytest

from runjob.diagnosis import describe, failures, main_container_code, warnings
from runjob.observed import ContainerView, Picture, PodView, Terminated
from tests.runjob.scenes import (
    NOON,
    container,
    ended,
    event,
    failed,
    picture,
    pod,
    succeeded,
    waiting,
)


@pytest.mark.parametrize(
    ("end", "view", "owner", "text"),
    [
        pytest.param(ended(4), container(), pod(), "exit code 4", id="by itself"),
        pytest.param(ended(0), container(), pod(), "exit code 0", id="well"),
        pytest.param(
            Terminated(exit_code=3), container(), pod(), "exit code 3", id="without a reason"
        ),
        pytest.param(ended(143), container(), pod(), "exit code 143 (SIGTERM)", id="SIGTERM"),
        pytest.param(ended(139), container(), pod(), "exit code 139 (SIGSEGV)", id="SIGSEGV"),
        pytest.param(ended(255), container(), pod(), "exit code 255", id="255 is no signal"),
        pytest.param(ended(128), container(), pod(), "exit code 128", id="128 is no signal"),
        pytest.param(
            ended(1, signal=9),
            container(),
            pod(),
            "exit code 1 (SIGKILL)",
            id="told by the runtime",
        ),
        pytest.param(
            ended(1, signal=99), container(), pod(), "exit code 1 (signal 99)", id="no such signal"
        ),
        pytest.param(
            ended(137, "OOMKilled"),
            container(memory_limit="16Mi"),
            pod(),
            "exit code 137 (SIGKILL), OOMKilled, its memory limit is 16Mi",
            id="out of memory, with its limit",
        ),
        pytest.param(
            ended(137, "OOMKilled"),
            container(),
            pod(),
            "exit code 137 (SIGKILL), OOMKilled",
            id="out of memory of the node",
        ),
        pytest.param(
            ended(128, "ContainerCannotRun"),
            container(),
            pod(),
            "exit code 128, ContainerCannotRun",
            id="another reason",
        ),
        pytest.param(
            ended(137),
            container(),
            pod(reason="Evicted", message="The node was low on resource: memory."),
            "exit code 137 (SIGKILL); the pod was Evicted (The node was low on resource: memory.)",
            id="evicted",
        ),
        pytest.param(
            ended(137),
            container(),
            pod(reason="Terminated"),
            "exit code 137 (SIGKILL); the pod was Terminated",
            id="a pod without a message",
        ),
        pytest.param(
            ended(1, message="first\n  last\n"),
            container(),
            pod(),
            "exit code 1: first last",
            id="with a last word",
        ),
        pytest.param(
            ended(1, message="x" * 501 + "y"),
            container(),
            pod(),
            f"exit code 1: {'x' * 499}y",
            id="with a long last word",
        ),
    ],
)
def test_an_end_is_told_in_words(
    end: Terminated, view: ContainerView, owner: PodView, text: str
) -> None:
    assert describe(view, end, owner) == f"ended with {text}"


@pytest.mark.parametrize(
    "number", [each for each in signal.Signals if each < 32], ids=lambda number: number.name
)
def test_an_exit_code_behind_a_signal_names_it(number: signal.Signals) -> None:
    text = describe(container(), ended(128 + number), pod())
    assert f"({number.name})" in text


@pytest.mark.parametrize("code", [160, 161, 192, 254])
def test_an_exit_code_beyond_the_signals_names_none(code: int) -> None:
    assert describe(container(), ended(code), pod()) == f"ended with exit code {code}"


def names(seen: Picture) -> list[tuple[str, str, int, int]]:
    return [(each.pod, each.container, each.attempt, each.exit_code) for each in failures(seen)]


def test_every_failed_run_is_told_the_earliest_first() -> None:
    restarted = pod(
        container("first", role="init", terminated=ended(0, seconds=1)),
        container(last=ended(2, seconds=5), terminated=ended(3, seconds=9)),
        container("other", terminated=ended(0, seconds=9)),
        name="a",
        phase="Failed",
    )
    late = pod(container(terminated=ended(1, seconds=7)), uid="2", name="b", phase="Failed")
    assert names(picture(restarted, late)) == [
        ("a", "main", 1, 2),
        ("b", "main", 2, 1),
        ("a", "main", 1, 3),
    ]


def test_a_run_that_is_told_twice_counts_once() -> None:
    end = ended(1)
    assert len(failures(picture(pod(container(last=end, terminated=end))))) == 1


@pytest.mark.parametrize(
    ("phase", "told"),
    [("Failed", [("hello-x7k2p", "first", 1, 0)]), ("Succeeded", [])],
    ids=["failed", "a killed child, and the pod succeeded"],
)
def test_a_container_out_of_memory_with_exit_code_0_is_told_where_its_pod_failed(
    phase: str, told: list[tuple[str, str, int, int]]
) -> None:
    view = container("first", role="init", terminated=ended(0, "OOMKilled"))
    assert names(picture(pod(view, phase=phase))) == told


def test_a_pod_that_failed_without_a_container_is_told_by_itself() -> None:
    bare = pod(container(), phase="Failed", name="a")
    timed = failed(1, "2", seconds=3)
    (first,) = failures(picture(bare))
    assert first.text == "pod a failed: no reason given"
    assert [each[0] for each in names(picture(bare, timed))] == ["a", "hello-2"]


def test_a_pod_that_succeeded_is_no_failure() -> None:
    assert failures(picture(succeeded())) == ()


def test_warnings_are_told_once_and_the_last_five() -> None:
    seen = [event("R", f"m\n{number % 7}", uid=str(number)) for number in range(14)]
    seen += [
        event("Pulled", "fine", type="Normal"),
        event("BackoffLimitExceeded", "told already"),
        event("DeadlineExceeded", "told already"),
        event("FailedToRetrieveImagePullSecret", "no harm by itself"),
    ]
    assert warnings(picture(*seen)) == tuple(f"R: m {number}" for number in (2, 3, 4, 5, 6))


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(picture(), None, id="no pod"),
        pytest.param(picture(pod()), None, id="no container"),
        pytest.param(picture(pod(container(running=NOON))), None, id="it runs"),
        pytest.param(picture(failed(4)), 4, id="one"),
        pytest.param(picture(failed(4, "1", 1), failed(5, "2", 2)), 5, id="the latest"),
        pytest.param(picture(failed(4, "1", 2), failed(5, "2", 1)), 4, id="the latest, seen first"),
        pytest.param(picture(failed(4, "1", 1), succeeded("2", 2)), 4, id="a failed one first"),
        pytest.param(
            picture(pod(waiting("CrashLoopBackOff", last=ended(3)))), 3, id="it waits to restart"
        ),
        pytest.param(
            picture(
                pod(
                    container("first", role="init", terminated=ended(7)),
                    container("mesh", role="sidecar", terminated=ended(8)),
                    container("main", terminated=ended(4)),
                    container("other", terminated=ended(9)),
                )
            ),
            4,
            id="the first of the main ones",
        ),
        pytest.param(
            picture(pod(container(terminated=Terminated(exit_code=6)))), 6, id="without a time"
        ),
    ],
)
def test_the_main_container_is_the_first(seen: Picture, code: int | None) -> None:
    assert main_container_code(seen) == code
