"""When people post: by day more than by night, the last post at a given moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import accumulate

# Of the hours of a day in Connecticut, from midnight on.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 9, 10, 9, 8, 8, 9, 10, 10, 10, 9, 8, 6, 4)
_EASTERN = timezone(timedelta(hours=-5))
_STEP = timedelta(minutes=10)


def moments(count: int, until: datetime, days: int) -> Iterator[datetime]:
    """Yield so many times in their order, over the days before until; the last one is until."""
    steps = days * 144
    start = until - days * timedelta(days=1)
    local = start.astimezone(_EASTERN)
    done = list(
        accumulate((_HOURS[(local + number * _STEP).hour] for number in range(steps)), initial=0)
    )
    for number in range(1, count + 1):
        share = done[-1] * number / count
        step = min(bisect_right(done, share) - 1, steps - 1)
        inside = (share - done[step]) / (done[step + 1] - done[step])
        yield start + _STEP * (step + inside)
