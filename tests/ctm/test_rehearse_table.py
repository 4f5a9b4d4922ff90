"""What a person sees and is asked meanwhile."""

from __future__ import annotations

import queue

from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of
from ctm.rehearse.table import Table

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
