"""The lake's rows as what the page shows: pure decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from math import cos, isfinite, sin, sqrt
from typing import Any

from application.report import outline, queries
from application.report.completeness import incomplete
from application.report.data import Found, Page, Row, Scale, Value, Workflow
from application.report.throughput import throughput

DIMENSIONS = ("quadrant", "lang", "category", "feeling")
# A prospect's posts tell a place, but nobody whom the CRM knows.
MATCHED = ("customer", "household_member")
# Where one of these has posts, the others are shown with none: that something is missing is seen.
QUADRANTS = ("ctnw", "ctne", "ctsw", "ctse")
# How people read what the lake has; the order is the page's.
_LABELS: Mapping[str, Mapping[str, str]] = {
    "quadrant": {
        "ctnw": "Northwest", "ctne": "Northeast", "ctsw": "Southwest", "ctse": "Southeast",
        "ct": "Whole state",
    },
    "lang": {"en": "English", "es": "Spanish", "fr": "French", "und": "Unclear"},
    "category": {
        "customer": "Customer", "household_member": "Household member", "prospect": "Prospect",
        "unknown": "Unknown",
    },
    "feeling": {"negative": "Negative", "neutral": "Neutral", "positive": "Positive"},
}  # fmt: skip
_REST = Value("", "Other")
# A filter offers so many values at most; the rarer ones are one.
_MOST = 6
# Posts of one place lie on its middle: around it they are spread, this far times their number's
# root, at the golden angle, which fills a disc evenly.
_SPREAD, _GOLDEN = 5.5, 2.39996
_KINDS = {kind: number for number, kind in enumerate(queries.KINDS)}


def page(
    found: Found, workflow: Workflow | None = None, accuracy: Sequence[Any] | None = None
) -> Page:
    """Shape all that was read."""
    scale = found.span.posted
    if scale is None:
        return Page(
            found.source,
            found.span,
            quality=found.quality,
            workflow=workflow,
            accuracy=accuracy,
            incomplete=incomplete(workflow, {}, {}),
        )
    quadrants: Counter[str] = Counter()
    for row in found.posts:
        quadrants[row[0] or ""] += row[5]
    dimensions = {name: _values(name, found.posts, place) for place, name in enumerate(DIMENSIONS)}
    codes = _Codes(dimensions, scale)
    dots = _dots(found.dots, codes)
    to_do = _to_do(found.to_do, found.kin, codes)
    posts = _sums((codes.of(row), row[5]) for row in found.posts)
    actions = _sums(((_KINDS[row[5]], *codes.of(row)), row[6]) for row in found.actions)
    return Page(
        source=found.source,
        span=found.span,
        totals=_totals(found),
        dimensions=dimensions,
        data={
            "dimensions": {
                name: [[each.key, each.label] for each in values]
                for name, values in dimensions.items()
            },
            "scale": {
                "start": _milliseconds(scale.start),
                "step": scale.seconds * 1000,
                "count": scale.count,
            },
            "matched": MATCHED,
            "posts": posts,
            "actions": actions,
            "dots": dots,
            "todo": to_do,
        },
        throughput=throughput(found),
        quality=found.quality,
        workflow=workflow,
        accuracy=accuracy,
        incomplete=incomplete(
            workflow,
            {each.key: each.label for each in dimensions["quadrant"] if each.key in QUADRANTS},
            quadrants,
        ),
        dots_shown=len(dots),
        sampled=len(found.dots) < found.span.positioned,
        listed={kind: len(to_do[kind]) for kind in queries.KINDS},
    )


def fewer(found: Found, dots: int, listed: int) -> Found:
    """Return what was read with at most so many posts for the map and actions of each kind."""
    counts: Counter[str] = Counter()
    kept = []
    for row in found.to_do:
        counts[row[17]] += 1
        if counts[row[17]] <= listed:
            kept.append(row)
    return replace(found, dots=found.dots[:dots], to_do=kept)


class _Codes:
    """What a post is filtered by, as small numbers: four values, and its slice of time."""

    def __init__(self, dimensions: Mapping[str, Sequence[Value]], scale: Scale) -> None:
        self._numbers = [
            {value.key: number for number, value in enumerate(dimensions[name])}
            for name in DIMENSIONS
        ]
        self._scale = scale

    def of(self, row: Row) -> tuple[int, ...]:
        """Return the numbers of a row that begins with its dimensions and its slice or time."""
        when = row[4]
        number = self.slice(when) if isinstance(when, datetime) else int(when)
        values = zip(self._numbers, row[:4], strict=True)
        # A value that is none of those named is the last one, the rest.
        named = (numbers.get(value or "", len(numbers) - 1) for numbers, value in values)
        return (*named, min(max(number, 0), self._scale.count - 1))

    def slice(self, time: datetime) -> int:
        return int((time - self._scale.start).total_seconds() // self._scale.seconds)


def _values(name: str, posts: Iterable[Row], place: int) -> tuple[Value, ...]:
    """Return what a filter offers: the values that are there, in the labels' order, the rest."""
    counts: Counter[str] = Counter()
    for row in posts:
        counts[row[place] or ""] += row[5]
    labels = _LABELS[name]
    if name == "quadrant" and counts.keys() & set(QUADRANTS):
        counts.update(dict.fromkeys(QUADRANTS, 0))
    known = [key for key in labels if key in counts]
    others = [key for key, _ in counts.most_common() if key and key not in labels]
    keys = (known + others)[:_MOST]
    values = tuple(Value(key, labels.get(key, key)) for key in keys)
    return values if counts.keys() <= set(keys) else (*values, _REST)


