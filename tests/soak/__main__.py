"""The command: launch Jobs, break everything for some minutes, count; 0 when all is well."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster import controls, node
from tests.cluster.errors import ClusterError
from tests.soak.schedule import EVERY
from tests.soak.trial import Outcome, Plan, run


def main(arguments: list[str]) -> int:
    """Run a soak, print its table and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="all of it may take")
    parser.add_argument("--seed", type=int, default=1, help="the same Jobs and faults again")
    parser.add_argument(
        "--without", action="append", default=[], choices=list(EVERY), metavar="FAULT",
        help="leave out a kind of fault, to see whether it matters: " + ", ".join(EVERY),
    )  # fmt: skip
    options = parser.parse_args(arguments)
    # As Ctrl-C does: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    plan = Plan(options.seed, options.minutes * 60, frozenset(options.without))
    try:
        if not node.is_up(controls.here()):
            raise ClusterError("the cluster is not up; make cluster brings it up")
        folder = Path(tempfile.mkdtemp(prefix="soak-"))
        outcome = run(plan, folder, say)
    except ClusterError as error:
        print(f"soak: error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    print(table(outcome))
    if outcome.wrong:
        print(
            f"what the launchers printed, the node's logs and the faults are in {folder}; again: "
            f"make soak SEED={options.seed} MINUTES={options.minutes:g}",
            file=sys.stderr,
        )
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def table(outcome: Outcome) -> str:
    """Return what was counted, a line each, and the verdict."""
    width = max(map(len, outcome.counted), default=0)
    lines = [f"  {label:{width}}  {value}" for label, value in outcome.counted.items()]
    wrong = [f"wrong: {each}" for each in outcome.wrong]
    return "\n".join([*lines, *(wrong or ["nothing lost, nothing twice, nothing left behind"])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
