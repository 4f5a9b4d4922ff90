"""Geo files from a bucket into the lake: each version once, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from application.bucket import Bucket, GeoFile
from application.errors import RefusedError
from application.geo_load import StoppedError, load_new, main
from application.loads import past
from application.stopping import Stop
from tests.application.geo_files import HEADER, never, put, quiet, row
from tests.application.loading import BUCKET, ROOT, Engines, Faulty, Twice, called

pytest_plugins = ["tests.application.lake_fixtures"]


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
