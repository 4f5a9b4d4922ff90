"""CRMs that cannot be reached are told, and SQLite is read as any other."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from application.crm import Crm
from application.crm_extract import main
from application.crm_records import KINDS
from tests.application.crm_database import CUSTOMERS, MONDAY, customer, fill, sqlite
from tests.application.loading import Engines, assert_one_clear_line, called

pytest_plugins = ["tests.application.lake_fixtures"]


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        pytest.param("", 2, ["CRM_URL is not set"], id="unset"),
        pytest.param(
            "postgresql+psycopg://crm:hunter2@db/crm", 2, ["take it out", "CRM_PASSWORD"], id="told"
        ),
        pytest.param(
            "postgresql+psycopg://crm@db/crm?password=hunter2", 2, ["take it out"], id="in a query"
        ),
        pytest.param("crm:hunter2 at db", 2, ["CRM_URL cannot be read"], id="no URL"),
        pytest.param("cobol://crm@db/crm", 2, ["names no database that is known"], id="dialect"),
        pytest.param("mysql+pymysql://crm@db/crm", 2, ["pymysql is not installed"], id="driver"),
        pytest.param("sqlite:////no/such/crm.sqlite", 2, ["there is no SQLite file"], id="no file"),
        pytest.param(f"sqlite:///{__file__}", 4, ["file is not a database"], id="no database"),
        pytest.param(
            "postgresql+psycopg://crm@127.0.0.1:9/crm", 3, ["check CRM_URL"], id="nobody there"
        ),
    ],
)
def test_a_url_that_cannot_work_is_told_in_one_line(
    engines: Engines, url: str, code: int, words: Sequence[str]
) -> None:
    if code == 2 and url:  # one process for each kind of error is enough
        ended = called(main, environment={**engines.settings, "CRM_URL": url})
    else:
        ended = engines.command("crm_extract", CRM_URL=url)
    assert_one_clear_line(ended, *words)
    assert "hunter2" not in ended.stderr
    assert ended.returncode == code


def test_a_locked_database_is_told(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engines
    monkeypatch.setattr("application.crm.CONNECT_SECONDS", 0)
    with sqlite(tmp_path) as database:
        fill(database)
        path = database.settings["CRM_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("begin exclusive")
            from application.errors import UnreachableError

            with (
                pytest.raises(UnreachableError, match="database is locked; another program"),
                Crm(database.settings["CRM_URL"], None) as source,
            ):
                source.check(KINDS)


def test_sqlite_reads_times_with_an_offset_as_times(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        fill(database)
        # 13:30 in UTC, and before noon as a text.
        database.run("update customers set updated_at = '2026-11-02T08:30:00-05:00' "
                     "where customer_id = '1'")  # fmt: skip
        database.run("update customers set updated_at = '2026-11-02T13:30:00+05:00' "
                     "where customer_id = '2'")  # fmt: skip
        database.put(CUSTOMERS, customer("never"))
        database.run("update customers set updated_at = 'soon' where customer_id = 'never'")
        with Crm(database.settings["CRM_URL"], None) as source:
            chunks = source.changed(KINDS[2], MONDAY.replace(hour=12))
            found = [row["customer_id"] for chunk in chunks for row in chunk]
    assert found == ["never", "1"]


def test_sqlite_shows_all_tables_as_of_one_moment(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        fill(database)
        database.run("pragma journal_mode = wal")  # else a writer waits for the reader
        with Crm(database.settings["CRM_URL"], None) as source:
            assert [len(chunk) for chunk in source.changed(KINDS[0], None)] == [1]
            database.put(CUSTOMERS, customer("3"))
            assert [len(chunk) for chunk in source.changed(KINDS[2], None)] == [2]
