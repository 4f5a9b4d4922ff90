"""Loaders that meet at one geo file: one loads it, and who hangs is taken over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from application.bucket import Bucket, GeoFile
from application.geo_load import due, load_id, load_new
from application.loads import HANGS_AFTER, Counts, Load, Past, claim, finish, keep_alive, now, past
from tests.application.geo_files import HEADER, NOON, never, put, quiet, row
from tests.application.loading import Engines

pytest_plugins = ["tests.application.lake_fixtures"]


def test_of_two_loaders_one_gets_the_file(engines: Engines) -> None:
    one = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", NOON)
    other = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", NOON + timedelta(microseconds=1))
    assert claim(engines.lake, one)
    assert not claim(engines.lake, other)
    # The one hangs: whoever saw that may take over, once.
    later = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", NOON + HANGS_AFTER)
    latest = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", NOON + 2 * HANGS_AFTER)
    assert claim(engines.lake, later, seen=one.started_at)
    assert not claim(engines.lake, latest, seen=one.started_at)


@pytest.mark.parametrize(
    ("lines", "statement"),
    [
        pytest.param([HEADER, row("a"), "bad"], "merge into ADDRESSES", id="before the rows"),
        pytest.param([HEADER, row("a"), "bad"], "merge into REJECTS", id="before the rejects"),
        pytest.param(["no header"], "merge into REJECTS", id="before the refusal"),
    ],
)
def test_who_was_taken_over_changes_nothing_any_more(
    engines: Engines, store: Any, bucket: Bucket, lines: list[str], statement: str
) -> None:
    put(store, "Geo1.dat", *lines)

    class Slow:
        def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
            if sql.strip().startswith(statement):
                [mine] = past(engines.lake, "geo")
                later = now() + HANGS_AFTER
                successor = Load(mine.id, "geo", mine.source, mine.etag, later)
                assert claim(engines.lake, successor, mine.started_at)
            return engines.lake.run(sql, values)

        def put(self, path: Path, stage: str) -> None:
            engines.lake.put(path, stage)

    load_new(bucket, Slow(), quiet(), never)
    assert engines.rows("select count(*) from ADDRESSES") == [(0,)]
    if statement == "merge into REJECTS":
        assert engines.rows("select count(*) from REJECTS") == [(0,)]
    assert engines.rows("select STATUS from LOADS") == [("running",)]


def test_a_load_that_takes_long_shows_that_it_is_alive(
    engines: Engines, store: Any, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.geo_load.SIGN_EVERY", timedelta(0))
    put(store, "Geo1.dat", HEADER, row("a"))
    signs = []

    class Watched:
        def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
            if sql.strip().startswith("merge into ADDRESSES"):
                [mine] = past(engines.lake, "geo")
                signs.append(mine.alive_at > mine.started_at)
            return engines.lake.run(sql, values)

        def put(self, path: Path, stage: str) -> None:
            engines.lake.put(path, stage)

    assert load_new(bucket, Watched(), quiet(), never).refused == 0
    assert signs == [True]


def test_who_gave_a_sign_of_life_is_not_taken_over(engines: Engines) -> None:
    old = now() - 2 * HANGS_AFTER
    slow = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", old)
    assert claim(engines.lake, slow)
    keep_alive(engines.lake, slow)
    quick = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", now())
    assert not claim(engines.lake, quick, seen=old)
    assert finish(engines.lake, slow, "done", Counts(1, 1))


def _past(etag: str, status: str, minutes: int, silent: int | None = None) -> Past:
    started = NOON - timedelta(minutes=minutes)
    alive = NOON - timedelta(minutes=minutes if silent is None else silent)
    return Past(load_id("s3://b/Geo1.dat", etag), "s3://b/Geo1.dat", etag, status, started, alive)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param([], True, id="new"),
        pytest.param([_past("v2", "done", 1)], False, id="loaded"),
        pytest.param([_past("v2", "failed", 1)], False, id="refused before"),
        pytest.param([_past("v2", "running", 1)], False, id="another loader is at it"),
        pytest.param([_past("v2", "running", 16)], True, id="another loader hangs"),
        pytest.param([_past("v2", "running", 60, 1)], False, id="another loader takes long"),
        pytest.param([_past("v1", "done", 1)], True, id="another version"),
        pytest.param([_past("v1", "running", 1)], False, id="another loader is at the old one"),
        pytest.param(
            [_past("v2", "done", 9), _past("v1", "done", 5)], True, id="an old version is back"
        ),
    ],
)
def test_what_is_due(known: list[Past], expected: bool) -> None:
    file = GeoFile("Geo1.dat", "v2", 1, NOON.replace(tzinfo=timezone.utc))
    found = due([file], known, lambda key: f"s3://b/{key}", NOON)
    assert [each.file for each in found] == [file] * expected


def test_a_load_ends_once(engines: Engines) -> None:
    load = Load("geo-1", "geo", "s3://b/Geo1.dat", "v1", NOON)
    assert claim(engines.lake, load)
    assert finish(engines.lake, load, "done", Counts(3, 2, 1))
    assert finish(engines.lake, load, "done", Counts(3, 2, 1))  # the answer was lost, say
    assert not finish(engines.lake, load, "failed", Counts())
    assert engines.rows("select ROWS_READ, ROWS_LOADED, ROWS_REJECTED from LOADS") == [(3, 2, 1)]
