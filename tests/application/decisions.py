"""Posts, people, and what is decided of them, as tests of the rules put it."""

from __future__ import annotations

from datetime import datetime, timezone

from application.action import Recent, next_best
from application.records import (
    Action,
    Author,
    Category,
    Customer,
    Feeling,
    Match,
    Post,
    Sentiment,
    Topic,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def post(text: str = "text", *, at: datetime = NOON, id: str = "1", retweet: bool = False) -> Post:
    author = Author("a1", "handle", "Name", "")
    return Post(id, text, "en", at, author, None, "ctne", retweet)


def customer(*products: str, contact: bool = True, marketing: bool = True) -> Customer:
    return Customer("c1", "A", "B", None, "x", None, contact, marketing, frozenset(products))


def match(category: Category = "customer", *kin: str, confidence: float = 0.9) -> Match:
    known = "c1" if category in ("customer", "household_member") else None
    return Match(category, confidence, "at the address", customer_id=known, kin=kin)


def sentiment(score: float = 0.0) -> Sentiment:
    feeling: Feeling = "positive" if score > 0 else "negative" if score < 0 else "neutral"
    return Sentiment(feeling, score)


def decide(
    *topics: Topic,
    text: str = "text",
    who: Match | None = None,
    score: float = 0.0,
    known: Customer | None = None,
    recent: Recent | None = None,
    at: datetime = NOON,
    id: str = "1",
    retweet: bool = False,
) -> tuple[Action, ...]:
    return next_best(
        post(text, at=at, id=id, retweet=retweet),
        who or match(),
        sentiment(score),
        frozenset(topics),
        known,
        recent or {},
    )
