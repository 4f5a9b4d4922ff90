"""Bring what changed in the CRM into the lake: `python -m application.crm_extract [--full]`.

CRM_URL names a database with the tables or views customers, households and portfolios; their
columns are those of `application.crm_records`. Every row is merged by its key where it is at
least as new as the lake's, so that a run can be repeated at any time.

A run sees what is deleted by the column `deleted` only; rows that the CRM removes without that
mark leave the lake with --full, from each table that was read to its end and was not empty. No
portfolio stays without its customer: those of a customer whose row was rejected, and is mended
later than they changed, come with --full as well.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol

from application.crm_records import KINDS, BadRowError, Kind, Row, checked, identity, stamp
from application.errors import ApplicationError, BadInputError, Exit
from application.loads import Counts, Lake, Load, claim, finish, now, reject_whole
from application.settings import secret, snowflake_settings
from application.stopping import Stop
from application.ticker import Ticker

NAME = "crm_extract"
# A row is stamped when it is written and seen when it is committed: each run looks that far back
# behind the newest stamp of the last one. What is open for longer is brought by --full.
OVERLAP = timedelta(minutes=15)
# Rows a slice of a bind: see application/warehouse.py.
_SLICE = 32
_MOST = 10_000  # keys a statement
_TYPES = {
    "balance": "number(14, 2)",
    "opened_on": "date",
    "updated_at": "timestamp_ntz",
    "contact_consent": "boolean",
    "marketing_consent": "boolean",
    "deleted": "boolean",
    "line": "number",
}
_ROWS = """
    from (select parse_json(?) as BATCH) b,
        lateral flatten(input => b.BATCH) slice,
        lateral flatten(input => slice.value) f
"""
_REJECT = f"""
merge into REJECTS t using (
    select f.value:load_id::varchar as LOAD_ID, f.value:line::number as LINE,
        f.value:reason::varchar as REASON, f.value:record::varchar as RECORD
    {_ROWS}
) s on t.LOAD_ID = s.LOAD_ID and t.LINE = s.LINE
when not matched then insert (LOAD_ID, LINE, REASON, RECORD)
values (s.LOAD_ID, s.LINE, s.REASON, s.RECORD)
"""
# The portfolios of those who are gone, whether or not the CRM deletes them by itself.
_ORPHANS = "delete from PORTFOLIOS where CUSTOMER_ID not in (select CUSTOMER_ID from CUSTOMERS)"


class Source(Protocol):
    """Where the rows are: a Crm."""

    name: str

    def check(self, kinds: Sequence[Kind]) -> None: ...
    def changed(self, kind: Kind, since: datetime | None) -> Iterator[Sequence[Row]]: ...


class StoppedError(Exception):
    """A signal asked for an end; what was merged stays, and the next run repeats it."""


def merge_statement(kind: Kind) -> str:
    """Write the MERGE of one table: newer rows replace, deleted ones go, the rest is left.

    So do those of the same time, for a clock may count seconds. A time in the lake that is yet to
    come is wrong, and keeps nothing out.
    """
    columns = [name.upper() for name in kind.into]
    picked = ",\n".join(
        f"        f.value:{name}::{_TYPES.get(name, 'varchar')} as {name.upper()}"
        for name in (*kind.into, "deleted")
    )
    changes = ", ".join(f"{name} = s.{name}" for name in columns if name.lower() not in kind.key)
    newer = "(s.UPDATED_AT >= t.UPDATED_AT or t.UPDATED_AT > s.READ_AT)"
    return f"""
merge into {kind.target} t using (
    select
{picked},
        sysdate() as READ_AT
    {_ROWS}
) s on {_same(kind)}
when matched and s.DELETED and {newer} then delete
when matched and not s.DELETED and {newer} then update set {changes}
when not matched and not s.DELETED then insert ({", ".join(columns)})
values ({", ".join(f"s.{name}" for name in columns)})
"""


def removal_statement(kind: Kind) -> str:
    """Write the statement that takes rows out of one table by their keys."""
    picked = ", ".join(f"f.value:{name}::varchar as {name.upper()}" for name in kind.key)
    return f"""
