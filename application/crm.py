"""The CRM's database, and the only module that speaks SQLAlchemy."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from application.crm_records import Kind, Row
from application.errors import BadInputError, RefusedError, UnreachableError

CHUNK = 2_000  # rows
CONNECT_SECONDS = 10


class Crm:
    """One read-only connection, and one snapshot of the database, for one thread.

    Raise BadInputError for a URL that cannot be used, RefusedError where the database says no,
    UnreachableError where it gives no answer or is locked.
    """

    def __init__(self, address: str, password: str | None) -> None:
        url = parsed(address)
        self.name = url.render_as_string(hide_password=True)
        with self._plainly("connecting"):
            self._engine = _engine(url, password)
            try:
                self._connection = self._engine.connect()
                if self._engine.dialect.name == "sqlite":
                    # By itself each SELECT would see a moment of its own.
                    self._connection.exec_driver_sql("begin")
            except BaseException:
                self._engine.dispose()
                raise

    def __enter__(self) -> Crm:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(exc.SQLAlchemyError):
            self._connection.close()
        self._engine.dispose()

    def check(self, kinds: Sequence[Kind]) -> None:
        """Refuse a database that lacks a table (or view) or a column of these."""
        with self._plainly("looking at its tables"):
            inspector = sa.inspect(self._connection)
            for kind in kinds:
                if not inspector.has_table(kind.source):
                    raise BadInputError(
                        f"{self.name}: there is no table or view {kind.source}; create a view of "
                        f"that name with the columns {', '.join(kind.columns)}"
                    )
                there = {each["name"].lower() for each in inspector.get_columns(kind.source)}
                if missing := [name for name in kind.columns if name not in there]:
                    raise BadInputError(
                        f"{self.name}: {kind.source} lacks the column {', '.join(missing)}; "
                        "create a view with the columns by these names"
                    )

    def changed(self, kind: Kind, since: datetime | None) -> Iterator[Sequence[Row]]:
        """Read what changed at or after a time in UTC, all where that is None, in chunks.

        Rows come in the order of their change. Those whose time is missing or, in SQLite, is
        unknown to it always come.
        """
        updated: sa.ColumnClause[Any] = sa.column("updated_at")
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in kind.columns]
        query = sa.select(*columns).select_from(sa.table(kind.source))
        moment: sa.ColumnElement[Any] = updated
        bound: sa.ColumnElement[Any] = sa.literal(since)
        if self._engine.dialect.name == "sqlite":
            # SQLite keeps times as text; an offset in it is not in the order of the texts.
            moment = sa.func.julianday(updated)
            bound = sa.func.julianday(str(since))
        if since is not None:
            query = query.where(sa.or_(moment >= bound, moment.is_(None)))
        with self._plainly(f"reading {kind.source}"):
            result = self._connection.execution_options(yield_per=CHUNK).execute(
                query.order_by(moment)
            )
            for part in result.mappings().partitions():
                yield [dict(row) for row in part]

    @contextlib.contextmanager
    def _plainly(self, what: str) -> Iterator[None]:
        where = f"{self.name}, {what}"
        try:
            yield
        except ModuleNotFoundError as error:
            raise BadInputError(f"{where}: the driver {error.name} is not installed") from error
        except (exc.NoSuchModuleError, exc.ArgumentError) as error:
            raise BadInputError(
                f"{where}: CRM_URL names no database that is known here; "
                "write sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
            ) from error
        except exc.DBAPIError as error:
            told = " ".join(str(error.orig).split())[:300].rstrip(".")
            if "database is locked" in told:
                raise UnreachableError(
                    f"{where}: {told}; another program writes there, try again when it is done"
                ) from error
            # PostgreSQL's own word for a login that it answers with no.
            if isinstance(error, exc.OperationalError) and (
                error.connection_invalidated or (what == "connecting" and "FATAL" not in told)
            ):
                raise UnreachableError(f"{where}: {told}; check CRM_URL and the network") from error
            raise RefusedError(f"{where}: {told}; check {_suspect(told)}") from error


def parsed(address: str) -> sa.URL:
    """Read CRM_URL; never repeat it, for a password may stand in it."""
    try:
        url = sa.make_url(address)
    except (exc.ArgumentError, ValueError) as error:
        raise BadInputError(
            "CRM_URL cannot be read; write sqlite:///PATH or "
            "postgresql+psycopg://USER@HOST/DATABASE"
        ) from error
    if url.password is not None or any("password" in name.lower() for name in url.query):
        raise BadInputError(
            "CRM_URL holds a password, which logs and process lists would show; take it out, and "
            "set CRM_PASSWORD or mount crm_password.secret"
        )
    return url


def _engine(url: sa.URL, password: str | None) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            raise BadInputError(f"CRM_URL: there is no SQLite file {path}")
        # By itself SQLite would make an empty database of a name that is misspelt.
        read_only = f"{path.resolve().as_uri()}?mode=ro"
        return sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(read_only, uri=True, timeout=CONNECT_SECONDS),
            poolclass=sa.pool.NullPool,
        )
    arguments: dict[str, object] = {}
    if url.get_driver_name() == "psycopg":
        arguments = {
            "connect_timeout": CONNECT_SECONDS,
            # One moment for all three tables, and times without a zone are UTC.
            "options": "-c timezone=UTC -c default_transaction_read_only=on "
            "-c default_transaction_isolation=repeatable\\ read",
        }
    return sa.create_engine(
        url.set(password=password), connect_args=arguments, poolclass=sa.pool.NullPool
    )


def _suspect(told: str) -> str:
    if "password" in told or "authentication" in told:
        return "the user in CRM_URL, and CRM_PASSWORD"
    return "CRM_URL and what its user may read"
