"""Time, and the wish to stop that ends every wait."""

from __future__ import annotations

import queue
import time
from typing import Protocol


class Clock(Protocol):
    """What waits are measured with; a test's own goes as fast as it likes."""

    @property
    def stopped(self) -> bool: ...

    def now(self) -> float:
        """Return seconds that only go forward."""
        ...

    def time(self) -> float:
        """Return seconds since 1970, as X's headers tell them."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the wish to stop; return whether there is one."""
        ...


class SystemClock:
    """The machine's time.

    `stop` may be called from a signal's handler: an Event would not do, for it takes a lock that
    the interrupted code may hold.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def stop(self) -> None:
        self.stopped = True
        self._wake.put(None)

    def now(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> bool:
        if not self.stopped and seconds > 0:
            try:
                self._wake.get(timeout=seconds)
                self._wake.put(None)  # for whoever else is waiting
            except queue.Empty:
                pass
        return self.stopped
