"""The command: break everything for some minutes, then count; 0 when nothing is lost or twice."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from misc.engines import apache
from misc.engines.process import EngineError
from tests.chaos.trial import Outcome, Plan, run


def main(arguments: list[str]) -> int:
    """Run a trial, print its table and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=5, help="all of it may take")
    parser.add_argument("--seed", type=int, default=1, help="the same faults again")
    parser.add_argument(
        "--properties", default=apache.PROPERTIES, help="KAFKA_PROPERTIES (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    # As Ctrl-C does: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    plan = Plan(options.posts, options.minutes * 60, options.seed, options.properties)
    try:
        outcome = run(plan, folder, say)
    except EngineError as error:
        print(f"chaos: error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    print(table(outcome))
    if outcome.wrong:
        print(f"the logs are in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def table(outcome: Outcome) -> str:
    """Return what was counted, a line each, and the verdict."""
    width = max(map(len, outcome.counted), default=0)
    lines = [f"  {label:{width}}  {value}" for label, value in outcome.counted.items()]
    wrong = [f"wrong: {each}" for each in outcome.wrong]
    return "\n".join([*lines, *(wrong or ["every post is in the lake, and once"])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
