"""A CRM for tests: its schema and a few people, on any database that SQLAlchemy knows."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

metadata = sa.MetaData()
_PARTS = ("number", "street", "unit", "city", "region", "postcode")
CUSTOMERS = sa.Table(
    "customers",
    metadata,
    sa.Column("customer_id", sa.String, primary_key=True),
    *(sa.Column(name, sa.String) for name in ("first_name", "last_name", "handle")),
    *(sa.Column(name, sa.String) for name in ("email", "phone", *_PARTS, "household_id")),
    sa.Column("contact_consent", sa.Boolean),
    sa.Column("marketing_consent", sa.Boolean),
    sa.Column("updated_at", sa.DateTime),
    sa.Column("deleted", sa.Boolean),
)
HOUSEHOLDS = sa.Table(
    "households",
    metadata,
    sa.Column("household_id", sa.String, primary_key=True),
    sa.Column("name", sa.String),
    sa.Column("advisor", sa.String),
    sa.Column("updated_at", sa.DateTime),
    sa.Column("deleted", sa.Boolean),
)
PORTFOLIOS = sa.Table(
    "portfolios",
    metadata,
    sa.Column("customer_id", sa.String, primary_key=True),
    sa.Column("product", sa.String, primary_key=True),
    sa.Column("balance", sa.Numeric(14, 2)),
    sa.Column("opened_on", sa.Date),
    sa.Column("updated_at", sa.DateTime),
    sa.Column("deleted", sa.Boolean),
)
_INITDB = ("-U", "crm", "-A", "scram-sha-256", "--pwfile", "password", "--no-sync", "-E", "UTF8",
           "--locale", "C")  # fmt: skip
MONDAY = dt.datetime(2026, 11, 2, 9, 0)


@dataclass(frozen=True)
class Database:
    """A CRM that a test may write into; settings are what its reader is given."""

    engine: sa.Engine
    settings: dict[str, str]

    def put(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        """Write rows over those of the same key."""
        keys = [column.name for column in table.primary_key]
        with self.engine.begin() as connection:
            for row in rows:
                same = sa.and_(*(table.c[name] == row[name] for name in keys))
                connection.execute(sa.delete(table).where(same))
                connection.execute(sa.insert(table).values(row))

    def run(self, sql: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql))


def customer(customer_id: str, **values: Any) -> dict[str, Any]:
    """Make a customer of Manchester, all of whose columns are well."""
    return {
        "customer_id": customer_id,
        "first_name": "Ada",
        "last_name": f"Reyes{customer_id}",
        "handle": f"@ada{customer_id}",
        "number": "12",
        "street": "Main Street",
        "unit": "Apt 4",
        "city": "Manchester",
        "region": "CT",
        "postcode": "6040",
        "household_id": "h1",
        "contact_consent": True,
        "marketing_consent": False,
        "updated_at": MONDAY,
        "deleted": False,
        **values,
    }


def portfolio(customer_id: str, product: str, **values: Any) -> dict[str, Any]:
    """Make a portfolio of that product."""
    return {
        "customer_id": customer_id,
        "product": product,
        "balance": 1234.5,
        "opened_on": dt.date(2020, 2, 29),
        "updated_at": MONDAY,
        "deleted": False,
        **values,
    }


def fill(database: Database) -> None:
    """Make the tables anew, with two customers of one household and three portfolios."""
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    household = {"household_id": "h1", "name": "Reyes", "advisor": "Lin", "updated_at": MONDAY}
    database.put(HOUSEHOLDS, household)
    database.put(CUSTOMERS, customer("1"), customer("2", unit="", handle=None))
    database.put(PORTFOLIOS, portfolio("1", "bonds"), portfolio("1", "college"))
    database.put(PORTFOLIOS, portfolio("2", "managed", balance=None, opened_on=None))


@contextlib.contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """Keep the CRM in a file."""
    path = folder / "crm.sqlite"
    path.touch()
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool)
    yield Database(engine, {"CRM_URL": f"sqlite:///{path}"})
    engine.dispose()


@contextlib.contextmanager
def postgresql() -> Iterator[Database]:
    """Run a PostgreSQL of its own on 127.0.0.1, with a password; skip where there is none."""
    programs = _programs()
    if programs is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed here, and CI must test on it")
        pytest.skip("PostgreSQL is not installed here")
    password = "right-one"
    with tempfile.TemporaryDirectory(prefix="crm-") as name, socket.socket() as probe:
        folder = Path(name)
        # PostgreSQL refuses to run as root.
        user: Any = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
        if user:
            shutil.chown(folder, "nobody", "nogroup")
        (folder / "password").write_text(password)
        (folder / "password").chmod(0o644)
        subprocess.run(
            [f"{programs}/initdb", "-D", "data", *_INITDB],
            check=True,
            capture_output=True,
            cwd=folder,
            **user,
        )
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = [f"{programs}/pg_ctl", "-D", f"{folder}/data", "-w", "-t", "60"]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
        subprocess.run(
            [*server, "-o", options, "-l", f"{folder}/log", "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        url = sa.URL.create("postgresql+psycopg", "crm", None, "127.0.0.1", port, "postgres")
        engine = sa.create_engine(url.set(password=password), poolclass=sa.pool.NullPool)
        try:
            yield Database(engine, {"CRM_URL": url.render_as_string(), "CRM_PASSWORD": password})
        finally:
            engine.dispose()
            subprocess.run(
                [*server, "-m", "immediate", "stop"],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                **user,
            )


def _programs() -> Path | None:
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = Path(found).resolve() if found else (installed[-1] if installed else None)
    return path.parent if path else None
