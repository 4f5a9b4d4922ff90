"""Geo files from a bucket into the lake: each version once, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from application.bucket import Bucket, GeoFile
from application.errors import RefusedError
from application.geo_load import StoppedError, due, load_id, load_new, main
from application.loads import (
    HANGS_AFTER,
    Counts,
    Load,
    Past,
    claim,
    finish,
    keep_alive,
    now,
    past,
)
from application.stopping import Stop
from application.ticker import Ticker
from ctm.definition import load
from ctm.rehearse.conditions import Ending, holds
from ctm.rehearse.plan import If
from tests.application.loading import (
    BUCKET,
    ROOT,
    Engines,
    Faulty,
    Twice,
    assert_one_clear_line,
    called,
)

pytest_plugins = ["tests.application.lake_fixtures"]

HEADER = "LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH"
NOON = datetime(2026, 11, 25, 12)


def row(identity: str, number: int = 12, street: str = "Main Street") -> str:
    return f"-72.52,41.77,{number},{street},,Manchester,Hartford,CT,06040,,{identity}"


def put(store: Any, key: str, *lines: str) -> None:
    store.put_object(Bucket=BUCKET, Key=key, Body="\n".join(lines).encode())


def quiet() -> Ticker:
    return Ticker("geo_load", io.StringIO())


def never() -> bool:
    return False


def test_each_version_of_a_file_is_loaded_once(engines: Engines, store: Any) -> None:
    put(store, "in/Geo CT+1 é.dat", HEADER, row("a"), "bad", row("b", 13), row("a", 14))
    put(store, "in/notes.txt", "no geo file")
    ended = called(main, environment=engines.settings)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "4 rows read, 2 loaded, 2 rejected" in ended.stderr
    addresses = "select ADDRESS_ID, NUMBER, ADDRESS_KEY from ADDRESSES order by 1"
    assert engines.rows(addresses) == [
        ("a", "14", "14|MAIN ST||MANCHESTER|06040"),
        ("b", "13", "13|MAIN ST||MANCHESTER|06040"),
    ]
    assert engines.rows("select LINE, REASON, RECORD from REJECTS order by 1") == [
        (2, "line 5 has the same HASH and counts", "a"),
        (3, "11 fields are expected, 1 found", "bad"),
    ]
    assert engines.rows("select SOURCE, STATUS, ROWS_READ, ROWS_LOADED from LOADS") == [
        (f"s3://{BUCKET}/in/Geo CT+1 é.dat", "done", 4, 2)
    ]
    assert engines.rows("list @GEO_FILES") == []
    assert engines.rows("select count(*) from GEO_STAGE") == [(0,)]

    again = called(main, "--once", environment=engines.settings)
    assert (again.returncode, again.stderr) == (0, f"geo_load: nothing new in s3://{BUCKET}/\n")

    put(store, "in/Geo CT+1 é.dat", HEADER, row("a", 15))
    assert called(main, environment=engines.settings).returncode == 0
    assert [each[:2] for each in engines.rows(addresses)] == [("a", "15"), ("b", "13")]


def test_a_file_may_be_packed(engines: Engines, store: Any, bucket: Bucket) -> None:
    packed = gzip.compress(f"{HEADER}\n{row('a')}\n".encode())
    store.put_object(Bucket=BUCKET, Key="Geo1.dat", Body=packed)
    store.put_object(Bucket=BUCKET, Key="Geo2.dat", Body=packed[:-9])
    assert load_new(bucket, engines.lake, quiet(), never).refused == 1
    assert engines.rows("select ADDRESS_ID from ADDRESSES") == [("a",)]
    [(reason,)] = engines.rows("select REASON from REJECTS where LINE = 0")
    assert "its gzip breaks off" in reason


def test_a_refused_file_stops_no_other_and_changes_nothing(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", "LON,LAT", "1,2")
    put(store, "Geo2.dat", HEADER, row("a"))
    ended = called(main, environment=engines.settings)
    assert ended.returncode == 4
    [line] = [line for line in ended.stderr.splitlines() if "error" in line]
    assert f"s3://{BUCKET}/Geo1.dat: its header lacks NUMBER" in line
    assert engines.rows("select ADDRESS_ID from ADDRESSES") == [("a",)]
    assert engines.rows("select STATUS from LOADS where SOURCE like '%Geo1.dat'") == [("failed",)]


def test_a_refused_file_is_told_again_until_it_is_another(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", "LON,LAT", "1,2")
    assert called(main, environment=engines.settings).returncode == 4
    for _ in range(2):
        again = called(main, "--once", environment=engines.settings)
        assert again.returncode == 5
        assert again.stderr == (
            "geo_load: 1 file was refused before and has not changed: "
            f"s3://{BUCKET}/Geo1.dat; see REJECTS\n"
        )

    put(store, "Geo2.dat", "LON", "1")
    both = called(main, environment=engines.settings)
    assert both.returncode == 4
    refusal, before = both.stderr.splitlines()
    assert "Geo2.dat: its header lacks" in refusal
    assert "1 file was refused before" in before
    assert f"s3://{BUCKET}/Geo1.dat;" in before
    two = called(main, environment=engines.settings)
    assert two.returncode == 5
    assert "2 files were refused before and have not changed: " in two.stderr

    put(store, "Geo1.dat", HEADER, row("a"))
    store.delete_object(Bucket=BUCKET, Key="Geo2.dat")
    mended = called(main, environment=engines.settings)
    assert (mended.returncode, "refused" in mended.stderr) == (0, False)


@pytest.mark.parametrize("name", ["cust360", "cust360-os"])
def test_a_folder_goes_on_only_where_every_refusal_was_told_before(
    engines: Engines, store: Any, name: str
) -> None:
    content = load((ROOT / "ctm" / f"{name}.json").read_text(), name)
    job = next(each for each in content.values() if each.get("Type") == "Folder")["Geo-Load"]
    conditions = [
        If(each["Type"], each, ())
        for each in job.values()
        if isinstance(each, dict) and "Action:SetToOK" in str(each)
    ]

    def goes_on() -> bool:
        ended = called(main, "--once", environment=engines.settings)
        ending = Ending(ended.returncode == 0, ended.returncode, ended.stdout + ended.stderr)
        return ending.ok or any(holds(each, ending) for each in conditions)

    put(store, "Geo1.dat", "LON,LAT", "1,2")
    assert [goes_on(), goes_on()] == [False, True]
    put(store, "Geo2.dat", "LON", "1")
    assert [goes_on(), goes_on()] == [False, True]


def test_of_many_refused_files_the_first_are_named(engines: Engines, store: Any) -> None:
    for number in range(7):
        put(store, f"Geo{number}.dat", "no header")
    assert called(main, environment=engines.settings).returncode == 4
    [line] = called(main, environment=engines.settings).stderr.splitlines()
    assert "7 files were refused before and have not changed: " in line
    assert (line.count("s3://"), line[-16:]) == (5, ", …; see REJECTS")


def test_where_nothing_is_new_the_prefix_is_told(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))
    ended = called(main, environment={**engines.settings, "GEO_PREFIX": "in/"})
    assert (ended.returncode, ended.stderr) == (0, f"geo_load: nothing new in s3://{BUCKET}/in/\n")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([], "nothing new in s3://", id="nothing new"),
        pytest.param(["no header"], "1 file was refused before", id="refused before"),
    ],
)
def test_a_watch_tells_what_stays_as_it_is_once(
    engines: Engines, store: Any, monkeypatch: pytest.MonkeyPatch, lines: list[str], told: str
) -> None:
    if lines:
        put(store, "Geo1.dat", *lines)
        called(main, environment=engines.settings)
    waits = iter([False, False, True])
    monkeypatch.setattr("application.stopping.Stop.wait", lambda *_: next(waits))
    ended = called(main, "--watch", "1", environment=engines.settings)
    assert ended.returncode == 0
    [line] = ended.stderr.splitlines()
    assert told in line


def test_more_files_than_a_page_are_all_found(
    engines: Engines, store: Any, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engines
    for number in range(5):
        put(store, f"Geo{number}.dat", HEADER)
    client = bucket._client
    paginator = client.get_paginator("list_objects_v2")
    monkeypatch.setattr(
        client,
        "get_paginator",
        lambda _: _Paged(paginator),
    )
    assert [file.key for file in bucket.files()] == [f"Geo{number}.dat" for number in range(5)]


@dataclass(frozen=True)
class _Paged:
    paginator: Any

    def paginate(self, **arguments: Any) -> Any:
        return self.paginator.paginate(**arguments, PaginationConfig={"PageSize": 2})


@pytest.mark.parametrize(
    ("settings", "options", "code", "words"),
    [
        pytest.param({"SNOWFLAKE_USER": ""}, (), 2, ["SNOWFLAKE_USER is not set"], id="unset"),
        pytest.param({"SNOWFLAKE_PASSWORD": "no"}, (), 4, ["Incorrect username"], id="password"),
        pytest.param({}, ("--bucket", "not-there"), 4, ["not-there", "create it"], id="bucket"),
        pytest.param({}, ("--watch", "soon"), 2, ["'soon' is no number of seconds"], id="watch"),
        pytest.param({}, ("--often",), 2, ["--often", "see --help"], id="option"),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            (),
            3,
            ["S3 bucket", "check the network"],
            id="nobody there",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "where?"}, (), 2, ["check the AWS_ settings"], id="no URL"
        ),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    engines: Engines,
    settings: dict[str, str],
    options: Sequence[str],
    code: int,
    words: Sequence[str],
) -> None:
    ended = called(main, *options, environment={**engines.settings, **settings})
    assert_one_clear_line(ended, "geo_load: error: ", *words)
    assert ended.returncode == code


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        pytest.param({"SNOWFLAKE_USER": ""}, 2, id="bad settings"),
        pytest.param({"GEO_BUCKET": "not-there"}, 4, id="refused"),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            3,
            id="nobody there",
        ),
    ],
)
def test_the_exit_code_tells_the_kind_of_error(
    engines: Engines, settings: dict[str, str], code: int
) -> None:
    ended = engines.command("geo_load", **settings)
    assert_one_clear_line(ended, "geo_load: error: ")
    assert ended.returncode == code


def test_without_credentials_the_advice_is_to_set_them(engines: Engines, tmp_path: Path) -> None:
    settings = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    with mock.patch("boto3.DEFAULT_SESSION", None):
        ended = called(main, environment={**engines.settings, **settings})
    assert_one_clear_line(ended, "set AWS_ACCESS_KEY_ID")
    assert ended.returncode == 2


def test_a_missing_table_is_told_and_leaves_the_rest(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))
    engines.rows("alter table GEO_STAGE rename to ELSEWHERE")
    try:
        ended = called(main, environment=engines.settings)
    finally:
        engines.rows("alter table ELSEWHERE rename to GEO_STAGE")
    assert_one_clear_line(ended, "GEO_STAGE", "python -m application.lake")
    assert ended.returncode == 4
    assert engines.rows("select count(*) from ADDRESSES") == [(0,)]
    # Nothing is in the way of the next run.
    assert called(main, environment=engines.settings).returncode == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(1,)]


def test_the_watch_loads_what_comes_and_sigterm_ends_it_well(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))
    with subprocess.Popen(
        [sys.executable, "-m", "application.geo_load", "--watch", "1"],
        env={**os.environ, **engines.settings},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stderr is not None
        # A load that takes long tells how far it is first.
        assert any("1 loaded" in line for line in watching.stderr)
        put(store, "Geo2.dat", HEADER, row("b"))
        assert any("1 loaded" in line for line in watching.stderr)
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(60) == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(2,)]


def test_a_signal_before_the_first_file_is_no_success(
    engines: Engines, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))

    def asked(stop: Stop) -> bool:
        stop.signal = signal.SIGTERM
        return True

    monkeypatch.setattr(Stop, "asked", asked)
    ended = called(main, "--once", environment=engines.settings)
    assert ended.stderr == "geo_load: stopped; what is not loaded yet is left for the next run\n"
    assert ended.returncode == 128 + signal.SIGTERM
    monkeypatch.undo()
    assert called(main, "--once", environment=engines.settings).returncode == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(1,)]


# Of a load's 15 statements and uploads those that change most, and one after the last.
@pytest.mark.parametrize("step", [2, 6, 8, 9, 11, 14, 16])
def test_a_failure_at_any_step_loses_nothing_and_halves_nothing(
    engines: Engines, store: Any, bucket: Bucket, step: int
) -> None:
    put(store, "Geo1.dat", HEADER, row("a", 2), "bad", row("c", 2))
    engines.rows("insert into ADDRESSES (ADDRESS_ID, NUMBER) values ('a', '1'), ('b', '1')")
    addresses = "select ADDRESS_ID, NUMBER from ADDRESSES order by 1"
    old, new = [("a", "1"), ("b", "1")], [("a", "2"), ("b", "1"), ("c", "2")]
    faulty = Faulty(engines.lake, step)
    with contextlib.suppress(RefusedError):
        load_new(bucket, faulty, quiet(), never)
    assert faulty.failed == (step < 16)
    assert engines.rows(addresses) in (old, new)
    load_new(bucket, engines.lake, quiet(), never)
    assert engines.rows(addresses) == new
    assert engines.rows("select LINE from REJECTS") == [(3,)]
    assert engines.rows("select STATUS from LOADS") == [("done",)]


def test_every_step_may_be_sent_twice(engines: Engines, store: Any, bucket: Bucket) -> None:
    put(store, "Geo1.dat", HEADER, row("a", 1), "bad", row("a", 2))
    put(store, "Geo2.dat", "no header")
    assert load_new(bucket, Twice(engines.lake), quiet(), never).refused == 1
    assert engines.rows("select ADDRESS_ID, NUMBER from ADDRESSES") == [("a", "2")]
    assert engines.rows("select count(*) from GEO_STAGE") == [(0,)]
    found = engines.rows(
        "select SOURCE, STATUS, ROWS_LOADED, LINE, REASON from LOADS join REJECTS using (LOAD_ID) "
        "order by SOURCE, LINE"
    )
    assert [each[1:4] for each in found] == [("done", 1, 2), ("done", 1, 3), ("failed", 0, 0)]
    assert engines.rows("select count(*) from REJECTS") == [(3,)]


def test_characters_that_mean_something_to_copy_reach_the_lake(
    engines: Engines, store: Any, bucket: Bucket
) -> None:
    put(
        store,
        "Geo1.dat",
        HEADER,
        row("cr", street="Main\rStreet"),
        row("null", street="\\N"),
        row("back", street="Main\\"),
        row("tab", street='"a\t""b"", c"'),
        "bad\rrow",
        "\\N",
    )
    assert load_new(bucket, engines.lake, quiet(), never).refused == 0
    assert engines.rows("select ADDRESS_ID, STREET from ADDRESSES order by 1") == [
        ("back", "Main\\"),
        ("cr", "Main Street"),
        ("null", "\\N"),
        ("tab", 'a "b", c'),
    ]
    assert engines.rows("select RECORD from REJECTS order by LINE") == [("bad row",), ("\\N",)]


def test_a_stop_in_the_middle_leaves_the_file_to_the_next_run(
    engines: Engines, store: Any, bucket: Bucket
) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))
    looks = iter([False])
    with pytest.raises(StoppedError):
        load_new(bucket, engines.lake, quiet(), lambda: next(looks, True))
    assert engines.rows("select count(*) from ADDRESSES") == [(0,)]
    assert past(engines.lake, "geo") == []
    assert load_new(bucket, engines.lake, quiet(), never).refused == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(1,)]


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


def test_a_file_that_changes_while_it_is_fetched_is_left_for_later(
    engines: Engines, store: Any, bucket: Bucket
) -> None:
    put(store, "Geo1.dat", HEADER, row("a", 1))

    class Listed:
        address = staticmethod(bucket.address)
        download = staticmethod(bucket.download)

        @staticmethod
        def files() -> list[GeoFile]:
            found = bucket.files()
            put(store, "Geo1.dat", HEADER, row("a", 2))
            return found

    assert load_new(Listed(), engines.lake, quiet(), never).refused == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(0,)]
    assert load_new(bucket, engines.lake, quiet(), never).refused == 0
    assert engines.rows("select NUMBER from ADDRESSES") == [("2",)]


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
