"""Hold the branch coverage of the last run to the house's measure, module by module."""

from __future__ import annotations

import sys
from pathlib import Path

import coverage

# Decisions are pure functions, and every branch of them is shown by a test.
PURE = {
    *("chunked", "errors", "fields", "flags", "jobspec", "logs", "manifest", "messages"),
    *("observed", "options", "plan", "report", "request", "retry", "verdict", "waiting"),
    *("version", "yamltext"),
}
REST = 95.0


def main() -> int:
    """Print each module below its measure and return 1 if there is one."""
    data = coverage.Coverage()
    data.load()
    total = data.report(show_missing=True, skip_covered=True)
    short = []
    for file in sorted(Path("runjob").glob("*.py")):
        if file.stem == "runJob":
            continue  # tests start it as a process of its own, where nothing is measured
        numbers = data._analyze(str(file)).numbers
        least = 100.0 if file.stem in PURE else 0.0
        if numbers.pc_covered < least:
            short.append(f"{file}: {numbers.pc_covered:.1f} %, must be {least:.0f} %")
    if total < REST:
        short.append(f"all of runjob: {total:.1f} %, must be {REST:.0f} %")
    print("\n".join(short) or "coverage is as it must be")
    return bool(short)


if __name__ == "__main__":
    sys.exit(main())
