"""A seed tells all that will be broken."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soak.schedule import EVERY, schedule

SEEDS = st.integers(0, 1_000)
SECONDS = st.floats(5, 4_000)


@settings(deadline=None)  # how fast it is depends on the machine
@given(SEEDS, SECONDS)
def test_a_seed_breaks_the_same_things_again(seed: int, seconds: float) -> None:
    assert schedule(seed, seconds) == schedule(seed, seconds)


@settings(deadline=None)  # how fast it is depends on the machine
@given(SEEDS, SECONDS)
def test_every_kind_of_fault_comes_in_order_and_in_time(seed: int, seconds: float) -> None:
    faults = schedule(seed, seconds)
    assert {each.kind for each in faults} == set(EVERY)
    assert [each.at for each in faults] == sorted(each.at for each in faults)
    assert all(0 <= each.at <= seconds + 0.01 for each in faults)


def test_a_longer_soak_breaks_more_and_another_seed_breaks_otherwise() -> None:
    assert len(schedule(1, 3_600)) > 10 * len(schedule(1, 300))
    assert schedule(1, 300) != schedule(2, 300)
