"""Waits between tries grow, stay bounded, and heed what the API asks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import ApiError
from runjob.retry import REFUSALS, Backoff, persist, wait_for


def test_waits_grow_up_to_the_cap() -> None:
    waits = Backoff(first=1, factor=3, cap=10, jitter=0).waits()
    assert list(islice(waits, 5)) == [1, 3, 9, 10, 10]


@given(st.floats(0, 1), st.integers(1, 30))
def test_jitter_makes_a_wait_longer_by_no_more_than_its_part(jitter: float, count: int) -> None:
    plain = islice(Backoff(jitter=0).waits(), count)
    for wait, bare in zip(islice(Backoff(jitter=jitter).waits(), count), plain, strict=True):
        assert bare <= wait <= bare * (1 + jitter)


def test_a_thousand_launchers_do_not_try_again_in_step() -> None:
    """A naive launcher waits as long as all others that met the same outage, each time."""
    for tries in (1, 5, 20):
        waits = {next(islice(Backoff().waits(), tries - 1, None)) for _ in range(50)}
        assert len(waits) > 40


@pytest.mark.parametrize(
    ("asked", "planned", "least", "most"),
    [
        pytest.param(None, 2, 2, 2, id="nothing asked"),
        pytest.param(5, 2, 5, 6.5, id="the API asks for more"),
        pytest.param(1, 2, 2, 2, id="the API asks for less"),
        pytest.param(3600, 2, 60, 78, id="the API asks for too much"),
    ],
)
def test_the_api_may_ask_for_a_wait(
    asked: float | None, planned: float, least: float, most: float
) -> None:
    assert least <= wait_for(asked, planned) <= most


def test_those_who_are_asked_to_wait_do_not_come_back_in_step() -> None:
    assert len({wait_for(5, 0.2) for _ in range(50)}) > 1


@pytest.mark.parametrize(
    ("status", "heals"),
    [(0, True), (401, True), (408, True), (410, True), (429, True), (500, True), (503, True),
     (400, False), (403, False), (404, False), (409, False), (422, False)],
)  # fmt: skip
def test_an_answer_that_may_change_is_told_from_one_that_will_not(status: int, heals: bool) -> None:
    assert ApiError(status, "x", reason="y", retry_after=1).heals is heals


def answers(*statuses: int) -> Callable[[], str]:
    """Return a request that is answered so, one after the other, and at last as it should be."""
    left = list(statuses)

    def ask() -> str:
        if left:
            raise ApiError(left.pop(0), "no", retry_after=7.0)
        return "yes"

    return ask


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param((), id="at once"),
        pytest.param((0, 401, 429, 503, 401), id="any mix of what heals"),
        pytest.param((403,) * (REFUSALS - 1), id="forbidden for a while"),
        pytest.param((403, 503) * (REFUSALS - 1), id="forbidden now and then"),
    ],
)
def test_a_request_is_made_until_it_is_answered(statuses: tuple[int, ...]) -> None:
    waits: list[float] = []
    assert persist(answers(*statuses), waits.append) == "yes"
    assert len(waits) == len(statuses)
    assert all(wait >= 7.0 for wait in waits)


@pytest.mark.parametrize(
    ("statuses", "waits"),
    [
        pytest.param((404,), 0, id="not there"),
        pytest.param((503, 422), 1, id="refused after a while"),
        pytest.param((403,) * REFUSALS, REFUSALS - 1, id="forbidden, and that is believed"),
        pytest.param((503,) * 9, 7, id="enough"),
    ],
)
def test_an_answer_that_stays_is_raised(statuses: tuple[int, ...], waits: int) -> None:
    waited: list[float] = []
    with pytest.raises(ApiError) as error:
        persist(answers(*statuses), waited.append, enough=lambda _: len(waited) == 7)
    assert (error.value.status, len(waited)) == (statuses[waits], waits)
