"""The embedded warehouse serves the real connector, keeps its tables, and fails when told to."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import errors

from misc.engines import snowflake as warehouse
from misc.engines.process import start
from tests.engines.waiting import gone, until

Settings = dict[str, str]


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with warehouse.embedded() as running:
        yield running


@contextlib.contextmanager
def connected(settings: Settings, **more: Any) -> Iterator[Any]:
    connection = snowflake.connector.connect(
        account=settings["SNOWFLAKE_ACCOUNT"],
        user=settings["SNOWFLAKE_USER"],
        host=settings["SNOWFLAKE_HOST"],
        port=int(settings["SNOWFLAKE_PORT"]),
        protocol=settings["SNOWFLAKE_PROTOCOL"],
        database=settings["SNOWFLAKE_DATABASE"],
        schema=settings["SNOWFLAKE_SCHEMA"],
        warehouse=settings["SNOWFLAKE_WAREHOUSE"],
        session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        **{"password": settings["SNOWFLAKE_PASSWORD"], "login_timeout": 5, **more},
    )
    try:
        yield connection
    finally:
        with contextlib.suppress(errors.Error):
            connection.close()


def answer(connection: Any, sql: str) -> Any:
    return connection.cursor().execute(sql).fetchall()


def test_the_database_and_the_schema_are_there(settings: Settings) -> None:
    with connected(settings) as connection:
        assert answer(connection, "select current_database(), current_schema()") == [
            ("CUST360", "PUBLIC")
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "use warehouse ANY",
        "create warehouse if not exists ANY with warehouse_size = 'XSMALL'",
        "alter warehouse ANY resume",
        "use role SYSADMIN",
        "create role if not exists READER",
        "grant select on table T to role READER",
    ],
)
def test_statements_about_warehouses_and_roles_do_nothing(
    settings: Settings, statement: str
) -> None:
    with connected(settings) as connection:
        assert answer(connection, statement) == [("Statement executed successfully.",)]


def test_what_alter_session_cannot_do_is_not_passed_over(settings: Settings) -> None:
    with (
        connected(settings) as connection,
        pytest.raises(errors.ProgrammingError, match="not implemented"),
    ):
        answer(connection, "alter session set TIMEZONE = 'UTC'")


def test_a_wrong_password_is_refused_at_once(settings: Settings) -> None:
    with (
        pytest.raises(errors.DatabaseError, match="Incorrect username or password") as refused,
        connected(settings, password="wrong"),
    ):
        pass
    assert refused.value.errno == 390100


@pytest.mark.embedded_snowflake
def test_rows_outlast_a_server_that_was_killed(tmp_path: Path) -> None:
    options = {
        "folder": str(tmp_path),
        "port": 0,
        "database": "CUST360",
        "schema": "PUBLIC",
        "password": "kept",
    }
    with (
        start("misc.engines.fakesnow_server", options) as engine,
        connected(engine.settings) as connection,
    ):
        answer(connection, "create table POSTS (ID varchar primary key, RAW variant)")
        answer(connection, "insert into POSTS select '1', parse_json('{\"a\": 1}')")
        os.kill(engine.pid, signal.SIGKILL)
        until(lambda: gone(engine.pid))
    with warehouse.embedded(tmp_path) as settings, connected(settings) as connection:
        assert answer(connection, "select ID, RAW:a::int from POSTS") == [("1", 1)]


def test_files_are_staged_and_loaded(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,one\n2,two\n", encoding="utf-8")
    with warehouse.troubled(settings) as trouble, connected(trouble.settings) as connection:
        answer(connection, "create or replace table ROWS_OF_FILE (ID int, NAME varchar)")
        answer(connection, "create or replace stage FILES")
        answer(connection, f"put file://{tmp_path}/rows.csv @FILES auto_compress=false")
        answer(connection, "copy into ROWS_OF_FILE from @FILES/rows.csv file_format=(type=csv)")
        assert answer(connection, "select count(*) from ROWS_OF_FILE") == [(2,)]


# -- troubles ------------------------------------------------------------------------------------


@pytest.fixture
def trouble(settings: Settings) -> Iterator[warehouse.Trouble]:
    with warehouse.troubled(settings) as ordered, connected(settings) as connection:
        answer(connection, "create or replace table SEEN (ID int)")
        yield ordered


def rows(settings: Settings) -> int:
    with connected(settings) as connection:
        count: int = answer(connection, "select count(*) from SEEN")[0][0]
        return count


def test_a_lost_answer_leaves_a_statement_that_ran(
    settings: Settings, trouble: warehouse.Trouble
) -> None:
    with connected(trouble.settings) as connection:
        trouble.lose_answer(matching="^insert")
        assert answer(connection, "select 1") == [(1,)]
        answer(connection, "insert into SEEN values (1)")
    # The connector asked again by itself, and the warehouse ran it again.
    assert rows(settings) == 2
    assert trouble.ran["INSERT"] == 2
    assert trouble.ordered == 0


@pytest.mark.parametrize("kind", ["cut", "unavailable"])
def test_what_fails_before_it_runs_is_asked_again_and_runs_once(
    settings: Settings, trouble: warehouse.Trouble, kind: str
) -> None:
    with connected(trouble.settings) as connection:
        getattr(trouble, kind)(matching="insert into seen")
        answer(connection, "insert into SEEN values (1)")
    assert rows(settings) == 1
    assert trouble.ran["INSERT"] == 1
    assert trouble.ordered == 0


def test_an_answer_can_come_late(settings: Settings, trouble: warehouse.Trouble) -> None:
    with connected(trouble.settings) as connection:
        trouble.delay(0.2, times=2)
        answer(connection, "insert into SEEN values (1)")
        assert trouble.ordered == 1
    assert rows(settings) == 1


def test_a_login_fails_only_when_it_is_asked_for(trouble: warehouse.Trouble) -> None:
    trouble.unavailable(times=1, matching="^login$")
    with connected(trouble.settings) as connection:
        assert answer(connection, "select 1") == [(1,)]
    assert trouble.ordered == 0


def test_who_is_refused_is_told_within_the_login_timeout(trouble: warehouse.Trouble) -> None:
    trouble.down()
    with (
        pytest.raises(errors.OperationalError, match="Could not connect"),
        connected(trouble.settings, login_timeout=2),
    ):
        pass
    trouble.up()
    with connected(trouble.settings) as connection:
        assert answer(connection, "select 1") == [(1,)]
