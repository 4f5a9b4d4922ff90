"""How often it is right who a post is from and how they feel: `python -m tests.bench.accuracy`.

Made-up people whose truth is known (`application.synth`), read as the application reads the geo
file, the CRM and the messages, matched and judged in this process. The peer knows a customer by the
whole name alone, as a join on the display name would.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from application import message as inbound
from application.action import SURE
from application.addresses import Index, index
from application.crm_records import CUSTOMERS, PORTFOLIOS, BadRowError, Kind, checked
from application.match import match_all
from application.names import fold
from application.openaddresses import Address, addresses
from application.records import Match, Post, Topic
from application.sentiment import THRESHOLD, feel
from application.synth.cli import Asked, make
from application.synth.score import Score, Told, feeling_f1, read_truth, score, strangers
from application.synth.truth import Truth
from application.topics import topics
from pythonapp import message as outbound
from tests.bench.table import Row, say, table

POSTS, ADDRESSES, SEED = 20_000, 60_000, 1
UNTIL = datetime(2026, 3, 1, 18, tzinfo=timezone.utc)
# Precision and recall that all posts keep with any seed: a little below the least of three.
FLOORS: Mapping[str, tuple[float, float]] = {
    "customer": (0.92, 0.60),
    "household_member": (0.40, 0.07),
    "prospect": (0.55, 0.55),
    "unknown": (0.20, 0.75),
}
# The share of posts for which somebody may be addressed who did not write them and is no kin.
ASTRAY = 0.03


def measures() -> list[Row]:
    """Make the data, tell who each post is from and how its author feels, compare with truth."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(make(Asked(folder, POSTS, ADDRESSES, SEED, UNTIL, 6)))
        truth = read_truth(folder / "truth")
        posts = list(read_posts(folder / "posts.jsonl"))
        known = read_index(folder)
        matches = match_all(posts, known)
    return [*who(truth, posts, matches, known), *feelings(truth, posts), *about(truth, posts)]


def who(
    truth: Mapping[str, Truth], posts: Sequence[Post], matches: Sequence[Match], known: Index
) -> list[Row]:
    """Score the categories, over all posts, and over those that carry evidence of a person."""
    told: dict[str, Told] = {
        post.id: (match.category, match.customer_id)
        for post, match in zip(posts, matches, strict=True)
    }
    clear = {
        post: said for post, said in told.items() if truth[post].clue in ("handle", "name at home")
    }
    # What is told with less is not acted on: nobody is called for it, or offered anything.
    unsure: Told = ("unknown", None)
    sure = {
        post.id: told[post.id] if match.confidence >= SURE else unsure
        for post, match in zip(posts, matches, strict=True)
    }
    naive = by_name(posts, known)
    return [
        *_rows("all posts", score(truth, told), score(truth, naive)),
        *_rows("handle known, or name and home shown", score(truth, clear),
               score(truth, {post: naive[post] for post in clear})),
        *_rows("told with a confidence of 0.5 or more", score(truth, sure)[:-1],
               score(truth, naive)[:-1]),
        _astray(truth, posts, sure),
    ]  # fmt: skip


def _astray(truth: Mapping[str, Truth], posts: Sequence[Post], sure: Mapping[str, Told]) -> Row:
    """Say how often a call or an offer would go to who has nothing to do with the post."""
    own = {post.id: sure[post.id] for post in posts if not post.retweet}
    named, wrong = strangers(truth, own)
    return Row(
        f"a customer named with a confidence of 0.5 or more ({named:,})",
        f"{wrong / named:.1%} neither the author nor of their home",
        "",
        f"at most {ASTRAY:.0%}",
        wrong <= ASTRAY * named,
    )


def feelings(truth: Mapping[str, Truth], posts: Sequence[Post]) -> list[Row]:
    """Give the macro-F1 of the feelings, for each language and without sarcasm, beside VADER's."""
    package = SentimentIntensityAnalyzer()

    def theirs(text: str) -> str:
        value = float(package.polarity_scores(text)["compound"])
        return (
            "positive" if value >= THRESHOLD else "negative" if value <= -THRESHOLD else "neutral"
        )

    rows = []
    for name, some in (
        ("all", posts),
        *(
            (lang, [post for post in posts if truth[post.id].lang == lang])
            for lang in ("en", "es", "fr")
        ),
        ("without sarcasm", [post for post in posts if not truth[post.id].sarcastic]),
    ):
        ours = feeling_f1(truth, {post.id: feel(post.text, post.lang).feeling for post in some})
        other = feeling_f1(truth, {post.id: theirs(post.text) for post in some})
        rows.append(
            Row(
                f"made-up posts, {name}: macro-F1 of feelings",
                f"{ours:.3f}",
                f"package {other:.3f}",
                "",
                True,
            )
        )
    return rows


