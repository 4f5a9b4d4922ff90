"""The lessons can be failed: the naive launcher that each names fails in its scenario."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runjob.sandbox import Sandbox
from tests.contract import (
    test_lessons_api,
    test_lessons_ends,
    test_lessons_logs,
    test_lessons_start,
    test_lessons_state,
)
from tests.contract.launches import sh
from tests.contract.lessons import LESSONS, SHORT, Lesson, Stage, naive_program
from tests.contract.naive import Naive
from tests.contract.targets import EmbeddedTarget, Target, wants_real

__all__ = [
    "test_lessons_api",
    "test_lessons_ends",
    "test_lessons_logs",
    "test_lessons_start",
    "test_lessons_state",
]

pytestmark = pytest.mark.skipif(wants_real(), reason="the proof is made on the embedded cluster")


@pytest.fixture
def cluster() -> Iterator[EmbeddedTarget]:
    with Sandbox() as sandbox:
        target = EmbeddedTarget(sandbox)
        target.api.patience = SHORT
        yield target


def test_each_of_the_28_lessons_is_played() -> None:
    assert sorted({lesson.number for lesson in LESSONS}) == list(range(1, 29))


def test_each_lesson_says_who_fails_in_it() -> None:
    told = {lesson.name: " ".join((lesson.scenario.__doc__ or "").split()) for lesson in LESSONS}
    assert [name for name, text in told.items() if "Fails on a launcher" not in text] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_naive_launcher_fails_in(lesson: Lesson, cluster: EmbeddedTarget) -> None:
    stage = Stage(cluster, "naive", naive_program(lesson.naive), SHORT)
    try:
        with pytest.raises(AssertionError):
            lesson.scenario(stage)
        assert any(stage.hits) or not stage.hits, "no fault hit it, so it failed in something else"
        assert stage.asked("POST", "/jobs"), "it made no Job, so it failed in something else"
    finally:
        stage.close()


@pytest.mark.parametrize("habit", dict.fromkeys(each.naive for each in LESSONS))
def test_a_naive_launcher_runs_a_plain_job(habit: type[Naive], target: Target, name: str) -> None:
    """So it is the lesson in which it fails, and nothing else."""
    stage = Stage(target, name, naive_program(habit))
    try:
        run = stage.run(*sh("echo one; echo two; sleep 0.3"))
        assert (run.code, run.log) == (0, b"one\ntwo\n")
        assert target.api.job(name) is None
    finally:
        stage.close()
