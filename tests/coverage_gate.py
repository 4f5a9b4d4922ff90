"""Hold the branch coverage of the last run to the house's measure, module by module."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import coverage

# Decisions are pure functions, and every branch of them is shown by a test.
PURE = {
    "application": {
        *("action", "batch", "errors", "household", "message", "names", "postal", "records"),
        *("settings", "topics"),
    },
    "pythonapp": {"errors", "message", "rules", "settings"},
    "runjob": {
        *(
            "belonging",
            "chunked",
            "commands",
            "diagnosis",
            "disruptions",
            "endings",
            "errors",
            "fields",
            "finalizers",
            "flags",
            "form",
            "frozen",
            "guard",
            "existing",
            "identity",
            "jobspec",
            "lease",
            "logend",
            "loglimit",
            "logs",
            "manifest",
            "marks",
            "masking",
        ),
        *(
            "messages",
            "moments",
            "motion",
            "observed",
            "options",
            "plan",
            "positions",
            "refusals",
            "report",
            "request",
            "result",
            "retry",
            "roster",
            "runs",
            "sidecars",
            "verdict",
            "waiting",
        ),
        *("values", "version", "yamltext"),
    },
    "runjob/preflight": {
        *("capacity", "data", "demand", "findings", "quantity", "questions", "references"),
        "shapes",
    },
}
# The effects of the pipeline run in processes of their own, where nothing is measured.
LEAST = {"application": 80.0, "pythonapp": 80.0, "runjob": 95.0, "runjob/preflight": 95.0}


def main() -> int:
    """Print each module below its measure and return 1 if there is one."""
    data = coverage.Coverage()
    data.load()
    data.report(show_missing=True, skip_covered=True)
    short = []
    for package, pure in PURE.items():
        total = data.report(include=[f"{package}/*"], file=io.StringIO())
        if total < LEAST[package]:
            short.append(f"all of {package}: {total:.1f} %, must be {LEAST[package]:.0f} %")
        for file in sorted(Path(package).glob("*.py")):
            numbers = data._analyze(str(file)).numbers
            if file.stem in pure and numbers.pc_covered < 100:
                short.append(f"{file}: {numbers.pc_covered:.1f} %, must be 100 %")
    print("\n".join(short) or "coverage is as it must be")
    return bool(short)


if __name__ == "__main__":
    sys.exit(main())
