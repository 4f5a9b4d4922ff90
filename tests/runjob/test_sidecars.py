"""A main container decides where sidecars run on, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.diagnosis import main_container_code
from runjob.endings import sidecar_end
from runjob.errors import Exit
from runjob.observed import ContainerView, Picture, PodView
from runjob.sidecars import held, is_stalled, names, without
from runjob.verdict import exit_code, verdict
from tests.runjob.scenes import NOON, container, ended, picture, pod

PROXY = container("proxy", running=NOON)
NATIVE = container("mesh", role="sidecar", running=NOON)


def main(code: int | None = None, **more: Any) -> ContainerView:
    """Return the main container: running, or ended with a code."""
    if code is None:
        return container(running=NOON, **more)
    return container(terminated=ended(code), **more)


def seen(*pods: PodView, completions: int | None = 1, **job: Any) -> Picture:
    return picture(*pods, completions=completions, **job)


def held_pod(code: int, uid: str = "a", **more: Any) -> PodView:
    return pod(PROXY, main(code), uid=uid, phase="Running", **more)


def test_the_names_are_those_of_the_plain_containers() -> None:
    spec = {"initContainers": [{"name": "mesh"}], "containers": [{"name": "a"}, {}]}
    assert names({"spec": {"template": {"spec": spec}}}) == ("a", "")


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(pod(PROXY, main(), phase="Running"), id="the main container runs"),
        pytest.param(pod(main(0), phase="Running"), id="it is alone"),
        pytest.param(pod(NATIVE, main(0), phase="Running"), id="a native sidecar ends by itself"),
        pytest.param(
            pod(container("proxy", terminated=ended(0)), main(0), phase="Running"),
            id="the sidecar has ended too",
        ),
        pytest.param(pod(PROXY, main(0), phase="Failed"), id="the pod is over"),
        pytest.param(pod(PROXY, main(0), phase="Running", deleting=True), id="it is taken away"),
        pytest.param(
            pod(PROXY, main(3), phase="Running", restarts_in_place=True), id="it starts again"
        ),
        pytest.param(pod(PROXY, phase="Running"), id="there is no such container"),
        pytest.param(pod(phase="Pending"), id="nothing is known of its containers"),
    ],
)
def test_a_pod_that_is_not_held_decides_nothing(view: PodView) -> None:
    assert held(seen(view), "main") == ()


def test_a_main_container_that_ended_well_is_not_started_again() -> None:
    assert held(seen(held_pod(0, restarts_in_place=True)), "main")


@pytest.mark.parametrize(
    ("view", "code", "words"),
    [
        pytest.param(seen(held_pod(0)), 0, "succeeded: container main", id="well"),
        pytest.param(seen(held_pod(3)), 1, "ended with exit code 3; proxy ran on", id="badly"),
        pytest.param(
            seen(held_pod(3), backoff_limit=2), 1, "so that it was not tried again", id="no retry"
        ),
        pytest.param(
            seen(held_pod(0), held_pod(3, "b"), completions=5), 1, "exit code 3", id="one badly"
        ),
        pytest.param(
            seen(held_pod(0), completions=3, succeeded=2), 0, "succeeded", id="the last of three"
        ),
        pytest.param(
            seen(held_pod(0), completions=2), 1, "in 1 of 2 pods, and no further one can come",
            id="no room for the second",
        ),
        pytest.param(seen(held_pod(0), completions=None), 0, "succeeded", id="a work queue"),
    ],
)  # fmt: skip
def test_main_containers_decide(view: Picture, code: int, words: str) -> None:
    end = sidecar_end(view, "main")
    assert end is not None
    assert (int(end.code), end.final, end.decided) == (code, False, True)
    assert words in end.text


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(seen(), id="no pod"),
        pytest.param(seen(pod(PROXY, main(), phase="Running")), id="it runs"),
        pytest.param(seen(held_pod(0), completions=2, parallelism=2), id="a second may come"),
        pytest.param(
            seen(held_pod(0), pod(PROXY, main(), uid="b", phase="Running"), completions=None,
                 parallelism=2),
            id="a work queue whose other pod runs",
        ),
    ],
)  # fmt: skip
def test_what_may_yet_come_is_waited_for(view: Picture) -> None:
    assert sidecar_end(view, "main") is None


def test_a_place_that_is_free_is_no_stall() -> None:
    view = seen(held_pod(0), completions=3, parallelism=2)
    assert not is_stalled(view, held(view, "main"))


def test_a_pod_without_the_container_is_told_with_those_that_it_has() -> None:
    strange = pod(PROXY, container("app"), NATIVE, phase="Running")
    assert without(seen(strange, held_pod(0, "b")), "main") == strange
    end = sidecar_end(seen(strange), "main")
    assert end is not None
    assert (end.code, end.decided) == (Exit.CONFIGURATION, False)
    assert end.hint.endswith("proxy, app")


def test_the_code_of_the_container_is_that_of_the_one_that_was_named() -> None:
    view = seen(pod(container("proxy", terminated=ended(7)), main(3), phase="Failed"))
    assert main_container_code(view) == 7
    assert main_container_code(view, "main") == 3
    assert main_container_code(view, "other") is None
    end = sidecar_end(seen(held_pod(3)), "main")
    assert end is not None
    assert exit_code(end, seen(held_pod(3)), True, ((3, 0),), "main") == 0
    told = verdict("ns/hello", end, seen(held_pod(3)), container=True, main="main")
    assert (told.exit_code, told.container_code) == (3, 3)
