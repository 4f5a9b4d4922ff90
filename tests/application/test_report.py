"""What the report shows follows from rows alone, and the page lets nothing in and nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from application.errors import BadInputError
from application.report import cli, outline, queries, shaping
from application.report.data import Found, Source, Span, Workflow
from application.report.page import embedded, render
from application.report.timescale import scale, span
from application.report.workflow import workflow
from application.synth.score import Score
from tests.application.report_rows import BEGAN, HOSTILE, Post, found, posts, record

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {
    name: text
    for name, text in vars(queries).items()
    if name[0].isupper() and isinstance(text, str)
}
FAR, HERE, NOWHERE = (-80.0, 41.5), (-72.5, 41.5), (None, None)


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


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_is_one_of_snowflakes_dialect(name: str) -> None:
    [parsed] = sqlglot.parse(QUERIES[name], dialect="snowflake")
    assert isinstance(parsed, exp.Select), "what is not understood is a Command"


def test_the_totals_are_the_posts() -> None:
    made = posts()
    page = shaping.page(found(made))
    known = [post for post in made if post.category in ("customer", "household_member")]
    assert page.totals["posts"] == sum(row[-1] for row in page.data["posts"]) == len(made)
    assert page.totals["matched"] == len(known)
    for number, kind in enumerate(queries.KINDS):
        count = sum(kind in post.kinds for post in made)
        assert page.totals[kind] == count
        assert sum(row[-1] for row in page.data["actions"] if row[0] == number) == count


def test_what_a_dot_is_filtered_by_is_what_its_post_is() -> None:
    made = [post for post in posts() if post.lon is not None]
    page = shaping.page(found(made))
    names = [[value.key for value in page.dimensions[name]] for name in shaping.DIMENSIONS]
    post_of = {post.text[:20]: post for post in made}
    assert len(page.data["dots"]) == len(made)
    for dot in page.data["dots"]:
        told = tuple(names[place][code] for place, code in enumerate(dot[2:6]))
        assert told == post_of[dot[9][:20]].dimensions


def test_the_posts_to_read_begin_with_what_is_to_be_done_then_with_what_is_sure() -> None:
    [row] = found([Post("1", "ctne", "en", "customer", "neutral", BEGAN, *HERE)]).dots
    given = [(0.23, None), (None, None), (0.95, None), (0.6, 2), (0.9, 2), (0.5, 0)]
    dots = [(*row[:-2], confidence, to_do) for confidence, to_do in given]
    page = shaping.page(found([Post("1", "ctne", "en", "customer", "neutral", BEGAN)], dots=dots))
    assert [tuple(dot[-2:]) for dot in page.data["dots"]] == [
        (50, 0), (90, 2), (60, 2), (95, None), (23, None), (None, None),
    ]  # fmt: skip


def test_a_quadrant_without_posts_is_shown_with_none() -> None:
    made = [Post("1", "ctne", "en", "unknown", "neutral", BEGAN)]
    assert [value.key for value in shaping.page(found(made)).dimensions["quadrant"]] == [
        "ctnw", "ctne", "ctsw", "ctse",
    ]  # fmt: skip


def test_a_lake_of_the_whole_state_lacks_no_quadrant() -> None:
    made = [Post("1", "ct", "en", "unknown", "neutral", BEGAN)]
    page = shaping.page(found(made), _flow(Produce="ended not OK"))
    assert [value.key for value in page.dimensions["quadrant"]] == ["ct"]
    assert page.incomplete == "Produce ended not OK; posts or their evaluation may be missing."


def _flow(**statuses: str) -> Workflow:
    """Return a workflow whose jobs ended so."""
    [run] = record()["jobs"][0]["runs"]
    jobs = [
        {"name": name.replace("_", "-"), "type": "Job:Script", "status": status,
            "runs": {"waiting": [], "broken off": [{**run, "ended": None}]}.get(status, [run])}
        for name, status in statuses.items()
    ]  # fmt: skip
    good = set(statuses.values()) == {"ended OK"}
    return workflow({**record(), "jobs": jobs, "ok": good}, {})


@pytest.mark.parametrize(
    ("statuses", "quadrants", "says"),
    [
        pytest.param({"Produce_CTSE": "ended OK"}, "nw ne sw", "", id="all ended OK"),
        pytest.param(
            {"Produce_CTSE": "ended not OK"}, "nw ne sw",
            "Produce-CTSE ended not OK; posts of the Southeast are missing.", id="none came",
        ),
        pytest.param(
            {"Produce_CTSE": "ended not OK"}, "nw ne sw se",
            "Produce-CTSE ended not OK; posts of the Southeast may be missing.", id="some came",
        ),
        pytest.param(
            {"Geo": "ended not OK", "Load": "waiting", "Check": "waiting"}, "nw ne sw se",
            "Geo ended not OK; Load and Check did not run; posts or their evaluation may be "
            "missing.", id="others wait",
        ),
        pytest.param(
            {"A": "broken off", "B": "ended not OK", "C": "ended not OK", "D": "ended not OK",
                "E": "ended not OK", "F": "ended not OK"}, "nw se",
            "B, C, D and 2 more ended not OK; A did not end; posts of the Northeast and Southwest "
            "are missing.", id="many",
        ),
    ],
)  # fmt: skip
def test_what_a_failed_workflow_left_out_is_told(
    statuses: dict[str, str], quadrants: str, says: str
) -> None:
    made = [
        Post(each, f"ct{each}", "en", "unknown", "neutral", BEGAN) for each in quadrants.split()
    ]
    page = shaping.page(found(made), _flow(**statuses))
    assert page.incomplete == says
    assert ('id="incomplete"' in render(page).decode()) == bool(says)


def test_invented_people_are_told_from_real_ones() -> None:
    real = page_of(found(posts(9)))
    invented = page_of(found(posts(9)), None, [Score("customer", 10, 8, 6, 3)])
    assert "all people, addresses and posts are invented" in invented
    assert "invented" not in real
    assert ("Handle with care" in real, "Handle with care" in invented) == (True, False)


def test_rare_languages_share_a_value() -> None:
    langs = ["en", "es", "fr", "und", "pt", "it", "de", "nl"]
    made = [Post(str(n), "ctne", lang, "unknown", "neutral", BEGAN) for n, lang in enumerate(langs)]
    page = shaping.page(found(made))
    assert [value.label for value in page.dimensions["lang"]][:4] == [
        "English", "Spanish", "French", "Unclear",
    ]  # fmt: skip
    assert page.dimensions["lang"][-1].label == "Other"
    assert sum(row[-1] for row in page.data["posts"]) == len(langs)


def test_posts_of_one_place_lie_apart_around_it() -> None:
    made = [Post(str(n), "ctne", "en", "unknown", "neutral", BEGAN, -72.5, 41.5) for n in range(60)]
    dots = shaping.page(found(made)).data["dots"]
    x, y = outline.project(-72.5, 41.5)
    assert len({(dot[0], dot[1]) for dot in dots}) == len(dots) == 60
    assert all(abs(dot[0] - x) < 60 and abs(dot[1] - y) < 60 for dot in dots)


def test_posts_from_elsewhere_are_counted_and_not_drawn() -> None:
    made = [Post("1", "ctne", "en", "unknown", "neutral", BEGAN, -80.0, 41.5)]
    page = shaping.page(found(made))
    assert (page.totals["posts"], page.data["dots"]) == (1, [])


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


def test_a_confidence_is_rounded_as_the_decision_tells_it() -> None:
    [row] = found([Post("1", "ctne", "en", "customer", "neutral", BEGAN, *HERE)]).dots
    for confidence in (0.585, 0.575, 0.995, 1.0):
        page = shaping.page(
            found([Post("1", "ctne", "en", "customer", "neutral", BEGAN)],
                  dots=[(*row[:-2], confidence, None)])
        )  # fmt: skip
        assert page.data["dots"][0][-2] == int(f"{confidence:.0%}".removesuffix("%"))


def test_a_dead_letter_without_a_reason_is_told_in_words() -> None:
    words = Reader(page_of(found(posts(9), [(None, 3, BEGAN, None)]))).words
    assert "no reason told" in words
    assert "None" not in words


@given(st.datetimes(datetime(2006, 1, 1), datetime(2199, 1, 1)), st.timedeltas(timedelta(0)))
def test_a_scale_holds_both_ends_in_few_slices(first: datetime, length: timedelta) -> None:
    last = first + min(length, timedelta(days=20_000))
    told = scale(first, last)
    assert told.start <= first <= last < told.end
    assert told.count <= 60


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "—"), (0.25, "0.25 s"), (74, "1 min 14 s"), (7_300, "2 h 1 min"), (-2, "-2 s")],
)
def test_a_span_is_written_for_people(seconds: float | None, words: str) -> None:
    assert span(seconds) == words


def test_the_quadrants_are_those_of_the_producers() -> None:
    boxes = {
        file.stem: yaml.safe_load(file.read_text())
        for file in (ROOT / "pythonapp").glob("ct*.yaml")
    }
    names = ("bottomLongitude", "bottomLatitude", "topLongitude", "topLatitude")
    told = {name: tuple(box[each] for each in names) for name, box in boxes.items()}
    west, south, east, north = outline.WEST, outline.SOUTH, outline.EAST, outline.NORTH
    lon, lat = outline.MIDDLE_LON, outline.MIDDLE_LAT
    assert told == {
        "ct": (west, south, east, north),
        "ctnw": (west, lat, lon, north),
        "ctne": (lon, lat, east, north),
        "ctsw": (west, south, lon, lat),
        "ctse": (lon, south, east, lat),
    }


def test_the_outline_and_its_cities_lie_in_the_state() -> None:
    for lon, lat in (*outline.OUTLINE, *(city[1:] for city in outline.CITIES)):
        assert outline.WEST <= lon <= outline.EAST
        assert outline.SOUTH <= lat <= outline.NORTH


def test_a_job_shows_the_launchers_verdict_or_its_last_words() -> None:
    told = workflow(record(), {"Produce": "Job controlm/produce succeeded."})
    assert [(row.name, row.how, row.verdict) for row in told.rows] == [
        ("Produce", "ok", "Job controlm/produce succeeded."),
        ("Load", "bad", "exit code 1: <b>no such table</b>"),
        ("Check", "wait", "waits for Load"),
    ]
    assert (told.rows[0].bars[0].left, told.rows[0].bars[0].width) == (10.0, 30.0)
    assert told.summary == "1 ended OK, 1 ended not OK, 1 waiting"


@pytest.mark.parametrize("broken", [{}, {"jobs": 3, "seconds": 1}, {**record(), "began": "noon"}])
def test_a_record_that_is_none_is_told_in_one_line(broken: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=r"record\.json is no record"):
        workflow(broken, {})


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
