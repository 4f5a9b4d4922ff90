"""A message is a post, or there is a reason in words why it is none."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.message import LARGEST, Poison, Reading, read
from application.records import Author, Place, Point
from tests.application.messages import PLACE, fields, message


def test_a_message_is_read_as_the_post_that_it_tells_of() -> None:
    reading = read(message(12, retweet=True))
    post = reading.post
    assert (post.id, post.lang, post.quadrant, post.retweet) == ("12", "en", "ctne", True)
    assert post.created_at == datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)
    assert post.author == Author("7", "ann", "Ann Smith", "Hartford")
    assert post.position == Point(-72.68, 41.76)
    assert json.loads(reading.raw) == fields(12, retweet=True)


@pytest.mark.parametrize(
    ("position", "read_as"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(
            PLACE, Place("01", "Hartford, CT", "city", -72.72, 41.72, -72.64, 41.81), id="place"
        ),
        pytest.param(
            PLACE | {"bbox": [-72.7, 41.7, -72.7, 41.7]},
            Place("01", "Hartford, CT", "city", -72.7, 41.7, -72.7, 41.7),
            id="a place that is a point",
        ),
    ],
)
def test_a_position_is_exact_a_place_or_none(position: object, read_as: object) -> None:
    assert read(message(position=position)).post.position == read_as


def test_fields_that_are_not_known_are_kept_and_do_not_count() -> None:
    told = message(later={"than": "this"})
    assert json.loads(read(told).raw) == json.loads(told)


def test_of_a_key_that_stands_twice_the_last_is_decided_on_and_kept() -> None:
    twice = message()[:-1] + b',"text":"the last","later":{"k":1,"k":2}}'
    reading = read(twice)
    assert reading.post.text == "the last"
    pairs = json.loads(reading.raw, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "text"] == ["the last"]
    assert dict(pairs)["later"] == [("k", 2)]


def test_what_only_looks_like_a_nul_is_text() -> None:
    assert read(message(text="the escape \\u0000")).post.text == "the escape \\u0000"


@pytest.mark.parametrize(
    ("fraction", "microsecond"),
    [("", 0), (".5", 500_000), (".123", 123_000), (".000001", 1)],
)
def test_a_time_has_up_to_six_digits_behind_the_second(fraction: str, microsecond: int) -> None:
    post = read(message(created_at=f"2026-03-01T12:30:00{fraction}Z")).post
    assert post.created_at.microsecond == microsecond


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "empty", id="no value"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\xff{}", "not valid UTF-8", id="not UTF-8"),
        pytest.param(b"hello", "not JSON", id="not JSON"),
        pytest.param(message()[:-1], "not JSON", id="cut off"),
        pytest.param(b"[1]", "not a JSON object", id="no object"),
        pytest.param(b"[" * 100_000, "depth limit", id="too deep"),
        pytest.param(b"{}", "version None", id="no version"),
        pytest.param(message(version=2), "version 2", id="a later version"),
        pytest.param(message(version=True), "version True", id="a version that is none"),
        pytest.param(message(id=5), "id must be string", id="a wrong type"),
        pytest.param(message(id="5\n"), "id must match", id="an id with a line's end"),
        pytest.param(message(text=""), "text", id="no text"),
        pytest.param(message(author={}), "author", id="a field is missing"),
        pytest.param(message(created_at="2026-02-30T00:00:00Z"), "created_at", id="30 February"),
        pytest.param(message(created_at="2026-01-01T00:00:61Z"), "created_at", id="second 61"),
        pytest.param(message(created_at="0001-01-01T00:00:00Z"), "created_at", id="year 1"),
        pytest.param(message(position={"kind": "point"}), "position", id="half a position"),
        pytest.param(
            message(position=PLACE | {"bbox": [-72.6, 41.7, -72.7, 41.8]}),
            "out of order",
            id="a box out of order",
        ),
        pytest.param(message(x=float("nan")), "not JSON", id="NaN"),
        pytest.param(message()[:-1] + b',"x":1e999}', "infinity", id="infinite"),
        pytest.param(message()[:-1] + b',"x":"\\ud800"}', "surrogate", id="half a character"),
        pytest.param(b" " * (LARGEST + 1), "bytes are more", id="too large"),
        pytest.param(
            message()[:-1] + b',"x":[' + b"9e15," * (LARGEST // 6) + b"0]}",
            "bytes are more",
            id="too large when its numbers are written in full",
        ),
        pytest.param(
            message()[:-1] + b',"x":' + b"[" * 300 + b"]" * 300 + b"}", "nested", id="deep"
        ),
        pytest.param(message(text="a \0"), "NUL", id="a NUL"),
        pytest.param(message(text="a \\\0"), "NUL", id="a NUL behind a backslash"),
        pytest.param(message(x={"\0": 1}), "NUL", id="a NUL in a key"),
    ],
)
def test_what_is_no_post_has_a_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(Poison, match=reason):
        read(value)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_post_or_poison(value: bytes) -> None:
    with pytest.raises(Poison):
        read(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(fields())), JSON)
def test_whatever_a_field_holds_it_is_a_post_or_poison(name: str, value: object) -> None:
    outcome = _outcome(json.dumps(fields() | {name: value}).encode())
    assert outcome if isinstance(outcome, str) else outcome.post.id == json.loads(outcome.raw)["id"]


def _outcome(value: bytes) -> Reading | str:
    try:
        return read(value)
    except Poison as poison:
        return str(poison)
