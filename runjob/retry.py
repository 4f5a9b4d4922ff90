"""How long to wait before the next try: policy as data."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from runjob.errors import ApiError

T = TypeVar("T")

# How often a request may be forbidden before that is believed, some ten seconds: an API server that
# has just started refuses what it will allow once it knows the roles.
REFUSALS = 6


@dataclass(frozen=True)
class Backoff:
    """Waits that grow by factor from first to cap, in seconds, each up to jitter of it longer."""

    first: float = 0.2
    factor: float = 2.0
    cap: float = 5.0
    jitter: float = 0.3

    def waits(self) -> Iterator[float]:
        """Yield the waits, without end; begin anew after a success."""
        wait = self.first
        while True:
            # Jitter keeps a thousand launchers from asking in step; no secret hangs on it.
            yield wait * (1 + self.jitter * random.random())
            wait = min(wait * self.factor, self.cap)


# What an API that is overrun asks all of them for alike is stretched by up to this part.
SPREAD = 0.3


def wait_for(asked: float | None, planned: float) -> float:
    """Return the wait that the API asked for (Retry-After, at most a minute), else the planned."""
    if asked is None:
        return planned
    return max(planned, min(asked, 60.0) * (1 + SPREAD * random.random()))


def persist(
    ask: Callable[[], T],
    wait: Callable[[float], object],
    *,
    enough: Callable[[ApiError], bool] = lambda _: False,
    backoff: Backoff = Backoff(),  # frozen
) -> T:
    """Return what ask returns, however often it has to be asked.

    wait is called with the seconds before each further try; enough, with the error, tells whether
    that one is the last. Raises ApiError: the last one, or one that another try will not change.
    """
    refused = 0
    for pause in backoff.waits():
        try:
            return ask()
        except ApiError as error:
            refused += error.status == 403
            may_heal = error.heals or (error.status == 403 and refused < REFUSALS)
            if not may_heal or enough(error):
                raise
            wait(wait_for(error.retry_after, pause))
    raise AssertionError("the waits never end")
