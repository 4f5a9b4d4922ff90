"""What the application knows and decides: frozen data, without any engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = Mapping[str, Any]
Category = Literal["customer", "household_member", "prospect", "unknown"]
Feeling = Literal["positive", "neutral", "negative"]
Topic = Literal["complaint", "praise", "moving", "product_interest"]
ActionKind = Literal["service_call", "offer", "household_merge", "none"]


@dataclass(frozen=True)
class Point:
    """An exact position, in degrees (WGS 84)."""

    lon: float
    lat: float


@dataclass(frozen=True)
class Place:
    """A place that X knows by its bounding box, in degrees; west < east, south < north."""

    id: str
    full_name: str
    place_type: str
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Author:
    """Who wrote a post, as the profile tells it; location is free text, often empty."""

    id: str
    username: str
    name: str
    location: str


@dataclass(frozen=True)
class Post:
    """One post as the message schema (post.schema.json) has it; created_at is UTC and aware."""

    id: str
    text: str
    lang: str
    created_at: datetime
    author: Author
    position: Point | Place | None
    quadrant: str
    retweet: bool = False


@dataclass(frozen=True)
class Customer:
    """A person in the CRM; address_id is None where no address of ours is theirs."""

    id: str
    first_name: str
    last_name: str
    handle: str | None
    address_id: str | None
    household_id: str | None
    contact_consent: bool
    marketing_consent: bool
    products: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """Who a post is from.

    confidence goes from 0 to 1; distance_m is from the position to the address, None without one;
    evidence says in words why. kin are other customers of the same address or family that are not
    yet managed together with this one.
    """

    category: Category
    confidence: float
    evidence: str
    distance_m: float | None = None
    address_id: str | None = None
    customer_id: str | None = None
    household_id: str | None = None
    kin: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentiment:
    """How the author feels; score goes from -1 to 1."""

    feeling: Feeling
    score: float


@dataclass(frozen=True)
class Action:
    """What to do next.

    subject is whom it is for, the identity that a frequency cap counts: a customer's id, an
    address's id or an author's. cap_days is that cap, 0 for none.
    """

    kind: ActionKind
    subject: str
    why: str
    product: str | None = None
    cap_days: int = 0


@dataclass(frozen=True)
class Origin:
    """Where on Kafka a message was read, and when Kafka got it (UTC); None where it does not tell.

    The time says nothing of which message it is.
    """

    topic: str
    partition: int
    offset: int
    published_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Decision:
    """One row of the lake: a post, the JSON that it came as, and what was made of it."""

    post: Post
    raw: bytes
    match: Match
    sentiment: Sentiment
    topics: frozenset[Topic]
    actions: tuple[Action, ...]
    origin: Origin
