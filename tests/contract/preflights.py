"""A preflight's report, as its tests read it."""

from __future__ import annotations

from tests.contract.launches import Run


def lines(run: Run) -> list[str]:
    """Return the findings of a report, without their numbers."""
    found = [line for line in run.text.splitlines() if line[:1].isdigit()]
    assert [line.partition(". ")[0] for line in found] == [
        str(number) for number in range(1, len(found) + 1)
    ]
    return [line.partition(". ")[2] for line in found]
