"""The ledger names the last place before which nothing is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pythonapp.ledger import Ledger
from pythonapp.posts import Bookmark


def test_there_is_no_position_before_the_first_delivery() -> None:
    ledger = Ledger()
    ledger.sent(Bookmark("a", "1"))
    assert ledger.position() is None


@given(st.permutations(range(8)), st.integers(0, 8))
def test_the_position_follows_the_deliveries_in_any_order(order: list[int], count: int) -> None:
    ledger = Ledger()
    reports = [ledger.sent(Bookmark("a", str(number))) for number in range(8)]
    for number in order[:count]:
        reports[number]()
    done = set(order[:count])
    whole = next((number for number in range(8) if number not in done), 8)
    assert ledger.position() == (Bookmark("a", str(whole - 1)) if whole else None)
