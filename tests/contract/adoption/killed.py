"""A launcher that was killed, and what the next one of its run prints."""

from __future__ import annotations

import re
import signal

from tests.contract.api import Json
from tests.contract.launches import Run, Started

RUN = ("--run-id", "r.1")
# Ends with 3, so that a verdict that is made up would show.
SCRIPT_LINE = "echo one; sleep 3; echo two; exit 3"
CODE = ("--exit-code", "container")
MARKER = re.compile(rb"--- runjob: log of Job [^ ]+ ([^\n]*) ---\n")
DOUBT = re.compile(rb"--- runjob: up to (\d+) bytes of \[[^]]+\] may stand above already ---\n")


def kill(started: Started) -> bytes:
    """Kill a launcher as a container that restarts does; return what it printed of the log."""
    started.signal(signal.SIGKILL)
    run = started.end()
    assert run.code == -signal.SIGKILL
    return run.out.partition(b"Job created\n")[2]


def adopted(run: Run) -> tuple[str, bytes]:
    """Return the words of the marker, and the log that follows it."""
    assert b"Job created" not in run.out
    before, marker, rest = MARKER.split(run.out)
    assert before.endswith(b"Job adopted\n")
    kin = ("is of this run", "was asked for under the same name (no run is named)")
    assert any(f"Job {run.verdict.split()[1]} {each}, made by" in run.err for each in kin)
    return marker.decode(), rest[: run.end.start() - len(run.out) + len(rest)]


def joined(first: bytes, rest: bytes) -> bytes:
    """Put together what two launchers printed of a log.

    Killed between a chunk and the word about it, the chunk stands there once more, and is marked.
    """
    doubt = DOUBT.match(rest)
    if doubt is None:
        return first + rest
    again = rest[doubt.end() :]
    for size in range(int(doubt[1]), -1, -1):
        if first.endswith(again[:size]):
            return first + again[size:]
    raise AssertionError


def uid_of(job: Json | None) -> str:
    assert job is not None
    return str(job["metadata"]["uid"])
