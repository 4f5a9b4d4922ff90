"""Load new geo files into the lake: `python -m application.geo_load [--watch SECONDS]`.

A file is loaded once for each version of it (key and ETag). It is read, checked and staged line
by line; one MERGE then changes ADDRESSES, or nothing does. Files bring additions and corrections
only: an address that a later file leaves out stays.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn, Protocol

from application.bucket import Bucket, ChangedError, GeoFile
from application.errors import ApplicationError, BadInputError, Exit
from application.loads import (
    HANGS_AFTER,
    OWNED,
    Counts,
    Lake,
    Load,
    Past,
    claim,
    finish,
    keep_alive,
    now,
    past,
    reject_whole,
    release,
)
from application.openaddresses import Address, UnusableFileError, addresses
from application.settings import snowflake_settings
from application.stopping import Stop
from application.ticker import Ticker

NAME = "geo_load"
# No statement takes as long as HANGS_AFTER (application/warehouse.py gives it two minutes), so that
# signs of life between the statements, and while a file is fetched and read, are enough.
SIGN_EVERY = timedelta(minutes=1)
_LOOK_EVERY = 4096  # rows
_NAMED = 5  # files in one line
# By itself \N would be NULL. A tab is in no value, and an embedded warehouse takes no empty list.
_FORMAT = (
    "file_format = (type = csv field_optionally_enclosed_by = '\"' "
    "escape_unenclosed_field = none empty_field_as_null = false null_if = ('\t'))"
)
# Of the lines with one HASH the last counts.
_MERGE = f"""
merge into ADDRESSES t using (
    select
        ADDRESS_ID, LON, LAT, NUMBER, STREET, UNIT, CITY, REGION, POSTCODE, ADDRESS_KEY,
        sysdate() as LOADED_AT
    from GEO_STAGE
    where LOAD_ID = ? and {OWNED}
    qualify row_number() over (partition by ADDRESS_ID order by LINE desc) = 1
) s on t.ADDRESS_ID = s.ADDRESS_ID
when matched then update set
    LON = s.LON, LAT = s.LAT, NUMBER = s.NUMBER, STREET = s.STREET, UNIT = s.UNIT, CITY = s.CITY,
    REGION = s.REGION, POSTCODE = s.POSTCODE, ADDRESS_KEY = s.ADDRESS_KEY, LOADED_AT = s.LOADED_AT
