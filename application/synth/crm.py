"""The CRM: a SQLite file with the tables that crm_extract reads."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from application.synth.people import Client

SCHEMA = """
create table households (household_id text primary key, name text, advisor text,
    updated_at text, deleted integer);
create table customers (customer_id text primary key, first_name text, last_name text,
    handle text, email text, phone text, number text, street text, unit text, city text,
    region text, postcode text, household_id text, contact_consent integer,
    marketing_consent integer, updated_at text, deleted integer);
create table portfolios (customer_id text, product text, balance numeric, opened_on text,
    updated_at text, deleted integer, primary key (customer_id, product));
"""
_ADVISORS = 6
# What hands and old systems leave in a CRM: ids, and what is wrong with them.
_SPOILT = (
    "insert into customers (customer_id, first_name, last_name, updated_at, deleted) "
    "values ('C-TEST', 'Test', '', ?, 0)",
    "insert into portfolios values ('C-TEST', 'crypto', 10, '2020-01-02', ?, 0)",
    "insert into portfolios values ('C-TEST', 'bonds', 'n/a', '2020-01-02', ?, 0)",
    "insert into portfolios values ('C-TEST', 'managed', 10, '31.12.2019', ?, 0)",
)


def write(
    path: Path,
    clients: Iterable[Client],
    handles: Mapping[str, str],
    until: datetime,
    chance: random.Random,
) -> int:
    """Write the customers with what the CRM knows of their handles; return how many there are.

    A few rows are no good, as in life, and belong to nobody.
    """
    path.unlink(missing_ok=True)
    households: dict[str, str] = {}
    count = 0
    with closing(sqlite3.connect(path)) as crm, crm:
        crm.executescript(SCHEMA)
        for each in clients:
            count += 1
            if each.household_id:
                households.setdefault(each.household_id, each.last)
            at = _before(until, 900, chance)
            number, street, unit, city, region, postcode = each.address
            phone = f"(860) 555-{chance.randrange(100, 200):04}"  # numbers that are nobody's
            crm.execute(
                f"insert into customers values ({', '.join('?' * 17)})",
                (each.id, each.first, each.last, handles.get(each.id),
                 f"{each.id.lower()}@example.com", phone, number, street, unit, city, region,
                 postcode, each.household_id, each.contact_consent, each.marketing_consent, at,
                 each.deleted),
            )  # fmt: skip
            for product in each.products:
                balance = round(chance.lognormvariate(9.8, 1.2), 2)
                opened = _before(until, 5000, chance)[:10]
                crm.execute(
                    "insert into portfolios values (?, ?, ?, ?, ?, ?)",
                    (each.id, product, balance, opened, at, each.deleted),
                )
        for household, name in households.items():
            advisor = f"Advisor {chance.randrange(_ADVISORS) + 1}"
            crm.execute(
                "insert into households values (?, ?, ?, ?, 0)",
                (household, f"{name} household", advisor, _before(until, 900, chance)),
            )
        for statement in _SPOILT:
            crm.execute(statement, (_before(until, 900, chance),))
    return count


def _before(until: datetime, days: int, chance: random.Random) -> str:
    """Return a time of the days before, as the CRM writes it: UTC."""
    at = until - timedelta(seconds=chance.randrange(3600, days * 86400))
    return at.strftime("%Y-%m-%d %H:%M:%S")
