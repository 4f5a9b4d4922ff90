"""`python3 -m misc.agent start|pre-stop|decommission|alive|ready`, in the agent's container."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from misc.agent.control import ControlM
from misc.agent.errors import AgentError
from misc.agent.first import FirstProcess
from misc.agent.life import Agent
from misc.agent.marks import Marks
from misc.agent.settings import settings

COMMANDS = ("start", "pre-stop", "decommission", "alive", "ready")
USAGE = f"usage: python3 -m misc.agent {'|'.join(COMMANDS)}"
# How long jobs may take to end once the agent has left; a launcher's removing of its Job is one.
JOBS_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """Run one command; return 0, 1 for a probe's no, 2 for bad settings, 4 for a refusal."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(USAGE, file=sys.stderr)
        return 2
    (command,) = arguments
    try:
        given = settings(os.environ)
        marks = Marks(given.run)
        if command == "alive":
            return 0 if marks.is_alive() else 1
        if command == "ready":
            return 0 if marks.has("registered") else 1
        if command in ("pre-stop", "decommission"):
            agent = Agent(given, ControlM(given, marks.beat, lambda: True), marks, _tell)
            if command == "pre-stop":
                agent.before_stop()
            else:
                agent.leave()
            return 0
        first = FirstProcess()
        control = ControlM(given, marks.beat, lambda: first.asked or marks.has("leaving"))
        try:
            Agent(given, control, marks, _tell).live(first)
        finally:
            if not first.end_the_others(JOBS_SECONDS):
                _tell(f"jobs still run after {JOBS_SECONDS:.0f} s, and are killed")
    except AgentError as error:
        print(f"agent: error: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"agent: error: a folder of the agent cannot be used: {error}", file=sys.stderr)
        return 2
    return 0


def _tell(line: str) -> None:
    print(f"agent: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
