"""Rules are accepted and refused as X does, and match the posts that they describe."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc.engines.x_rules import MOST_MILES, RuleError, distance_miles, facts, parse

HARTFORD = (-72.6734, 41.7658)
BOX = "bounding_box:[-72.8 41.7 -72.5 41.9]"


def post(text: str = "", lang: str = "en", **geo: Any) -> dict[str, Any]:
    """Return a post; geo holds point=(longitude, latitude) or box=[w, s, e, n], or nothing."""
    data: dict[str, Any] = {"id": "1", "text": text, "lang": lang}
    includes: dict[str, Any] = {}
    if "point" in geo:
        coordinates = {"type": "Point", "coordinates": list(geo["point"])}
        data["geo"] = {"place_id": "p1", "coordinates": coordinates}
    if "box" in geo:
        data["geo"] = {"place_id": "p1"}
        place = {"id": "p1", "name": "Hartford", "full_name": "Hartford, CT"}
        includes["places"] = [{**place, "geo": {"bbox": geo["box"]}}]
    return {"data": data, "includes": includes}


def matches(rule: str, subject: dict[str, Any]) -> bool:
    return parse(rule).matches(facts(subject))


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        pytest.param("bonds", "Are BONDS back?", True, id="words in any case"),
        pytest.param("bond", "bonds", False, id="whole words only"),
        pytest.param("bonds market", "the market for bonds", True, id="blank means and"),
        pytest.param("bonds market", "bonds", False, id="both are needed"),
        pytest.param('"stock market"', "the stock-market", True, id="a phrase over punctuation"),
        pytest.param('"stock market"', "market stock", False, id="a phrase in its order"),
        pytest.param("stocks OR bonds", "bonds", True, id="or"),
        pytest.param("a1 b1 OR c1", "c1", True, id="and binds tighter than or: right"),
        pytest.param("a1 b1 OR c1", "a1", False, id="and binds tighter than or: left"),
        pytest.param("a1 (b1 OR c1)", "c1", False, id="parentheses"),
        pytest.param("bonds -junk", "junk bonds", False, id="not"),
        pytest.param("bonds -(junk OR bad)", "good bonds", True, id="not a group"),
        pytest.param("#invest", "#Invest now", True, id="hashtag"),
        pytest.param("#invest", "#investing", False, id="hashtags are exact"),
        pytest.param("$SPY", "buy $spy", True, id="cashtag"),
        pytest.param("$SPY", "spy", False, id="a cashtag is no word"),
        pytest.param("jubilación", "mi jubilación", True, id="accents"),
        pytest.param("jubilacion", "mi jubilación", False, id="accents count"),
    ],
)
def test_words_match(rule: str, text: str, expected: bool) -> None:
    assert matches(rule, post(text)) is expected


@pytest.mark.parametrize(
    ("rule", "subject", "expected"),
    [
        pytest.param(BOX, post(point=HARTFORD), True, id="a point inside"),
        pytest.param(BOX, post(point=(-73.0, 41.8)), False, id="a point outside"),
        pytest.param(BOX, post(box=[-72.7, 41.7, -72.6, 41.8]), True, id="a place inside"),
        pytest.param(BOX, post(box=[-72.9, 41.7, -72.6, 41.8]), False, id="a place across"),
        pytest.param(BOX, post(), False, id="no position"),
        pytest.param(
            "point_radius:[-72.6734 41.7658 5mi]", post(point=(-72.7, 41.75)), True, id="near"
        ),
        pytest.param(
            "point_radius:[-72.6734 41.7658 5km]", post(point=(-72.8, 41.75)), False, id="far"
        ),
        pytest.param("bonds has:geo", post("bonds", point=HARTFORD), True, id="has a position"),
        pytest.param("bonds has:geo", post("bonds"), False, id="has none"),
        pytest.param("bonds lang:es", post("bonds", lang="es"), True, id="language"),
        pytest.param("bonds lang:es", post("bonds", lang="en"), False, id="other language"),
        pytest.param('place:"hartford, ct"', post(box=[-72.7, 41.7, -72.6, 41.8]), True, id="name"),
        pytest.param("place:p1", post(box=[-72.7, 41.7, -72.6, 41.8]), True, id="place id"),
        pytest.param("place:p2", post(box=[-72.7, 41.7, -72.6, 41.8]), False, id="other place"),
    ],
)
def test_positions_and_languages_match(rule: str, subject: dict[str, Any], expected: bool) -> None:
    assert matches(rule, subject) is expected


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "non-negation"),
        ("has:geo", "at least one positive"),
        ("lang:es has:geo", "at least one positive"),
        ("-bonds", "at least one positive"),
        ("the", "non-stopword"),
        ("bonds OR has:geo", "at least one positive"),
        ("bonds and stocks", "Ambiguous use of and"),
        ("bonds or stocks", "Ambiguous use of or"),
        ("(bonds", r"missing '\)'"),
        ("bonds)", "no viable alternative"),
        ("bonds OR", "a term is missing"),
        ('"bonds', "no viable alternative"),
        ("coca-cola", "double quotes"),
        ("from:someone", "invalid operator"),
        ("bonds lang:spanish-language-please-1", "not a language code"),
        ("bounding_box:[-73.73 40.98 -71.78 42.06]", "less than 25 mi"),
        ("bounding_box:[-72.5 41.7 -72.8 41.9]", "must be below"),
        ("bounding_box:[-72.8 41.7 -72.5]", "takes numbers"),
        ("bounding_box:[-72.8,41.7,-72.5,41.9]", "takes numbers"),
        ("bounding_box:[41.7 -95 41.9 -94.9]", "no longitude and latitude"),
        ("point_radius:[-72.6 41.7 30mi]", "less than 25 mi"),
        ("point_radius:[-72.6 41.7 30]", "mi or km"),
    ],
)
def test_what_x_would_refuse_is_refused(rule: str, why: str) -> None:
    with pytest.raises(RuleError, match=why):
        parse(rule)


WORDS = st.sampled_from(["bonds", "stocks", "fund", '"stock market"', "#invest", "$SPY"])
ALONE = st.recursive(
    WORDS,
    lambda rules: st.one_of(
        st.tuples(rules, rules).map(lambda pair: f"{pair[0]} {pair[1]}"),
        st.tuples(rules, rules).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        st.tuples(rules, rules).map(lambda pair: f"{pair[0]} -({pair[1]})"),
    ),
    max_leaves=8,
)
TEXTS = st.lists(
    st.sampled_from(["bonds", "stocks", "fund", "stock", "market", "#invest", "$SPY"]), max_size=6
).map(" ".join)


@given(ALONE, ALONE, TEXTS)
def test_rules_follow_the_laws_of_logic(one: str, other: str, text: str) -> None:
    subject = post(text)
    first, second = matches(one, subject), matches(other, subject)
    assert matches(f"({one}) ({other})", subject) is (first and second)
    assert matches(f"({one}) OR ({other})", subject) is (first or second)
    assert matches(f"({one}) -({other})", subject) is (first and not second)


LONGITUDES = st.floats(-73.7, -71.8)
LATITUDES = st.floats(41.0, 42.0)


@given(LONGITUDES, LATITUDES, LONGITUDES, LATITUDES)
def test_a_box_holds_its_points_and_no_others(
    west: float, south: float, longitude: float, latitude: float
) -> None:
    east, north = west + 0.3, south + 0.3
    rule = f"bounding_box:[{west} {south} {east} {north}]"
    inside = west <= longitude <= east and south <= latitude <= north
    assert matches(rule, post(point=(longitude, latitude))) is inside


@given(LONGITUDES, LATITUDES, st.floats(0.01, 1.5), st.floats(0.01, 1.5))
def test_a_box_is_accepted_when_its_sides_are_short_enough(
    west: float, south: float, width: float, height: float
) -> None:
    east, north = west + width, south + height
    sides = (
        distance_miles((west, south), (east, south)),
        distance_miles((west, south), (west, north)),
    )
    rule = f"bounding_box:[{west} {south} {east} {north}]"
    if max(sides) < MOST_MILES:
        parse(rule)
    else:
        with pytest.raises(RuleError, match="less than 25 mi"):
            parse(rule)
