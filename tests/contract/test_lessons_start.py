"""Lessons 18 to 20: which start to wait for, and for how long."""

from __future__ import annotations

import math
from datetime import datetime, timezone

from runjob.errors import Exit
from runjob.options import RunOptions
from tests.contract import habits
from tests.contract.api import Json
from tests.contract.launches import sh
from tests.contract.lessons import Stage, lesson


@lesson(habits.GivesUpOnAnImage)
def test_lesson_18_an_image_that_can_be_pulled_at_last(stage: Stage) -> None:
    """A registry that answers 503 for a while heals.

    Fails on a launcher that takes the first ErrImagePull for the last word: airflow#61775.
    """
    run = stage.run(*sh("echo pulled"), "-i", stage.target.image("flaky"))
    assert (run.code, run.log) == (0, b"pulled\n")


@lesson(habits.WaitsForEver)
def test_lesson_18_an_image_that_is_not_there(stage: Stage) -> None:
    """What is not found will not be found: the end comes long before the start time-out.

    Fails on a launcher that waits for the pod's start.
    """
    run = stage.run(*sh("echo never"), "-i", stage.target.image("missing"))
    assert (run.code, run.log) == (Exit.IMAGE, b"")
    assert stage.target.api.is_gone(stage.name)


@lesson(habits.OneBudget)
def test_lesson_19_a_node_that_is_being_added(stage: Stage) -> None:
    """An autoscaler has been triggered: the pod may wait longer than one that nobody helps.

    The other launch, begun later with the same time-out, shows that the time is over.

    Fails on a launcher that has one budget for all.
    """
    api = stage.target.api
    options = (*stage.too_much, "--start-timeout", "6" if stage.target.real else "3")
    started = stage.start(*sh("echo at last"), *options)
    pod = api.until(lambda: api.pods(stage.name), "a pod")[0]
    api.create("events", _triggered(pod))
    other = stage.start(*sh("echo never"), *options, name=f"{stage.name}-other")
    assert other.end().code == Exit.UNSCHEDULABLE
    stage.make_room()
    run = started.end()
    assert (run.code, run.log) == (0, b"at last\n")


def _triggered(pod: Json) -> Json:
    """Return the event by which an autoscaler says that it has asked for a node."""
    about, now = pod["metadata"], datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": f"{about['name']}.scale-up"},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "name": about["name"],
            "namespace": about["namespace"], "uid": about["uid"],
        },
        "reason": "TriggeredScaleUp",
        "message": "pod triggered scale-up: [{pool 1->2 (max: 3)}]",
        "type": "Normal",
        "source": {"component": "cluster-autoscaler"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }  # fmt: skip


@lesson(habits.WaitsForEver)
def test_lesson_20_a_pod_that_waits_for_ever(stage: Stage) -> None:
    """Nothing moves: the wait has an end, also where nobody has set one.

    Fails on a launcher without a time-out: argo#11025.
    """
    assert 0 < RunOptions().start_timeout < math.inf
    run = stage.run(*sh("echo never"), *stage.too_much, "--start-timeout", stage.target.short)
    assert (run.code, run.log) == (Exit.UNSCHEDULABLE, b"")
    assert stage.target.api.is_gone(stage.name)
