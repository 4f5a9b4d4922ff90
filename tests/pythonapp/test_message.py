"""A post of X becomes a message that the schema accepts, or is kept aside with its reason."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import application
import pythonapp
from pythonapp.message import RAW_LIMIT, Message, Rejected, message, read
from pythonapp.posts import Json
from tests.pythonapp.scenes import post

SCHEMA = Path(pythonapp.__file__).with_name("post.schema.json")


@functools.cache
def schema() -> Any:
    """Return what holds a message to the schema, imported here: that takes seconds."""
    import jsonschema

    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_bytes()))


def made(payload: Json | bytes) -> Any:
    """Return the body of the message that a payload becomes."""
    result = message(payload, "ctne", "search")
    assert isinstance(result, Message), result
    body = json.loads(result.value)
    schema().validate(body)
    return body


def why_not(payload: Json | bytes) -> str:
    result = message(payload, "ctne", "search")
    assert isinstance(result, Rejected), result
    return result.reason


def test_both_sides_check_by_the_same_schema() -> None:
    theirs = Path(application.__file__).with_name("post.schema.json")
    assert theirs.read_bytes() == SCHEMA.read_bytes()


def test_a_post_becomes_a_message_with_its_key_and_headers() -> None:
    payload = post(5)
    result = message(payload, "ctne", "stream")
    assert isinstance(result, Message)
    assert result.key == b"105"
    assert result.headers == {
        "schema": "post/1",
        "source": "stream",
        "quadrant": "ctne",
        "id": payload["data"]["id"],
    }
    assert json.loads(result.value) == {
        "version": 1,
        "id": payload["data"]["id"],
        "text": "my portfolio 5",
        "lang": "en",
        "created_at": payload["data"]["created_at"],
        "author": {"id": "105", "username": "handle", "name": "A name", "location": "here"},
        "position": {"kind": "point", "lon": -72.0, "lat": 41.8},
        "retweet": False,
        "quadrant": "ctne",
        "source": "stream",
    }


def test_a_place_stands_where_there_is_no_point() -> None:
    assert made(post(geo={"place_id": "place"}))["position"] == {
        "kind": "place",
        "id": "place",
        "full_name": "Town, CT",
        "place_type": "city",
        "bbox": [-72.1, 41.7, -71.9, 41.9],
    }


@pytest.mark.parametrize("geo", [None, {}, {"place_id": "unknown"}])
def test_a_post_may_have_no_position(geo: object) -> None:
    assert made(post(geo=geo))["position"] is None


def test_a_long_post_is_whole() -> None:
    assert made(post(note_tweet={"text": "a long " * 500}))["text"] == "a long " * 500


def test_the_escapes_of_x_are_undone_once() -> None:
    assert made(post(text="S&amp;P &lt;3 &amp;lt;"))["text"] == "S&P <3 &lt;"


def test_an_edited_post_names_its_earlier_versions() -> None:
    payload = post()
    own = payload["data"]["id"]
    payload["data"]["edit_history_tweet_ids"] = ["11", "12", own, "13"]
    assert made(payload)["edits"] == ["11", "12"]
    payload["data"]["edit_history_tweet_ids"] = [own]
    assert "edits" not in made(payload)


def test_a_retweet_is_known_as_one() -> None:
    assert made(post(referenced_tweets=[{"type": "retweeted", "id": "1"}]))["retweet"] is True
    assert made(post(referenced_tweets=[{"type": "quoted", "id": "1"}]))["retweet"] is False


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        pytest.param("RT @ann: my broker is great", True, id="copied by hand"),
        pytest.param("RT @ann_b my broker is great", True, id="without a colon"),
        pytest.param("so true RT @ann: my broker is great", False, id="own words before it"),
        pytest.param("RT if your broker is great", False, id="an appeal"),
        pytest.param("@ann my broker is great", False, id="an answer"),
    ],
)
def test_a_retweet_by_hand_is_one_too(text: str, copied: bool) -> None:
    assert made(post(text=text))["retweet"] is copied


def test_a_language_that_x_does_not_tell_is_undetermined() -> None:
    assert made(post(lang=None))["lang"] == "und"


def test_halves_of_surrogate_pairs_and_nul_do_not_stop_a_post() -> None:
    payload = read(json.dumps(post(text="a\ud83d b\0 \U0001f600")).encode())
    assert made(payload)["text"] == "a\ufffd b \U0001f600"


def test_a_profile_without_location_has_an_empty_one() -> None:
    payload = post()
    del payload["includes"]["users"][0]["location"]
    assert made(payload)["author"]["location"] == ""


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"{broken", "it is no JSON object", id="broken"),
        pytest.param(b"[1]", "it is no JSON object", id="a list"),
        pytest.param(b" ", "it is empty", id="empty"),
        pytest.param({"errors": []}, "it has no data", id="no data"),
        pytest.param({"data": 1}, "it has no data", id="data is a number"),
        pytest.param({**post(), "includes": [1]}, "includes is no object", id="includes"),
        pytest.param({**post(), "includes": {}}, "author is not among the includes", id="author"),
        pytest.param(post(author_id=None), "author is not among the includes", id="no author"),
        pytest.param(post(text=None), "it has no text", id="no text"),
        pytest.param(post(text=""), "text must be longer than or equal to 1", id="empty text"),
        pytest.param(post(text="a" * 25_001), "text must be shorter than", id="endless text"),
        pytest.param(post(id=17), "id must be string", id="id is a number"),
        pytest.param(post(id="17a"), "id must match pattern", id="id is no number"),
        pytest.param(post(created_at=None), "created_at 'None' is no time", id="no time"),
        pytest.param(post(created_at="2026-13-01T00:00:00Z"), "is no time", id="month 13"),
        pytest.param(post(created_at="2026-02-03T00:00:00+01:00"), "created_at must match"),
        pytest.param(post(geo={"coordinates": {"coordinates": [1]}}), "position is not of so many"),
        pytest.param(post(geo={"coordinates": [1, 2]}), "position is not of so many", id="list"),
        pytest.param(
            post(geo={"coordinates": {"coordinates": [200, 1]}}),
            "position must",
            id="off the world",
        ),
        pytest.param(
            post(geo={"coordinates": {"coordinates": ["1", "2"]}}), "not made of numbers", id="text"
        ),
        pytest.param(post(geo="here"), "geo is no object", id="geo is text"),
        pytest.param(post(referenced_tweets="x"), "referenced_tweets is no list", id="references"),
        pytest.param(post(lang="English"), "lang must match pattern", id="language"),
    ],
)
def test_a_malformed_post_is_kept_aside_with_its_reason(payload: Json | bytes, reason: str) -> None:
    assert reason in why_not(payload)


def test_a_place_whose_box_is_out_of_order_is_kept_aside() -> None:
    payload = post(geo={"place_id": "place"})
    payload["includes"]["places"][0]["geo"]["bbox"] = [-71.9, 41.7, -72.1, 41.9]
    assert "out of order" in why_not(payload)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_only_python_reads_is_no_json(text: str) -> None:
    line = f'{{"data": {text}}}'.encode()
    assert read(line) == line


def test_what_is_too_deep_or_no_utf_8_is_no_json() -> None:
    for line in (b"[" * 100_000, b'{"data": "\xff"}', b"9" * 10_000):
        assert read(line) == line


def test_of_what_is_rejected_a_part_is_enough() -> None:
    result = message(b"x" * 1_000_000, "ctne", "replay")
    assert isinstance(result, Rejected)
    assert len(result.raw) == RAW_LIMIT


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from([*sorted(post()["data"]), "note_tweet", "referenced_tweets"]), JSON)
def test_whatever_x_writes_into_a_field_is_a_message_or_rejected(field: str, value: Any) -> None:
    payload = read(json.dumps(post(**{field: value})).encode())
    result = message(payload, "ctne", "replay")
    if isinstance(result, Message):
        schema().validate(json.loads(result.value))


@given(st.dictionaries(st.sampled_from(["data", "includes", "errors"]), JSON))
def test_whatever_is_an_object_is_a_message_or_rejected(payload: dict[str, Any]) -> None:
    assert isinstance(message(payload, "ctne", "replay"), Rejected)
