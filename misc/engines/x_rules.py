"""The rules of X's filtered stream: what X accepts, and which posts match.

After docs.x.com, "Build a rule" and "Operators". Known here are keywords, "exact phrases",
#hashtags, $cashtags, lang:, place:, bounding_box:, point_radius:, has:geo and is:retweet, joined by
blanks (and), OR, parentheses and - (not). Other operators are refused, which is stricter than X.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MILES_PER_KILOMETRE = 0.621371
EARTH_MILES = 3958.8
# A side of a box and the radius of a circle are below this.
MOST_MILES = 25.0
# Too common to stand alone, by X's documentation of operators.
_STOP_WORDS = (
    "a an and at but by com from http https if in is it its me my or rt the this to too via we "
    "www you"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())

_PIECE = re.compile(
    r"""\s*(?:
        (?P<paren>[()])
      | (?P<minus>-)(?=\S)
      | (?P<operator>[a-z_]+):(?P<value>"[^"]*"|\[[^\]]*\]|[^\s()"\[\]]+)
      | "(?P<phrase>[^"]*)"(?P<near>~\d+)?
      | (?P<bare>[^\s()":]+)
    )""",
    re.VERBOSE,
)


class RuleError(Exception):
    """X would not accept the rule; the text is one of its `details`."""


@dataclass(frozen=True)
class Facts:
    """What rules ask about a post.

    The point is (longitude, latitude), the box (west, south, east, north).
    """

    tokens: tuple[str, ...]
    hashtags: frozenset[str]
    cashtags: frozenset[str]
    lang: str
    point: tuple[float, float] | None
    box: tuple[float, float, float, float] | None
    place_names: frozenset[str]
    has_geo: bool
    is_retweet: bool


def facts(post: Mapping[str, Any]) -> Facts:
    """Return what rules ask about a post as the stream sends it: `data` and `includes`."""
    data = post["data"]
    geo = data.get("geo") or {}
    places = (post.get("includes") or {}).get("places") or []
    place: Mapping[str, Any] = next(
        (each for each in places if each.get("id") == geo.get("place_id")), {}
    )
    point = (geo.get("coordinates") or {}).get("coordinates")
    box = (place.get("geo") or {}).get("bbox")
    names = (geo.get("place_id"), place.get("name"), place.get("full_name"))
    text = data["text"]
    return Facts(
        tokens=_tokens(text),
        hashtags=frozenset(tag.casefold() for tag in re.findall(r"#(\w+)", text)),
        cashtags=frozenset(tag.casefold() for tag in re.findall(r"\$([A-Za-z]\w*)", text)),
        lang=data.get("lang", "und"),
        point=(point[0], point[1]) if point else None,
        box=(box[0], box[1], box[2], box[3]) if box else None,
        place_names=frozenset(name.casefold() for name in names if name),
        has_geo=bool(geo),
        is_retweet=any(
            each.get("type") == "retweeted" for each in data.get("referenced_tweets") or ()
        ),
    )


@dataclass(frozen=True)
class Clause:
    """A parsed rule or a part of one.

    It is anchored when it asks for something that may stand alone; the parts of an OR all must.
    """

    matches: Callable[[Facts], bool]
    anchored: bool


def parse(text: str) -> Clause:
    """Parse a rule; RuleError where X would refuse it."""
    pieces = _pieces(text)
    clause, rest = _either(pieces)
    if rest:
        raise RuleError(f"no viable alternative at input '{rest[0].group().strip()}'")
    if not clause.anchored:
        raise RuleError("Rules must contain at least one positive, non-stopword clause")
    return clause


def distance_miles(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the great-circle distance of two (longitude, latitude) points."""
    west, south, east, north = map(math.radians, (*first, *second))
    half = (
        math.sin((north - south) / 2) ** 2
        + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    )
    return 2 * EARTH_MILES * math.asin(math.sqrt(half))


# -- the grammar ---------------------------------------------------------------------------------

_Pieces = list[re.Match[str]]


def _pieces(text: str) -> _Pieces:
    found: _Pieces = []
    position, end = 0, len(text.rstrip())
    while position < end:
        if not (piece := _PIECE.match(text, position)):
            raise RuleError(f"no viable alternative at input (at position {position + 1})")
        found.append(piece)
        position = piece.end()
    if not found:
        raise RuleError("Rules must contain a non-negation term (at position 1)")
    return found


def _either(pieces: _Pieces) -> tuple[Clause, _Pieces]:
    clause, pieces = _both(pieces)
    clauses = [clause]
    while pieces and pieces[0]["bare"] == "OR":
        clause, pieces = _both(pieces[1:])
        clauses.append(clause)
    if len(clauses) == 1:
        return clause, pieces
    tests = [each.matches for each in clauses]
    anchored = all(each.anchored for each in clauses)
    return Clause(lambda post: any(test(post) for test in tests), anchored), pieces


def _both(pieces: _Pieces) -> tuple[Clause, _Pieces]:
    clauses = []
    while pieces and pieces[0]["paren"] != ")" and pieces[0]["bare"] != "OR":
        clause, pieces = _term(pieces)
        clauses.append(clause)
    if not clauses:
        raise RuleError("no viable alternative at input: a term is missing")
    if len(clauses) == 1:
        return clauses[0], pieces
    tests = [each.matches for each in clauses]
    anchored = any(each.anchored for each in clauses)
    return Clause(lambda post: all(test(post) for test in tests), anchored), pieces


def _term(pieces: _Pieces) -> tuple[Clause, _Pieces]:
    first, rest = pieces[0], pieces[1:]
    if first["minus"]:
        if not rest:
            raise RuleError("no viable alternative at input '-'")
        clause, rest = _term(rest)
        test = clause.matches
        return Clause(lambda post: not test(post), anchored=False), rest
    if first["paren"]:
        clause, rest = _either(rest)
        if not rest or rest[0]["paren"] != ")":
            raise RuleError("missing ')' at the end of the rule")
        return clause, rest[1:]
    if first["operator"]:
        return _operator(first["operator"], first["value"]), rest
    if first["phrase"] is not None:
        if first["near"]:
            raise RuleError("the stand-in knows no proximity operator")
        return _words(first["phrase"]), rest
    return _bare(first["bare"]), rest


# -- the operators -------------------------------------------------------------------------------


def _bare(word: str) -> Clause:
    folded = word.casefold()
    if folded in ("and", "or"):
        raise RuleError(
            f"Ambiguous use of {word} as a keyword. Use a space to logically join two clauses, or "
            f'"{word}" to find occurrences of {word} in text'
        )
    if re.fullmatch(r"#\w+", word):
        return Clause(lambda post: folded[1:] in post.hashtags, anchored=True)
    if re.fullmatch(r"\$[A-Za-z]\w*", word):
        return Clause(lambda post: folded[1:] in post.cashtags, anchored=True)
    if re.search(r"[!-/:-@\[-^`{-~]", word):
        raise RuleError(f"'{word}' holds punctuation: it must be enclosed in double quotes")
    return _words(word)


def _words(phrase: str) -> Clause:
    wanted = _tokens(phrase)
    if not wanted:
        raise RuleError("a phrase without words")
    if len(wanted) == 1:
        (word,) = wanted
        return Clause(lambda post: word in post.tokens, anchored=word not in STOP_WORDS)
    size = len(wanted)

    def found(post: Facts) -> bool:
        starts = range(len(post.tokens) - size + 1)
        return any(post.tokens[start : start + size] == wanted for start in starts)

    return Clause(found, anchored=not STOP_WORDS.issuperset(wanted))


def _operator(name: str, value: str) -> Clause:
    match name:
        case "lang":
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", value):
                raise RuleError(f"lang:{value} is not a language code")
            return Clause(lambda post: post.lang == value, anchored=False)
        case "place":
            wanted = value.strip('"').casefold()
            return Clause(lambda post: wanted in post.place_names, anchored=True)
        case "bounding_box":
            return _bounding_box(value)
        case "point_radius":
            return _point_radius(value)
        case "has" if value == "geo":
            return Clause(lambda post: post.has_geo, anchored=False)
        case "is" if value == "retweet":
            return Clause(lambda post: post.is_retweet, anchored=False)
    raise RuleError(f"Reference to invalid operator '{name}:{value}'")


def _bounding_box(value: str) -> Clause:
    west, south, east, north = _numbers(value, 4, "bounding_box:[west south east north]")
    _check_point(west, south)
    _check_point(east, north)
    if not (west < east and south < north):
        raise RuleError(f"bounding_box:{value}: west south must be below east north")
    widest = min(abs(south), abs(north)) if south * north > 0 else 0.0
    sides = (
        distance_miles((west, widest), (east, widest)),
        distance_miles((west, south), (west, north)),
    )
    if max(sides) >= MOST_MILES:
        raise RuleError(
            f"bounding_box:{value}: {sides[0]:.1f} by {sides[1]:.1f} miles; width and height must "
            f"be less than {MOST_MILES:.0f} mi"
        )

    def inside(post: Facts) -> bool:
        if post.point:
            return west <= post.point[0] <= east and south <= post.point[1] <= north
        if not post.box:
            return False
        left, bottom, right, top = post.box
        return west <= left and right <= east and south <= bottom and top <= north

    return Clause(inside, anchored=True)


def _point_radius(value: str) -> Clause:
    shape = "point_radius:[longitude latitude radius]"
    parts = value.strip("[]").split()
    unit = re.fullmatch(r"(\d+(?:\.\d+)?)(mi|km)", parts[-1]) if len(parts) == 3 else None
    if unit is None:
        raise RuleError(f"{shape}: the radius is given in mi or km, not {value}")
    centre = _numbers(f"[{' '.join(parts[:2])}]", 2, shape)
    _check_point(*centre)
    radius = float(unit[1]) * (1 if unit[2] == "mi" else MILES_PER_KILOMETRE)
    if radius >= MOST_MILES:
        raise RuleError(f"{shape}: the radius must be less than {MOST_MILES:.0f} mi")
    middle = (centre[0], centre[1])

    def inside(post: Facts) -> bool:
        if post.point:
            return distance_miles(middle, post.point) <= radius
        if not post.box:
            return False
        corners = ((x, y) for x in post.box[::2] for y in post.box[1::2])
        return all(distance_miles(middle, corner) <= radius for corner in corners)

    return Clause(inside, anchored=True)


def _numbers(value: str, count: int, shape: str) -> list[float]:
    parts = value[1:-1].split() if value.startswith("[") and value.endswith("]") else []
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise RuleError(f"{shape} takes numbers with blanks between them, not {value}")
    return numbers


def _check_point(longitude: float, latitude: float) -> None:
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise RuleError(f"{longitude} {latitude} is no longitude and latitude")


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.casefold()))
