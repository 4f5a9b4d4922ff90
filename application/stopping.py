"""SIGTERM and Ctrl-C: the first asks for a clean end, a second Ctrl-C ends at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Stop:
    """What a loader looks at between its steps; signal is the number that asked, 0 before."""

    def __init__(self) -> None:
        self.signal = 0
        self._asked = threading.Event()

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def asked(self) -> bool:
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until it is asked for; tell whether it was."""
        return self._asked.wait(seconds)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self._asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
