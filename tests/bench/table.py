"""One figure a row, and the table that is printed and published."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure, what it is compared with, and whether it keeps its limit."""

    what: str
    ours: str
    other: str
    limit: str
    kept: bool


def table(rows: Sequence[Row]) -> str:
    """Write the rows as a table in Markdown."""
    lines = ["| figure | ours | compared with | limit | |", "|---|---|---|---|---|"]
    for row in rows:
        mark = "" if not row.limit else "kept" if row.kept else "**passed**"
        lines.append(f"| {row.what} | {row.ours} | {row.other} | {row.limit} | {mark} |")
    return "\n".join(lines)


def say(text: str) -> None:
    """Show what goes on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
