"""What changed in a CRM into the lake, the same from SQLite and from PostgreSQL."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from application.crm import Crm
from application.crm_extract import OVERLAP, StoppedError, extract, main, watermark
from application.crm_records import KINDS, BadRowError, Kind, Row, checked, stamp
from application.errors import RefusedError
from application.loads import Counts, now
from application.ticker import Ticker
from tests.application.crm_database import (
    CUSTOMERS,
    HOUSEHOLDS,
    MONDAY,
    PORTFOLIOS,
    Database,
    customer,
    fill,
    portfolio,
    postgresql,
    sqlite,
)
from tests.application.loading import Engines, Faulty, Twice, assert_one_clear_line, called

pytest_plugins = ["tests.application.lake_fixtures"]

PEOPLE = "select CUSTOMER_ID, FIRST_NAME, UPDATED_AT from CUSTOMERS order by 1"
LATER = MONDAY + dt.timedelta(hours=1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield stack.enter_context(sqlite(tmp_path_factory.mktemp("crm")))
        else:
            yield stack.enter_context(postgresql())


@pytest.fixture
def crm(database: Database) -> Database:
    fill(database)
    return database


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """Make a CRM for what does not depend on the database."""
    with sqlite(tmp_path) as database:
        fill(database)
        yield database


def never() -> bool:
    return False


def brought(crm: Database, engines: Engines, *, full: bool = False) -> Counts:
    with Crm(crm.settings["CRM_URL"], crm.settings.get("CRM_PASSWORD")) as source:
        ticker = Ticker("crm_extract", io.StringIO())
        return extract(source, engines.lake, ticker, never, full=full)


def test_the_command_brings_all_three_tables(engines: Engines, crm: Database) -> None:
    if "CRM_PASSWORD" in crm.settings:
        ended = engines.command("crm_extract", **crm.settings)
    else:
        ended = called(main, environment={**engines.settings, **crm.settings})
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "6 rows read, 6 merged, 0 rejected" in ended.stderr
    assert "right-one" not in ended.stderr
    assert engines.rows(
        "select CUSTOMER_ID, LAST_NAME, HANDLE, UNIT, ADDRESS_KEY from CUSTOMERS order by 1"
    ) == [
        ("1", "Reyes1", "ada1", "Apt 4", "12|MAIN ST|4|MANCHESTER|06040"),
        ("2", "Reyes2", None, None, "12|MAIN ST||MANCHESTER|06040"),
    ]
    rest = "HOUSEHOLD_ID, EMAIL, REGION, POSTCODE, CONTACT_CONSENT, MARKETING_CONSENT, UPDATED_AT"
    assert engines.rows(f"select distinct {rest} from CUSTOMERS") == [
        ("h1", None, "CT", "06040", True, False, MONDAY)
    ]
    assert engines.rows(
        "select CUSTOMER_ID, PRODUCT, BALANCE::float, OPENED_ON::varchar from PORTFOLIOS "
        "order by 1, 2"
    ) == [
        ("1", "bonds", 1234.5, "2020-02-29"),
        ("1", "college", 1234.5, "2020-02-29"),
        ("2", "managed", None, None),
    ]
    assert engines.rows("select HOUSEHOLD_ID, NAME, ADVISOR from HOUSEHOLDS") == [
        ("h1", "Reyes", "Lin")
    ]
    [(kind, source, status, mark)] = engines.rows(
        "select KIND, SOURCE, STATUS, WATERMARK from LOADS"
    )
    assert (kind, status, mark) == ("crm", "done", str(MONDAY))
    assert "right-one" not in source


def test_a_second_run_changes_nothing_and_reads_only_the_overlap(
    engines: Engines, crm: Database
) -> None:
    crm.put(CUSTOMERS, customer("old", updated_at=MONDAY - 2 * OVERLAP))
    brought(crm, engines)
    before = engines.rows(PEOPLE)
    assert brought(crm, engines).read == 6
    assert engines.rows(PEOPLE) == before
    assert brought(crm, engines, full=True).read == 7
    assert engines.rows(PEOPLE) == before


def test_what_changed_is_brought_and_only_what_is_newer(engines: Engines, file: Database) -> None:
    brought(file, engines)
    file.put(CUSTOMERS, customer("1", first_name="Eve", updated_at=LATER), customer("3"))
    brought(file, engines)
    new = [("1", "Eve", LATER), ("2", "Ada", MONDAY), ("3", "Ada", MONDAY)]
    assert engines.rows(PEOPLE) == new
    # A backup of an hour ago takes nothing back.
    file.put(CUSTOMERS, customer("1"))
    brought(file, engines, full=True)
    assert engines.rows(PEOPLE) == new


def test_a_row_that_was_committed_late_is_not_missed(engines: Engines, file: Database) -> None:
    brought(file, engines)
    file.put(CUSTOMERS, customer("late", updated_at=MONDAY - OVERLAP / 2))
    brought(file, engines)
    assert ("late",) in engines.rows("select CUSTOMER_ID from CUSTOMERS")


def test_a_deleted_customer_leaves_with_the_portfolios(engines: Engines, file: Database) -> None:
    brought(file, engines)
    # What is to go need not be right.
    file.put(CUSTOMERS, customer("1", deleted=True, first_name=None, updated_at=LATER))
    file.put(CUSTOMERS, customer("never there", deleted=True, updated_at=LATER))
    brought(file, engines)
    assert engines.rows("select CUSTOMER_ID from CUSTOMERS") == [("2",)]
    assert engines.rows("select CUSTOMER_ID from PORTFOLIOS") == [("2",)]
    file.put(PORTFOLIOS, portfolio("2", "managed", deleted=True, updated_at=LATER))
    brought(file, engines)
    assert engines.rows("select CUSTOMER_ID from PORTFOLIOS") == []


FUTURE = dt.datetime(2199, 1, 1)


def test_a_stamp_of_the_future_hides_nothing(engines: Engines, file: Database) -> None:
    file.put(CUSTOMERS, customer("1", updated_at=FUTURE), customer("2", updated_at=FUTURE))
    engines.rows(
        "insert into CUSTOMERS (CUSTOMER_ID, CONTACT_CONSENT, UPDATED_AT) values ('3', true, ?)",
        (str(FUTURE),),
    )
    before = now()
    brought(file, engines)
    with Crm(file.settings["CRM_URL"], file.settings.get("CRM_PASSWORD")) as source:
        mark = watermark(engines.lake, source.name)
    assert mark is not None
    assert before <= mark <= now()
    file.put(
        CUSTOMERS,
        customer("1", contact_consent=False, updated_at=now()),
        customer("2", deleted=True, updated_at=now()),
        customer("3", contact_consent=False, updated_at=now()),
    )
    brought(file, engines)
    consents = "select CUSTOMER_ID, CONTACT_CONSENT from CUSTOMERS order by 1"
    assert engines.rows(consents) == [("1", False), ("3", False)]


def test_a_change_within_the_same_second_is_brought(engines: Engines, file: Database) -> None:
    brought(file, engines)
    file.put(CUSTOMERS, customer("1", contact_consent=False))
    brought(file, engines)
    consents = "select CONTACT_CONSENT from CUSTOMERS where CUSTOMER_ID = '1'"
    assert engines.rows(consents) == [(False,)]


def test_portfolios_of_a_deleted_customer_do_not_come_back(
    engines: Engines, file: Database
) -> None:
    file.put(CUSTOMERS, customer("1", deleted=True))
    brought(file, engines)
    hours = now() - dt.timedelta(hours=1)
    file.put(PORTFOLIOS, portfolio("1", "bonds", updated_at=hours))
    file.run("delete from customers where customer_id = '1'")
    brought(file, engines)
    assert engines.rows("select CUSTOMER_ID from PORTFOLIOS") == [("2",)]


def test_what_the_crm_removed_without_a_mark_leaves_with_a_full_run(
    engines: Engines, file: Database
) -> None:
    brought(file, engines)
    file.put(HOUSEHOLDS, {"household_id": "h2", "name": "Lee", "updated_at": LATER})
    # What cannot be taken is there all the same.
    file.put(CUSTOMERS, customer("2", last_name=None, updated_at=LATER))
    for table in ("households where household_id = 'h1'", "customers where customer_id = '1'"):
        file.run(f"delete from {table}")
    file.run("delete from portfolios")
    brought(file, engines)
    everyone = "select CUSTOMER_ID from CUSTOMERS order by 1"
    assert engines.rows(everyone) == [("1",), ("2",)]
    brought(file, engines, full=True)
    assert engines.rows(everyone) == [("2",)]
    assert engines.rows("select HOUSEHOLD_ID from HOUSEHOLDS") == [("h2",)]
    # An empty table is no word about anybody.
    assert engines.rows("select CUSTOMER_ID, PRODUCT from PORTFOLIOS") == [("2", "managed")]
    file.put(PORTFOLIOS, portfolio("2", "Bonds"))
    brought(file, engines, full=True)
    assert engines.rows("select CUSTOMER_ID, PRODUCT from PORTFOLIOS") == [("2", "bonds")]


def test_a_full_run_that_breaks_off_removes_nobody(engines: Engines) -> None:
    ticker = Ticker("crm_extract", io.StringIO())
    rows = {"customers": [whole(customer("1")), whole(customer("2"))]}
    extract(Listed(rows), engines.lake, ticker, never)

    class Broken(Listed):
        def changed(self, kind: Kind, since: dt.datetime | None) -> Iterator[Sequence[Row]]:
            yield from super().changed(kind, since)
            if kind.source == "customers":
                raise RefusedError("gone")

    with pytest.raises(RefusedError, match="gone"):
        extract(
            Broken({"customers": rows["customers"][:1]}), engines.lake, ticker, never, full=True
        )
    assert engines.rows("select count(*) from CUSTOMERS") == [(2,)]


@pytest.mark.parametrize("year", [1, 1899, 2201, 9999])
@pytest.mark.parametrize("column", ["updated_at", "opened_on"])
def test_a_year_that_cannot_be_is_a_reject(column: str, year: int) -> None:
    with pytest.raises(BadRowError, match=f"{column} .* between the years 1900 and 2200"):
        checked(KINDS[1], portfolio("1", "bonds", **{column: dt.datetime(year, 2, 1)}))


def test_early_years_are_written_with_four_digits() -> None:
    assert stamp(dt.datetime(1, 2, 3)) == "0001-02-03 00:00:00.000000"
    values = checked(KINDS[1], portfolio("1", "bonds", opened_on=dt.datetime(1900, 1, 2, 3)))
    assert values["opened_on"] == "1900-01-02"


def test_bad_rows_are_kept_with_their_reason_and_without_the_person(
    engines: Engines, file: Database
) -> None:
    file.put(CUSTOMERS, customer("a", last_name=" "), customer("b", updated_at=None))
    file.put(CUSTOMERS, customer("c", city="C" * 300))
    file.put(PORTFOLIOS, portfolio("1", "lottery"))
    file.put(HOUSEHOLDS, {"household_id": "h2", "name": None, "updated_at": MONDAY})
    counts = brought(file, engines)
    assert (counts.read, counts.loaded, counts.rejected) == (11, 6, 5)
    assert sorted(engines.rows("select REASON, RECORD from REJECTS")) == [
        ("customers: city has more than 200 characters", "c"),
        ("customers: last_name is empty", "a"),
        ("customers: updated_at is empty", "b"),
        ("households: name is empty", "h2"),
        (
            "portfolios: product 'lottery' is none of "
            "bonds, brokerage, college, insurance, managed, retirement",
            "1/lottery",
        ),
    ]


def test_what_the_tables_lack_is_told_before_anything_is_written(
    engines: Engines, crm: Database
) -> None:
    crm.run("alter table portfolios rename to accounts")
    ended = called(main, environment={**engines.settings, **crm.settings})
    assert_one_clear_line(ended, "no table or view portfolios", "create a view")
    assert ended.returncode == 2
    crm.run("create view portfolios as select customer_id, product, balance from accounts")
    ended = called(main, environment={**engines.settings, **crm.settings})
    crm.run("drop view portfolios")
    crm.run("drop table accounts")
    assert_one_clear_line(ended, "portfolios lacks the column opened_on, updated_at, deleted")
    assert engines.rows("select count(*) from HOUSEHOLDS") == [(0,)]
    assert engines.rows("select count(*) from LOADS") == [(0,)]


class Listed:
    """A CRM in memory, whose rows all changed just now."""

    name = "listed"

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self._rows = rows

    def check(self, kinds: Sequence[Kind]) -> None: ...

    def changed(self, kind: Kind, since: dt.datetime | None) -> Iterator[Sequence[Row]]:
        assert since is None or since < MONDAY
        yield self._rows.get(kind.source, [])


def whole(row: dict[str, Any]) -> Row:
    return {**dict.fromkeys(CUSTOMERS.columns.keys()), **row}


# Of this full run: after the customers, after what is removed, and after the orphans.
@pytest.mark.parametrize("step", [8, 10, 12])
def test_after_a_failure_at_any_step_the_next_run_brings_all(engines: Engines, step: int) -> None:
    ticker = Ticker("crm_extract", io.StringIO())
    before: dict[str, list[Row]] = {
        "portfolios": [portfolio("1", "bonds"), portfolio("2", "bonds")],
        "customers": [whole(customer("1")), whole(customer("2"))],
    }
    extract(Listed(before), engines.lake, ticker, never)
    gone = whole(customer("1", deleted=True, updated_at=LATER))
    after = Listed(
        {
            "portfolios": [portfolio("1", "bonds"), portfolio("3", "bonds")],
            "customers": [gone, whole(customer("3")), whole(customer("4", last_name=None))],
        }
    )
    with pytest.raises(RefusedError, match="the answer is lost"):
        extract(after, Faulty(engines.lake, step), ticker, never, full=True)
    extract(after, Twice(engines.lake), ticker, never, full=True)
    assert engines.rows(PEOPLE) == [("3", "Ada", MONDAY)]
    assert engines.rows("select CUSTOMER_ID from PORTFOLIOS") == [("3",)]


def test_a_wrong_password_is_told_and_not_shown(
    engines: Engines, database: Database, tmp_path: Path
) -> None:
    if "CRM_PASSWORD" not in database.settings:
        pytest.skip("SQLite has no passwords")
    secret = tmp_path / "crm_password.secret"
    secret.write_text("hunter2\n")
    settings = {"CRM_URL": database.settings["CRM_URL"], "SECRETS": str(tmp_path)}
    ended = called(main, environment={**engines.settings, **settings})
    assert_one_clear_line(ended, "password authentication failed", "CRM_PASSWORD")
    assert "hunter2" not in ended.stderr
    assert ended.returncode == 4


def test_sqlite_may_hold_any_text_where_a_time_belongs(engines: Engines, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        fill(database)
        database.run("update customers set updated_at = 'yesterday' where customer_id = '1'")
        database.run("update customers set updated_at = '2026-11-02T09:00:00Z' "
                     "where customer_id = '2'")  # fmt: skip
        database.run("update portfolios set balance = 'much' where product = 'bonds'")
        database.run("update portfolios set opened_on = 'long ago' where product = 'college'")
        brought(database, engines)
    assert engines.rows(PEOPLE) == [("2", "Ada", MONDAY)]
    assert sorted(reason for (reason,) in engines.rows("select REASON from REJECTS")) == [
        "customers: updated_at 'yesterday' is no ISO time",
        "portfolios: balance 'much' is no number",
        "portfolios: opened_on 'long ago' is no ISO date",
    ]


def test_a_stop_between_chunks_leaves_the_mark_where_it_was(engines: Engines) -> None:
    row = {**dict.fromkeys(HOUSEHOLDS.columns.keys()), "household_id": "h", "name": "Reyes"}
    rows = {"households": [{**row, "updated_at": MONDAY}], "portfolios": [portfolio("1", "bonds")]}
    looks: Callable[[], bool] = iter([False, True]).__next__
    with pytest.raises(StoppedError):
        extract(Listed(rows), engines.lake, Ticker("crm_extract", io.StringIO()), looks)
    assert engines.rows("select STATUS from LOADS") == [("failed",)]
    assert watermark(engines.lake, "listed") is None
    assert engines.rows("select count(*) from PORTFOLIOS") == [(0,)]
