"""How far a command is: a live line on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

EVERY_SECONDS = 10.0
LIVE_SECONDS = 0.2


class Ticker:
    """Lines of one command on stderr, each after its name."""

    def __init__(
        self, name: str, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._last = clock()

    def note(self, text: str) -> None:
        """Print a line that stays."""
        print(f"{self._wipe()}{self._name}: {text}", file=self._stream, flush=True)

    def moved(self, text: str) -> None:
        """Tell how far it is, unless that was told just now."""
        now = self._clock()
        if now - self._last < (LIVE_SECONDS if self._live else EVERY_SECONDS):
            return
        self._last = now
        end = "" if self._live else "\n"
        print(f"{self._wipe()}{self._name}: {text}", end=end, file=self._stream, flush=True)

    def _wipe(self) -> str:
        return "\r\033[K" if self._live else ""
