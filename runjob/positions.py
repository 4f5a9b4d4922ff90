"""How far a log was printed, as records that a kill between any two writes leaves readable.

Before a chunk goes to stdout a record says so (an intent), after it another one that it is done (a
commit). Records of one size take turns in two slots, each with a number and a checksum: while one
is being written, the other one stands.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Bytes of a slot; two snapshots of a LogCursor, a kilobyte at most each, fit in.
SIZE = 4096
_HEAD = struct.Struct(">IQI")  # checksum of all that follows, number, length of the text


@dataclass(frozen=True)
class Place:
    """A place in a regular file: its device and inode, and how many bytes stand before it.

    shared tells that something else of ours is written to that file too (2>&1).
    """

    device: int
    inode: int
    size: int
    shared: bool = False


@dataclass(frozen=True)
class Record:
    """All up to position was printed; with an intent, something after it is being printed.

    A position is the run of a container and a LogCursor's snapshot in that run's log, None before
    all. coming is the position after what is being printed: so many bytes with that checksum, to
    where place says, None for a stdout that is no regular file. skipped are the bytes between
    position and these, which were out before. doubt are bytes after position that may stand above,
    since an earlier launcher was killed while it printed them. prefix is put before each line, by
    whoever goes on too; None where that is not written down.
    """

    position: tuple[int, Mapping[str, Any]] | None = None
    coming: tuple[int, Mapping[str, Any]] | None = None
    bytes: int = 0
    checksum: int = 0
    place: Place | None = None
    skipped: int = 0
    doubt: int = 0
    prefix: str | None = None


@dataclass(frozen=True)
class Resumption:
    """Where to go on: after position, but so many bytes after it are out already.

    standing is what stands where the rest was to be printed, up to its length: as far as the log
    reads the same, it is out too. doubt are the bytes that may have been printed, or not.
    """

    position: tuple[int, Mapping[str, Any]] | None = None
    skipped: int = 0
    standing: bytes = b""
    doubt: int = 0


def encoded(number: int, record: Record) -> bytes:
    """Return a record as the bytes of a slot. Raises ValueError for one that does not fit."""
    text = json.dumps(asdict(record), separators=(",", ":")).encode()
    if len(text) > SIZE - _HEAD.size:
        raise ValueError(f"a position of {len(text)} bytes does not fit its record")
    body = struct.pack(">QI", number, len(text)) + text
    return (struct.pack(">I", zlib.crc32(body)) + body).ljust(SIZE, b"\0")


def decoded(slot: bytes) -> tuple[int, Record] | None:
    """Return a slot's number and record, None for one that is not whole."""
    if len(slot) < _HEAD.size:
        return None
    checksum, number, length = _HEAD.unpack_from(slot)
    end = _HEAD.size + length
    if len(slot) < end or zlib.crc32(slot[4:end]) != checksum:
        return None
    try:
        values = json.loads(slot[_HEAD.size : end])
        place = values.pop("place")
        position, coming = _position(values.pop("position")), _position(values.pop("coming"))
        return number, Record(
            position, coming, place=None if place is None else Place(**place), **values
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # written by another version


def _position(value: Any) -> tuple[int, Mapping[str, Any]] | None:
    return None if value is None else (int(value[0]), dict(value[1]))


def latest(data: bytes) -> tuple[int, Record]:
    """Return the newest whole record of a file and its number; without one, of an empty file."""
    found = [
        each
        for at in range(0, len(data), SIZE)
        if (each := decoded(data[at : at + SIZE])) is not None
    ]
    return max(found, key=lambda each: each[0], default=(0, Record()))


def resumption(record: Record, standing: bytes | None) -> Resumption:
    """Decide where to go on; standing is what the record's place holds, up to its length of bytes.

    None for standing means that this is not known: no regular file, or another one.
    """
    if record.coming is None:
        return Resumption(record.position, doubt=record.doubt)
    if standing is not None and (len(standing), zlib.crc32(standing)) == (
        record.bytes,
        record.checksum,
    ):
        return Resumption(record.coming, doubt=max(record.doubt - record.bytes, 0))
    if not standing and standing is not None:
        return Resumption(record.position, record.skipped, doubt=record.doubt)
    if standing is None or (record.place is not None and record.place.shared):
        doubt = max(record.bytes, record.doubt)
        return Resumption(record.position, record.skipped, doubt=doubt)
    return Resumption(record.position, record.skipped, standing, record.doubt)


class Standing:
    """Finds out of a log that is read again what of it stands above already."""

    def __init__(self, resumed: Resumption) -> None:
        self._certain = resumed.skipped
        self._standing = resumed.standing
        self.lines = 0  # bytes of whole lines that were found to stand above
        self.part = False  # whether of the line after these a part does

    def __bool__(self) -> bool:
        return bool(self._certain or self._standing)

    def find(self, shown: bytes) -> int:
        """Take what comes next as it would be printed; return how much of it not to print."""
        at = min(self._certain, len(shown))
        self._certain -= at
        same = _common(shown[at:], self._standing)
        self._standing = self._standing[same:] if at + same == len(shown) else b""
        at += same
        whole = len(shown) if at == len(shown) else shown.rfind(b"\n", 0, at) + 1
        self.part = at > whole
        self.lines += whole
        return whole


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes both begin with."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[:middle] == other[:middle]:
            least = middle
        else:
            most = middle - 1
    return least
