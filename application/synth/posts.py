"""Posts of the people as X's API has them, each with its truth, made one by one."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from typing import Any

from application.synth import noise, texts
from application.synth.authors import Author, Cast
from application.synth.moments import moments
from application.synth.places import Box, Position, Precision, Spot, away, outside, position
from application.synth.truth import Clue, Kind, Truth

_EPOCH_MS = 1288834974657  # of X's ids
_RECENT = 60  # posts that others still repeat and answer
_EDITABLE = timedelta(hours=1)  # X's limit
_CUT = 140  # X cuts what a retweet repeats
_ABOUT_MONEY = 0.88
_LONG = 0.02
_SHORT_POST = 280  # characters; of a longer one X gives the beginning, and all of it apart
_UNNAMED = 0.003  # of the posts come without their author, whom X hides
_KINDS: tuple[Kind, ...] = ("original", "reply", "quote", "retweet", "duplicate", "edit")
_KIND_SHARES = (79, 6, 4, 5, 3, 3)
_PRECISIONS: tuple[Precision, ...] = (
    "point", "poi", "neighborhood", "city", "admin", "country", "none",
)  # fmt: skip
_PRECISION_SHARES = (27, 6, 13, 33, 4, 1, 16)
_TAG = re.compile(r"([#@$])([A-Za-zÀ-ÿ]\w*)")
_TAG_NAMES = {"#": ("hashtags", "tag"), "@": ("mentions", "username"), "$": ("cashtags", "tag")}


@dataclass(frozen=True)
class Made:
    """A post as X delivers it, and what is true of it."""

    payload: dict[str, Any]
    truth: Truth


@dataclass(frozen=True)
class _Written:
    """What was posted lately, for who repeats, answers or edits it."""

    id: str
    history: tuple[str, ...]
    text: str
    said: texts.Said
    lang: str
    author: Author
    position: Position
    clue: Clue
    at: datetime


def posts(
    count: int, cast: Cast, boxes: Mapping[str, Box], until: datetime, days: int, seed: int
) -> Iterator[Made]:
    """Yield so many posts in the order of their ids, the last of them written at until."""
    chance = random.Random(f"posts {seed}")
    # A few write often, most hardly ever.
    busy = list(accumulate(1 / (rank + 4) ** 0.6 for rank in range(len(cast.authors))))
    recent: deque[_Written] = deque(maxlen=_RECENT)
    for number, at in enumerate(moments(count, until, days)):
        ms = round(at.timestamp() * 1000)
        at = datetime.fromtimestamp(ms / 1000, timezone.utc)
        post_id = str((ms - _EPOCH_MS << 22) | (number & 0x3FFFFF))
        kind = chance.choices(_KINDS, _KIND_SHARES)[0]
        author = chance.choices(cast.authors, cum_weights=busy)[0]
        of = _other(kind, recent, at, chance)
        if of is None:
            kind = "original"
        elif kind in ("duplicate", "edit"):
            author = of.author
        written = _write(post_id, kind, of, author, boxes, at, chance)
        yield _made(written, kind, of, chance)
        if kind != "retweet":
            recent.append(written)


def _other(
    kind: Kind, recent: deque[_Written], at: datetime, chance: random.Random
) -> _Written | None:
    """Return the post that is repeated, answered or edited; None where there is none."""
    if kind == "original" or not recent:
        return None
    if kind == "edit":
        return recent[-1] if at - recent[-1].at < _EDITABLE else None
    return chance.choice(recent)


def _write(
    post_id: str,
    kind: Kind,
    of: _Written | None,
    author: Author,
    boxes: Mapping[str, Box],
    at: datetime,
    chance: random.Random,
) -> _Written:
    if of is not None and kind == "edit":
        text = noise.rough(of.said, of.lang, chance)
        return replace(of, id=post_id, history=(*of.history, post_id), text=text, at=at)
    spot = _spot(author, boxes, chance)
    where = position(spot, chance.choices(_PRECISIONS, _PRECISION_SHARES)[0], boxes, chance)
    if of is not None and kind in ("retweet", "duplicate"):
        said, lang, text = of.said, of.lang, of.text
        if kind == "retweet":
            text = f"RT @{of.author.profile.username}: {text}"
            if chance.random() < 0.7:  # by X's button, which tells no place; others copy by hand
                where = position(spot, "none", boxes, chance)
                text = text if len(text) <= _CUT else f"{text[: _CUT - 1]}…"
    else:
        lang = _drawn(author.languages, chance)
        length = 4 if chance.random() < _LONG else 1
        said = texts.say(lang, chance.random() < _ABOUT_MONEY, chance, length)
        text = noise.rough(said, lang, chance)
        if of is not None and kind == "reply":
            text = f"@{of.author.profile.username} {text}"
        elif of is not None and kind == "quote":
            text = f"{text} https://t.co/{post_id[-10:]}"
    clue = _clue(author, spot, where)
    return _Written(post_id, (post_id,), text, said, lang, author, where, clue, at)


def _spot(author: Author, boxes: Mapping[str, Box], chance: random.Random) -> Spot:
    """Return where an author is: at home most of the time, about, or on a journey."""
    home = author.person.home if author.person else None
    if home is None:
        # Visitors write from here too, else no search of ours would find them.
        far = chance.random() < 0.5
        return outside(chance) if far else away(boxes, chance.choice(tuple(boxes)), chance)
    way = chance.random()
    if way < 0.62:
        return Spot(home.lon, home.lat, home.town, in_state=True, home=True)
    if way < 0.94:
        town = home.town if chance.random() < 0.6 else chance.choice(tuple(boxes))
        return away(boxes, town, chance)
    return outside(chance)


def _clue(author: Author, spot: Spot, where: Position) -> Clue:
    tells, home = author.profile.tells, author.person.home if author.person else None
    if author.handled:
        return "handle"
    if where.exact and spot.home:
        return "name at home" if tells else "home"
    if home is None or not tells:
        return "nothing"
    if where.place and where.precision in ("neighborhood", "city") and spot.town == home.town:
        west, south, east, north = where.place["geo"]["bbox"]
        inside = west <= home.lon <= east and south <= home.lat <= north
        return "name in area" if inside else "nothing"
    if where.precision == "none" and home.town.lower() in author.profile.location.lower():
        return "name in town"
    return "nothing"


def _drawn(shares: tuple[tuple[str, float], ...], chance: random.Random) -> str:
    return chance.choices([each for each, _ in shares], [share for _, share in shares])[0]


def _made(written: _Written, kind: Kind, of: _Written | None, chance: random.Random) -> Made:
    author, said, where = written.author, written.said, written.position
    truth = Truth(
        id=written.id,
        category=author.category,
        customer_id=author.customer_id,
        household_id=author.household_id,
        lang=written.lang,
        feeling=said.label.feeling,
        topics=said.label.topics,
        kind=kind,
        of=of.id if of else None,
        clue=written.clue,
        about_money=said.label.about_money,
        position=where.precision,
        in_state=where.in_state,
        sarcastic=said.label.sarcastic,
        lives_with=author.lives_with,
    )
    return Made(_payload(written, kind, of, chance), truth)


def _payload(
    written: _Written, kind: Kind, of: _Written | None, chance: random.Random
) -> dict[str, Any]:
    profile, short = written.author.profile, len(written.text) <= _SHORT_POST
    data: dict[str, Any] = {
        "id": written.id,
        "text": _escaped(written.text if short else f"{written.text[: _SHORT_POST - 1]}…"),
        "author_id": profile.user_id,
        "created_at": written.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edit_history_tweet_ids": list(written.history),
        # X cannot tell the language of a text now and then.
        "lang": "und" if chance.random() < 0.015 else written.lang,
    }
    if not short:
        data["note_tweet"] = {"text": _escaped(written.text)}
    if entities := _entities(data["text"]):
        data["entities"] = entities
    by_hand = kind == "retweet" and written.position.geo is not None
    if of is not None and not by_hand and kind in _REFERENCES:
        data["referenced_tweets"] = [{"type": _REFERENCES[kind], "id": of.id}]
    if of is not None and kind == "reply":
        data["in_reply_to_user_id"] = of.author.profile.user_id
    if written.position.geo:
        data["geo"] = written.position.geo
    user = {
        "id": profile.user_id,
        "username": profile.username,
        "name": profile.name,
        **({"location": profile.location} if profile.location else {}),
    }
    includes: dict[str, Any] = {"users": [] if chance.random() < _UNNAMED else [user]}
    if written.position.place:
        includes["places"] = [written.position.place]
    return {"data": data, "includes": includes}


_REFERENCES: Mapping[Kind, str] = {"reply": "replied_to", "quote": "quoted", "retweet": "retweeted"}


def _escaped(text: str) -> str:
    """Write the three signs that X escapes as it does."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _entities(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in _TAG.finditer(text):
        kind, name = _TAG_NAMES[each[1]]
        entity = {"start": each.start(), "end": each.end(), name: each[2]}
        found.setdefault(kind, []).append(entity)
    return found
