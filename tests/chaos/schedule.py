"""What is broken when: made from a seed, so that a run can be had again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "kill producer", "kill consumer", "kill broker", "rebalance", "refuse", "slow", "lose", "poison"
]
# Seconds between two of a kind; each comes at least once, however short the run.
EVERY: dict[Kind, float] = {
    "kill producer": 6,
    "kill consumer": 12,
    "kill broker": 50,
    "rebalance": 30,
    "refuse": 40,
    "slow": 40,
    "lose": 15,
    "poison": 2,
}
# Seconds that it lasts, from and to.
LASTS: dict[Kind, tuple[float, float]] = {
    "kill broker": (0.5, 3),
    "rebalance": (8, 15),
    "refuse": (4, 8),
    "slow": (4, 8),
}


@dataclass(frozen=True, order=True)
class Event:
    """One fault: seconds after the start, how many seconds it lasts, and which of several."""

    at: float
    kind: Kind
    lasts: float
    which: int


def schedule(seed: int, seconds: float) -> list[Event]:
    """Return the faults of so many seconds, in order; each kind is spread over all of them."""
    chance = random.Random(seed)
    events = []
    for kind, every in EVERY.items():
        count = max(1, round(seconds / every))
        part = seconds / count
        for number in range(count):
            shortest, longest = LASTS.get(kind, (0, 0))
            events.append(
                Event(
                    at=round(part * (number + chance.random()), 2),
                    kind=kind,
                    lasts=round(chance.uniform(shortest, longest), 2),
                    which=chance.randrange(1_000),
                )
            )
    return sorted(events)
