"""Small files by which the agent, its probes and its preStop hook know of each other."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# An agent that was silent for so long hangs; a command beats each second while it runs.
SILENCE = 120.0


class Marks:
    """The marks in one folder: alive, registered, leaving, left, hung, and the last log-in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> None:
        """Forget what an earlier container of this pod left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("registered", "leaving", "left", "hung", "login"):
            (self._folder / name).unlink(missing_ok=True)
        self.beat()

    def beat(self) -> None:
        """Show that the agent is alive."""
        (self._folder / "alive").write_text("")

    def is_alive(self) -> bool:
        try:
            return time.time() - os.stat(self._folder / "alive").st_mtime < SILENCE
        except OSError:
            return False

    def set(self, name: str, text: str = "") -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_text(text)

    def unset(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        return (self._folder / name).exists()

    def text(self, name: str) -> str:
        """Return what was written with the mark, nothing where it is not set."""
        try:
            return (self._folder / name).read_text()
        except OSError:
            return ""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time change what Control-M knows; another one waits."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
