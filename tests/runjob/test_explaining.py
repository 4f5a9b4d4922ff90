"""What waits is explained once it waits long enough, and its events are read later still."""

from __future__ import annotations

import pytest

from runjob.explaining import Explainer
from tests.runjob.scenes import POD, picture, pod, waiting

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
