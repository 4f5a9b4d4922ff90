"""What a workflow that did not end well left out: a pure decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from application.report.data import JobRow, Workflow

# Jobs that are named; of more, the number.
_NAMED = 3


def incomplete(
    flow: Workflow | None, quadrants: Mapping[str, str], posts: Mapping[str, int]
) -> str:
    """Return a sentence for above the numbers, empty where all jobs ended OK or none is known.

    quadrants are those that the lake should have posts of, with their names; posts are how many it
    has. A job that failed is of a quadrant where its name ends with it: Produce-CTSE.
    """
    if flow is None:
        return ""
    failed = [row for row in flow.rows if row.how == "bad"]
    if not failed and flow.how == "ok":
        return ""
    cut = [row for row in flow.rows if row.how == "open"]
    waiting = [row for row in flow.rows if row.how == "wait"]
    ends = [(failed, "ended not OK"), (cut, "did not end"), (waiting, "did not run")]
    told = [_jobs(rows, words) for rows, words in ends if rows]
    missing = [name for key, name in quadrants.items() if not posts.get(key)]
    fewer = [
        name
        for key, name in quadrants.items()
        if posts.get(key) and any(_of(row, key) for rows, _ in ends for row in rows)
    ]
    if missing:
        told.append(f"posts of the {_and(missing)} are missing")
    if fewer:
        told.append(f"posts of the {_and(fewer)} may be missing")
    if not (missing or fewer):
        told.append("posts or their evaluation may be missing")
    return f"{'; '.join(told)}."


def _of(row: JobRow, quadrant: str) -> bool:
    return row.name.lower().endswith(quadrant)


def _jobs(rows: Sequence[JobRow], words: str) -> str:
    names = [row.name for row in rows[:_NAMED]]
    if len(rows) > _NAMED:
        names.append(f"{len(rows) - _NAMED} more")
    return f"{_and(names)} {words}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
