"""The laws that the table of rules keeps in every case."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product as every

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.action import ANY_OFFER_DAYS
from application.records import Action, ActionKind, Category, Customer, Topic
from tests.application.decisions import NOON, customer, decide, match

CATEGORIES: tuple[Category, ...] = ("customer", "household_member", "prospect", "unknown")
TOPIC_SETS: tuple[tuple[Topic, ...], ...] = (
    (),
    ("complaint",),
    ("praise",),
    ("moving",),
    ("product_interest",),
    ("complaint", "moving", "product_interest"),
    ("moving", "product_interest"),
)
PEOPLE = (
    None,
    *(
        customer(*products, contact=contact, marketing=marketing)
        for products, contact, marketing in every(
            ((), ("brokerage",)), (True, False), (True, False)
        )
    ),
)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_case_keeps_the_laws(category: Category) -> None:
    for topics, known, score, kin, retweet in every(
        TOPIC_SETS, PEOPLE, (-0.8, 0.0, 0.8), ((), ("c2",)), (False, True)
    ):
        person = known if category in ("customer", "household_member") else None
        actions = decide(
            *topics,
            text="an ira",
            who=match(category, *kin),
            score=score,
            known=person,
            retweet=retweet,
        )
        keeps_the_laws(actions, topics, person, score)


def keeps_the_laws(
    actions: tuple[Action, ...], topics: tuple[Topic, ...], known: Customer | None, score: float
) -> None:
    kinds = [each.kind for each in actions]
    assert actions
    assert len(set(kinds)) == len(kinds)
    assert all(each.why.endswith(".") and each.subject for each in actions)
    assert not ("complaint" in topics and "offer" in kinds)
    assert not (score < 0 and "offer" in kinds)
    for each in actions:
        if each.kind == "service_call":
            assert known is not None
            assert known.contact_consent
        elif each.kind == "offer" and each.product:
            assert known is not None
            assert known.marketing_consent
            assert each.product not in known.products
        elif each.kind == "offer":
            assert known is None
            assert each.why.startswith("Advisor review: ")
        assert (each.cap_days == 0) == (each.kind == "none")


Decided = dict[tuple[ActionKind, str, str | None], tuple[datetime, str]]
Drawn = tuple[tuple[Topic, ...], int, str, Category]
cases: st.SearchStrategy[Drawn] = st.tuples(
    st.sampled_from(TOPIC_SETS),
    st.integers(0, 60 * 24),
    st.sampled_from(("an ira", "bonds or etfs", "529", "nothing")),
    st.sampled_from(CATEGORIES[::2]),
)


@given(st.lists(cases, max_size=25))
def test_no_two_actions_fall_within_a_cap(several: list[Drawn]) -> None:
    recent: Decided = {}
    log: list[tuple[datetime, Action]] = []
    for number, (topics, hours, text, category) in enumerate(
        sorted(several, key=lambda each: each[1])
    ):
        at = NOON + timedelta(hours=hours)
        known = customer("brokerage") if category == "customer" else None
        for each in decide(
            *topics,
            text=text,
            who=match(category),
            known=known,
            recent=recent,
            at=at,
            id=str(number),
        ):
            if each.kind != "none":
                log.append((at, each))
                recent[each.kind, each.subject, each.product] = (at, str(number))
    for index, (at, one) in enumerate(log):
        for then, other in log[index + 1 :]:
            if (one.kind, one.subject) != (other.kind, other.subject):
                continue
            if one.product == other.product:
                assert then - at >= timedelta(days=one.cap_days)
            assert then - at >= timedelta(days=ANY_OFFER_DAYS if one.kind == "offer" else 7)


@given(cases, st.integers(-40, 40))
def test_a_post_seen_again_is_decided_alike(case: Drawn, days: int) -> None:
    topics, _, text, category = case
    known = customer("brokerage") if category == "customer" else None
    other: Decided = {("offer", "c1", "bonds"): (NOON + timedelta(days=days), "other")}
    first = decide(*topics, text=text, who=match(category), known=known, recent=other)
    own: Decided = {(each.kind, each.subject, each.product): (NOON, "1") for each in first}
    again = decide(*topics, text=text, who=match(category), known=known, recent=other | own)
    assert again == first
