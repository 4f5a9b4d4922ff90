"""What the report shows follows from rows alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from application.errors import BadInputError
from application.report import outline, queries, shaping
from application.report.data import Workflow
from application.report.page import render
from application.report.timescale import scale, span
from application.report.workflow import workflow
from tests.application.report_rows import BEGAN, HERE, Post, found, posts, record

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {
    name: text
    for name, text in vars(queries).items()
    if name[0].isupper() and isinstance(text, str)
}


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


def test_a_confidence_is_rounded_as_the_decision_tells_it() -> None:
    [row] = found([Post("1", "ctne", "en", "customer", "neutral", BEGAN, *HERE)]).dots
    for confidence in (0.585, 0.575, 0.995, 1.0):
        page = shaping.page(
            found([Post("1", "ctne", "en", "customer", "neutral", BEGAN)],
                  dots=[(*row[:-2], confidence, None)])
        )  # fmt: skip
        assert page.data["dots"][0][-2] == int(f"{confidence:.0%}".removesuffix("%"))


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
