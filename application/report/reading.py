"""The lake, the rehearsal's folder and the truth, as the page's rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from application.errors import BadInputError, RefusedError
from application.report import queries
from application.report.data import Found, Quality, Row, Source, Span
from application.report.timescale import scale
from application.settings import SnowflakeSettings

# What a log's end may hold of the launcher's last words.
_TAIL = 65_536


class Lake(Protocol):
    """What answers queries: a Warehouse."""

    def run(self, sql: str, values: Sequence[object] = ()) -> list[Row]: ...


def found(lake: Lake, settings: SnowflakeSettings, dots: int, listed: int) -> Found:
    """Read what the page shows: at most so many posts on the map and actions of each kind."""
    [(now,)] = lake.run(queries.NOW)
    now = now.replace(tzinfo=None)
    as_of = str(now)
    source = Source(settings.account, settings.database, settings.schema, now)
    span = _span(lake, as_of)
    quality = _quality(lake)
    if span.posted is None or span.loaded is None:
        return Found(source, span, quality=quality)
    posted = (str(span.posted.start), span.posted.seconds, as_of)
    loaded = (str(span.loaded.start), span.loaded.seconds, as_of)
    return Found(
        source,
        span,
        posts=lake.run(queries.POSTS, posted),
        actions=lake.run(queries.ACTIONS, posted),
        dots=lake.run(queries.DOTS, (as_of, dots)),
        to_do=lake.run(queries.TO_DO, (as_of, listed)),
        kin=lake.run(queries.KIN, (listed,)),
        loaded=lake.run(queries.LOADED, loaded),
        published=lake.run(queries.PUBLISHED, loaded),
        lags=lake.run(queries.LAGS, (as_of,))[0],
        quality=quality,
    )


def told(lake: Lake, as_of: datetime) -> dict[str, tuple[str, str | None]]:
    """Return what the pipeline told of each post: its category and its customer."""
    rows = lake.run(queries.TOLD, (str(as_of),))
    return {post: (category, customer) for post, category, customer in rows}


def _span(lake: Lake, as_of: str) -> Span:
    try:
        [row] = lake.run(queries.SPAN, (as_of,))
    except RefusedError as error:
        # There is no view yet, or one of before it told when.
        if "CUST360" in str(error) or "_AT" in str(error):
            raise RefusedError(f"{error}; `python -m application.lake` renews the views") from error
        raise
    count, first, last, first_at, last_at, published, positioned = row
    if not count:
        return Span()
    return Span(
        count, scale(first, last), scale(first_at, last_at), published, positioned, first, last
    )


def _quality(lake: Lake) -> Quality:
    [(load_count,)] = lake.run(queries.LOAD_COUNTS)
    [(reject_count, reject_reasons)] = lake.run(queries.REJECT_COUNTS)
    quality = Quality(
        loads=lake.run(queries.LOADS),
        load_count=int(load_count),
        rejects=lake.run(queries.REJECTS),
        reject_count=int(reject_count),
        reject_reasons=int(reject_reasons),
    )
    if lake.run(queries.DEAD_TABLE) == [(0,)]:
        return quality
    [(dead_count, dead_reasons)] = lake.run(queries.DEAD_COUNTS)
    return replace(
        quality,
        dead=lake.run(queries.DEAD_LETTERS),
        dead_count=int(dead_count),
        dead_reasons=int(dead_reasons),
    )


def record(folder: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Return a rehearsal's record, and of each log by its name the launcher's last verdict."""
    path = folder / "record.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(
            f"--rehearsal {folder}: no record.json there ({error.strerror}); "
            "`python -m ctm.rehearse --out FOLDER` writes one"
        ) from error
    except ValueError as error:
        raise BadInputError(f"--rehearsal: {path} is not JSON: {error}") from error
    if not isinstance(told, dict) or told.get("version") != 1:
        raise BadInputError(f"--rehearsal: {path} is no record of version 1")
    logs = sorted((folder / "logs").glob("*.log"))
    return told, {log.stem: verdict for log in logs if (verdict := _verdict(log))}


def _verdict(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    verdicts = [line for line in lines if line.startswith("Verdict: ")]
    return verdicts[-1].removeprefix("Verdict: ") if verdicts else ""
