"""What waits is explained once it waits long enough, and its events are read later still."""

from __future__ import annotations

import pytest

from runjob.explaining import Explainer
from runjob.observed import PodView
from tests.runjob.scenes import NOON, POD, container, ended, picture, pod, waiting

CREATING = pod(waiting("ContainerCreating"))


@pytest.mark.parametrize(
    ("looks", "lines", "watched"),
    [
        pytest.param([0], [], [], id="at first"),
        pytest.param([0, 3], ["waiting: pod hello-x7k2p: ContainerCreating"], [], id="it is told"),
        pytest.param(
            [0, 3, 5],
            ["waiting: pod hello-x7k2p: ContainerCreating"],
            [POD],
            id="its events are read",
        ),
        pytest.param(
            [0, 5], ["waiting: pod hello-x7k2p: ContainerCreating"], [POD], id="both at once"
        ),
    ],
)
def test_a_wait_is_told_before_its_events_are_read(
    looks: list[float], lines: list[str], watched: list[str]
) -> None:
    explainer = Explainer(explain=1, usual=3, events=5)
    found = [explainer.lines(picture(CREATING), now) for now in looks]
    assert [line for told, _ in found for line in told] == lines
    assert found[-1][1] == watched
    assert explainer.is_waiting is not bool(watched)


def test_a_wait_that_is_over_is_not_counted_on() -> None:
    explainer = Explainer(explain=1, usual=3, events=5)
    for seen, now in ((CREATING, 0), (pod(phase="Running"), 4), (CREATING, 6)):
        assert explainer.lines(picture(seen), now)[1] == []
    assert explainer.is_waiting


def test_what_is_paused_waits_no_more() -> None:
    explainer = Explainer(explain=1, usual=3, events=5)
    explainer.lines(picture(CREATING), 0)
    explainer.pause()
    assert not explainer.is_waiting


PROXY, MESH = (container(name, running=NOON) for name in ("proxy", "mesh"))
HELD = pod(container(terminated=ended(0)), PROXY, phase="Running")
ALL_RUN = pod(container(running=NOON), PROXY, phase="Running")
TWO = pod(container(terminated=ended(3)), PROXY, MESH, phase="Running")
SECOND = pod(PROXY, container(terminated=ended(0)), phase="Running")


@pytest.mark.parametrize(
    ("looks", "line"),
    [
        pytest.param([(0, HELD), (29, HELD)], "", id="not at once"),
        pytest.param([(0, ALL_RUN), (60, ALL_RUN)], "", id="never while the first runs"),
        pytest.param([(0, HELD), (9, ALL_RUN), (10, HELD), (35, HELD)], "", id="it ran again"),
        pytest.param(
            [(0, ALL_RUN), (9, HELD), (39, HELD), (99, HELD)],
            "pod hello-x7k2p: main ended with 0, proxy runs on and keeps the Job alive; where that "
            "is a sidecar: --main-container main",
            id="once",
        ),
        pytest.param(
            [(0, TWO), (30, TWO)],
            "pod hello-x7k2p: main ended with 3, proxy, mesh run on and keep the Job alive; where "
            "that is a sidecar: --main-container main",
            id="two of them",
        ),
        pytest.param(
            [(0, SECOND), (30, SECOND), (60, SECOND)],
            "pod hello-x7k2p: main ended with 0, proxy runs on and keeps the Job alive; where that "
            "is a sidecar: --main-container main",
            id="the sidecar comes first",
        ),
    ],
)
def test_a_sidecar_that_keeps_the_job_alive_is_told_of(
    looks: list[tuple[float, PodView]], line: str
) -> None:
    explainer = Explainer(explain=1, usual=3, events=5)
    found = [each for now, seen in looks for each in explainer.lines(picture(seen), now)[0]]
    assert found == ([line] if line else [])
    assert explainer.is_waiting is (not line and looks[-1][1] is HELD)


def test_a_helper_that_ends_first_does_not_keep_the_next_from_being_told() -> None:
    helper = container("helper", terminated=ended(0, seconds=1))
    work = container(terminated=ended(0, seconds=40))
    first = picture(pod(helper, PROXY, container(running=NOON), phase="Running"))
    then = picture(pod(helper, PROXY, work, phase="Running"))
    explainer = Explainer(explain=1, usual=3, events=5)
    looks = [(first, 0), (first, 31), (then, 40), (then, 70), (then, 99)]
    lines = [each for seen, now in looks for each in explainer.lines(seen, now)[0]]
    assert [line.split("--main-container ")[1] for line in lines] == ["helper", "main"]


def test_a_main_container_that_is_named_leaves_nothing_to_tell() -> None:
    explainer = Explainer(explain=1, usual=3, events=5, decides=True)
    assert [explainer.lines(picture(HELD), now) for now in (0, 60)] == [([], []), ([], [])]
    assert not explainer.is_waiting
