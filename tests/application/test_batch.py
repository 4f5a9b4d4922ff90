"""Cutting what waits into batches loses nothing, doubles nothing and keeps the limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.batch import Limits, cut

SIZES = st.lists(st.integers(0, 50), max_size=60)
LIMITS = st.builds(
    Limits, count=st.integers(1, 20), bytes=st.integers(1, 100), seconds=st.just(1.0)
)


@given(SIZES, LIMITS, st.floats(0, 2))
def test_a_batch_keeps_its_limits(sizes: list[int], limits: Limits, waited: float) -> None:
    count = cut(sizes, waited, limits)
    assert 0 <= count <= min(len(sizes), limits.count)
    assert sum(sizes[:count]) <= limits.bytes or count == 1


@given(SIZES, LIMITS)
def test_batches_one_after_the_other_hold_every_message_once_and_in_order(
    sizes: list[int], limits: Limits
) -> None:
    left, batches = list(enumerate(sizes)), []
    while left:
        count = cut([size for _, size in left], limits.seconds, limits)
        assert count, "what has waited for long enough is a batch"
        batches.append(left[:count])
        left = left[count:]
    assert [each for batch in batches for each in batch] == list(enumerate(sizes))


@given(SIZES, LIMITS)
def test_only_a_full_batch_goes_before_its_time(sizes: list[int], limits: Limits) -> None:
    count = cut(sizes, 0.0, limits)
    full = len(sizes) >= limits.count or sum(sizes[: limits.count]) >= limits.bytes
    assert bool(count) == full


@pytest.mark.parametrize(
    ("sizes", "waited", "count"),
    [
        pytest.param([], 9.0, 0, id="nothing waits"),
        pytest.param([1, 1], 0.0, 0, id="there is time for more"),
        pytest.param([1, 1, 1, 1], 0.0, 3, id="the count is reached"),
        pytest.param([6, 5], 0.0, 1, id="the next one would be too much"),
        pytest.param([99, 1], 0.0, 1, id="one that is too large goes alone"),
        pytest.param([1, 1], 1.0, 2, id="the time is over"),
    ],
)
def test_a_batch_ends_by_count_bytes_or_time(sizes: list[int], waited: float, count: int) -> None:
    assert cut(sizes, waited, Limits(count=3, bytes=10, seconds=1.0)) == count
