"""Whether a Job moves, and how far it has come."""

from __future__ import annotations

import pytest

from runjob.motion import is_moving, progress
from runjob.observed import Picture
from tests.runjob.scenes import NOON, container, ended, event, failed, picture, pod, waiting


@pytest.mark.parametrize(
    ("seen", "moving"),
    [
        pytest.param(picture(), False, id="new"),
        pytest.param(picture(ready=1), True, id="a pod is ready"),
        pytest.param(picture(pod(waiting("ContainerCreating"))), False, id="is made"),
        pytest.param(
            picture(pod(waiting("ContainerCreating")), event("Pulling", "Pulling image")),
            True,
            id="pulls",
        ),
        pytest.param(picture(pod(container(running=NOON), phase="Running")), True, id="runs"),
        pytest.param(
            picture(pod(container(running=NOON), waiting("ImagePullBackOff", name="other"))),
            True,
            id="one of two runs",
        ),
        pytest.param(
            picture(pod(waiting("CrashLoopBackOff", last=ended(1)), phase="Running")),
            True,
            id="restarts",
        ),
        pytest.param(
            picture(pod(waiting("Odd", last=ended(1)))), False, id="waits after it has run"
        ),
        pytest.param(picture(failed()), False, id="has failed"),
    ],
)
def test_a_job_moves_while_something_is_under_way(seen: Picture, moving: bool) -> None:
    assert is_moving(seen) is moving


def test_progress_grows_with_every_step_and_every_pod() -> None:
    first, main = container("first", role="init"), container()
    ran = container("first", role="init", terminated=ended(0))
    steps = [
        picture(),
        picture(pod(first, main, node="")),
        picture(pod(first, main)),
        picture(pod(container("first", role="init", running=NOON), main)),
        picture(pod(ran, main)),
        picture(pod(ran, container(running=NOON))),
        picture(pod(ran, container(terminated=ended(0)), phase="Succeeded")),
        picture(pod(ran, container(terminated=ended(0)), phase="Succeeded"), pod(uid="2")),
    ]
    found = [progress(step) for step in steps]
    assert found == sorted(set(found))
