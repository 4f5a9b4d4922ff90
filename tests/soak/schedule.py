"""What is broken when: made from a seed, so that a run can be had again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "launcher killed",
    "API server killed",
    "kubelet killed",
    "controller manager killed",
    "scheduler killed",
    "token replaced",
    "connections reset",
    "network slow",
    "network lossy",
    "network silent",
    "connections dead",
]
# Seconds between two of a kind; each comes at least once, however short the run.
EVERY: dict[Kind, float] = {
    "launcher killed": 8,
    "API server killed": 60,
    "kubelet killed": 45,
    "controller manager killed": 100,
    "scheduler killed": 100,
    "token replaced": 40,
    "connections reset": 15,
    "network slow": 40,
    "network lossy": 60,
    "network silent": 50,
    "connections dead": 50,
}
# Seconds that it lasts, from and to. Of a launcher: until it is run again. Of a token: from the end
# of the old one to the new one; the API server knows ten seconds longer that the old one was good.
# Of what starts anew, the start comes on top.
LASTS: dict[Kind, tuple[float, float]] = {
    "launcher killed": (0.1, 4),
    "API server killed": (1, 8),
    "kubelet killed": (0, 4),
    "controller manager killed": (0, 3),
    "scheduler killed": (0, 3),
    "token replaced": (0, 15),
    "network slow": (4, 10),
    "network lossy": (4, 10),
    "network silent": (2, 8),
    "connections dead": (5, 15),
}


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: seconds after the start, how many seconds it lasts, and which of several."""

    at: float
    kind: Kind
    lasts: float
    which: int


def schedule(seed: int, seconds: float) -> list[Fault]:
    """Return the faults of so many seconds, in order; each kind is spread over all of them."""
    chance = random.Random(f"faults {seed}")
    faults = []
    for kind, every in EVERY.items():
        count = max(1, round(seconds / every))
        part = seconds / count
        for number in range(count):
            shortest, longest = LASTS.get(kind, (0, 0))
            faults.append(
                Fault(
                    at=round(part * (number + chance.random()), 2),
                    kind=kind,
                    lasts=round(chance.uniform(shortest, longest), 2),
                    which=chance.randrange(1_000),
                )
            )
    return sorted(faults)
