"""Waits between tries grow, stay bounded, and heed what the API asks."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import ApiError
from runjob.retry import Backoff, wait_for


def test_waits_grow_up_to_the_cap() -> None:
    waits = Backoff(first=1, factor=3, cap=10, jitter=0).waits()
    assert list(islice(waits, 5)) == [1, 3, 9, 10, 10]


@given(st.floats(0, 1), st.integers(1, 30))
def test_jitter_makes_a_wait_longer_by_no_more_than_its_part(jitter: float, count: int) -> None:
    plain = islice(Backoff(jitter=0).waits(), count)
    for wait, bare in zip(islice(Backoff(jitter=jitter).waits(), count), plain, strict=True):
        assert bare <= wait <= bare * (1 + jitter)


@pytest.mark.parametrize(
    ("asked", "planned", "expected"),
    [
        pytest.param(None, 2, 2, id="nothing asked"),
        pytest.param(5, 2, 5, id="the API asks for more"),
        pytest.param(1, 2, 2, id="the API asks for less"),
        pytest.param(3600, 2, 60, id="the API asks for too much"),
    ],
)
def test_the_api_may_ask_for_a_wait(asked: float | None, planned: float, expected: float) -> None:
    assert wait_for(asked, planned) == expected


@pytest.mark.parametrize(
    ("status", "heals"),
    [(0, True), (401, True), (408, True), (410, True), (429, True), (500, True), (503, True),
     (400, False), (403, False), (404, False), (409, False), (422, False)],
)  # fmt: skip
def test_an_answer_that_may_change_is_told_from_one_that_will_not(status: int, heals: bool) -> None:
    assert ApiError(status, "x", reason="y", retry_after=1).heals is heals