merge into {kind.target} t using (select {picked} {_ROWS}) s on {_same(kind)}
when matched then delete
"""


def _same(kind: Kind) -> str:
    return " and ".join(f"t.{name.upper()} = s.{name.upper()}" for name in kind.key)


def extract(
    crm: Source, lake: Lake, ticker: Ticker, stopped: Callable[[], bool], *, full: bool = False
) -> Counts:
    """Merge what changed since the last run, and leave the mark for the next one."""
    crm.check(KINDS)
    last = watermark(lake, crm.name)
    load = Load(f"crm-{uuid.uuid4().hex[:16]}", "crm", crm.name, "", now())
    claim(lake, load)
    since = None if full or last is None else last - OVERLAP
    counts, newest = Counts(), last
    gone: dict[Kind, list[tuple[str, ...]]] = {}
    try:
        for kind in KINDS:
            # Before the rows: what another run brings meanwhile is not taken for gone.
            known = _keys(kind, lake) if full else set()
            found: set[tuple[str, ...]] = set()
            for chunk in crm.changed(kind, since):
                if stopped():
                    raise StoppedError
                found |= _identities(kind, chunk)
                counts, latest = _merge(kind, chunk, load, lake, counts)
                newest = max(filter(None, (newest, latest)), default=None)
                ticker.moved(f"{kind.source}: {counts.read:,} rows read")
            gone[kind] = sorted(known - found) if found else []
        for kind, keys in gone.items():
            if keys:
                _remove(kind, keys, lake)
                ticker.note(f"{kind.source}: the CRM has {len(keys):,} no more; they are removed")
        lake.run(_ORPHANS)
    except (ApplicationError, StoppedError) as error:
        with contextlib.suppress(ApplicationError):
            reject_whole(lake, load, str(error) or "stopped by a signal")
            finish(lake, load, "failed", counts)
        raise
    finish(lake, load, "done", counts, str(newest) if newest else "")
    return counts


def watermark(lake: Lake, source: str) -> datetime | None:
    """Return the newest stamp that earlier runs have brought, None before the first."""
    [(text,)] = lake.run(
        "select max(WATERMARK) from LOADS where KIND = 'crm' and SOURCE = ? and STATUS = 'done' "
        "and WATERMARK <> ''",
        (source,),
    )
    return datetime.fromisoformat(text) if text else None


def _keys(kind: Kind, lake: Lake) -> set[tuple[str, ...]]:
    return set(lake.run(f"select {', '.join(kind.key).upper()} from {kind.target}"))


def _identities(kind: Kind, rows: Sequence[Row]) -> set[tuple[str, ...]]:
    found = set()
    for row in rows:
        with contextlib.suppress(BadRowError):
            found.add(tuple(identity(kind, row).values()))
    return found


def _remove(kind: Kind, keys: Sequence[tuple[str, ...]], lake: Lake) -> None:
    rows = [dict(zip(kind.key, key, strict=True)) for key in keys]
    for start in range(0, len(rows), _MOST):
        lake.run(removal_statement(kind), (_batch(rows[start : start + _MOST]),))


def _merge(
    kind: Kind, chunk: Sequence[Row], load: Load, lake: Lake, counts: Counts
) -> tuple[Counts, datetime | None]:
    good: dict[tuple[str, ...], dict[str, Any]] = {}
    bad = []
    taken = 0
    for line, row in enumerate(chunk, counts.read + 1):
        try:
            values = checked(kind, row)
        except BadRowError as error:
            # Only the key: what is kept of a person is kept in one place.
            key = "/".join(str(row[name])[:100] for name in kind.key)
            reason = f"{kind.source}: {error}"
            bad.append({"load_id": load.id, "line": line, "reason": reason, "record": key})
            continue
        taken += 1
        # A time of the future would keep out what comes until then, here and in the next read.
        values["updated_at"] = min(values["updated_at"], stamp(load.started_at))
        # A key that stands there twice: the later row counts.
        good[tuple(values[name] for name in kind.key)] = values
    if good:
        lake.run(merge_statement(kind), (_batch(list(good.values())),))
    if bad:
        lake.run(_REJECT, (_batch(bad),))
    stamps = [datetime.fromisoformat(values["updated_at"]) for values in good.values()]
    return (
        Counts(counts.read + len(chunk), counts.loaded + taken, counts.rejected + len(bad)),
        max(stamps, default=None),
    )


def _batch(rows: Sequence[Mapping[str, Any]]) -> str:
    slices = [rows[start : start + _SLICE] for start in range(0, len(rows), _SLICE)]
    return json.dumps(slices, ensure_ascii=False, allow_nan=False)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; see --help")


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run one command line and return the exit code."""
    ticker = Ticker(NAME, sys.stderr)
    stop = Stop()
    stop.install()
    try:
        parser = _Parser(
            prog=f"python -m application.{NAME}", description=(__doc__ or "").partition("\n")[0]
        )
        parser.add_argument(
            "--full",
            action="store_true",
            help="read everything again, and remove what the CRM has no more",
        )
        options = parser.parse_args(sys.argv[1:] if argv is None else argv)
        return _run(options.full, environment, ticker, stop)
    except StoppedError:
        ticker.note("stopped; the next run begins where this one did")
        return 128 + stop.signal
    except KeyboardInterrupt:
        return 130
    except ApplicationError as error:
        ticker.note(f"error: {error}")
        return int(error.exit_code)


def _run(full: bool, environment: Mapping[str, str], ticker: Ticker, stop: Stop) -> int:
    address = environment.get("CRM_URL", "").strip()
    if not address:
        raise BadInputError(
            "CRM_URL is not set; write sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
        )
    settings = snowflake_settings(environment)
    from application.crm import Crm

    with Crm(address, secret("CRM_PASSWORD", environment)) as crm:
        crm.check(KINDS)
        # The connector is slow to load, and what the CRM lacks is told without it.
        from application.warehouse import Warehouse

        with Warehouse(settings, stop=stop.asked) as lake:
            counts = extract(crm, lake, ticker, stop.asked, full=full)
    ticker.note(
        f"{crm.name}: {counts.read:,} rows read, {counts.loaded:,} merged, "
        f"{counts.rejected:,} rejected" + (" (REJECTS tells why)" if counts.rejected else "")
    )
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
