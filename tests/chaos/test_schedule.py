"""A seed tells all that will be broken."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.schedule import EVERY, schedule

SEEDS = st.integers(0, 1_000)
SECONDS = st.floats(5, 600)


@settings(deadline=None)  # how fast it is depends on the machine
@given(SEEDS, SECONDS)
def test_a_seed_breaks_the_same_things_again(seed: int, seconds: float) -> None:
    assert schedule(seed, seconds) == schedule(seed, seconds)


@settings(deadline=None)  # how fast it is depends on the machine
@given(SEEDS, SECONDS)
def test_every_kind_of_fault_comes_in_order_and_in_time(seed: int, seconds: float) -> None:
    events = schedule(seed, seconds)
    assert {each.kind for each in events} == set(EVERY)
    assert [each.at for each in events] == sorted(each.at for each in events)
    assert all(0 <= each.at <= seconds + 0.01 for each in events)


def test_a_longer_trial_breaks_more_and_another_seed_breaks_otherwise() -> None:
    times = Counter(each.kind for each in schedule(1, 180))
    assert times["kill producer"] == 30
    assert times["kill broker"] == 4
    assert schedule(1, 180) != schedule(2, 180)
