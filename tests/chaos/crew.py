"""Programs that are killed and started again, as a cluster would."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.pipeline.programs import Program


class Hand:
    """One program; ended is why it needs no more starts."""

    def __init__(self, program: Program, *, lasting: bool) -> None:
        self.program = program
        self.starts = self.kills = 0
        self.done = False
        self.troubles: list[str] = []
        self._lasting = lasting
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = self._told = False

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        if not self.running and not self.done:
            self._process = self.program.start()
            self.starts += 1
            self._killed = self._told = False

    def kill(self) -> None:
        """End it as a crash would; nothing happens where it does not run."""
        if self._process is not None and not self._killed:
            self._process.kill()
            self._killed = True
            self.kills += 1

    def tell(self) -> None:
        """Ask it to end, by SIGTERM; it is not started again."""
        self.done = True
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._told = True

    def look(self) -> None:
        """Note its end, and start it again unless it ended as it should."""
        if self._process is None or (code := self._process.poll()) is None:
            return
        self._process = None
        if self._killed:
            pass
        elif code == 0 and (self._told or not self._lasting):
            self.done = True
        elif not (self._told and code == -signal.SIGTERM):  # it was told before it could listen
            self.troubles.append(
                f"{self.program.name} ended by itself with {code}: {self.program.last_words()}"
            )
        self.start()

    def end(self) -> None:
        """Leave nothing of it."""
        self.done = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def crew(hands: list[Hand]) -> Iterator[None]:
    """End all of them with the block, whatever happens in it."""
    try:
        yield
    finally:
        for each in hands:
            each.end()
