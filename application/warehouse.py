"""The data lake on Snowflake, and the only module that speaks to it.

A statement is tried again while its error heals (`heals`), on a new connection, until the budget
is spent. Every statement of this package can therefore run twice: DDL is `if not exists` or
`or replace`, and a write is a MERGE by key, so an answer that was lost does no harm.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import snowflake.connector
from snowflake.connector.errors import Error, InterfaceError, OperationalError

from application.errors import BadInputError, RefusedError, UnreachableError
from application.stopping import Patience

if TYPE_CHECKING:
    import pyarrow

    from application.records import Decision
    from application.settings import SnowflakeSettings

T = TypeVar("T")

# Seconds to give an engine that does not answer; the connector tries again within them as well.
BUDGET = 120.0
PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)
# Seconds between two looks whether the run is to end, while a statement is under way.
LOOK = 0.1

# One statement, one bind: the text of a statement may have 1 MB, a bind far more.
# https://docs.snowflake.com/en/user-guide/query-size-limits
MERGE = """
merge into TWEETS t using (
    select
        f.value:id::varchar as TWEET_ID,
        f.value:raw as RAW,
        f.value:result as RESULT,
        f.value:origin as ORIGIN,
        f.value:posted_at::timestamp_ntz as POSTED_AT
    from (select parse_json(?) as BATCH) b,
        lateral flatten(input => b.BATCH) slice,
        lateral flatten(input => slice.value) f
) s on t.TWEET_ID = s.TWEET_ID
when not matched then insert (TWEET_ID, RAW, RESULT, ORIGIN, POSTED_AT, LOADED_AT)
values (s.TWEET_ID, s.RAW, s.RESULT, s.ORIGIN, s.POSTED_AT, sysdate())
"""

# Rows a slice of the bind: FLATTEN also tells each row the whole that it is from (THIS), which an
# embedded warehouse builds; over slices that stays small.
SLICE = 32

# Errors that a later try may not meet, by Snowflake's and the connector's numbers.
HEALING = frozenset(
    {
        390103, 390104, 390111, 390112, 390113, 390114, 390115,  # the session is gone or expired
        604, 625, 630,  # cancelled, the lock of a table waited for too long, statement time-out
        250002, 250003, 250005, 251011, 251012,  # closed, no answer, HTTP time-outs
    }
)  # fmt: skip

# What to do about errors that no later try helps.
ADVICE = {
    390100: "check SNOWFLAKE_USER and its password, key or token",
    390144: "register the public half of SNOWFLAKE_PRIVATE_KEY_FILE with the user (RSA_PUBLIC_KEY)",
    390189: "grant the role to the user, or set another SNOWFLAKE_ROLE",
    390303: "renew SNOWFLAKE_TOKEN",
    390318: "renew SNOWFLAKE_TOKEN",
    606: "set SNOWFLAKE_WAREHOUSE",
    2003: "run `python -m application.lake` to create what is missing, or grant the role its use",
    2043: "run `python -m application.lake` to create what is missing, or grant the role its use",
    3001: "grant the role the privilege, or set another SNOWFLAKE_ROLE",
    90105: "run `python -m application.lake` to create the database",
}


class Warehouse:
    """One connection to the lake, for one thread at a time.

    Raise BadInputError for a login that cannot be used as it is written, RefusedError where the
    warehouse says no, UnreachableError where it gives no answer within budget seconds, or soon
    (`stopping.GRACE`) once stop tells that the run is to end.
    """

    def __init__(
        self,
        settings: SnowflakeSettings,
        budget: float = BUDGET,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._stop = stop
        self._connection: Any = None
        # The connector logs each retry, and its errors reach the user as one line anyway.
        logging.getLogger("snowflake").setLevel(logging.CRITICAL)
        self._insist("logging in", lambda *_: None)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement, its values bound to its question marks; return its rows."""
        return self._insist(
            _headline(sql),
            lambda cursor, left: cursor.execute(sql, values or None, timeout=left).fetchall(),
        )

    def script(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.run(statement)

    def arrow(self, sql: str) -> pyarrow.Table:
        """Run one query; return its columns, also when there is no row."""
        return self._insist(
            _headline(sql),
            lambda cursor, left: cursor.execute(sql, timeout=left).fetch_arrow_all(
                force_return_table=True
            ),
        )

    def merge(self, rows: Sequence[Decision]) -> None:
        """Store decisions whose posts are not in the lake yet, all of them or none.

        Of a post that stands twice among them the first is stored: a MERGE inserts both.
        """
        first = {row.post.id: row for row in reversed(rows)}
        if first:
            self.run(MERGE, (as_json(list(first.values())),))

    def put(self, path: Path, stage: str) -> None:
        """Upload a file into a stage, over one of the same name."""
        quoted = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
        self.run(f"put 'file://{quoted}' @{stage} overwrite = true")

    def _insist(self, what: str, attempt: Callable[[Any, int], T]) -> T:
        patience = Patience(self._budget, self._stop)
        for pause in _pauses():
            try:
                return self._attempt(attempt, patience)
            # An answer that is cut off in its middle comes as the transport's error, an OSError.
            except (Error, OSError) as error:
                self._drop()
                where = f"Snowflake ({self._address()}), {what}"
                if isinstance(error, Error) and not heals(error):
                    raise RefusedError(f"{where}: {why(error)}") from error
                if patience.left() < pause:
                    raise UnreachableError(
                        f"{where}: no answer within {patience.waited():.0f} s ({_told(error)}); "
                        "check the SNOWFLAKE_ settings and the network"
                    ) from error
            time.sleep(pause)
        raise AssertionError("the pauses never end")

    def _attempt(self, attempt: Callable[[Any, int], T], patience: Patience) -> T:
        """Run an attempt aside: the connector hears nothing of an end while it waits."""
        answer: Future[T] = Future()

        def run() -> None:
            try:
                if self._connection is None:
                    self._connection = self._connect(_whole(patience.left()))
                with self._connection.cursor() as cursor:
                    found = attempt(cursor, _whole(patience.left()))
                answer.set_result(found)
            except BaseException as error:  # noqa: BLE001 -- it is raised where it is waited for
                answer.set_exception(error)

        threading.Thread(target=run, name="statement", daemon=True).start()
        while not wait([answer], LOOK).done:
            if self._stop() and patience.left() < 0:
                raise OperationalError("the run is to end and the statement is under way")
        return answer.result()

    def _connect(self, left: int) -> Any:
        try:
            connection = snowflake.connector.connect(
                **login(self._settings),
                paramstyle="qmark",
                login_timeout=left,
                # Of what is no statement; a statement has the time that is left.
                network_timeout=3,
                # Else one pause grows over the life of the connection, to 16 s.
                backoff_policy=lambda: itertools.repeat(1),
                server_session_keep_alive=False,
                session_parameters={"QUERY_TAG": "customer-360"},
            )
        except (OSError, TypeError, ValueError) as error:
            if isinstance(error, OSError) and error.filename is None:
                raise  # the transport's, not the key file's
            raise BadInputError(
                f"SNOWFLAKE_PRIVATE_KEY_FILE {self._settings.private_key_file}: {error}; it must "
                "be a private key in PEM, and SNOWFLAKE_PRIVATE_KEY_PASSPHRASE must open it"
            ) from error
        connection.errorhandler = _raise_unless_cancelling
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It is given up: the other side ends its session by itself.
            with contextlib.suppress(Error):
                connection.close()

    def _address(self) -> str:
        settings = self._settings
        return f"{settings.host}:{settings.port}" if settings.host else settings.account


def login(settings: SnowflakeSettings) -> dict[str, Any]:
    """Return the connector's arguments that say where and as whom."""
    names = ("account", "user", "database", "schema", "warehouse", "role", "host", "port",
             "protocol", "token", "password", "private_key_file")  # fmt: skip
    given = {name: value for name in names if (value := getattr(settings, name)) is not None}
    if settings.private_key_file:
        given["authenticator"] = "SNOWFLAKE_JWT"
        if settings.private_key_passphrase:
            given["private_key_file_pwd"] = settings.private_key_passphrase
    elif settings.token:
        given["authenticator"] = "OAUTH"
    return given


def as_json(rows: Sequence[Decision]) -> str:
    """Return decisions as the JSON that MERGE takes apart: an array of arrays of rows."""
    slices = [
        [_row(row) for row in rows[start : start + SLICE]] for start in range(0, len(rows), SLICE)
    ]
    return orjson.dumps(slices).decode()


def _row(row: Decision) -> dict[str, Any]:
    match, sentiment, origin = row.match, row.sentiment, row.origin
    return {
        "id": row.post.id,
        "raw": orjson.Fragment(row.raw),
        "result": {
            "category": match.category,
            "confidence": match.confidence,
            "distance_m": match.distance_m,
            "address_id": match.address_id,
            "customer_id": match.customer_id,
            "household_id": match.household_id,
            "kin": match.kin,
            "evidence": match.evidence,
            "feeling": sentiment.feeling,
            "score": sentiment.score,
            "topics": sorted(row.topics),
            "actions": [
                {
                    "kind": action.kind,
                    "subject": action.subject,
                    "product": action.product,
                    "why": action.why,
                    "cap_days": action.cap_days,
                }
                for action in row.actions
            ],
        },
        "origin": {
            "topic": origin.topic,
            "partition": origin.partition,
            "offset": origin.offset,
            "published_at": origin.published_at and _utc(origin.published_at),
        },
        "posted_at": _utc(row.post.created_at),
    }


def _utc(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def heals(error: Error) -> bool:
    """Tell whether the same statement may succeed on a new connection a little later.

    The connector's classes tell a transport (OperationalError) from an answer; HTTP errors carry
    their status, alone or on top of 290000.
    """
    number = int(error.errno or -1)
    if number in HEALING:
        return True
    if number in ADVICE:
        return False
    status = number - 290_000 if number > 290_000 else number
    if status in (401, 408, 429) or 500 <= status < 600:
        return True
    return isinstance(error, (InterfaceError, OperationalError))


def why(error: Error) -> str:
    """Say in one line what the warehouse answered, and what to do about it."""
    advice = ADVICE.get(int(error.errno or -1))
    return _told(error) + (f"; {advice}" if advice else "")


def _told(error: Error | OSError) -> str:
    text = " ".join(str(getattr(error, "msg", error)).split())[:500].rstrip(".")
    return re.sub(r"^(\d{6} \(\w+\): )\1", r"\1", text)  # connector 5 says the number twice


def _headline(sql: str) -> str:
    """Name a statement by its first words, for a message."""
    return " ".join(sql.split()[:6])


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def _raise_unless_cancelling(
    connection: Any, cursor: Any, error_class: type[Error], details: dict[str, Any]
) -> None:
    """Raise an error of the connector, except from its timer.

    That cancels a statement that took too long; where it cannot, a traceback helps nobody.
    """
    if not isinstance(threading.current_thread(), threading.Timer):
        Error.default_errorhandler(connection, cursor, error_class, details)


def _pauses() -> Iterable[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]
