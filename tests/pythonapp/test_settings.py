"""A quadrant's YAML is read whole, or refused with one line that tells what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pythonapp
from pythonapp.errors import BadInputError
from pythonapp.settings import Box, Replay, Search, Stream, parse

GOOD = """\
bottomLongitude: -72.644537
bottomLatitude: 41.683924
topLongitude: -71.78
topLatitude: 42.06
track: [portfolio, mutual fund, '#stocks']
"""
FOLDER = Path(pythonapp.__file__).parent


def test_the_keys_of_the_original_are_enough() -> None:
    read = parse(GOOD + "KafkaTopic: posts\nlanguages: [en]\n", "folder/ctne.yaml")
    assert read.quadrant == "ctne"
    assert read.box == Box(-72.644537, 41.683924, -71.78, 42.06)
    assert read.track == ("portfolio", "mutual fund", "#stocks")
    assert read.languages == ("en",)
    assert read.topic == "posts"
    assert read.source == Stream()


def test_what_is_left_out_has_a_default() -> None:
    read = parse(GOOD, "ctne.yaml")
    assert read.languages == ("en", "es", "fr")
    assert read.topic is None


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("source: search", Search(), id="by name"),
        pytest.param("source: {kind: search, every: 5, rule_limit: 1024}", Search(5.0, 1024)),
        pytest.param("source: {kind: replay, file: a.jsonl, rate: 10}", Replay("a.jsonl", 10.0)),
        pytest.param(
            "source: {kind: stream, backfill_minutes: 5, catch_up: true}", Stream(5, True)
        ),
    ],
)
def test_a_source_is_a_name_or_a_kind_with_its_options(text: str, source: object) -> None:
    assert parse(GOOD + text, "ctne.yaml").source == source


def test_a_track_may_be_one_line_with_commas() -> None:
    text = GOOD.replace("[portfolio, mutual fund, '#stocks']", "portfolio, mutual  fund, portfolio")
    assert parse(text, "ctne.yaml").track == ("portfolio", "mutual fund")


def without(key: str) -> str:
    return "".join(each for each in GOOD.splitlines(True) if not each.startswith(key))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(GOOD + "a: [1\n", "ctne.yaml, line 7: no YAML", id="broken"),
        pytest.param("- a\n", "ctne.yaml: no `key: value` lines", id="a list"),
        pytest.param("", "ctne.yaml: no `key: value` lines", id="empty"),
        pytest.param(GOOD + "---\na: 1\n", "ctne.yaml, line 6: no YAML", id="two documents"),
        pytest.param(without("track"), "ctne.yaml: track missing", id="no track"),
        pytest.param(
            without("bottom"), "ctne.yaml: bottomLongitude, bottomLatitude missing", id="no corner"
        ),
        pytest.param(GOOD + "track: [a]\n", "line 6: 'track' stands twice", id="twice"),
        pytest.param(GOOD + "source: {kind: search, kind: replay}\n", "'kind' stands twice"),
        pytest.param(GOOD + "langages: [en]\n", "line 6: langages: unknown key; did you mean lan"),
        pytest.param(
            GOOD + "every: 5\n",
            "every: belongs under source: write `source: {kind: search, every: 5}`",
        ),
        pytest.param(GOOD + "catch_up: true\n", "write `source: {kind: stream, catch_up: true}`"),
        pytest.param(GOOD + "rate: 9.5\n", "write `source: {kind: replay, rate: 9.5}`"),
        pytest.param(GOOD + "file: a.jsonl\n", "write `source: {kind: replay, file: a.jsonl}`"),
        pytest.param(GOOD + "rule_limit: 512\n", "write `source: {kind: stream, rule_limit: 512}`"),
        pytest.param(
            GOOD + "source: search\nrule_limit: 512\n",
            "line 7: rule_limit: belongs under source: write `source: {kind: search, rule_limit: "
            "512}`",
        ),
        pytest.param(
            GOOD + "stream: {backfill_minutes: 2, catch_up: true}\n",
            "stream: belongs under source: write `source: {kind: stream, backfill_minutes: 2, "
            "catch_up: true}`",
        ),
        pytest.param(
            GOOD + "search: {every: 5, password: x1y2}\n",
            "search: belongs under source: write `source: {kind: search, every: 5}`",
        ),
        pytest.param(GOOD + "replay:\n", "write `source: {kind: replay}`"),
        pytest.param(GOOD + "consumer_key: x1y2\n", "a secret does not belong", id="secret"),
        pytest.param(
            GOOD.replace("42.06", "north"), "topLatitude: 'north' is no number", id="text"
        ),
        pytest.param(GOOD.replace("42.06", "true"), "topLatitude: True is no number", id="boolean"),
        pytest.param(GOOD.replace("42.06", ".nan"), "outside the world", id="not a number"),
        pytest.param(GOOD.replace("42.06", "91"), "topLatitude: 91 is outside the world"),
        pytest.param(GOOD.replace("-71.78", "-73"), "not east of bottomLongitude", id="west"),
        pytest.param(GOOD.replace("42.06", "41"), "not north of bottomLatitude", id="south"),
        pytest.param(GOOD + "languages: [english]\n", "X knows no language 'english'"),
        pytest.param(GOOD + "languages: [no, zh-tw]\n", "languages: False is no text", id="no"),
        pytest.param(GOOD + "languages: [zh-tw]\n", "did you mean zh-TW?", id="language's case"),
        pytest.param(without("track") + "track: []\n", "track: empty", id="empty track"),
        pytest.param(without("track") + "track: [a, ' ']\n", "track: empty", id="empty word"),
        pytest.param(without("track") + "track:\n- #stocks\n", "write a hashtag in quotes"),
        pytest.param(without("track") + "track: [401]\n", "401 is no text; write it in quotes"),
        pytest.param(without("track") + "track: 401\n", "401 is no list of words", id="a number"),
        pytest.param(without("track") + "track: ['a\"b']\n", "quotes and control characters"),
        pytest.param(without("track") + "track: ['&&']\n", "holds no letter", id="no letter"),
        pytest.param(without("track") + f"track: [{'a' * 101}]\n", "longer than 100", id="long"),
        pytest.param(GOOD + "KafkaTopic: a b\n", "'a b' is no name of a topic", id="topic"),
        pytest.param(GOOD + "quadrant: North East\n", "is no name of a quadrant", id="quadrant"),
        pytest.param(GOOD + "reach: 11\n", "reach: 11 is no number from 0 to 10", id="reach"),
        pytest.param(GOOD + "source: poll\n", "'poll' is none of stream, search, replay"),
        pytest.param(GOOD + "source: [search]\n", "write stream, search or replay", id="list"),
        pytest.param(GOOD + "source: replay\n", "replay needs its file", id="no file"),
        pytest.param(
            GOOD + "source: {kind: search, evry: 5}\n", "no option 'evry'; did you mean every?"
        ),
        pytest.param(GOOD + "source: {kind: search, every: 0}\n", "every: 0 is no number from 1"),
        pytest.param(GOOD + "source: {kind: stream, catch_up: 1}\n", "catch_up: 1 is none of"),
        pytest.param(GOOD + "source: {kind: search, rule_limit: 600}\n", "is none of 1024, 512"),
        pytest.param(GOOD + "a: !!python/name:os.system\n", "no YAML", id="a tag"),
        pytest.param(GOOD + "a: " + "[" * 500, "a value cannot be read", id="too deep"),
        pytest.param(GOOD + "#" * 100_000, "larger than 100,000 characters", id="too long"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadInputError) as told:
        parse(text, "ctne.yaml")
    assert words in str(told.value)
    assert str(told.value).startswith("ctne.yaml")
    assert "\n" not in str(told.value)


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(BadInputError) as told:
        parse(GOOD + "access_token_secret: s3cr3t\n", "ctne.yaml")
    assert "s3cr3t" not in str(told.value)
    assert "x_bearer_token.secret" in str(told.value)


@given(st.text(max_size=60))
def test_no_text_gives_a_traceback(text: str) -> None:
    try:
        parse(text + "\n" + GOOD, "ctne.yaml")
    except BadInputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most texts are refused, some are not


@pytest.mark.parametrize("quadrant", ["ctne", "ctnw", "ctse", "ctsw", "ct"])
def test_the_files_that_are_delivered_are_read(quadrant: str) -> None:
    read = parse((FOLDER / f"{quadrant}.yaml").read_text(encoding="utf-8"), f"{quadrant}.yaml")
    assert read.quadrant == quadrant
    assert read.languages == ("en", "es", "fr")
    assert isinstance(read.source, Stream if quadrant == "ct" else Search)


def test_the_quadrants_that_are_delivered_make_up_the_state() -> None:
    boxes = {
        name: parse((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml").box
        for name in ("ctne", "ctnw", "ctse", "ctsw", "ct")
    }
    state = boxes.pop("ct")
    area = sum((box.east - box.west) * (box.north - box.south) for box in boxes.values())
    assert area == pytest.approx((state.east - state.west) * (state.north - state.south))
    assert all(state.holds(box.west, box.south) for box in boxes.values())
    assert all(state.holds(box.east, box.north) for box in boxes.values())
