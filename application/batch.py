"""When what waits becomes a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a batch may have at most: messages, bytes of their values, seconds of waiting."""

    count: int = 1000
    bytes: int = 4_000_000
    seconds: float = 1.0


def cut(sizes: Sequence[int], waited: float, limits: Limits) -> int:
    """Return how many of the waiting messages, the oldest first, make the next batch.

    0 says to wait for more. A message that is larger than a whole batch may be is one by itself.
    """
    count = total = 0
    for size in sizes:
        if count == limits.count or (count and total + size > limits.bytes):
            return count
        count += 1
        total += size
    full = count == limits.count or total >= limits.bytes
    return count if full or waited >= limits.seconds else 0