def _sums(rows: Iterable[tuple[tuple[int, ...], int]]) -> list[list[int]]:
    counts: Counter[tuple[int, ...]] = Counter()
    for codes, count in rows:
        counts[codes] += int(count)
    return [[*codes, count] for codes, count in sorted(counts.items())]


def _totals(found: Found) -> dict[str, int]:
    totals = {"posts": found.span.posts, **dict.fromkeys(queries.KINDS, 0)}
    categories: Counter[str] = Counter()
    for row in found.posts:
        categories[row[2] or ""] += row[5]
    for row in found.actions:
        totals[row[5]] += row[6]
    return totals | {"matched": sum(categories[each] for each in MATCHED)}


def _dots(rows: Iterable[Row], codes: _Codes) -> list[list[Any]]:
    """Return posts as the map draws them: place, filters, time, who, text, whose, why, to do.

    What is to be done comes first, then what is sure, then what is new.
    """
    places: Counter[tuple[float, float]] = Counter()
    dots = []
    for row in rows:
        lon, lat = float(row[5]), float(row[6])
        if not (isfinite(lon) and isfinite(lat)):
            continue
        number = places[lon, lat]
        places[lon, lat] += 1
        x, y = outline.project(lon, lat)
        away, turn = _SPREAD * sqrt(number), _GOLDEN * number
        x, y = x + away * cos(turn), y + away * sin(turn)
        if not outline.on_map(x, y):
            continue
        _, _, author, name, text, letters, customer, evidence, confidence, to_do = row[5:]
        dots.append(
            [
                round(x), round(y), *codes.of(row), _milliseconds(row[4]), _who(author, name),
                _text(text, letters), customer, evidence, _percent(confidence),
                None if to_do is None else int(to_do),
            ]
        )  # fmt: skip
    return sorted(dots, key=_matters)


def _matters(dot: Sequence[Any]) -> tuple[int, int, int]:
    confidence, to_do = dot[-2:]
    return len(_KINDS) if to_do is None else to_do, -(confidence or 0), -dot[7]


def _to_do(
    rows: Iterable[Row], kin: Iterable[Row], codes: _Codes
) -> dict[str, list[dict[str, Any]]]:
    relatives = defaultdict(list)
    for post, customer, name, address, household in kin:
        relatives[post].append([name or customer, address, household])
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in queries.KINDS}
    for row in rows:
        author, name, text, letters, customer, customer_id, address, household = row[5:13]
        confidence, distance, evidence, score, kind, product, why, post = row[13:]
        found[kind].append(
            {
                "codes": codes.of(row),
                "at": _milliseconds(row[4]),
                "author": _who(author, name),
                "text": _text(text, letters),
                "customer": customer or customer_id,
                "id": customer_id,
                "address": address,
                "household": household,
                "confidence": _percent(confidence),
                "distance": distance,
                "evidence": evidence,
                "score": score,
                "product": product,
                "why": why,
                "kin": relatives[post] if kind == "household_merge" else [],
            }
        )
    return found


def _who(author: str | None, name: str | None) -> str:
    return f"{name or ''} @{author}".strip() if author else name or "?"


def _text(text: str | None, letters: int | None) -> str:
    """Return a text as it is shown; where it was cut, it says how long it is."""
    if text is None:
        return ""
    more = (letters or 0) - len(text)
    return f"{text}… ({more:,} more characters)" if more > 0 else text


def _percent(confidence: float | None) -> int | None:
    """Return it as what was decided is told: rounded by Python, which rounds half to even."""
    return None if confidence is None else round(float(confidence) * 100)


def _milliseconds(time: datetime) -> int:
    return int(time.replace(tzinfo=timezone.utc).timestamp() * 1000)
