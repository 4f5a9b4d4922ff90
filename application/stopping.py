"""SIGTERM and Ctrl-C: the first asks for a clean end, a second Ctrl-C ends at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

# Seconds that an engine may still take once the run is to end; Kubernetes kills it after 30.
GRACE = 20.0


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


class Patience:
    """How long an engine is waited for: budget seconds, or GRACE once the run is to end."""

    def __init__(self, budget: float, stop: Callable[[], bool]) -> None:
        self._budget = budget
        self._begun = time.monotonic()
        self._deadline = self._begun + budget
        self._stop = stop
        self._heard = False

    def left(self) -> float:
        """Return the seconds that are left, which are negative once there are none."""
        now = time.monotonic()
        if not self._heard and self._stop():
            self._heard = True
            self._deadline = min(self._deadline, now + GRACE)
        return self._deadline - now

    def waited(self) -> float:
        """Return the seconds since the start, at most the budget."""
        return min(time.monotonic() - self._begun, self._budget)
