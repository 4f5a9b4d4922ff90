"""How long to wait before the next request to X.

The numbers are those of X's pages "Handling disconnections" and "Rate limits": network errors back
off linearly by 250 ms up to 16 s, HTTP errors exponentially from 5 s to 320 s, a limit that was
reached exponentially from one minute; a stream may be connected to 50 times in 15 minutes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

KEEP_ALIVE = 20.0  # X sends a blank line at least so often, in seconds
CONNECTS, WINDOW = 50, 15 * 60.0


class Trouble(Enum):
    """Why the last request is not being answered any more."""

    CLOSED = auto()
    NETWORK = auto()
    HTTP = auto()
    LIMITED = auto()


@dataclass(frozen=True)
class Growth:
    """Waits in seconds: the first, then each by step more and by factor longer, up to cap."""

    first: float
    step: float
    factor: float
    cap: float

    def next(self, wait: float | None) -> float:
        """Return the wait after this one; None asks for the first."""
        return self.first if wait is None else min(wait * self.factor + self.step, self.cap)


GROWTH = {
    Trouble.CLOSED: Growth(first=0, step=0.25, factor=1, cap=16),
    Trouble.NETWORK: Growth(first=0.25, step=0.25, factor=1, cap=16),
    Trouble.HTTP: Growth(first=5, step=0, factor=2, cap=320),
    Trouble.LIMITED: Growth(first=60, step=0, factor=2, cap=15 * 60),
}


class Backoff:
    """The waits of one connection, by what went wrong; good times make it begin anew."""

    def __init__(self) -> None:
        self._waits: dict[Trouble, float] = {}

    def after(self, trouble: Trouble, until_reset: float | None = None) -> float:
        """Return the seconds to wait; until_reset is what X asked for (x-rate-limit-reset)."""
        wait = GROWTH[trouble].next(self._waits.get(trouble))
        self._waits[trouble] = wait
        if trouble is Trouble.LIMITED and until_reset is not None:
            return min(max(until_reset + 1, 1), WINDOW)
        return wait

    def worked(self) -> None:
        self._waits.clear()


class Connects:
    """The connections of the last 15 minutes, of which X allows 50."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=CONNECTS)

    def wait(self, now: float) -> float:
        """Return the seconds until the next connection is allowed."""
        if len(self._times) < CONNECTS:
            return 0.0
        return max(self._times[0] + WINDOW - now, 0.0)

    def note(self, now: float) -> None:
        self._times.append(now)
