"""Posts for the report's tests, and the rows that the lake would make of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from application.report import queries
from application.report.data import Found, Quality, Row, Source, Span
from application.report.timescale import scale

BEGAN = datetime(2026, 3, 1, 6)
HERE = (-72.5, 41.5)
# As long as a message may be.
HOSTILE = (
    "<script>alert(1)</script></script><!-- <img src=x onerror=alert(2)> & \u2028\u2029 "
    "\u202e\u05e9\u05dc\u05d5\u05dd \U0001f600 " + "x" * 25_000
)[:25_000]


@dataclass(frozen=True)
class Post:
    """A post of the lake, as far as the report looks at it."""

    id: str
    quadrant: str
    lang: str
    category: str
    feeling: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    text: str = "My broker is great."
    kinds: tuple[str, ...] = ()

    @property
    def dimensions(self) -> tuple[str, str, str, str]:
        return self.quadrant, self.lang, self.category, self.feeling


def posts(count: int = 400, seed: int = 1) -> list[Post]:
    """Make posts of six days; the first one's text is hostile, and all actions follow from it."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        lon, lat = round(rng.uniform(-73.4, -71.9), 4), round(rng.uniform(41.3, 42.0), 4)
        category = rng.choice(["customer", "household_member", "prospect", "prospect", "unknown"])
        kinds = tuple(
            kind for kind in queries.KINDS if category == "customer" and rng.random() < 0.3
        )
        if number == 0:
            category, kinds = "customer", queries.KINDS
        placed = number == 0 or rng.random() < 0.9
        made.append(
            Post(
                str(number),
                rng.choice(["ctne", "ctnw", "ctse", "ctsw", "ctsw"]),
                rng.choice(["en", "en", "es", "fr"]),
                category,
                rng.choice(["negative", "neutral", "positive"]),
                BEGAN + timedelta(minutes=rng.randrange(6 * 24 * 60)),
                lon if placed else None,
                lat if placed else None,
                HOSTILE if number == 0 else f"Post {number} about a bank.",
                kinds,
            )
        )
    return made


def found(made: Sequence[Post], dead: Sequence[Row] | None = (), **changes: Any) -> Found:
    """Return what the queries would: grouped, cut, in their order."""
    times = [post.at for post in made]
    posted, loaded = scale(min(times), max(times)), scale(BEGAN, BEGAN + timedelta(seconds=50))
    cube: Counter[Row] = Counter()
    actions: Counter[Row] = Counter()
    for post in made:
        number = (post.at - posted.start) // timedelta(seconds=posted.seconds)
        cell = (*post.dimensions, number)
        cube[cell] += 1
        actions.update((*cell, kind) for kind in post.kinds)
    newest = sorted(made, key=lambda post: post.at, reverse=True)
    row_of = {
        "source": Source("embedded", "CUST360", "PUBLIC", BEGAN + timedelta(days=7)),
        "span": Span(
            len(made),
            posted,
            loaded,
            len(made),
            sum(post.lon is not None for post in made),
            min(times),
            max(times),
        ),
        "posts": [(*row, count) for row, count in sorted(cube.items())],
        "actions": [(*row, count) for row, count in sorted(actions.items())],
        "dots": [_dot(post) for post in made if post.lon is not None],
        "to_do": [
            _to_do(post, kind) for kind in queries.KINDS for post in newest if kind in post.kinds
        ],
        "kin": [("0", "c2", "Ann <b>Smith</b>", "1 Elm St, Avon", None)],
        "loaded": [(20.0, len(made) - 1, 2.5, 4.0), (40.0, 1, None, None)],
        "published": [(18.0, len(made))],
        "lags": (7_260, 2.5, 4.0),
        "quality": Quality(
            loads=[("geo", "s3://geo/Geo1.dat", "done", 9, 8, 1, BEGAN, BEGAN)],
            load_count=1,
            rejects=[("geo", "LON 'abc' is no longitude", 1, "abc,41.5,<b>")],
            reject_count=1,
            reject_reasons=1,
            dead=dead,
            dead_count=sum(row[1] for row in dead or ()),
            dead_reasons=len(dead or ()),
        ),
    }
    return Found(**{**row_of, **changes})


def _dot(post: Post) -> Row:
    return (
        *post.dimensions, post.at, post.lon, post.lat, "ann", "Ann", post.text[: queries.LETTERS],
        len(post.text), None, "near", 0.5,
        min((queries.KINDS.index(kind) for kind in post.kinds), default=None),
    )  # fmt: skip


def _to_do(post: Post, kind: str) -> Row:
    return (
        *post.dimensions, post.at, "ann", "Ann", post.text[: queries.LETTERS], len(post.text),
        f"Customer {post.id}", f"C-{post.id}", "1 Elm St, Avon 06001", None, 0.9, 12.4, "the name",
        -0.5, kind, "bonds" if kind == "offer" else None, f"why {kind} {post.id}", post.id,
    )  # fmt: skip


def record() -> dict[str, Any]:
    """Return a rehearsal's record: one job that ended well, one that did not, one that waits."""
    run = {"number": 1, "began": 1.0, "ended": 4.0, "ok": True, "code": 0}
    failed = {**run, "began": 4.0, "ended": 9.0, "ok": False, "code": 1,
        "last_words": ["<b>no such table</b>"]}  # fmt: skip
    jobs = [
        ("Produce", "Job:ApplicationIntegrator:AI runKjob", "ended OK", [run]),
        ("Load", "Job:Script", "ended not OK", [failed]),
        ("Check", "Job:Database:EmbeddedQuery", "waiting", []),
    ]
    return {
        "version": 1,
        "folders": ["Customer360"],
        "began": "2026-03-01T06:00:00+00:00",
        "seconds": 10.0,
        "ok": False,
        "interrupted": False,
        "jobs": [
            {"name": name, "folder": "Customer360", "type": kind, "status": status, "runs": runs,
                **({} if runs else {"waits_for": "Load"})}
            for name, kind, status, runs in jobs
        ],
        "remarks": [{"at": 9.0, "job": "Load", "kind": "alert", "text": "ended not OK"}],
    }  # fmt: skip
