"""Launches that get a signal between any two of their effects.

An effect is a request, what is printed, what is written into or removed from a folder, the giving
back of the signals, and the launch itself; a launch can be met before and after each.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runjob import cli, cluster, console, interrupts


@dataclass(frozen=True)
class Ended:
    """A launch that is over: its exit code, and whether it came so far as to get the signal."""

    code: int
    met: bool


# Runs a launch that gets its signal at the effect of that number, 0 for none, and appends what it
# prints to the file.
Launched = Callable[[int, tuple[str, ...], Path], Ended]


@contextlib.contextmanager
def launches_met_by(number: signal.Signals) -> Iterator[Launched]:
    """Give a launcher whose launches get that signal; each is a process of its own."""
    with subprocess.Popen(
        [sys.executable, __file__, str(int(number))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def launched(at: int, line: tuple[str, ...], sysout: Path) -> Ended:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps([at, str(sysout), *line]), file=process.stdin, flush=True)
            code, effects = json.loads(process.stdout.readline())
            return Ended(code, 0 < at <= effects)

        yield launched


class _Effects:
    """Counts the effects of a launch, and sends it the signal at one of them."""

    def __init__(self, number: int) -> None:
        self.last = 0
        self._number = number
        self._lock = threading.Lock()
        # Memory that a launch shares with the process which it was forked off, and which it tells.
        self._count = mmap.mmap(-1, 4)

    @property
    def count(self) -> int:
        return int.from_bytes(self._count[:4], sys.byteorder)

    @count.setter
    def count(self, count: int) -> None:
        self._count[:4] = count.to_bytes(4, sys.byteorder)

    def between(self, owner: object, name: str) -> None:
        """Count an effect before and after each call of that function."""
        act = getattr(owner, name)

        def acts(*args: object, **more: object) -> object:
            self._add()
            answer = act(*args, **more)
            self._add()
            return answer

        setattr(owner, name, acts)

    def _add(self) -> None:
        with self._lock:
            self.count += 1
            met = self.count == self.last
        if met:
            os.kill(os.getpid(), self._number)


def _serve(number: int) -> None:
    """Run the launches that are asked for on standard input.

    They are forked off this process, which has imported the launcher: that takes longer than the
    launch itself.
    """
    from runjob import (  # noqa: F401
        api,
        identity,
        jobspec,
        launcher,
        login,
        logprinter,
        report,
        state,
        workshop,
    )

    effects = _Effects(number)
    effects.between(cluster.Cluster, "_request")
    effects.between(console.Console, "_write")
    for name in ("pwrite", "replace", "remove", "rmdir"):
        effects.between(os, name)
    effects.between(interrupts.Interrupts, "restore")
    effects.between(cli, "main")
    for asked in sys.stdin:
        effects.last, sysout, *line = json.loads(asked)
        effects.count = 0
        if not (child := os.fork()):
            os.dup2(os.open(sysout, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            sys.exit(cli.main(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([code, effects.count]), flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
