"""The page lets nothing in and nothing out, and says what it lacks."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from application.report import cli, queries, shaping
from application.report.data import Found, Source, Span
from application.report.page import embedded, render
from application.report.timescale import scale
from application.report.workflow import workflow
from application.synth.score import Score
from tests.application.report_rows import BEGAN, HERE, HOSTILE, Post, found, posts, record

FAR, NOWHERE = (-80.0, 41.5), (None, None)


class Reader(HTMLParser):
    """The page as a browser takes it apart: tags with their attributes, and scripts' contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self.words = ""
        self._raw = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 -- the parser's name for it
        self._raw = False

    def handle_data(self, data: str) -> None:
        if self._raw:
            self.raw.append(data)
        else:
            self.words += data


def page_of(*given: Any, **changes: Any) -> str:
    return render(shaping.page(*given, **changes)).decode()


@pytest.fixture(scope="module")
def reader() -> Reader:
    flow = workflow(record(), {"Produce": "Job controlm/produce succeeded."})
    dead = [("not JSON: <i>", 3, BEGAN, "<script>alert(3)</script>")]
    accuracy = [Score("customer", 10, 8, 6, 3), Score("unknown", 0, 0, 0, 0)]
    return Reader(page_of(found(posts(), dead), flow, accuracy))


def test_hostile_words_stay_words(reader: Reader) -> None:
    scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert not [tag for tag, _ in reader.tags if tag in ("img", "iframe", "link", "b-", "object")]
    data = json.loads(reader.raw[1])
    shown = data["todo"]["service_call"]
    [text] = [each["text"] for each in shown if each["id"] == "C-0"]
    assert text.startswith(HOSTILE[: queries.LETTERS])
    assert text.endswith("more characters)")
    assert "<script>alert(3)</script>" in reader.words
    assert "<b>no such table</b>" in reader.words


def test_a_script_element_cannot_be_left_by_its_data() -> None:
    text = embedded({"text": "</script><!-- & \u2028 \u2029"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"text": "</script><!-- & \u2028 \u2029"}


def test_the_policy_allows_this_style_this_script_and_nothing_else(reader: Reader) -> None:
    [policy] = [
        attributes["content"]
        for tag, attributes in reader.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    style, _, script = reader.raw
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_on_the_page_points_elsewhere(reader: Reader) -> None:
    links = [
        value
        for _, attributes in reader.tags
        for name, value in attributes.items()
        if name in ("href", "src", "action", "srcset", "data", "poster", "xlink:href", "style")
    ]
    assert links
    assert all(value and value.startswith("#") for value in links)
    named = {attributes.get("id") for _, attributes in reader.tags}
    assert {value[1:] for value in links if value} <= named


def test_invented_people_are_told_from_real_ones() -> None:
    real = page_of(found(posts(9)))
    invented = page_of(found(posts(9)), None, [Score("customer", 10, 8, 6, 3)])
    assert "all people, addresses and posts are invented" in invented
    assert "invented" not in real
    assert ("Handle with care" in real, "Handle with care" in invented) == (True, False)


@pytest.mark.parametrize(
    ("places", "drawn", "says"),
    [
        ([HERE, HERE], 2, "The map shows every post. Posts"),
        ([HERE, NOWHERE], 1, "The map shows 1 of 2 posts; 1 tell no place. All"),
        ([HERE, FAR], 2, "The map shows 1 of 2 posts; 1 lie beyond its edges. All"),
        ([HERE, HERE, NOWHERE], 1,
         "The map shows 1 of 3 posts, drawn by chance and the same each time; 1 tell no place."),
    ],
)  # fmt: skip
def test_the_map_tells_which_posts_it_lacks(places: list[Any], drawn: int, says: str) -> None:
    made = [
        Post(str(n), "ctne", "en", "unknown", "neutral", BEGAN, *place)
        for n, place in enumerate(places)
    ]
    rows = found(made)
    words = Reader(page_of(shaping.fewer(rows, drawn, 9))).words
    assert says in " ".join(words.split())


def test_the_posts_days_are_those_of_the_first_and_the_last() -> None:
    made = [
        Post(str(n), "ctne", "en", "unknown", "neutral", at)
        for n, at in enumerate((datetime(2026, 3, 2, 23, 50), datetime(2026, 3, 8, 23, 50)))
    ]
    rows = found(made)
    assert rows.span.posted
    assert rows.span.posted.end.day == 9
    words = " ".join(Reader(page_of(rows)).words.split())
    assert "Posts of 2 Mar 2026 to 8 Mar 2026." in words


def test_a_dead_letter_without_a_reason_is_told_in_words() -> None:
    words = Reader(page_of(found(posts(9), [(None, 3, BEGAN, None)]))).words
    assert "no reason told" in words
    assert "None" not in words


def test_the_appendix_tells_how_right_the_matches_are(reader: Reader) -> None:
    words = " ".join(reader.words.split())
    assert "75.0 %60.0 %50.0 %1086" in words
    assert "———000" in words


def test_an_empty_lake_says_what_to_run() -> None:
    words = Reader(page_of(Found(Source("a", "D", "S", BEGAN), Span()))).words
    assert "There is no post in the lake yet" in words
    assert "python -m application.crm_extract" in words


def test_a_lake_without_dead_letters_is_told_from_one_that_has_none() -> None:
    older, none = (Reader(page_of(found(posts(9), dead))).words for dead in (None, ()))
    assert "no table DEAD_LETTERS" in older
    assert "No message was put aside" in none


def test_a_million_posts_make_a_page_of_less_than_two_megabytes() -> None:
    made = posts(1)
    start = found(made).span.posted
    assert start is not None
    cells = [
        (quadrant, lang, category, feeling, at)
        for quadrant in ("ctne", "ctnw", "ctse", "ctsw")
        for lang in ("en", "es", "fr")
        for category in ("customer", "household_member", "prospect", "unknown")
        for feeling in ("negative", "neutral", "positive")
        for at in range(60)
    ]
    text = "\U0001f600" * queries.LETTERS
    dots = [(*found(made).dots[0][:9], text, len(text), None, "near", 0.5, None)] * cli.POSTS_SHOWN
    to_do = [(*row[:7], text, *row[8:]) for row in found(made).to_do for _ in range(cli.LISTED)]
    large = found(
        made,
        span=Span(1_000_000, scale(BEGAN, BEGAN + timedelta(days=14)), start, 1, 1),
        posts=[(*cell, 115) for cell in cells],
        actions=[(*cell, kind, 12) for cell in cells for kind in queries.KINDS],
        dots=dots,
        to_do=to_do,
    )
    made_page = cli.fitting(large, None, None)
    assert len(made_page) < 2_000_000
    reader = Reader(made_page.decode())
    data = json.loads(reader.raw[1])
    assert sum(row[-1] for row in data["posts"]) == 115 * len(cells)
    assert 0 < len(data["dots"]) < cli.POSTS_SHOWN
    assert f"The map shows {len(data['dots']):,} of 1,000,000 posts" in " ".join(
        reader.words.split()
    )
