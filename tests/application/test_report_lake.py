"""The report's command reads a lake, writes one file whole, and tells in one line what is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import stat
from pathlib import Path

import pytest

from application.errors import BadInputError, RefusedError
from application.records import Action, Match, Origin, Sentiment
from application.report import cli, reading
from application.report.cli import main
from tests.application.conftest import Lake
from tests.application.messages import decision
from tests.application.report_rows import BEGAN, HOSTILE, record


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Return a lake with two posts, of which one asks for a call and two families to be joined."""
    run = lake.warehouse.run
    for table in ("LOADS", "REJECTS", "DEAD_LETTERS"):
        run(f"delete from {table}")
    run(
        "insert into CUSTOMERS (CUSTOMER_ID, FIRST_NAME, LAST_NAME, CONTACT_CONSENT) "
        "values ('c1', 'Ann', 'Smith', true), ('c2', 'Bob', 'Smith', true)"
    )
    run("insert into LOADS (LOAD_ID, KIND, SOURCE, STATUS) values ('l1', 'geo', 's3://x', 'done')")
    run("insert into REJECTS values ('l1', 3, 'no longitude', 'a,b')")
    call = Action("service_call", "c1", "Ann complains.", None, 7)
    merge = Action("household_merge", "c1", "One family.", None, 90)
    full = dataclasses.replace(
        decision(1, text=HOSTILE, lang="en"),
        match=Match("customer", 0.9, "the name", 12.0, None, "c1", None, ("c2",)),
        sentiment=Sentiment("negative", -0.5),
        actions=(call, merge),
        origin=Origin("tweets", 0, 1, BEGAN.astimezone()),
    )
    lake.warehouse.merge([full, dataclasses.replace(decision(2, position=None), actions=())])
    return lake


def data_of(page: Path) -> dict[str, list[list[object]]]:
    found = re.search('id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found
    told: dict[str, list[list[object]]] = json.loads(found[1])
    return told


def test_the_page_is_of_the_lake(
    filled: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "record.json").write_text(json.dumps(record()))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "Produce.log").write_text("x\nVerdict: Job a/b was killed.\n")
    page = tmp_path / "page.html"
    given = ["--out", str(page), "--rehearsal", str(tmp_path)]
    assert main(given, filled.environment) == 0
    assert capsys.readouterr().out == f"{page}\n"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600, "it tells of people"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["logs", "page.html", "record.json"]
    data = data_of(page)
    assert sum(row[-1] for row in data["posts"]) == 2  # type: ignore[misc]
    assert len(data["dots"]) == 1
    [call] = data["todo"]["service_call"]  # type: ignore[call-overload]
    assert (call["customer"], call["distance"], call["why"]) == (
        "Ann Smith",
        12.0,
        "Ann complains.",
    )
    [merge] = data["todo"]["household_merge"]  # type: ignore[call-overload]
    assert [kin[0] for kin in merge["kin"]] == ["Bob Smith"]
    text = page.read_text(encoding="utf-8")
    assert "Job a/b was killed." in text
    assert "no longitude" in text
    assert "<script>alert" not in text


def test_a_post_without_kafkas_time_is_counted_and_told(filled: Lake, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["--out", str(page)], filled.environment) == 0
    assert "Of 1 posts the lake does not know when Kafka got them" in page.read_text()


@pytest.mark.parametrize(
    "words", ["Object 'CUST360' does not exist or not authorized.", "invalid identifier 'LON_AT'"]
)
def test_a_lake_without_the_view_or_with_an_older_one_says_what_renews_it(words: str) -> None:
    class Older:
        def run(self, *_: object) -> list[tuple[object, ...]]:
            raise RefusedError(words)

    with pytest.raises(RefusedError, match=r"`python -m application\.lake` renews the views"):
        reading._span(Older(), "2026-03-01")


def test_rejects_of_a_reason_are_counted_by_what_they_are_from(filled: Lake) -> None:
    run = filled.warehouse.run
    run("insert into LOADS (LOAD_ID, KIND, SOURCE, STATUS) values ('l2', 'crm', 'sqlite', 'done')")
    for load, reason in (("l2", "no longitude"), ("l2", None), ("l2", None)):
        run("insert into REJECTS values (?, 1, ?, 'x')", (load, reason))
    quality = reading.found(filled.warehouse, filled.settings, 1, 1).quality
    assert (quality.reject_count, quality.reject_reasons) == (4, 3)
    assert [row[:3] for row in quality.rejects] == [
        ("crm", None, 2), ("crm", "no longitude", 1), ("geo", "no longitude", 1),
    ]  # fmt: skip
    assert (quality.dead_count, quality.dead_reasons) == (0, 0)


def test_an_empty_lake_makes_a_page(lake: Lake, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["--out", str(page)], lake.environment) == 0
    assert "There is no post in the lake yet" in page.read_text()


def test_posts_shown_caps_the_map_and_no_count(filled: Lake, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["--out", str(page), "--posts-shown", "0"], filled.environment) == 0
    data = data_of(page)
    assert data["dots"] == []
    assert sum(row[-1] for row in data["posts"]) == 2  # type: ignore[misc]


def test_what_was_told_of_each_post_is_read_for_the_truth(filled: Lake) -> None:
    found = reading.found(filled.warehouse, filled.settings, 1, 1)
    told = reading.told(filled.warehouse, found.source.as_of)
    assert told == {"1": ("customer", "c1"), "2": ("prospect", None)}


@pytest.mark.parametrize(
    ("options", "changes", "code", "words"),
    [
        pytest.param([], {}, 2, "--out", id="no file"),
        pytest.param(["--out", "/nowhere/page.html"], {}, 2, "no folder", id="no folder"),
        pytest.param(["--out", "P", "--posts-shown", "-1"], {}, 2, "posts-shown", id="a number"),
        pytest.param(["--out", "P", "--rehearsal", "."], {}, 2, "no record.json", id="rehearsal"),
        pytest.param(["--out", "P", "--truth", "none"], {}, 2, "no truth.jsonl", id="truth"),
        pytest.param(["--out", "P"], {"SNOWFLAKE_ACCOUNT": ""}, 2, "is not set", id="setting"),
        pytest.param(["--out", "P"], {"SNOWFLAKE_PASSWORD": "no"}, 4, "check SNOW", id="password"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    lake: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    changes: dict[str, str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(options, lake.environment | changes) == code
    told = capsys.readouterr()
    [line] = told.err.splitlines()
    assert line.startswith("report: error: ")
    assert words in line
    assert told.out == ""
    assert os.listdir(tmp_path) == []


def test_a_file_that_was_there_stays_whole_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BadInputError, match="No space left"):
        cli._write(page, b"new")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("page.html", "old")]
