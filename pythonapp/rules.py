"""What X is asked for: the rules of a quadrant, and the changes that bring an account to them.

The limits are those of docs.x.com: 1,024 characters a rule (512 with less access), 1,000 rules an
account; the sides of a bounding box stay under 25 miles, as the operator's documentation asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pythonapp.errors import BadInputError
from pythonapp.settings import Box, Settings

MAX_RULES = 1000
MAX_SIDE = 25.0
# A degree of latitude is 68.7 miles at the equator and 69.4 at the poles.
MILES_A_DEGREE, LEAST_MILES_A_DEGREE = 69.5, 68.7
_LONGEST = MAX_SIDE * 0.999
# Marks the rules that are ours among those of an account.
PREFIX = "cust360:"


@dataclass(frozen=True)
class Rule:
    """One rule; tag is `cust360:` and the quadrant."""

    value: str
    tag: str


@dataclass(frozen=True)
class Present:
    """A rule as an account has it; tag is None where it was given none."""

    id: str
    value: str
    tag: str | None


def rules(settings: Settings, limit: int) -> tuple[Rule, ...]:
    """Return a quadrant's rules: each post in the box with a word of the track matches one.

    Raises BadInputError where X would not take so many.
    """
    tag = PREFIX + settings.quadrant
    width, height = miles(grow(settings.box, settings.reach))
    count = _parts(width, 2 * settings.reach) * _parts(height, 2 * settings.reach)
    if count > MAX_RULES * (limit // len("bounding_box:[-73.7 41.6 -73.6 41.7] OR ")):
        raise _too_many(settings.quadrant)
    boxes = [_bounding_box(tile) for tile in tiles(settings.box, settings.reach)]
    words = [quoted(word) for word in settings.track]
    languages = _any_of([f"lang:{language}" for language in settings.languages])
    # Few boxes in a rule leave much room for words, and the other way round: take the best.
    ways = (_values(boxes, size, words, languages, limit) for size in _sizes(len(boxes)))
    values = min((way for way in ways if way), key=len, default=[])
    if not 0 < len(values) <= MAX_RULES:
        raise _too_many(settings.quadrant)
    return tuple(Rule(value, tag) for value in values)


def changes(
    wanted: Sequence[Rule], present: Sequence[Present]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Return the rules to add and the ids to delete; rules that are not ours stay untouched.

    Ours are all rules with our prefix, also those of a quadrant that is no longer asked for: they
    would be paid for.
    """
    ours = [each for each in present if (each.tag or "").startswith(PREFIX)]
    kept: set[Rule] = set()
    delete: list[str] = []
    for each in ours:
        rule = Rule(each.value, each.tag or "")
        if rule in wanted and rule not in kept:
            kept.add(rule)
        else:
            delete.append(each.id)
    return tuple(dict.fromkeys(each for each in wanted if each not in kept)), tuple(delete)


def tiles(box: Box, reach: float) -> Iterator[Box]:
    """Cut a box, grown by reach miles on each side, into boxes that X takes.

    X delivers a post with a place only where one box holds the whole place. So the tiles overlap
    by twice the reach, and go beyond the edges by it: each place of that size whose middle is in
    the box lies in one of them.
    """
    grown = grow(box, reach)
    for south, north in _rows(grown, reach):
        # Each row by its own measure: towards a pole a degree of longitude has fewer miles.
        row = Box(grown.west, south, grown.east, north)
        for west, east in _columns(row, reach):
            yield Box(west, south, east, north)


def grow(box: Box, reach: float) -> Box:
    """Return the box with so many miles more on each side, as far as the world goes."""
    up = reach / LEAST_MILES_A_DEGREE
    north, south = min(box.north + up, 90), max(box.south - up, -90)
    shortest = _shortest(Box(box.west, south, box.east, north))
    wide = min(up / shortest if shortest > 1e-6 else 180, 180)
    west, east = max(box.west - wide, -180), min(box.east + wide, 180)
    return Box(*(round(side, 6) for side in (west, south, east, north)))


def _shortest(box: Box) -> float:
    """Return the least that a degree of longitude measures in the box, of one at the equator."""
    return math.cos(math.radians(max(abs(box.north), abs(box.south))))


def miles(box: Box) -> tuple[float, float]:
    """Return a box's longest width and its height, rather too long than too short."""
    lowest = 0.0 if box.south <= 0 <= box.north else min(abs(box.south), abs(box.north))
    width = (box.east - box.west) * MILES_A_DEGREE * math.cos(math.radians(lowest))
    return width, (box.north - box.south) * MILES_A_DEGREE


def quoted(word: str) -> str:
    """Write a word of the track as X reads it: hashtags and cashtags bare, phrases in quotes."""
    if re.fullmatch(r"#?\w+|\$[A-Za-z]\w*", word) and word.upper() not in ("OR", "AND", "NOT"):
        return word
    return f'"{word}"'


def _parts(length: float, overlap: float) -> int:
    """Return how many spans of at most MAX_SIDE, with that overlap, cover a length; in miles."""
    return max(math.ceil((length - overlap) / (_LONGEST - overlap)), 1)


def _rows(box: Box, reach: float) -> list[tuple[float, float]]:
    height = miles(box)[1]
    return _spans(box.south, box.north, height, 2 * reach * MILES_A_DEGREE / LEAST_MILES_A_DEGREE)


def _columns(row: Box, reach: float) -> list[tuple[float, float]]:
    width = miles(row)[0]
    overlap = 2 * reach / (LEAST_MILES_A_DEGREE * _shortest(row)) / (row.east - row.west) * width
    # At a pole a place may go round the world, and no box is wide enough.
    return _spans(row.west, row.east, width, min(overlap, 0.9 * _LONGEST))


def _spans(low: float, high: float, length: float, overlap: float) -> list[tuple[float, float]]:
    """Cut what lies between two sides, so many miles, into spans that overlap by so many miles."""
    parts = _parts(length, overlap)
    overlap *= (high - low) / length
    side = (high - low + (parts - 1) * overlap) / parts
    starts = [low + part * (side - overlap) for part in range(parts)]
    spans = [(round(start, 6), round(start + side, 6)) for start in starts]
    return [(low, spans[0][1]), *spans[1:-1], (spans[-1][0], high)] if parts > 1 else [(low, high)]


def _bounding_box(box: Box) -> str:
    sides = (f"{side:.6f}".rstrip("0").rstrip(".") for side in _sides(box))
    return f"bounding_box:[{' '.join(sides)}]"


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.west, box.south, box.east, box.north


def _sizes(count: int) -> range:
    return range(1, min(count, 30) + 1)


def _values(
    boxes: Sequence[str], size: int, words: Sequence[str], languages: str, limit: int
) -> list[str]:
    """Return the rules with so many boxes each; none where a word finds no room."""
    values: list[str] = []
    for start in range(0, len(boxes), size):
        place = _any_of(boxes[start : start + size])
        room = limit - len(f"{place}  {languages}")
        groups = _groups(words, room)
        if not groups or len(values) > MAX_RULES:
            return []
        values.extend(f"{place} {_any_of(group)} {languages}" for group in groups)
    return values


def _groups(words: Sequence[str], room: int) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for word in words:
        if groups[-1] and len(_any_of([*groups[-1], word])) > room:
            groups.append([])
        groups[-1].append(word)
        if len(_any_of(groups[-1])) > room:
            return []
    return groups


def _any_of(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _too_many(quadrant: str) -> BadInputError:
    return BadInputError(
        f"{quadrant}: this box and track need more than the {MAX_RULES} rules that X takes; "
        "choose a smaller box or fewer words"
    )
