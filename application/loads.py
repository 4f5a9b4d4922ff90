"""The ledger of the loads: who loads what, what was loaded, and what was rejected.

An attempt is known by its load and by the microsecond of its start. Whoever takes over an attempt
that hangs gives the load another start, and from then on the old one changes nothing any more.
FINISHED_AT of an attempt that runs is its last sign of life. Every statement can run twice without
harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal, Protocol

from application.errors import RefusedError

# A loader that gave no sign of life for so long is taken for dead, and another one takes over.
HANGS_AFTER = timedelta(minutes=15)


class Lake(Protocol):
    """What a loader needs of the warehouse."""

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...
    def put(self, path: Path, stage: str) -> None: ...


@dataclass(frozen=True)
class Load:
    """One attempt to load one source as it is now; started_at is UTC, without a zone."""

    id: str
    kind: Literal["geo", "crm"]
    source: str
    etag: str
    started_at: datetime

    @property
    def attempt(self) -> str:
        """A name for what only this attempt may touch."""
        return f"{self.id}-{self.started_at:%Y%m%d%H%M%S%f}"


@dataclass(frozen=True)
class Past:
    """What the ledger says of a load; alive_at is its last sign of life."""

    id: str
    source: str
    etag: str
    status: str
    started_at: datetime
    alive_at: datetime


@dataclass(frozen=True)
class Counts:
    """Rows of one load; loaded are those that the lake holds because of it."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0


# Whether the attempt whose id and start are bound is still the one that counts.
OWNED = (
    "exists (select 1 from LOADS where LOAD_ID = ? "
    "and STARTED_AT = cast(? as timestamp_ntz) and STATUS = 'running')"
)
_CLAIM = """
merge into LOADS t using (
    select
        ? as LOAD_ID,
        ? as KIND,
        ? as SOURCE,
        ? as ETAG,
        cast(? as timestamp_ntz) as STARTED_AT,
        cast(? as timestamp_ntz) as SEEN,
        cast(? as timestamp_ntz) as DEAD_SINCE,
        'running' as STATUS
) s on t.LOAD_ID = s.LOAD_ID
when matched and t.STARTED_AT = s.SEEN
    and (t.STATUS <> 'running' or coalesce(t.FINISHED_AT, t.STARTED_AT) <= s.DEAD_SINCE)
    then update set STATUS = s.STATUS, STARTED_AT = s.STARTED_AT, FINISHED_AT = null
when not matched then insert (LOAD_ID, KIND, SOURCE, ETAG, STATUS, STARTED_AT)
values (s.LOAD_ID, s.KIND, s.SOURCE, s.ETAG, s.STATUS, s.STARTED_AT)
"""
# Written by the attempt that counts, or not at all.
_REJECT_WHOLE = """
merge into REJECTS t using (
    select LOAD_ID, 0 as LINE, ? as REASON, '' as RECORD from LOADS
    where LOAD_ID = ? and STARTED_AT = cast(? as timestamp_ntz) and STATUS = 'running'
) s on t.LOAD_ID = s.LOAD_ID and t.LINE = s.LINE
when matched then update set REASON = s.REASON
when not matched then insert (LOAD_ID, LINE, REASON, RECORD)
values (s.LOAD_ID, s.LINE, s.REASON, s.RECORD)
"""


def now() -> datetime:
    """Return the time as the ledger has it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def past(lake: Lake, kind: str) -> list[Past]:
    """Return what is known of the loads of this kind."""
    rows = lake.run(
        "select LOAD_ID, SOURCE, ETAG, STATUS, STARTED_AT, coalesce(FINISHED_AT, STARTED_AT) "
        "from LOADS where KIND = ?",
        (kind,),
    )
    return [Past(*row) for row in rows]


def claim(lake: Lake, load: Load, seen: datetime | None = None) -> bool:
    """Enter an attempt as running; tell whether it is ours, or another loader was quicker.

    seen is the start of the attempt that it replaces, None where the load is new. An attempt that
    gave a sign of life since then is not replaced.
    """
    values = (load.id, load.kind, load.source, load.etag, str(load.started_at))
    # A start of long ago is no load's: nothing is replaced.
    before = str(seen) if seen else "1970-01-01 00:00:00"
    refused = None
    try:
        lake.run(_CLAIM, (*values, before, str(load.started_at - HANGS_AFTER)))
    except RefusedError as error:  # so ends, on some warehouses, the slower of two
        refused = error
    starts = lake.run("select STARTED_AT from LOADS where LOAD_ID = ?", (load.id,))
    if refused and not starts:
        raise refused
    # Snowflake enforces no key: of two that came in at once the earlier one counts.
    return bool(starts) and min(start for (start,) in starts) == load.started_at


def keep_alive(lake: Lake, load: Load) -> None:
    """Give a sign of life, so that a load that takes long is not taken over."""
    lake.run(
        "update LOADS set FINISHED_AT = cast(? as timestamp_ntz) "
        "where LOAD_ID = ? and STARTED_AT = cast(? as timestamp_ntz) and STATUS = 'running'",
        (str(now()), load.id, str(load.started_at)),
    )


def finish(lake: Lake, load: Load, status: str, counts: Counts, watermark: str = "") -> bool:
    """Enter how the attempt ended; tell whether it was still ours to end."""
    ours = (load.id, str(load.started_at))
    lake.run(
        "update LOADS set STATUS = ?, ROWS_READ = ?, ROWS_LOADED = ?, ROWS_REJECTED = ?, "
        "WATERMARK = ?, FINISHED_AT = sysdate() "
        "where LOAD_ID = ? and STARTED_AT = cast(? as timestamp_ntz) and STATUS = 'running'",
        (status, counts.read, counts.loaded, counts.rejected, watermark, *ours),
    )
    return lake.run(
        "select STATUS from LOADS where LOAD_ID = ? and STARTED_AT = cast(? as timestamp_ntz)", ours
    ) == [(status,)]


def release(lake: Lake, load: Load) -> None:
    """Take an attempt out of the ledger that came to no end, so that the next one need not wait."""
    lake.run(
        "delete from LOADS where LOAD_ID = ? and STARTED_AT = cast(? as timestamp_ntz) "
        "and STATUS = 'running'",
        (load.id, str(load.started_at)),
    )


def reject_whole(lake: Lake, load: Load, reason: str) -> None:
    """Keep the reason for which a whole source was refused, as its line 0."""
    lake.run(_REJECT_WHOLE, (reason[:1000], load.id, str(load.started_at)))
