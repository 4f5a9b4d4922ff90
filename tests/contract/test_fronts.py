"""The gate before a real cluster breaks what it is asked to break, and hands all else on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runjob.sandbox import Sandbox
from tests.contract import test_lessons_api, test_lessons_ends, test_lessons_logs
from tests.contract.launches import sh
from tests.contract.lessons import Scenario, Stage
from tests.contract.targets import EmbeddedTarget, Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="there the lessons themselves go through it")


class Distant(Target):
    """An embedded cluster that is taken for a real one: nothing of it can be broken."""

    real = False

    def __init__(self, sandbox: Sandbox) -> None:
        near = EmbeddedTarget(sandbox)
        self.namespace, self.kubeconfig, self.api = near.namespace, near.kubeconfig, near.api
        self.sandbox = sandbox


@pytest.fixture
def distant() -> Iterator[Distant]:
    with Sandbox() as sandbox:
        yield Distant(sandbox)


@pytest.fixture
def stage(distant: Distant) -> Iterator[Stage]:
    stage = Stage(distant, "distant")
    yield stage
    stage.close()


def test_what_no_fault_hits_is_handed_on_and_comes_back(stage: Stage, distant: Distant) -> None:
    before = len(distant.sandbox.requests)
    assert stage.gate is not distant.sandbox
    run = stage.run(*sh("seq 1 5000; exit 3"), "--exit-code", "container")
    assert (run.code, len(run.lines)) == (3, 5000)
    asked = [(each.method, each.path, each.status) for each in stage.gate.requests]
    answered = [
        (each.method, each.path, each.status)
        for each in distant.sandbox.requests[before:]
        if not each.user_agent.startswith("contract")
    ]
    assert sorted(asked) == sorted(answered)
    assert ("POST", "/apis/batch/v1/namespaces/controlm/jobs", 201) in asked


@pytest.mark.parametrize(
    "scenario",
    [
        test_lessons_api.test_lesson_08_a_watch_that_is_too_old,
        test_lessons_api.test_lesson_10_an_api_that_shuts_down,
        test_lessons_api.test_lesson_11_a_create_whose_answer_is_lost,
        test_lessons_logs.test_lesson_01_a_follow_that_goes_mute,
        test_lessons_logs.test_lesson_02_many_lines_of_one_second,
        test_lessons_ends.test_lesson_23_a_kill_during_the_create,
    ],
    ids=lambda scenario: scenario.__name__.removeprefix("test_"),
)
def test_a_lesson_is_played_through_it(stage: Stage, scenario: Scenario) -> None:
    scenario(stage)
    assert stage.hits
