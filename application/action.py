"""What to do next about a post: a table of rules, each with its consent, its cap and its why.

Three questions are asked of a post: does somebody need our help, does a family belong together, is
there something to offer. Each is answered by the first row of its part of the table that fits and
is allowed. Time is the post's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from application.records import Action, ActionKind, Customer, Match, Post, Sentiment, Topic
from application.topics import named_products

# When a (kind, subject, product) was last decided, and by which post.
Recent = Mapping[tuple[ActionKind, str, str | None], tuple[datetime, str]]
Consent = Literal["contact", "marketing"]

# The products of the lake's PORTFOLIOS; of several that a post asks about the first is offered.
PRODUCTS = ("retirement", "college", "insurance", "managed", "bonds", "brokerage")

SERVICE_DAYS = 7
MERGE_DAYS = 90
OFFER_DAYS = 30  # of the same product
ANY_OFFER_DAYS = 14  # of any product

# Below this confidence it is likelier somebody else than the customer, who would be called, offered
# something or shown to a family because of a stranger's words. Of match.py's table that leaves out
# a name in a profile's town, an initial or a household in a box, and another name at the address.
SURE = 0.5
# Below this one a call begins with the question who it is. It always does for a household member,
# who was told by the family name or the address: every fifth of these is a neighbour or a relative
# next door (`python -m tests.bench accuracy`).
SURE_TO_CALL = 0.7


@dataclass(frozen=True)
class Case:
    """All that a row may look at; asked are the products that the post asks about."""

    post: Post
    match: Match
    sentiment: Sentiment
    topics: frozenset[Topic]
    customer: Customer | None
    asked: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The identity that caps count: the customer's, of whom we know none the author's."""
        return self.match.customer_id or self.post.author.id

    @property
    def family(self) -> str:
        """One identity for a family, whichever member writes: the first of its customers."""
        own = self.match.customer_id
        return min((own, *self.match.kin) if own else self.match.kin)

    @property
    def owned(self) -> frozenset[str]:
        return self.customer.products if self.customer else frozenset()

    def agreed(self, consent: Consent | None) -> bool:
        """Tell whether a consent was given, if one is needed; who is not in the CRM gave none."""
        if consent is None or self.customer is None:
            return consent is None
        if consent == "contact":
            return self.customer.contact_consent
        return self.customer.marketing_consent


@dataclass(frozen=True)
class Rule:
    """A row: when it fits, what follows, under which consent, how often, and why in a sentence.

    why is a format string over `_facts`. A row of kind "none" ends its part of the table.
    """

    name: str
    when: Callable[[Case], bool]
    kind: ActionKind
    why: str
    consent: Consent | None = None
    cap_days: int = 0
    product: str | None = None


def _to_verify(match: Match) -> bool:
    return match.category == "household_member" or match.confidence < SURE_TO_CALL


def _complains(case: Case) -> bool:
    return "complaint" in case.topics


def _a_prospect(case: Case) -> bool:
    return case.match.category == "prospect"


def _asks_for(product: str) -> Callable[[Case], bool]:
    return lambda case: product in case.asked and product not in case.owned


def _lacks(product: str, having: Sequence[str] = ()) -> Callable[[Case], bool]:
    return lambda case: product not in case.owned and case.owned.issuperset(having)


def _offer(name: str, product: str, when: Callable[[Case], bool], reason: str) -> Rule:
    why = f"{{who}} {reason}, and agreed to marketing, {{sure}} sure."
    return Rule(name, when, "offer", why, "marketing", OFFER_DAYS, product)


# Who is it not about? What somebody else wrote, or nobody we know for sure, asks for nothing.
NOBODY = (
    Rule(
        "retweet",
        lambda case: case.post.retweet,
        "none",
        "A retweet says nothing personal about who passes it on.",
    ),
    Rule(
        "unknown",
        lambda case: case.match.category == "unknown",
        "none",
        "Nobody we know wrote this: {evidence}.",
    ),
    # A prospect is nobody by name, and gets nothing personal anyway.
    Rule(
        "not sure",
        lambda case: case.match.customer_id is not None and case.match.confidence < SURE,
        "none",
        "Not sure enough who it is ({confidence:.2f}): {evidence}.",
    ),
)

# Does somebody need our help? The call goes to the customer, also for what their household writes.
SERVICE = (
    Rule(
        "a prospect complains",
        lambda case: _complains(case) and _a_prospect(case),
        "none",
        "A prospect complains, and who is no customer has not agreed to be called.",
    ),
    Rule(
        "a complaint",
        _complains,
        "service_call",
        "A {category} complains ({feeling}, {score:+.2f}), and {who} agreed to be contacted, "
        "{sure} sure.{verify}",
        "contact",
        SERVICE_DAYS,
    ),
)

# Does a family belong together? That is our own housekeeping, so it needs no consent.
HOUSEHOLD = (
    Rule(
        "a family managed apart",
        lambda case: bool(case.match.kin),
        "household_merge",
        "{who} and {kin} live together, or next to each other as one family, and are managed "
        "apart. Seen in a post: {evidence}.",
        cap_days=MERGE_DAYS,
    ),
)

