"""The table of rules, row by row, then its caps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.action import HOUSEHOLD, NOBODY, OFFER, PRODUCTS, SERVICE, SURE, Recent
from application.records import Action, Category, Topic
from tests.application.decisions import NOON, customer, decide, match

BOTH = (True, True)


def told(actions: tuple[Action, ...]) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.subject, each.product) for each in actions]


def kinds(actions: tuple[Action, ...]) -> list[str]:
    return [each.kind for each in actions]


# -- the table, row by row -----------------------------------------------------------------------


def test_a_retweet_is_nothing_personal() -> None:
    (only,) = decide("complaint", known=customer(), who=match("customer", "c2"), retweet=True)
    assert only == Action("none", "c1", "A retweet says nothing personal about who passes it on.")


def test_a_stranger_asks_for_nothing() -> None:
    (only,) = decide("complaint", who=match("unknown"))
    assert (only.kind, only.subject) == ("none", "a1")
    assert "at the address" in only.why


@pytest.mark.parametrize("category", ["customer", "household_member"])
@pytest.mark.parametrize("topics", [(), ("complaint",)])
def test_of_whom_we_are_not_sure_nothing_personal_follows(
    category: Category, topics: tuple[Topic, ...]
) -> None:
    who = match(category, "c2", confidence=0.2)
    (only,) = decide(*topics, who=who, known=customer())
    why = "Not sure enough who it is (0.20): at the address."
    assert only == Action("none", "c1", why)


def test_an_even_chance_is_sure_enough() -> None:
    assert kinds(decide(who=match(confidence=SURE), known=customer())) == ["offer"]
    assert kinds(decide(who=match(confidence=SURE - 0.001), known=customer())) == ["none"]


def test_a_general_answer_to_a_prospect_needs_no_name() -> None:
    who = match("prospect", confidence=0.25)
    assert kinds(decide("product_interest", text="any ira?", who=who)) == ["offer"]


@pytest.mark.parametrize("topics", [(), ("complaint",)])
def test_a_call_and_an_offer_say_how_sure_we_are(topics: tuple[Topic, ...]) -> None:
    (only,) = decide(*topics, who=match(confidence=0.85), known=customer())
    assert only.why.endswith(", 85 % sure.")


@pytest.mark.parametrize(("confidence", "verify"), [(0.69, True), (0.7, False)])
def test_who_it_is_is_to_be_verified_before_a_call_below_70_percent(
    confidence: float, verify: bool
) -> None:
    (only,) = decide("complaint", who=match(confidence=confidence), known=customer())
    assert only.kind == "service_call"
    assert only.why.endswith(" % sure. Verify who it is before calling.") == verify
    (offer,) = decide(who=match(confidence=confidence), known=customer())
    assert offer.why.endswith(" % sure.")


def test_who_it_is_is_to_be_verified_where_somebody_else_wrote_however_sure_we_are() -> None:
    (only,) = decide("complaint", who=match("household_member", confidence=0.99), known=customer())
    assert only.kind == "service_call"
    assert only.why.endswith(" Verify who it is before calling.")


@pytest.mark.parametrize("category", ["customer", "household_member"])
def test_who_complains_is_called(category: Category) -> None:
    (only,) = decide("complaint", who=match(category), score=-0.6, known=customer())
    assert (only.kind, only.subject, only.cap_days) == ("service_call", "c1", 7)
    assert "(negative, -0.60)" in only.why
    assert category.replace("_", " ") in only.why


def test_who_complains_without_consent_is_not_called() -> None:
    (only,) = decide("complaint", known=customer(contact=False))
    assert only.kind == "none"
    assert "c1 has not agreed to contact" in only.why


def test_a_prospect_who_complains_is_not_called() -> None:
    (only,) = decide("complaint", who=match("prospect"))
    assert (only.kind, only.subject) == ("none", "a1")
    assert "has not agreed to be called" in only.why


def test_a_family_managed_apart_is_proposed_under_one_subject_whoever_writes() -> None:
    without = customer(contact=False, marketing=False)
    (merge,) = decide(who=match("customer", "c0", "c9"), known=without)
    assert (merge.kind, merge.subject, merge.cap_days) == ("household_merge", "c0", 90)
    assert "c0, c9" in merge.why


def test_a_merge_says_who_belongs_together_and_where_it_was_seen() -> None:
    (merge,) = decide(who=match("customer", "c2"), known=customer(marketing=False))
    assert merge.why == (
        "c1 and c2 live together, or next to each other as one family, and are managed apart. "
        "Seen in a post: at the address."
    )


def test_a_complaint_and_a_family_are_two_actions_without_an_offer() -> None:
    actions = decide("complaint", "product_interest", who=match("customer", "c2"), known=customer())
    assert told(actions) == [("service_call", "c1", None), ("household_merge", "c1", None)]


def test_a_complaint_that_cannot_be_answered_is_told_beside_the_merge() -> None:
    actions = decide("complaint", who=match("customer", "c2"), known=customer(contact=False))
    assert [each.kind for each in actions] == ["household_merge", "none"]


ALL_BUT = {each: tuple(set(PRODUCTS) - {each}) for each in PRODUCTS}


@pytest.mark.parametrize(
    ("topics", "text", "owned", "offered"),
    [
        pytest.param({"product_interest"}, "which ira", (), "retirement", id="asks"),
        pytest.param({"product_interest"}, "bonds or etfs", (), "bonds", id="asks for two"),
        pytest.param({"product_interest"}, "a 529 plan", ("brokerage",), "college", id="college"),
        pytest.param(
            {"product_interest"}, "which ira", ("retirement",), "brokerage", id="asks for their own"
        ),
        pytest.param(set(), "which ira", ("brokerage", "retirement"), "managed", id="only names"),
        pytest.param({"moving"}, "", ("brokerage",), "insurance", id="moves"),
        pytest.param({"moving"}, "", ("insurance", "brokerage"), "retirement", id="moves insured"),
        pytest.param(set(), "", (), "brokerage", id="nothing yet"),
        pytest.param(set(), "", ("brokerage",), "retirement", id="brokerage only"),
        pytest.param(set(), "", ("retirement",), "brokerage", id="retirement only"),
        pytest.param(set(), "", ("managed",), "insurance", id="managed only"),
        pytest.param(set(), "", ALL_BUT["bonds"], "bonds", id="no bonds"),
        pytest.param(set(), "", ALL_BUT["college"], None, id="college is for who asks"),
        pytest.param({"moving", "product_interest"}, "ira", PRODUCTS, None, id="all"),
    ],
)
def test_the_gap_of_a_portfolio_is_offered(
    topics: set[Topic], text: str, owned: tuple[str, ...], offered: str | None
) -> None:
    (only,) = decide(*topics, text=text, known=customer(*owned))
    assert (only.kind, only.product) == (("offer", offered) if offered else ("none", None))
    assert only.cap_days == (30 if offered else 0)


@pytest.mark.parametrize(
    ("who", "score", "known", "why"),
    [
        pytest.param("customer", 0.0, (True, False), "has not agreed to marketing", id="consent"),
        pytest.param("customer", -0.4, BOTH, "feels bad (-0.40)", id="bad mood"),
        pytest.param("household_member", 0.0, BOTH, "a customer's own", id="household"),
        pytest.param("prospect", 0.0, None, "has not agreed to marketing", id="prospect"),
        pytest.param("customer", 0.0, None, "has not agreed to marketing", id="not in the CRM"),
    ],
)
def test_no_offer_is_made(
    who: Category, score: float, known: tuple[bool, bool] | None, why: str
) -> None:
    person = customer(contact=known[0], marketing=known[1]) if known else None
    (only,) = decide(who=match(who), score=score, known=person)
    assert only.kind == "none"
    assert why in only.why


def test_a_prospect_who_asks_is_for_an_advisor_to_review() -> None:
    (only,) = decide("product_interest", text="any ira?", who=match("prospect"))
    assert (only.kind, only.subject, only.product) == ("offer", "a1", None)
    assert only.why.startswith("Advisor review: ")
    assert "retirement" in only.why


def test_every_row_of_the_table_has_a_name_a_why_and_a_cap_if_it_acts() -> None:
    for part in (NOBODY, SERVICE, HOUSEHOLD, OFFER):
        assert len({rule.name for rule in part}) == len(part)
        for rule in part:
            assert rule.why.removesuffix("{verify}").endswith(".")
            assert (rule.cap_days > 0) == (rule.kind != "none")
            assert rule.consent == "marketing" or not rule.product


# -- caps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "kind"),
    [(0, "none"), (6, "none"), (-6, "none"), (7, "service_call"), (-7, "service_call")],
)
def test_a_service_call_is_capped_for_7_days_both_ways(days: int, kind: str) -> None:
    recent: Recent = {("service_call", "c1", None): (NOON - timedelta(days=days), "other")}
    assert decide("complaint", known=customer(), recent=recent)[0].kind == kind


def test_a_cap_says_when() -> None:
    recent: Recent = {("offer", "c1", "bonds"): (NOON - timedelta(days=12, hours=3), "other")}
    (only,) = decide(known=customer(), recent=recent)
    assert only.kind == "none"
    assert "capped: offered (bonds) 12 days ago, at most once in 14 days" in only.why


def test_what_comes_late_says_that_the_other_was_later() -> None:
    recent: Recent = {("service_call", "c1", None): (NOON + timedelta(days=1), "other")}
    assert "called 1 day later" in decide("complaint", known=customer(), recent=recent)[0].why


@pytest.mark.parametrize("hours", [-23, 0, 23])
def test_what_was_less_than_a_day_apart_was_today(hours: int) -> None:
    recent: Recent = {("service_call", "c1", None): (NOON + timedelta(hours=hours), "other")}
    assert "called today, at" in decide("complaint", known=customer(), recent=recent)[0].why


def test_the_same_product_waits_30_days_and_another_14() -> None:
    recent: Recent = {("offer", "c1", "retirement"): (NOON - timedelta(days=20), "other")}
    (only,) = decide(known=customer("brokerage"), recent=recent)
    assert (only.kind, only.product) == ("offer", "insurance")


def test_an_advisor_reviews_a_prospect_once_in_30_days() -> None:
    recent: Recent = {("offer", "a1", None): (NOON - timedelta(days=29), "other")}
    asks = decide("product_interest", text="ira", who=match("prospect"), recent=recent)
    assert asks[0].kind == "none"


def test_a_family_is_proposed_once_in_90_days() -> None:
    recent: Recent = {("household_merge", "c0", None): (NOON - timedelta(days=89), "other")}
    nothing = customer(marketing=False)
    (only,) = decide(who=match("customer", "c0"), known=nothing, recent=recent)
    assert "capped: proposed 89 days ago" in only.why
    assert "has not agreed to marketing" in only.why
