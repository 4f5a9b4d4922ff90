"""The lake's SQL is Snowflake's, can run again at any time, and its views tell what is there."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from application import lake as lake_sql
from application.action import ANY_OFFER_DAYS, OFFER_DAYS, SERVICE_DAYS
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


def test_the_command_tells_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        lake_sql.main(["-h"])
    assert ended.value.code == 0
    assert "Create what is missing of the lake's tables and views" in capsys.readouterr().out


@pytest.mark.parametrize("argument", ["--drop", "-x", "word"])
def test_an_unknown_argument_is_told_in_one_line(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lake_sql.main([argument]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"lake: error: unrecognized arguments: {argument}; see --help"


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


def decided(number: int, day: int, *actions: Action) -> Decision:
    at = datetime(2026, 3, 1) + timedelta(days=day - 1)
    made = decision(number, created_at=f"{at:%Y-%m-%d}T00:00:00Z")
    return dataclasses.replace(made, actions=actions)


def call(number: int, day: int, subject: str = "c1") -> Decision:
    return decided(number, day, Action("service_call", subject, "why", None, SERVICE_DAYS))


def offer(number: int, day: int, product: str | None = "bonds", subject: str = "c1") -> Decision:
    return decided(number, day, Action("offer", subject, "why", product, OFFER_DAYS))


def agree(lake: Lake, *customers: str, contact: bool = True, marketing: bool = True) -> None:
    for each in customers:
        lake.warehouse.run(
            "insert into CUSTOMERS (CUSTOMER_ID, CONTACT_CONSENT, MARKETING_CONSENT) "
            "values (?, ?, ?)",
            (each, contact, marketing),
        )


def shown(lake: Lake) -> list[int]:
    rows = lake.warehouse.run("select TWEET_ID from ACTIONS order by TWEET_ID::int")
    return [int(post) for (post,) in rows]


def test_of_actions_under_one_cap_the_first_posts_is_shown(lake: Lake) -> None:
    agree(lake, "c1", "c2")
    lake.warehouse.merge([call(2, 10), call(1, 9), call(3, 11, subject="c2")])
    lake.warehouse.merge([decided(day, day, Action("none", "c1", "why")) for day in (12, 13)])
    assert shown(lake) == [1, 3, 12, 13]


def test_only_a_shown_action_hides_a_later_one(lake: Lake) -> None:
    agree(lake, "c1")
    lake.warehouse.merge([call(day, day) for day in (1, 6, 9, 14, 17, 24)])
    assert shown(lake) == [1, 9, 17, 24]


def test_only_a_shown_offer_hides_one_of_another_product(lake: Lake) -> None:
    agree(lake, "c1")
    lake.warehouse.merge([offer(1, 1, "bonds"), offer(14, 14, "college"), offer(20, 20, "managed")])
    assert shown(lake) == [1, 20]


def test_one_product_is_offered_again_after_30_days_whatever_came_between(lake: Lake) -> None:
    agree(lake, "c1")
    days = {1: "bonds", 15: "college", 29: "bonds", 30: "managed", 31: "bonds"}
    lake.warehouse.merge([offer(day, day, product) for day, product in days.items()])
    assert shown(lake) == [1, 15, 30]


def test_the_view_looks_as_far_back_as_the_caps_need() -> None:
    assert OFFER_DAYS <= 3 * ANY_OFFER_DAYS, "ACTIONS remembers the two latest offers"
    actions = (lake_sql.SQL / "012_actions.sql").read_text()
    assert f"LAST_PRODUCT, {ANY_OFFER_DAYS}, n.CAP_DAYS" in actions


def alone(offers: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return of the days and products that were decided on those that one consumer would offer."""
    made: list[tuple[int, str]] = []
    for day, what in offers:
        if all(
            day - before >= (OFFER_DAYS if what == other else ANY_OFFER_DAYS)
            for before, other in made
        ):
            made.append((day, what))
    return made


