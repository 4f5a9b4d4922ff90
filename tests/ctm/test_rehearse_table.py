"""What a person sees and is asked meanwhile."""

from __future__ import annotations

import queue

import pytest

from ctm.rehearse import schedule
from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of
from ctm.rehearse.record import Attempt, rehearsed, summary
from ctm.rehearse.table import Lines, Table, table
from ctm.rehearse.words import cut, last_words

PATIENCE = 30.0


def plan(*jobs: str) -> Plan:
    content = {name: {"Type": "Job:Dummy"} for name in jobs}
    return plan_of([{"F": {"Type": "Folder", **content}}], {"Job:Dummy": ()})


def test_one_question_is_asked_at_a_time_and_an_answer_is_for_it() -> None:
    shown: queue.SimpleQueue[str] = queue.SimpleQueue()
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
    table = Table(shown.put, plan("A", "B"), confirm=False, read=typed.get)
    for job in ("A", "B"):
        assert table.ask(job, lambda yes, job=job: answers.put((job, yes)))  # type: ignore[misc]  # mypy knows no default of a lambda
    assert "May A start?" in shown.get(timeout=PATIENCE)
    assert shown.empty()
    typed.put("n\n")
    assert answers.get(timeout=PATIENCE) == ("A", False)
    assert "May B start?" in shown.get(timeout=PATIENCE)
    typed.put("y\n")
    assert answers.get(timeout=PATIENCE) == ("B", True)


def test_what_a_signal_has_ended_is_not_shown_as_running() -> None:
    jobs = plan("A", "B")
    state, _ = schedule.begin(jobs, 0.0)
    attempts = (Attempt("A", 1, 0.0, 2.0, code=-15), Attempt("B", 1, 0.0))
    rows = table(jobs, state, attempts, 30.0, 80, 20)
    assert "broken off" in rows[0]
    assert " 2.0 s" in rows[0]
    assert "running" in rows[1]
    told: list[str] = []
    Lines(told.append, jobs, confirm=False).show(state, attempts, 30.0)
    assert told == ["   30.0s  1 of 2 jobs have ended; running: B\n"]


def test_who_waits_for_what_a_signal_has_ended_waits_for_what_is_broken_off() -> None:
    jobs = {name: {"Type": "Job:Dummy"} for name in ("A", "B")}
    flow = {"Type": "Flow", "Sequence": ["A", "B"]}
    both = plan_of([{"F": {"Type": "Folder", **jobs, "Order": flow}}], {"Job:Dummy": ()})
    state, _ = schedule.begin(both, 0.0)
    attempts = (Attempt("A", 1, 0.0, 2.0, code=-15),)
    told = rehearsed(
        both, state, began="", seconds=2.0, interrupted=True, attempts=attempts, remarks=()
    )
    why = "waits for the event A-TO-B of A (broken off)"
    assert summary(told, both) == [f"B {why}", "interrupted in 2.0 s: 1 broken off, 1 waiting"]
    row = table(both, state, attempts, 3.0, 80, 20)[1]
    assert "the event A-TO-B of A (broken off)" in row


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        pytest.param(40, "the event UP of Kafka-Start (waiting)", id="it fits"),
        pytest.param(35, "the event UP of Kafka-Start…", id="within a word"),
        pytest.param(28, "the event UP of Kafka-Start…", id="after a word"),
        pytest.param(27, "the event UP of…", id="one less"),
        pytest.param(1, "…", id="an ellipsis"),
        pytest.param(0, "", id="nothing"),
    ],
)
def test_what_is_too_long_is_cut_at_a_word(width: int, shown: str) -> None:
    assert cut("the event UP of Kafka-Start (waiting)", width) == shown


def test_a_long_word_is_cut_itself() -> None:
    assert cut("see https://example.com/page", 20) == "see https://example…"


def test_last_words_are_for_people() -> None:
    output = 'Job created\nResult: {"schema":1}\nVerdict: it cannot start.\n'
    assert last_words(output, {}) == ("Job created", "Verdict: it cannot start.")
