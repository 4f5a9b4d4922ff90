"""What is true of one post, as the generator knows it; the pipeline never reads this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from application.records import Category, Feeling, Topic

# A duplicate is the author's own text once more, an edit the later version of a post; a quote and
# a reply are the author's own words beside somebody else's, a retweet is not.
Kind = Literal["original", "reply", "quote", "retweet", "duplicate", "edit"]
# The best evidence of who the author is that this one post carries, though noise may be in its way.
# "name at home" is a name that tells the family and a position that tells houses apart, at the
# author's own address; "home" the same without a name; "nothing" tells nobody.
Clue = Literal["handle", "name at home", "home", "name in area", "name in town", "nothing"]


@dataclass(frozen=True, slots=True)
class Truth:
    """The labels of one post.

    A customer is in the CRM now; a household member lives with one; a prospect lives at an address
    of the geo file without any; unknown is who lives nowhere of these: visitors, firms, machines.
    customer_id is the customer's own; for a household member it is the first of lives_with, which
    are the customers of the same address. feeling and topics are of the text, of a retweet too.
    """

    id: str
    category: Category
    customer_id: str | None
    household_id: str | None
    lang: str
    feeling: Feeling
    topics: tuple[Topic, ...]
    kind: Kind
    of: str | None  # the post that is repeated, edited, quoted or answered
    clue: Clue
    about_money: bool
    position: str  # point, poi, neighborhood, city, admin, country or none
    in_state: bool | None  # whether the position is in Connecticut; None without a position
    sarcastic: bool
    lives_with: tuple[str, ...] = ()


def line(truth: Truth) -> str:
    """Write one line of truth.jsonl."""
    return json.dumps(asdict(truth), ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> Truth:
    """Read one line of truth.jsonl."""
    found: Mapping[str, Any] = json.loads(text)
    tuples = {name: tuple(found[name]) for name in ("topics", "lives_with")}
    return Truth(**{**found, **tuples})
