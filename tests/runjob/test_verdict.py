"""The verdict: the exit code of a launch, and all that is told of it at its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.endings import Ending, early_end
from runjob.errors import Exit
from runjob.observed import Picture
from runjob.result import as_json
from runjob.verdict import Verdict, exit_code, verdict
from tests.runjob.scenes import (
    BACKOFF,
    NOON,
    at,
    condition,
    container,
    ended,
    event,
    failed,
    picture,
    pod,
    succeeded,
    waiting,
)


def ending(code: Exit, **more: Any) -> Ending:
    return Ending(code=code, text="it ended", **more)


FAILED, SUCCEEDED = ending(Exit.FAILED), ending(Exit.SUCCEEDED)


@pytest.mark.parametrize(
    ("end", "seen", "container_asked", "mapped", "code"),
    [
        pytest.param(FAILED, picture(failed(4)), False, (), 1, id="the Job's"),
        pytest.param(FAILED, picture(failed(4)), True, (), 4, id="the container's"),
        pytest.param(FAILED, picture(failed(4)), True, ((4, 0),), 0, id="mapped"),
        pytest.param(FAILED, picture(failed(4)), True, ((4, 7), (4, 8)), 8, id="mapped twice"),
        pytest.param(FAILED, picture(failed(4)), True, ((5, 0),), 4, id="another is mapped"),
        pytest.param(FAILED, picture(failed(4)), False, ((4, 0),), 1, id="not asked for"),
        pytest.param(FAILED, picture(succeeded()), True, (), 1, id="no code tells of a failure"),
        pytest.param(FAILED, picture(succeeded()), True, ((0, 0),), 1, id="nor does a map"),
        pytest.param(FAILED, picture(), True, ((1, 0),), 1, id="no container ran"),
        pytest.param(SUCCEEDED, picture(succeeded()), True, (), 0, id="success"),
        pytest.param(SUCCEEDED, picture(), True, (), 0, id="success that nobody saw"),
        pytest.param(SUCCEEDED, picture(succeeded()), True, ((0, 3),), 3, id="success is mapped"),
        pytest.param(
            SUCCEEDED,
            picture(failed(4, "1", 1), succeeded("2", 2)),
            True,
            (),
            0,
            id="success after a retry",
        ),
    ],
)
def test_the_exit_code_is_the_jobs_or_the_containers(
    end: Ending,
    seen: Picture,
    container_asked: bool,
    mapped: tuple[tuple[int, int], ...],
    code: int,
) -> None:
    assert exit_code(end, seen, container_asked, mapped) == code


def test_without_a_job_the_exit_code_is_the_endings() -> None:
    assert verdict("here/hello", FAILED, None, container=True, mapped=((1, 0),)).exit_code == 1


@pytest.mark.parametrize(
    ("end", "code", "mapped", "told"),
    [
        (FAILED, 4, {4: 0}, " Exit code 4 is mapped to 0 by --map-exit. A pod is left."),
        (SUCCEEDED, 0, {0: 3}, " Exit code 0 is mapped to 3 by --map-exit. A pod is left."),
        (FAILED, 5, {4: 0}, ""),
        (FAILED, 4, {4: 4}, ""),
        (ending(Exit.DELETED), 4, {4: 0, 14: 0}, ""),
    ],
)
def test_a_code_that_was_mapped_is_told_of(
    end: Ending, code: int, mapped: dict[int, int], told: str
) -> None:
    seen = picture(failed(code) if code else succeeded())
    found = verdict(
        "ns/hello", end, seen, container=True, mapped=tuple(mapped.items()),
        left_behind="a pod is left",
    )  # fmt: skip
    assert found.sentence.endswith(told)
    assert ("mapped" in found.sentence) == bool(told)
    assert as_json(found)["mapped_from"] == (code if told else None)


@pytest.mark.parametrize(
    ("end", "seen", "code"),
    [
        pytest.param(FAILED, picture(failed(4)), 4, id="failed"),
        pytest.param(FAILED, picture(), None, id="never ran"),
        pytest.param(FAILED, None, None, id="no Job"),
        pytest.param(ending(Exit.DEADLINE), picture(failed(137)), 137, id="ended by others"),
        pytest.param(
            SUCCEEDED, picture(failed(4, "1", 1), succeeded("2", 2)), 0, id="success after a retry"
        ),
    ],
)
def test_the_verdict_knows_the_containers_code(
    end: Ending, seen: Picture | None, code: int | None
) -> None:
    assert verdict("ns/hello", end, seen).container_code == code


@given(
    st.sampled_from([code for code in Exit if code not in (Exit.SUCCEEDED, Exit.FAILED)]),
    st.integers(0, 255),
    st.booleans(),
    st.dictionaries(st.integers(0, 255), st.just(0)),
)
def test_after_a_signal_or_without_a_start_no_container_and_no_map_makes_it_0(
    code: Exit, container_code: int, asked: bool, mapped: dict[int, int]
) -> None:
    seen = picture(failed(container_code))
    assert exit_code(ending(code), seen, asked, tuple(mapped.items())) == code != 0


@given(st.integers(1, 255), st.booleans())
def test_a_failed_job_is_never_0_unless_a_map_says_so(code: int, asked: bool) -> None:
    assert exit_code(FAILED, picture(failed(code)), asked, ()) != 0


def test_a_launch_that_made_no_job_has_a_verdict_too() -> None:
    end = ending(Exit.REFUSED)
    assert verdict("ns/hello", end, None, left_behind="a Secret") == Verdict(
        job="hello", namespace="ns", exit_code=3, ending=end, left_behind="a Secret"
    )
    assert as_json(verdict("ns/hello", end, None))["pods"] == {
        "running": 0,
        "succeeded": 0,
        "failed": 0,
    }


def whole() -> Verdict:
    first = pod(
        container("first", role="init", terminated=ended(0, seconds=2)),
        container(last=ended(1, seconds=6), terminated=ended(4, seconds=9), restarts=1),
        phase="Failed",
        conditions=(condition("PodScheduled", since=at(1)),),
    )
    second = pod(
        container(running=at(20)),
        uid="2",
        name="b",
        node="",
        conditions=(condition("PodScheduled", since=at(15)),),
    )
    seen = picture(
        first, second, event("R", "m"), BACKOFF, created=at(0), active=1, failed=1, succeeded=0
    )
    return verdict("ns/hello", ending(Exit.FAILED), seen, container=True, left_behind="a pod")


def test_a_launch_is_summed_up() -> None:
    found = whole()
    assert (found.job, found.namespace, found.exit_code) == ("hello", "ns", 4)
    assert (found.running, found.succeeded, found.failed, found.attempts) == (1, 0, 1, 3)
    assert (found.queued_seconds, found.pulling_seconds, found.running_seconds) == (1, 4, 4)
    assert [each.exit_code for each in found.failures] == [1, 4]
    assert found.warnings == ("R: m",)
    assert found.left_behind == "a pod"
    assert not found.ok


def test_times_that_never_came_are_none() -> None:
    found = verdict("ns/hello", SUCCEEDED, picture(pod(container()), created=NOON))
    assert found.ok
    assert (found.queued_seconds, found.pulling_seconds, found.running_seconds) == (None,) * 3


@pytest.mark.parametrize("role", ["sidecar", "init"])
def test_what_runs_beside_the_main_containers_is_no_run_of_the_job(role: Any) -> None:
    scheduled = condition("PodScheduled", since=NOON)
    beside = container("proxy", role=role, running=at(1))
    seen = pod(beside, container(terminated=ended(0, seconds=9)), conditions=(scheduled,))
    found = verdict("ns/hello", SUCCEEDED, picture(seen, created=NOON))
    assert (found.pulling_seconds, found.running_seconds) == (8, 1)
    alone = pod(beside, container(waiting=("ImagePullBackOff", "")), conditions=(scheduled,))
    assert verdict("ns/hello", SUCCEEDED, picture(alone)).pulling_seconds is None


def test_clocks_that_disagree_make_no_negative_time() -> None:
    early = pod(conditions=(condition("PodScheduled", since=at(-5)),))
    assert verdict("ns/hello", SUCCEEDED, picture(early, created=NOON)).queued_seconds == 0


def test_what_fails_as_we_remove_the_job_is_no_failure_of_its() -> None:
    before = picture(pod(container(running=NOON)))
    after = picture(failed(137))
    found = verdict("ns/hello", ending(Exit.KILLED), after, judged=before)
    assert found.failures == ()
    assert found.exit_code == 8


def test_the_verdict_is_one_sentence_after_another() -> None:
    end = Ending(code=Exit.FAILED, text="failed.", hint="look there")
    found = Verdict(job="j", namespace="n", exit_code=1, ending=end, left_behind="a pod is left.")
    assert found.sentence == "failed. Look there. A pod is left."
    assert Verdict(job="j", namespace="n", exit_code=0, ending=SUCCEEDED).sentence == "it ended."


def test_the_verdict_can_be_read_by_a_machine() -> None:
    found = as_json(whole())
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "schema": 1,
        "job": "hello",
        "namespace": "ns",
        "exit_code": 4,
        "mapped_from": None,
        "ending": "failed",
        "verdict": "it ended. A pod.",
        "reason": "it ended",
        "hint": "",
        "pods": {"running": 1, "succeeded": 0, "failed": 1},
        "attempts": 3,
        "seconds": {"queued": 1.0, "pulling": 4.0, "running": 4.0},
        "containers": [
            seen_container("first", "init", 0, 0, "Completed"),
            seen_container("main", "main", 1, 4, "Error"),
            {
                "pod": "b",
                "node": None,
                "container": "main",
                "role": "main",
                "restarts": 0,
                "exit_code": None,
                "reason": None,
            },
        ],
        "failures": [seen_failure(1), seen_failure(4)],
        "warnings": ["R: m"],
    }


def seen_container(name: str, role: str, restarts: int, code: int, reason: str) -> dict[str, Any]:
    return {
        "pod": "hello-x7k2p",
        "node": "node-1",
        "container": name,
        "role": role,
        "restarts": restarts,
        "exit_code": code,
        "reason": reason,
    }


def seen_failure(code: int) -> dict[str, Any]:
    return {
        "pod": "hello-x7k2p",
        "container": "main",
        "node": "node-1",
        "attempt": 1,
        "exit_code": code,
        "reason": "Error",
        "text": f"container main of pod hello-x7k2p ended with exit code {code}",
    }


def test_a_verdict_on_a_pull_names_the_secret_that_became_known_after_it() -> None:
    absent = event(
        "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); …"
    )
    seen = picture(pod(waiting("ErrImagePull", "pull access denied")))
    ending = early_end(seen)
    assert ending is not None
    told = verdict("ns/hello", ending, picture(*seen.pods.values(), absent))
    assert told.ending.text.endswith("denied; the imagePullSecret regcred does not exist")
    assert verdict("ns/hello", told.ending, picture(absent)).ending == told.ending
