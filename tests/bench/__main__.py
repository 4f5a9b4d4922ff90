"""Measure: `python -m tests.bench [PART…]`, all but the thousand launches unless some are named.

The limits are ratios within this run, or figures that hardly depend on the machine. The exit code
is 1 when one is passed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from tests.bench.table import Row, table

# Module and function. A part is imported when its turn comes: a child's peak memory is at least
# what its parent held at the fork.
PARTS = {
    "launcher": ("launcher", "launches"),
    "biglog": ("biglog", "measures"),
    "silent": ("launcher", "silence"),
    "thousand": ("thousand", "thousand"),
    "together": ("thousand", "together"),
    "script": ("thousand", "script"),
    "language": ("language", "measures"),
    "accuracy": ("accuracy", "measures"),
    "matching": ("matching", "measures"),
    "throughput": ("throughput", "measures"),
    "memory": ("throughput", "memory"),
}
# These want kwok, and the machine to themselves.
APART = ("thousand", "together", "script")


def main(names: Sequence[str]) -> int:
    """Measure the parts, print the table, return 1 if a limit was passed."""
    if unknown := [name for name in names if name not in PARTS]:
        print(f"bench: no part {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    usual = [name for name in PARTS if name not in APART]
    rows = [row for name in names or usual for row in _measured(*PARTS[name])]
    print(table(rows))
    return 0 if all(row.kept for row in rows) else 1


def _measured(module: str, part: str) -> list[Row]:
    rows: list[Row] = getattr(import_module(f"tests.bench.{module}"), part)()
    return rows


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; what was launched ends and removes its Job")
