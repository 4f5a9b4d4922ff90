"""What others hold is given a moment to go, and what does not go is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from runjob.errors import ApiError, Exit
from runjob.messages import Message, Observed, Removed
from runjob.observed import Condition, ContainerView, PodView
from runjob.request import Body
from runjob.retry import Backoff
from runjob.workshop import TRIES, Workshop
from tests.runjob.launch_stage import (
    CREATED,
    JOB,
    JOB_GONE,
    KILL,
    MADE,
    OVER,
    READ,
    RUNNING,
    UID,
    Journal,
    Stage,
    job,
)
from tests.runjob.scenes import NOON

MINE = "example.org/mine"
HELD = Removed(held={UID: "Job hello stays", "c1": "ConfigMap c stays"})
JOB_HELD = Removed(held={UID: "Job hello stays"})
MADE_HELD = Removed(held={"c1": "ConfigMap c stays"})

Step = tuple[float, Message]


# -- the story -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "until", "left"),
    [
        pytest.param([(1, Removed())], 1, "", id="nothing"),
        pytest.param([(1, JOB_HELD), (3, JOB_GONE)], 3, "", id="a Job that goes"),
        pytest.param([(1, MADE_HELD), (3, Removed())], 3, "", id="another object that goes"),
        pytest.param(
            [(1, JOB_HELD)], 16, "NOT removed yet: Job hello stays", id="a Job that stays"
        ),
        pytest.param(
            [(1, HELD), (3, JOB_GONE)], 16, "NOT removed yet: ConfigMap c stays", id="one of two"
        ),
        pytest.param(
            [(1, Removed("Secret s (no)", {UID: "Job hello stays"}))],
            1,
            "NOT removed: Secret s (no). NOT removed yet: Job hello stays",
            id="what is refused is not waited for",
        ),
    ],
)
def test_what_is_held_is_given_a_moment_and_said_where_it_stays(
    steps: list[Step], until: float, left: str
) -> None:
    stage = Stage(*OVER, *steps, removes=False)
    verdict = stage.play()
    assert verdict.exit_code == 1
    assert verdict.left_behind == left
    assert until <= stage.inbox.now() < until + 1


def test_the_end_of_a_job_that_is_held_is_marked_as_told() -> None:
    """Else the next launch of the run takes it up, and tells that end again."""
    stage = Stage(*OVER, (1, JOB_HELD), removes=False, journal=Journal())
    stage.play()
    assert stage.workshop.kept == [(JOB, True)]


def test_a_second_signal_does_not_wait_for_what_is_held() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), (2, JOB_HELD), (3, KILL), removes=False)
    verdict = stage.play()
    assert stage.inbox.now() == 3
    assert verdict.left_behind == ("NOT removed yet: Job here/hello, pod hello-1; Job hello stays")


# -- the requests ----------------------------------------------------------------------------------


class Api:
    """Accepts each deletion, and tells of those that are held, look by look; then they are gone."""

    def __init__(self, **looks: Iterable[tuple[str, ...] | Exception]) -> None:
        self._looks = {uid: iter(answers) for uid, answers in looks.items()}
        self.deleted: list[str] = []

    def delete(
        self, _body: Body, namespace: str, uid: str, *, propagation: str = "Background"
    ) -> tuple[str, ...]:
        assert (namespace, propagation) == ("here", "Background")
        self.deleted.append(uid)
        answer = next(self._looks[uid], ()) if uid in self._looks else ()
        if isinstance(answer, Exception):
            raise answer
        return answer


def remove(api: Any) -> list[set[str]]:
    """Return of what was said, each time, that it is held."""
    told: list[Any] = []
    workshop = Workshop(api, "here", api, lambda: 0.0, backoff=Backoff(first=0.0, cap=0.0))
    workshop._remove(JOB, (MADE,), told.append, wait=False)
    assert not any(each.refusal for each in told)
    return [set(each.held) for each in told]


def test_what_is_not_held_costs_one_request_each() -> None:
    api = Api()
    assert remove(api) == [set()]
    assert api.deleted == [UID, "c1"]


def test_of_the_job_its_watch_tells_and_nothing_is_asked_again() -> None:
    api = Api(**{UID: [(MINE,)]})
    assert remove(api) == [{UID}]
    assert api.deleted == [UID, "c1"]


def test_of_the_others_it_is_asked_again_until_they_are_gone() -> None:
    strange = AttributeError("an answer that is none")
    api = Api(u1=[(MINE,)], c1=[(MINE,), ApiError(503, "later"), strange, (MINE,), ()])
    assert remove(api) == [{"u1", "c1"}] * 4 + [{"u1"}]
    assert api.deleted == ["u1", "c1", "c1", "c1", "c1", "c1"]


def test_and_not_for_ever() -> None:
    api = Api(c1=[(MINE,)] * 99)
    assert remove(api) == [{"c1"}] * (TRIES + 1)


def test_what_others_delete_is_said_where_it_stays_with_a_node_that_is_lost() -> None:
    lost = Condition(type="DisruptionTarget", status="True", reason="DeletionByTaintManager")
    stays = Observed(
        PodView(uid="p1", name="hello-1", node="n", phase="Running", deleting=True,
                containers=(ContainerView(name="main", running=NOON),), conditions=(lost,))
    )  # fmt: skip
    stage = Stage((0, CREATED), (1, stays), (2, job(active=1, leaving=True)), (2, READ))
    verdict = stage.play()
    assert verdict.exit_code == Exit.DELETED
    assert verdict.left_behind.startswith("NOT removed yet: Job here/hello, pod hello-1; ")
