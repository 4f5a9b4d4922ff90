"""Expressions of events: read as the vendor writes them, and judged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.rehearse.errors import PlanError
from ctm.rehearse.events import All, Either, Event, Wait, events_in, satisfied, wait_of

A, B, C = ({"Event": name} for name in "ABC")


def holds(entries: list[Any], there: str) -> bool:
    return satisfied(wait_of(entries, "job"), {Event(name) for name in there})


@pytest.mark.parametrize(
    ("entries", "enough", "too_little"),
    [
        pytest.param([A], ["A", "AB"], ["", "B"], id="one"),
        pytest.param([A, B], ["AB"], ["A", "B"], id="side by side is and"),
        pytest.param([A, "AND", B], ["AB"], ["A", "B"], id="and"),
        pytest.param([A, "OR", B], ["A", "B"], ["", "C"], id="or"),
        pytest.param([A, "OR", B, C], ["A", "BC"], ["B", "C"], id="and binds tighter"),
        pytest.param(["(", A, "OR", B, ")", "AND", C], ["AC", "BC"], ["AB", "C"], id="parentheses"),
        pytest.param(["(", A, B, ")", "OR", C], ["AB", "C"], ["A", "B"], id="a group or one"),
        pytest.param(["(", "(", A, ")", ")"], ["A"], [""], id="needless parentheses"),
    ],
)
def test_an_expression_holds_with_enough_events(
    entries: list[Any], enough: list[str], too_little: list[str]
) -> None:
    assert all(holds(entries, there) for there in enough)
    assert not any(holds(entries, there) for there in too_little)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        pytest.param([A, "OR"], "missing before the end", id="nothing after or"),
        pytest.param(["OR", A], 'missing before "OR"', id="nothing before or"),
        pytest.param(["(", A], "never closed", id="open"),
        pytest.param([A, ")"], "closes nothing", id="closed too often"),
        pytest.param(["("], "missing before the end", id="empty"),
        pytest.param([{"Evnt": "A"}], "is no event", id="misspelt"),
        pytest.param([A, "and", B], "is no event", id="small letters"),
    ],
)
def test_a_broken_expression_is_refused_by_name(entries: list[Any], says: str) -> None:
    with pytest.raises(PlanError, match=r"^job: ") as refused:
        wait_of(entries, "job")
    assert says in str(refused.value)


def test_yesterdays_event_is_another_one() -> None:
    wait = wait_of([{"Event": "A", "Date": "PreviousOrderDate"}], "job")
    assert not satisfied(wait, {Event("A")})
    assert satisfied(wait, {Event("A", "PreviousOrderDate")})
    assert satisfied(wait_of([{"Event": "A", "Date": "NoDate"}], "job"), {Event("A")})


WAITS: st.SearchStrategy[Wait] = st.recursive(
    st.sampled_from([Event(name) for name in "ABCD"]),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(All)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(Either)
    ),
    max_leaves=8,
)


def written(wait: Wait) -> list[Any]:
    """Write an expression as the vendor's lists, with parentheses wherever they may stand."""
    if isinstance(wait, Event):
        return [{"Event": wait.name}]
    word = "AND" if isinstance(wait, All) else "OR"
    entries: list[Any] = ["("]
    for number, part in enumerate(wait.parts):
        entries += ([word] if number else []) + written(part)
    return [*entries, ")"]


@given(WAITS, st.frozensets(st.sampled_from([Event(name) for name in "ABCD"])))
def test_what_is_written_and_read_again_means_the_same(wait: Wait, there: frozenset[Event]) -> None:
    again = wait_of(written(wait), "job")
    assert satisfied(again, there) == satisfied(wait, there)
    assert set(events_in(again)) == set(events_in(wait))


@given(WAITS, st.frozensets(st.sampled_from([Event(name) for name in "ABCD"])))
def test_one_more_event_never_takes_a_start_away(wait: Wait, there: frozenset[Event]) -> None:
    if satisfied(wait, there):
        assert satisfied(wait, there | {Event("A")})
