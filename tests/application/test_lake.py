"""The lake's SQL is Snowflake's, can run again at any time, and its views tell what is there."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from application import lake as lake_sql
from application.action import ANY_OFFER_DAYS
from application.errors import BadInputError
from application.records import Action, Decision, Match
from application.settings import SnowflakeSettings
from application.warehouse import MERGE
from tests.application.conftest import ROOT, Lake
from tests.application.messages import PLACE, decision

STATEMENTS = [
    pytest.param(statement, id=f"{file.name} {number}")
    for file in sorted(lake_sql.SQL.glob("*.sql"))
    for number, statement in enumerate(lake_sql.statements(file.read_text()), 1)
]


@pytest.mark.parametrize("sql", [*STATEMENTS, pytest.param(MERGE, id="MERGE")])
def test_each_statement_is_one_of_snowflakes_dialect(sql: str) -> None:
    [parsed] = sqlglot.parse(sql, dialect="snowflake")
    assert isinstance(parsed, (exp.Create, exp.Merge)), "what is not understood is a Command"


@pytest.mark.parametrize("sql", STATEMENTS)
def test_each_statement_can_run_again(sql: str) -> None:
    head = " ".join(sql.lower().split()[:5])
    assert "if not exists" in head or head.startswith("create or replace view")


def test_statements_end_where_a_line_does() -> None:
    text = "-- a; comment\nselect ';';\n\nselect 2\n;\n"
    assert lake_sql.statements(text) == ["select ';'", "select 2"]


def test_the_command_applies_each_file_and_keeps_what_is_there(lake: Lake) -> None:
    lake.warehouse.merge([decision(1)])
    ended = subprocess.run(
        [sys.executable, "-m", "application.lake"],
        cwd=ROOT,
        env=os.environ | lake.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    names = [file.name for file in sorted(lake_sql.SQL.glob("*.sql"))]
    assert ended.stderr.splitlines() == [f"lake: {name} applied" for name in names]
    assert lake.warehouse.run("select count(*) from CUST360") == [(1,)]


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        pytest.param({"SNOWFLAKE_ACCOUNT": ""}, 2, "SNOWFLAKE_ACCOUNT is not set", id="setting"),
        pytest.param({"SNOWFLAKE_PASSWORD": "no"}, 4, "check SNOWFLAKE_USER", id="password"),
    ],
)
def test_a_lake_that_cannot_be_had_is_told_in_one_line(
    lake: Lake, settings: dict[str, str], code: int, told: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "application.lake"],
        cwd=ROOT,
        env=os.environ | lake.environment | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code
    [line] = ended.stderr.splitlines()
    assert line.startswith("lake: error: ")
    assert told in line


class Session:
    """A session that finds this database and schema."""

    def __init__(self, database: str | None, schema: str | None) -> None:
        self._found = (database, schema)
        self.ran: list[str] = []

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        if sql.startswith("select"):
            return [self._found]
        self.ran.append(sql)
        return []


@pytest.mark.parametrize(
    ("found", "ran"),
    [
        pytest.param(("D", "S"), [], id="both are there"),
        pytest.param(
            ("D", None),
            ["create schema if not exists D.S", "use schema D.S"],
            id="no schema",
        ),
        pytest.param(
            (None, None),
            [
                "create database if not exists D",
                "create schema if not exists D.S",
                "use schema D.S",
            ],
            id="no database",
        ),
    ],
)
def test_database_and_schema_are_created_where_there_are_none(
    found: tuple[str | None, str | None], ran: list[str]
) -> None:
    session = Session(*found)
    lake_sql.ensure_database(session, SnowflakeSettings("a", "u", database="D", schema="S"))
    assert session.ran == ran


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(BadInputError, match="SNOWFLAKE_DATABASE"):
        lake_sql.ensure_database(
            Session(None, None), SnowflakeSettings("a", "u", database="D; drop table T")
        )


def call(number: int, day: int, cap_days: int = 30, subject: str = "c1") -> Decision:
    made = decision(number, created_at=f"2026-03-{day:02}T00:00:00Z")
    return dataclasses.replace(
        made, actions=(Action("service_call", subject, "why", None, cap_days),)
    )


def offer(number: int, day: int, product: str) -> Decision:
    made = decision(number, created_at=f"2026-03-{day:02}T00:00:00Z")
    return dataclasses.replace(made, actions=(Action("offer", "c1", "why", product, 30),))


def test_of_actions_under_one_cap_the_first_posts_is_shown(lake: Lake) -> None:
    lake.warehouse.merge([call(2, 10), call(1, 9), call(3, 11, subject="c2")])
    lake.warehouse.merge([call(4, 12, cap_days=0), call(5, 13, cap_days=0)])
    shown = lake.warehouse.run("select TWEET_ID from ACTIONS order by TWEET_ID")
    assert shown == [("1",), ("3",), ("4",), ("5",)]


def test_an_action_is_shown_again_when_its_cap_has_run_out(lake: Lake) -> None:
    lake.warehouse.merge([call(1, 1, cap_days=7), call(2, 8, cap_days=7)])
    assert lake.warehouse.run("select count(*) from ACTIONS") == [(2,)]


def test_offers_of_two_products_are_two_weeks_apart(lake: Lake) -> None:
    lake.warehouse.merge([offer(1, 1, "bonds")])
    lake.warehouse.merge([offer(2, ANY_OFFER_DAYS, "college")])
    lake.warehouse.merge([offer(3, 2 * ANY_OFFER_DAYS, "insurance")])
    shown = lake.warehouse.run("select TWEET_ID from ACTIONS order by TWEET_ID")
    assert shown == [("1",), ("3",)]


def test_people_read_who_it_is_how_they_feel_and_what_to_do(lake: Lake) -> None:
    run = lake.warehouse.run
    run("insert into CUSTOMERS (CUSTOMER_ID, FIRST_NAME, LAST_NAME) values ('c1', 'Ann', 'Smith')")
    run(
        "insert into ADDRESSES (ADDRESS_ID, NUMBER, STREET, CITY, POSTCODE) "
        "values ('a1', '12', 'ELM ST', 'HARTFORD', '06103')"
    )
    run("insert into HOUSEHOLDS (HOUSEHOLD_ID, NAME) values ('h1', 'Smith')")
    made = decision(1, position=PLACE)
    match = Match("customer", 0.9, "the name", 5.0, "a1", "c1", "h1")
    nothing = decision(2, position=None)
    lake.warehouse.merge(
        [dataclasses.replace(made, match=match), dataclasses.replace(nothing, actions=())]
    )
    table = lake.warehouse.arrow("select * from CUST360 order by TWEET_ID").to_pylist()
    full, bare = table
    told = {
        "AUTHOR": "ann",
        "QUADRANT": "ctne",
        "CATEGORY": "customer",
        "CUSTOMER": "Ann Smith",
        "ADDRESS": "12 ELM ST, HARTFORD 06103",
        "HOUSEHOLD": "Smith",
        "FEELING": "positive",
        "ACTION": "offer",
        "PRODUCT": "bonds",
        "WHY": "because",
    }
    assert {name: full[name] for name in told} == told
    assert (full["LON"], full["LAT"]) == (pytest.approx(-72.68), pytest.approx(41.765))
    assert (bare["LON"], bare["CUSTOMER"], bare["ACTION"]) == (None, None, None)


def test_the_files_are_numbered() -> None:
    files = [Path(file).name for file in lake_sql.SQL.glob("*.sql")]
    assert all(name[:3].isdecimal() and name[3] == "_" for name in files)