when not matched then insert (
    ADDRESS_ID, LON, LAT, NUMBER, STREET, UNIT, CITY, REGION, POSTCODE, ADDRESS_KEY, LOADED_AT
) values (
    s.ADDRESS_ID, s.LON, s.LAT, s.NUMBER, s.STREET, s.UNIT, s.CITY, s.REGION, s.POSTCODE,
    s.ADDRESS_KEY, s.LOADED_AT
)
"""
# The attempt copies its rejects under a name of its own; here they become the load's.
_REJECT = f"""
merge into REJECTS t using (
    select ? as LOAD_ID, LINE, REASON, RECORD
    from (
        select LINE, REASON, RECORD from REJECTS where LOAD_ID = ?
        union all
        select LINE, 'line ' || LATER || ' has the same HASH and counts', ADDRESS_ID
        from (
            select
                LINE, ADDRESS_ID, lead(LINE) over (partition by ADDRESS_ID order by LINE) as LATER
            from GEO_STAGE
            where LOAD_ID = ?
        )
        where LATER > LINE
    )
    where {OWNED}
    qualify row_number() over (partition by LINE order by REASON) = 1
) s on t.LOAD_ID = s.LOAD_ID and t.LINE = s.LINE
when matched then update set REASON = s.REASON, RECORD = s.RECORD
when not matched then insert (LOAD_ID, LINE, REASON, RECORD)
values (s.LOAD_ID, s.LINE, s.REASON, s.RECORD)
"""
# What attempts before left: their rejects of the load, and copies that they could not clear away.
_CLEAR = f"delete from REJECTS where (LOAD_ID = ? or LOAD_ID like ?) and {OWNED}"


class Files(Protocol):
    """Where the files are: a Bucket."""

    def address(self, key: str) -> str: ...
    def files(self) -> list[GeoFile]: ...
    def download(self, file: GeoFile, into: BinaryIO, tell: Callable[[int], object]) -> None: ...


@dataclass(frozen=True)
class Due:
    """A file to load; seen is the start of an earlier attempt of the same version, if any."""

    file: GeoFile
    seen: datetime | None


class Look(NamedTuple):
    """What one look at the bucket found: files due, refused of them, and refused before."""

    due: int
    refused: int
    refused_before: tuple[str, ...]


class StoppedError(Exception):
    """A signal asked for an end before all files were loaded; the next run goes on."""


def load_id(address: str, etag: str) -> str:
    """Name the load of one version of one file, always the same."""
    return "geo-" + hashlib.sha256(f"{address} {etag}".encode()).hexdigest()[:16]


def due(
    files: Sequence[GeoFile], known: Sequence[Past], address: Callable[[str], str], at: datetime
) -> list[Due]:
    """Choose what to load: files whose latest load is of another version, or hangs.

    A file that another loader is at is left to it, whatever the version.
    """
    latest = _latest(known)
    found = []
    for file in files:
        last = latest.get(address(file.key))
        if last is not None:
            running = last.status == "running"
            if running and at - last.alive_at < HANGS_AFTER:
                continue
            if last.etag == file.etag and not running:
                continue
        identity = load_id(address(file.key), file.etag)
        starts = [each.started_at for each in known if each.id == identity]
        found.append(Due(file, max(starts, default=None)))
    return found


def refused_before(
    files: Sequence[GeoFile], known: Sequence[Past], address: Callable[[str], str]
) -> tuple[str, ...]:
    """Return the addresses of the files that were refused and are still what they were."""
    failed = [each for each in _latest(known).values() if each.status == "failed"]
    refused = {(each.source, each.etag) for each in failed}
    return tuple(address(file.key) for file in files if (address(file.key), file.etag) in refused)


def _latest(known: Sequence[Past]) -> dict[str, Past]:
    return {each.source: each for each in sorted(known, key=lambda each: each.started_at)}


def load_new(files: Files, lake: Lake, ticker: Ticker, stopped: Callable[[], bool]) -> Look:
    """Load what is due, the oldest first."""
    there, known = files.files(), past(lake, "geo")
    found, refused = due(there, known, files.address, now()), 0
    for each in found:
        if stopped():
            raise StoppedError
        source = files.address(each.file.key)
        load = Load(load_id(source, each.file.etag), "geo", source, each.file.etag, now())
        with _released_unless_ended(lake, load):
            if not claim(lake, load, each.seen):
                ticker.note(f"{source}: another loader has just begun with it")
                continue
            try:
                refused += not _load(each.file, load, files, lake, ticker, stopped)
            except ChangedError as error:
                release(lake, load)
                ticker.note(f"{error}; the next look at the bucket finds what it is now")
    return Look(len(found), refused, refused_before(there, known, files.address))


def _load(
    file: GeoFile, load: Load, files: Files, lake: Lake, ticker: Ticker, stopped: Callable[[], bool]
) -> bool:
    go_on = _between_steps(load, lake, stopped)

    def downloaded(done: int) -> None:
        ticker.moved(f"{load.source}: {done:,} of {file.size:,} bytes fetched")
        go_on()

    lake.run(_CLEAR, (load.id, f"{load.id}-%", load.id, str(load.started_at)))
    with tempfile.TemporaryDirectory(prefix="geo_load-") as name:
        folder = Path(name)
        with (folder / "file").open("wb") as into:
            files.download(file, into, downloaded)
        try:
            counts = _stage(folder, load, lake, ticker, go_on)
        except UnusableFileError as error:
            reject_whole(lake, load, str(error))
            finish(lake, load, "failed", Counts())
            ticker.note(f"error: {load.source}: {error}")
            return False
    if not finish(lake, load, "done", counts):
        ticker.note(f"{load.source}: this took so long that another loader has taken it over")
        return True
    ticker.note(
        f"{load.source}: {counts.read:,} rows read, {counts.loaded:,} loaded, "
        f"{counts.rejected:,} rejected" + (" (REJECTS tells why)" if counts.rejected else "")
    )
    return True


def _stage(
    folder: Path, load: Load, lake: Lake, ticker: Ticker, go_on: Callable[[], None]
) -> Counts:
    """Write what is good and what is not into files, copy both into the lake, and MERGE."""
    staged, rejects = folder / "addresses.csv.gz", folder / "rejects.csv.gz"
    with _opened(folder / "file") as source, written(staged) as good, written(rejects) as bad:
        read, rejected = _sort(source, load, good, bad, ticker, go_on)
    ticker.moved(f"{load.source}: {read:,} rows checked; staging")
    ours = (load.id, str(load.started_at))
    try:
        if rejected:
            _copy(rejects, "REJECTS", load, lake)
            go_on()
        if rejected < read:
            _copy(staged, "GEO_STAGE", load, lake)
            go_on()
        lake.run(_REJECT, (load.id, load.attempt, load.attempt, *ours))
        go_on()
        [(kept,)] = lake.run(
            "select count(distinct ADDRESS_ID) from GEO_STAGE where LOAD_ID = ?", (load.attempt,)
        )
        lake.run(_MERGE, (load.attempt, *ours))
    finally:
        for table in ("GEO_STAGE", "REJECTS"):
            with contextlib.suppress(ApplicationError):  # what is left has this attempt's name
                lake.run(f"delete from {table} where LOAD_ID = ?", (load.attempt,))
    return Counts(read, kept, read - kept)


def _sort(
    source: BinaryIO,
    load: Load,
    good: Callable[[Sequence[object]], object],
    bad: Callable[[Sequence[object]], object],
    ticker: Ticker,
    go_on: Callable[[], None],
) -> tuple[int, int]:
    read = rejected = 0
    try:
        for read, row in enumerate(addresses(source), start=1):
            if isinstance(row, Address):
                good((load.attempt, *row))
            else:
                rejected += 1
                bad((load.attempt, row.line, row.reason, row.record))
            if read % _LOOK_EVERY == 0:
                go_on()
                ticker.moved(f"{load.source}: {read:,} rows checked")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableFileError(f"its gzip breaks off or is damaged ({error})") from error
    return read, rejected


def _copy(path: Path, into: str, load: Load, lake: Lake) -> None:
    stage = f"GEO_FILES/{load.attempt}/{path.name.partition('.')[0]}"
    lake.put(path, stage)
    # All columns in the table's order: an embedded warehouse takes a list of nine at most.
    lake.run(f"copy into {into} from @{stage}/ {_FORMAT} purge = true")


@contextlib.contextmanager
def _released_unless_ended(lake: Lake, load: Load) -> Iterator[None]:
    """Give the file free when something else than the file itself ends its load."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ApplicationError):
            release(lake, load)
        raise


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        with gzip.open(plain, "rb") if packed else contextlib.nullcontext(plain) as source:
            yield source  # type: ignore[misc]  # a GzipFile reads like a file