def about(truth: Mapping[str, Truth], posts: Sequence[Post]) -> list[Row]:
    """Give precision and recall of each topic; the texts were written without its patterns."""
    told = [(truth[post.id].topics, topics(post.text, post.lang)) for post in posts]
    rows = []
    for topic in get_args(Topic):
        both = sum(topic in true and topic in said for true, said in told)
        found = Score(
            topic,
            sum(topic in true for true, _ in told),
            sum(topic in said for _, said in told),
            both,
            0,
        )
        rows.append(Row(f"made-up posts, {topic} ({found.true:,})", _two(found), "", "", True))
    return rows


def by_name(posts: Sequence[Post], known: Index) -> dict[str, Told]:
    """Tell a customer by the whole display name, where one customer has it; else unknown."""
    named = defaultdict(list)
    for each in known.customers.values():
        named[fold(f"{each.first_name} {each.last_name}")].append(each.id)
    found: dict[str, Told] = {}
    for post in posts:
        ids = named.get(fold(post.author.name), [])
        found[post.id] = ("customer", ids[0]) if len(ids) == 1 else ("unknown", None)
    return found


def read_posts(path: Path) -> Iterator[Post]:
    """Read posts through the producer's message and the consumer's reading of it."""
    with path.open("rb") as lines:
        for line in lines:
            made = outbound.message(outbound.read(line), "ct", "replay")
            if isinstance(made, outbound.Message):
                yield inbound.read(made.value).post


def read_index(folder: Path) -> Index:
    """Make the index of the geo file and the CRM, as the loads would fill the lake."""
    with (folder / "geo" / "Geo-synth.dat").open("rb") as file:
        homes = [each for each in addresses(file) if isinstance(each, Address)]
    with closing(sqlite3.connect(folder / "crm.sqlite")) as crm:
        crm.row_factory = sqlite3.Row
        customers, portfolios = (list(_records(crm, kind)) for kind in (CUSTOMERS, PORTFOLIOS))
    numbers = {"LON": "lon", "LAT": "lat"}
    return index(
        pa.table(
            {
                "ADDRESS_ID": pa.array([each.id for each in homes], pa.string()),
                "ADDRESS_KEY": pa.array([each.key for each in homes], pa.string()),
                **{
                    column: pa.array([float(getattr(each, name)) for each in homes], pa.float64())
                    for column, name in numbers.items()
                },
            }
        ),
        _table(customers, ("customer_id", "first_name", "last_name", "handle", "city",
               "address_key", "household_id"), ("contact_consent", "marketing_consent")),
        _table(portfolios, ("customer_id", "product"), ()),
    )  # fmt: skip


def _records(crm: sqlite3.Connection, kind: Kind) -> Iterator[dict[str, Any]]:
    for row in crm.execute(f"select {', '.join(kind.columns)} from {kind.source}"):
        with suppress(BadRowError):
            values = checked(kind, dict(row))
            if not values["deleted"]:
                yield values


def _table(rows: Sequence[Mapping[str, Any]], texts: Sequence[str], flags: Sequence[str]) -> Any:
    types = dict.fromkeys(texts, pa.string()) | dict.fromkeys(flags, pa.bool_())
    coalesced = {"city", "address_key"}
    return pa.table(
        {
            name.upper(): pa.array(
                [row.get(name, "" if name in coalesced else None) for row in rows], kind
            )
            for name, kind in types.items()
        }
    )


def _rows(what: str, ours: Sequence[Score], theirs: Sequence[Score]) -> list[Row]:
    rows = []
    for one, other in zip(ours, theirs, strict=True):
        if not one.true:
            continue
        floor = FLOORS[one.category] if what == "all posts" else (0.0, 0.0)
        kept = (one.precision or 0) >= floor[0] and (one.recall or 0) >= floor[1]
        person = "" if one.person is None else f", right person {one.person:.1%}"
        rows.append(
            Row(
                f"{one.category.replace('_', ' ')}, {what} ({one.true:,})",
                f"{_two(one)}{person}",
                f"by name alone {_two(other)}",
                f"at least {floor[0]:.0%} and {floor[1]:.0%}" if any(floor) else "",
                kept,
            )
        )
    return rows


def _two(each: Score) -> str:
    shown = ("none" if share is None else f"{share:.1%}" for share in (each.precision, each.recall))
    return " precision, ".join(shown) + " recall"


if __name__ == "__main__":
    found = measures()
    print(table(found))
    sys.exit(0 if all(row.kept for row in found) else 1)