def test_what_is_shown_is_what_one_consumer_alone_would_have_offered(lake: Lake) -> None:
    rng = random.Random(7)
    every = [(day, what) for day in range(1, 62) for what in ("bonds", "college", "managed")]
    offers = {f"c{n}": sorted(rng.sample(every, rng.randrange(2, 9))) for n in range(60)}
    agree(lake, *offers)
    numbers = itertools.count()
    lake.warehouse.merge(
        [
            offer(next(numbers), day, what, subject)
            for subject, several in offers.items()
            for day, what in several
        ]
    )
    rows = lake.warehouse.run("select SUBJECT, POSTED_AT, PRODUCT from ACTIONS order by 1, 2, 3")
    first = datetime(2026, 3, 1)
    for subject, several in offers.items():
        found = [((at - first).days + 1, what) for who, at, what in rows if who == subject]
        assert found == alone(several), several


def test_calls_and_offers_are_shown_while_the_consent_lasts(lake: Lake) -> None:
    agree(lake, "calls", marketing=False)
    agree(lake, "offers", contact=False)
    people = ("calls", "offers", "deleted")
    lake.warehouse.merge([call(n, 1, each) for n, each in enumerate(people)])
    lake.warehouse.merge([offer(n, 1, subject=each) for n, each in enumerate(people, 10)])
    assert shown(lake) == [0, 11]


def test_a_family_is_proposed_while_it_is_one_of_customers(lake: Lake) -> None:
    agree(lake, "c1", contact=False, marketing=False)
    merge = [Action("household_merge", each, "why", None, 90) for each in ("c1", "deleted")]
    lake.warehouse.merge([decided(n, 1, each) for n, each in enumerate(merge)])
    assert shown(lake) == [0]


def test_a_general_answer_to_a_prospect_needs_no_consent(lake: Lake) -> None:
    lake.warehouse.merge([offer(1, 1, None, subject="author")])
    assert shown(lake) == [1]


def test_a_post_that_was_stored_twice_is_the_one_that_came_first(lake: Lake) -> None:
    lake.warehouse.merge([decision(1), decision(2)])
    [view] = lake_sql.statements((lake_sql.SQL / "010_posts.sql").read_text())
    # The embedded lake keeps the key of TWEETS, so that only a copy has a post twice.
    twice = (
        "(select TWEET_ID, RAW, LOADED_AT from TWEETS union all "
        "select TWEET_ID, parse_json('2'), dateadd(second, 1, LOADED_AT) from TWEETS)"
    )
    query = view.partition(" as\n")[2].replace("TWEETS", twice, 1)
    rows = lake.warehouse.run(query)
    assert sorted(row[0] for row in rows) == ["1", "2"]
    assert all("author" in row[1] for row in rows)


def test_the_views_read_each_post_once() -> None:
    for file in lake_sql.SQL.glob("01*.sql"):
        code = re.sub("--.*", "", file.read_text())
        assert ("TWEETS" in code) == (file.name == "010_posts.sql"), file.name


def test_people_read_who_it_is_how_they_feel_and_what_to_do(lake: Lake) -> None:
    run = lake.warehouse.run
    run(
        "insert into CUSTOMERS (CUSTOMER_ID, FIRST_NAME, LAST_NAME, MARKETING_CONSENT) "
        "values ('c1', 'Ann', 'Smith', true)"
    )
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
        "ACTIONS_SHOWN": 1,
    }
    assert {name: full[name] for name in told} == told
    assert (full["LON"], full["LAT"]) == (pytest.approx(-72.68), pytest.approx(41.765))
    assert (bare["LON"], bare["CUSTOMER"], bare["ACTION"]) == (None, None, None)
    assert bare["ACTIONS_SHOWN"] == 0


def test_people_read_the_first_action_and_how_many_are_shown(lake: Lake) -> None:
    lake.warehouse.run(
        "insert into CUSTOMERS (CUSTOMER_ID, CONTACT_CONSENT, MARKETING_CONSENT) "
        "values ('c1', true, false)"
    )
    call = Action("service_call", "c1", "they complain", None, 7)
    merge = Action("household_merge", "c1", "a family", None, 90)
    offer = Action("offer", "c1", "no consent any more", "bonds", 30)
    lake.warehouse.merge([dataclasses.replace(decision(1), actions=(offer, call, merge))])
    rows = lake.warehouse.run("select ACTION, WHY, ACTIONS_SHOWN from CUST360")
    assert rows == [("service_call", "they complain", 2)]


def test_the_files_are_numbered() -> None:
    files = [Path(file).name for file in lake_sql.SQL.glob("*.sql")]
    assert all(name[:3].isdecimal() and name[3] == "_" for name in files)
