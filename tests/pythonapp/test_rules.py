"""The rules ask for all of a quadrant within X's limits, and changes leave others' rules alone."""

from __future__ import annotations

import re
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc.engines import x_rules
from pythonapp.errors import BadInputError
from pythonapp.rules import (
    MAX_SIDE,
    PREFIX,
    Present,
    Rule,
    changes,
    grow,
    miles,
    quoted,
    rules,
    tiles,
)
from pythonapp.settings import LANGUAGES, Box, Settings
from tests.pythonapp.scenes import settings

BOX = re.compile(r"bounding_box:\[([^\]]*)\]")
WORDS = st.text(
    st.characters(categories=["L", "N"], include_characters=" #$-'&:"), min_size=1, max_size=30
).filter(lambda word: any(map(str.isalnum, word)) and word == " ".join(word.split()))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Boxes of up to two degrees, anywhere but at the poles."""
    west = draw(st.floats(-180, 178))
    south = draw(st.floats(-85, 83))
    east = west + draw(st.floats(0.01, 2))
    north = south + draw(st.floats(0.01, 2))
    return Box(*(round(side, 6) for side in (west, south, east, north)))


@st.composite
def asked(draw: st.DrawFn) -> Settings:
    track = draw(st.lists(WORDS, min_size=1, max_size=60, unique=True))
    languages = draw(st.lists(st.sampled_from(sorted(LANGUAGES)), min_size=1, max_size=4))
    return replace(
        settings(),
        box=draw(boxes()),
        track=tuple(track),
        languages=tuple(dict.fromkeys(languages)),
        reach=draw(st.sampled_from([0.0, 1.0, 4.0])),
    )


def boxes_of(rule: Rule) -> list[Box]:
    return [Box(*map(float, text.split())) for text in BOX.findall(rule.value)]


@hypothesis.settings(max_examples=50)
@given(asked(), st.sampled_from([512, 1024]))
def test_every_rule_is_within_the_limits_and_every_word_in_one(given: Settings, limit: int) -> None:
    made = rules(given, limit)
    assert 0 < len(made) <= 1000
    for rule in made:
        assert len(rule.value) <= limit
        assert rule.tag == PREFIX + given.quadrant
        assert all(f"lang:{language}" in rule.value for language in given.languages)
        for box in boxes_of(rule):
            assert max(miles(box)) <= MAX_SIDE
    for word in given.track:
        covered = {box for rule in made if quoted(word) in rule.value for box in boxes_of(rule)}
        assert covered == {box for rule in made for box in boxes_of(rule)}


@given(boxes(), st.sampled_from([0.0, 1.0, 4.0, 10.0]), st.data())
def test_the_tiles_cover_the_box_and_its_reach_exactly(
    box: Box, reach: float, data: st.DataObject
) -> None:
    made = list(tiles(box, reach))
    grown = grow(box, reach)
    assert min(tile.west for tile in made) == grown.west
    assert min(tile.south for tile in made) == grown.south
    assert max(tile.east for tile in made) == grown.east
    assert max(tile.north for tile in made) == grown.north
    lon = data.draw(st.floats(grown.west, grown.east))
    lat = data.draw(st.floats(grown.south, grown.north))
    assert any(tile.holds(lon, lat) for tile in made)


@given(boxes(), st.sampled_from([1.0, 4.0, 10.0]), st.data())
def test_a_place_whose_middle_is_in_the_box_lies_whole_in_a_tile(
    box: Box, reach: float, data: st.DataObject
) -> None:
    lon = data.draw(st.floats(box.west, box.east))
    lat = data.draw(st.floats(box.south, box.north))
    place = grow(Box(lon, lat, lon, lat), reach * 0.97)
    assert any(
        tile.holds(place.west, place.south) and tile.holds(place.east, place.north)
        for tile in tiles(box, reach)
    )


def test_a_box_that_reaches_no_further_is_covered_without_a_rest() -> None:
    box = settings().box
    made = sorted(tiles(box, 0.0), key=lambda tile: (tile.south, tile.west))
    area = sum((tile.east - tile.west) * (tile.north - tile.south) for tile in made)
    assert area == pytest.approx((box.east - box.west) * (box.north - box.south))


@hypothesis.settings(max_examples=50)
@given(asked())
def test_x_understands_every_rule(given: Settings) -> None:
    for rule in rules(given, 1024):
        x_rules.parse(rule.value)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("portfolio", "portfolio"),
        ("inversión", "inversión"),
        ("#stocks", "#stocks"),
        ("$SPY", "$SPY"),
        ("$100", '"$100"'),
        ("mutual fund", '"mutual fund"'),
        ("or", '"or"'),
        ("lang:en", '"lang:en"'),
        ("-bonds", '"-bonds"'),
        ("S&P", '"S&P"'),
    ],
)
def test_a_word_is_written_as_x_reads_it(word: str, written: str) -> None:
    assert quoted(word) == written


def test_a_box_of_continents_is_refused() -> None:
    with pytest.raises(BadInputError, match="1000 rules"):
        rules(replace(settings(), box=Box(-180, -90, 180, 90)), 1024)


def test_words_that_leave_no_room_are_refused() -> None:
    long = replace(settings(), languages=tuple(sorted(LANGUAGES)))
    with pytest.raises(BadInputError, match="1000 rules"):
        rules(replace(long, track=("a" * 100,)), 512)


# -- changes -------------------------------------------------------------------------------------

A, B = Rule("a", PREFIX + "ctne"), Rule("b", PREFIX + "ctne")


def present(*rules: Rule) -> list[Present]:
    return [Present(str(number), each.value, each.tag) for number, each in enumerate(rules)]


def test_what_is_missing_is_added_and_what_is_ours_and_stale_deleted() -> None:
    stale = Rule("c", PREFIX + "ctnw")
    assert changes([A, B], present(A, stale)) == ((B,), ("1",))


def test_rules_of_others_stay() -> None:
    others = [Present("1", "a", None), Present("2", "b", "cust"), Present("3", "c", "")]
    assert changes([A], others) == ((A,), ())


TAGS = st.sampled_from([PREFIX + "ctne", PREFIX + "ctnw", "other", ""])
RULES = st.lists(st.builds(Rule, st.sampled_from("abcdef"), TAGS))


@given(st.lists(st.builds(Rule, st.sampled_from("abcdef"), st.just(PREFIX + "ctne"))), RULES)
def test_changing_twice_is_changing_once(wanted: list[Rule], had: list[Rule]) -> None:
    before = present(*had)
    add, delete = changes(wanted, before)
    after = [each for each in before if each.id not in delete]
    after += [Present(f"new {number}", each.value, each.tag) for number, each in enumerate(add)]
    assert changes(wanted, after) == ((), ())
    ours = [each for each in after if (each.tag or "").startswith(PREFIX)]
    assert {Rule(each.value, each.tag or "") for each in ours} == set(wanted)
    others = [each for each in before if not (each.tag or "").startswith(PREFIX)]
    assert [each for each in after if each in others] == others