@contextlib.contextmanager
def written(path: Path) -> Iterator[Callable[[Sequence[object]], object]]:
    """Write packed CSV, a line a row as long as no value holds a line end."""
    # The quickest level: the connector would pack at the slowest.
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8", newline="") as file:
        yield csv.writer(file, lineterminator="\n").writerow


def _between_steps(load: Load, lake: Lake, stopped: Callable[[], bool]) -> Callable[[], None]:
    """Return what to call between steps: it ends a load that is to stop, and shows it is alive."""
    shown = load.started_at

    def go_on() -> None:
        nonlocal shown
        if stopped():
            raise StoppedError
        if now() - shown >= SIGN_EVERY:
            keep_alive(lake, load)
            shown = now()

    return go_on


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; see --help")


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 86400")
    return float(text)


def _options(argv: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    parser = _Parser(prog=f"python -m application.{NAME}", description=__doc__.partition("\n")[0])
    often = parser.add_mutually_exclusive_group()
    often.add_argument("--once", action="store_true", help="load what is new, then end (default)")
    often.add_argument("--watch", type=_seconds, metavar="SECONDS", help="look again that often")
    parser.add_argument(
        "--bucket", default=environment.get("GEO_BUCKET") or "cust360-geo", help="or GEO_BUCKET"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run one command line; return 4 where a file was refused, 5 where all were before, or 0."""
    ticker = Ticker(NAME, sys.stderr)
    stop = Stop()
    stop.install()
    try:
        options = _options(sys.argv[1:] if argv is None else argv, environment)
        return _run(options, environment, ticker, stop)
    except StoppedError:
        ticker.note("stopped; what is not loaded yet is left for the next run")
        return int(Exit.DONE) if options.watch else 128 + stop.signal
    except KeyboardInterrupt:
        return 130
    except ApplicationError as error:
        ticker.note(f"error: {error}")
        return int(error.exit_code)


def _run(
    options: argparse.Namespace, environment: Mapping[str, str], ticker: Ticker, stop: Stop
) -> int:
    settings, prefix = snowflake_settings(environment), environment.get("GEO_PREFIX", "")
    bucket = Bucket(options.bucket, prefix)
    # The connector is slow to load, and a wrong setting is told without it.
    from application.warehouse import Warehouse

    with Warehouse(settings, stop=stop.asked) as lake:
        look = load_new(bucket, lake, ticker, stop.asked)
        # A watch tells this of its first look only.
        if rest := _rest(look, bucket.address(prefix)):
            ticker.note(rest)
        while options.watch and not stop.wait(options.watch):
            load_new(bucket, lake, ticker, stop.asked)
    # A watch has told of each file when it was refused; its end is no failure.
    well = options.watch or not (look.refused or look.refused_before)
    return int(Exit.DONE if well else Exit.REFUSED if look.refused else Exit.REFUSED_BEFORE)


def _rest(look: Look, where: str) -> str:
    """Say what is there besides what was due, or that nothing was; empty if there is no more."""
    count = len(look.refused_before)
    if count == 0:
        return "" if look.due else f"nothing new in {where}"
    were, have = ("1 file was", "has") if count == 1 else (f"{count:,} files were", "have")
    names = ", ".join((*look.refused_before[:_NAMED], "…")[:count])
    return f"{were} refused before and {have} not changed: {names}; see REJECTS"


if __name__ == "__main__":
    sys.exit(main())
