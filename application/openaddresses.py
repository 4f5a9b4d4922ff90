"""The format of the geo files: OpenAddresses' CSV, read and checked line by line.

A line is a row: a quote that is not closed spoils its own line and no other. Memory is bounded by
LONGEST_LINE, whatever a file holds.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from application.errors import BadInputError
from application.postal import address_key

# https://github.com/openaddresses/openaddresses: LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,
# POSTCODE,ID,HASH in any order; DISTRICT, ID and columns beyond these are not read.
NEEDED = ("LON", "LAT", "NUMBER", "STREET", "UNIT", "CITY", "REGION", "POSTCODE")
LONGEST_LINE = 65_536  # bytes
LONGEST_FIELD = 200  # characters
LONGEST_RECORD = 1_000  # characters of a rejected line that are kept
# The line ends of whatever reads the values next (a lone CR is one to COPY), and what none shows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BOM = b"\xef\xbb\xbf"
_GZIP_OR_ZIP = (b"\x1f\x8b", b"PK\x03\x04")


class UnusableFileError(BadInputError):
    """A whole file is refused: it is no CSV of these columns."""


class Address(NamedTuple):
    """One good row; id is its HASH, lon and lat are as they were written."""

    line: int
    id: str
    lon: str
    lat: str
    number: str
    street: str
    unit: str
    city: str
    region: str
    postcode: str
    key: str


@dataclass(frozen=True)
class Reject:
    """One bad row: where it stands, why it is not taken, and how it begins."""

    line: int
    reason: str
    record: str


@dataclass(frozen=True)
class Columns:
    """Where the columns stand; hash is None where a file has none."""

    count: int
    needed: tuple[int, ...]
    hash: int | None


def addresses(file: BinaryIO) -> Iterator[Address | Reject]:
    """Read a file; raise UnusableFileError before the first row, or where it breaks off."""
    lines = _lines(file)
    line = next((line for _, line in lines if line is None or line.strip()), b"")
    if line == b"":
        raise UnusableFileError("it is empty; a header line and rows are expected")
    columns = header(line)
    for number, line in lines:
        if line is None:
            yield Reject(number, f"the line is longer than {LONGEST_LINE} bytes", "")
        elif line.strip():
            yield checked(number, line, columns)


def header(line: bytes | None) -> Columns:
    """Find the columns by their names, in any case and order."""
    if line is None:
        raise UnusableFileError(f"its first line is longer than {LONGEST_LINE} bytes: no CSV")
    if line.startswith(_GZIP_OR_ZIP):
        raise UnusableFileError("it is packed twice, or as ZIP; gzip once, or not at all")
    try:
        fields = _split(line.removeprefix(_BOM).decode("utf-8"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableFileError("its header is no CSV in UTF-8; export it as UTF-8") from error
    names = [field.strip().upper() for field in fields]
    if "\0" in line.decode("utf-8"):
        raise UnusableFileError("its header holds NUL bytes, as UTF-16 does; export it as UTF-8")
    if missing := [name for name in NEEDED if name not in names]:
        shown = ", ".join(name[:20] for name in names[:12])
        raise UnusableFileError(
            f"its header lacks {', '.join(missing)} and has {shown or 'nothing'}; "
            "OpenAddresses' columns, with commas between them, are expected"
        )
    if twice := [name for name in (*NEEDED, "HASH") if names.count(name) > 1]:
        raise UnusableFileError(f"its header has {twice[0]} twice")
    return Columns(
        count=len(names),
        needed=tuple(names.index(name) for name in NEEDED),
        hash=names.index("HASH") if "HASH" in names else None,
    )


def checked(number: int, line: bytes, columns: Columns) -> Address | Reject:
    """Check one line that is not blank."""
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return _reject(number, line, f"byte {error.start + 1} is not UTF-8")
    if "\0" in text:
        return _reject(number, line, "it holds a NUL byte")
    try:
        fields = _split(_CONTROL.sub(" ", text))
    except csv.Error:
        return _reject(number, line, "a quote is not closed, or stands inside a field")
    if len(fields) != columns.count:
        return _reject(number, line, f"{columns.count} fields are expected, {len(fields)} found")
    values = [fields[index].strip() for index in columns.needed]
    if reason := _why_bad(values):
        return _reject(number, line, reason)
    lon, lat, house, street, unit, city, region, postcode = values
    key = address_key(house, street, unit, city, postcode)
    identity = fields[columns.hash].strip() if columns.hash is not None else ""
    if len(identity) > LONGEST_FIELD:
        return _reject(number, line, f"HASH has more than {LONGEST_FIELD} characters")
    return Address(
        line=number,
        id=identity or computed_id(key, lon, lat),
        lon=lon,
        lat=lat,
        number=house,
        street=street,
        unit=unit,
        city=city,
        region=region,
        postcode=key.rpartition("|")[2],
        key=key,
    )


def computed_id(key: str, lon: str, lat: str) -> str:
    """Identify an address that has no HASH: by its key, and by its position if that lacks a town.

    An address that a later file puts elsewhere is thereby moved, not doubled.
    """
    _, _, _, city, postcode = key.split("|")
    identity = key if city or postcode else f"{key}|{lon}|{lat}"
    return hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()


def _why_bad(values: list[str]) -> str:
    if max(map(len, values)) > LONGEST_FIELD:
        longest = NEEDED[max(range(len(values)), key=lambda index: len(values[index]))]
        return f"{longest} has more than {LONGEST_FIELD} characters"
    lon, lat, house, street, *_ = values
    if not _within(lon, 180):
        return f"LON {lon[:30]!r} is no longitude"
    if not _within(lat, 90):
        return f"LAT {lat[:30]!r} is no latitude"
    if not house:
        return "NUMBER is empty"
    return "" if street else "STREET is empty"


def _within(text: str, limit: float) -> bool:
    try:
        # Python reads 1_0 as a number; the warehouse does not. NaN is within nothing.
        return -limit <= float(text) <= limit and "_" not in text and text.isascii()
    except ValueError:
        return False


def _split(text: str) -> list[str]:
    if '"' not in text:
        return text.rstrip("\r\n").split(",")
    return next(csv.reader([text], strict=True))


def _reject(number: int, line: bytes, reason: str) -> Reject:
    text = line[: 4 * LONGEST_RECORD].decode("utf-8", "replace").rstrip("\r\n")
    return Reject(number, reason, _CONTROL.sub(" ", text)[:LONGEST_RECORD])


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines with their numbers from 1; one that is too long comes as None, unheld."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield number, None
