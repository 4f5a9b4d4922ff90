"""The waits are those that X's documentation asks for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythonapp.backoff import CONNECTS, WINDOW, Backoff, Connects, Trouble


@pytest.mark.parametrize(
    ("trouble", "first", "last"),
    [
        pytest.param(Trouble.CLOSED, [0, 0.25, 0.5], 16, id="a clean close: at once, then slower"),
        pytest.param(Trouble.NETWORK, [0.25, 0.5, 0.75], 16, id="network: linear to 16 s"),
        pytest.param(Trouble.HTTP, [5, 10, 20, 40], 320, id="HTTP: exponential, 5 s to 320 s"),
        pytest.param(Trouble.LIMITED, [60, 120, 240], 900, id="limited: from one minute"),
    ],
)
def test_waits_grow_as_documented(trouble: Trouble, first: list[float], last: float) -> None:
    backoff = Backoff()
    waits = [backoff.after(trouble) for _ in range(100)]
    assert waits[: len(first)] == first
    assert waits[-1] == last


def test_good_times_begin_anew() -> None:
    backoff = Backoff()
    assert [backoff.after(Trouble.HTTP) for _ in range(3)] == [5, 10, 20]
    backoff.worked()
    assert backoff.after(Trouble.HTTP) == 5


@pytest.mark.parametrize(("reset", "wait"), [(300.0, 301.0), (-5.0, 1.0), (1e9, WINDOW)])
def test_the_reset_that_x_names_is_honoured_within_reason(reset: float, wait: float) -> None:
    assert Backoff().after(Trouble.LIMITED, reset) == wait


@given(st.lists(st.floats(0, 60), min_size=1, max_size=300))
def test_there_are_never_more_than_50_connects_in_15_minutes(pauses: list[float]) -> None:
    connects, now, times = Connects(), 0.0, []
    for pause in pauses:
        now += pause
        now += connects.wait(now)
        connects.note(now)
        times.append(now)
    for first, last in zip(times, times[CONNECTS:], strict=False):
        assert last - first >= WINDOW - 1e-6
    assert all(earlier <= later for earlier, later in pairwise(times))