# Is there something to offer?
OFFER = (
    Rule("a complaint", _complains, "none", "No offer to who complains."),
    Rule(
        "bad mood",
        lambda case: case.sentiment.feeling == "negative",
        "none",
        "No offer to who feels bad ({score:+.2f}).",
    ),
    Rule(
        "household member",
        lambda case: case.match.category == "household_member",
        "none",
        "No offer: marketing consent is a customer's own, and a member of the household wrote.",
    ),
    # A public post is no consent to marketing. A public question may be answered in public with
    # what everybody may read; whether to is for a person to decide, so it names no product.
    Rule(
        "a prospect asks",
        lambda case: _a_prospect(case) and bool(case.asked),
        "offer",
        "Advisor review: a prospect asks in public about {asked}. There is no consent, so nothing "
        "personal: general information in reply, if an advisor agrees.",
        cap_days=OFFER_DAYS,
    ),
    Rule(
        "a prospect",
        _a_prospect,
        "none",
        "No offer: a prospect who asks for nothing has not agreed to marketing.",
    ),
    *(
        _offer(f"asks about {product}", product, _asks_for(product), f"asks about {product}")
        for product in PRODUCTS
    ),
    _offer(
        "moving house",
        "insurance",
        lambda case: "moving" in case.topics and "insurance" not in case.owned,
        "is moving house and has no insurance with us",
    ),
    _offer("first product", "brokerage", lambda case: not case.owned, "has no product of ours yet"),
    _offer(
        "no retirement",
        "retirement",
        _lacks("retirement", having=["brokerage"]),
        "has brokerage and no retirement",
    ),
    _offer(
        "no brokerage",
        "brokerage",
        _lacks("brokerage", having=["retirement"]),
        "has retirement and no brokerage",
    ),
    _offer(
        "no management",
        "managed",
        _lacks("managed", having=["brokerage", "retirement"]),
        "has brokerage and retirement and manages them alone",
    ),
    _offer("no insurance", "insurance", _lacks("insurance"), "has no insurance with us"),
    _offer("no bonds", "bonds", _lacks("bonds"), "has no bonds"),
    # College is for who asks: of children we know nothing.
    Rule("nothing missing", lambda _: True, "none", "Nothing to offer: {who} lacks no product."),
)


def next_best(
    post: Post,
    match: Match,
    sentiment: Sentiment,
    topics: frozenset[Topic],
    customer: Customer | None,
    recent: Recent,
) -> tuple[Action, ...]:
    """Return what to do about a post: a service call first, at least one action, each with its why.

    customer is the one of match.customer_id. "none" stands alone and says why nothing is done; it
    stands beside another action only where a complaint cannot be answered. A cap looks at other
    posts' decisions, before and after, since posts do not come in order; what this very post
    decided before does not count, so that a repeated post is decided alike.
    """
    asked = named_products(post.text) if "product_interest" in topics else ()
    case = Case(post, match, sentiment, topics, customer, asked)
    nobody = _answer(NOBODY, case, recent)
    if nobody is not None:
        return (nobody,)
    service = _answer(SERVICE, case, recent)
    answers = (service, _answer(HOUSEHOLD, case, recent), _answer(OFFER, case, recent))
    done = tuple(each for each in answers if each is not None and each.kind != "none")
    if not done:
        return (_nothing(case, " ".join(each.why for each in answers if each is not None)),)
    if service is not None and service.kind == "none":
        return (*done, service)
    return done


def _answer(part: Sequence[Rule], case: Case, recent: Recent) -> Action | None:
    """Return the action of the first row that fits and is allowed.

    Where rows fit and none is allowed, it is "none" with what forbade the first; None where no row
    fits.
    """
    refused = None
    for rule in part:
        if not rule.when(case):
            continue
        why = rule.why.format_map(_facts(case))
        if rule.kind == "none":
            return refused or _nothing(case, why)
        subject = case.family if rule.kind == "household_merge" else case.who
        forbidden = _without_consent(rule, case) or _capped(rule, subject, case.post, recent)
        if forbidden is None:
            return Action(rule.kind, subject, why, rule.product, rule.cap_days)
        refused = refused or _nothing(case, f"{rule.name.capitalize()}, but {forbidden}.")
    return refused


def _without_consent(rule: Rule, case: Case) -> str | None:
    if case.agreed(rule.consent):
        return None
    return f"{case.who} has not agreed to {rule.consent}"


def _capped(rule: Rule, subject: str, post: Post, recent: Recent) -> str | None:
    """Say which earlier or later decision forbids an action now, None where there is none."""
    limits: dict[str | None, int] = {rule.product: rule.cap_days}
    if rule.kind == "offer":
        limits = dict.fromkeys((*PRODUCTS, None), ANY_OFFER_DAYS) | limits
    for product, days in limits.items():
        when, by = recent.get((rule.kind, subject, product), (post.created_at, post.id))
        apart = post.created_at - when
        if by != post.id and abs(apart) < timedelta(days=days):
            return (
                f"capped: {_DONE[rule.kind]}{f' ({product})' if product else ''} "
                f"{_days(apart)}, at most once in {days} days"
            )
    return None


_DONE = {"service_call": "called", "household_merge": "proposed", "offer": "offered"}


def _days(apart: timedelta) -> str:
    count = abs(apart) // timedelta(days=1)
    if count == 0:
        return "today"
    return f"{count} day{'' if count == 1 else 's'} {'ago' if apart >= timedelta(0) else 'later'}"


def _nothing(case: Case, why: str) -> Action:
    return Action("none", case.who, why)


def _facts(case: Case) -> Mapping[str, object]:
    confidence = case.match.confidence
    return {
        "who": case.who,
        "category": case.match.category.replace("_", " "),
        "confidence": confidence,
        "sure": f"{confidence * 100:.0f} %",
        "verify": " Verify who it is before calling." if _to_verify(case.match) else "",
        "evidence": case.match.evidence or "there is no evidence",
        "feeling": case.sentiment.feeling,
        "score": case.sentiment.score,
        "kin": ", ".join(case.match.kin),
        "asked": ", ".join(case.asked),
    }
