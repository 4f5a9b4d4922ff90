"""What a person sees and is asked meanwhile."""

from __future__ import annotations

import queue

from ctm.rehearse import schedule
from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of
from ctm.rehearse.record import Attempt
from ctm.rehearse.table import Lines, Table, table

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
