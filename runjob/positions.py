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
    """A place in a regular file: its device and inode, and a count of bytes from its start."""

    device: int
    inode: int
    size: int


@dataclass(frozen=True)
class Record:
    """All up to position was printed; with an intent, it or something after it is being printed.

    A position is the run of a container and a LogCursor's snapshot in that run's log, None before
    all. coming is the position after a chunk of so many bytes, which goes to where place says,
    None for a stdout that is no regular file.
    """

    position: tuple[int, Mapping[str, Any]] | None = None
    coming: tuple[int, Mapping[str, Any]] | None = None
    bytes: int = 0
    place: Place | None = None


@dataclass(frozen=True)
class Resumption:
    """Where to go on: after position, but of the chunk that follows so many bytes are out already.

    doubt are the bytes that may have been printed, or not, and are printed once more.
    """

    position: tuple[int, Mapping[str, Any]] | None = None
    printed: int = 0
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
        return number, Record(
            position=_position(values["position"]),
            coming=_position(values["coming"]),
            bytes=int(values["bytes"]),
            place=None if values["place"] is None else Place(**values["place"]),
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


def resumption(record: Record, stdout: Place | None) -> Resumption:
    """Decide where to go on; stdout is what this process found of it before it printed anything."""
    if record.coming is None:
        return Resumption(record.position)
    written = _written(record.place, stdout)
    if written is None:
        return Resumption(record.position, doubt=record.bytes)
    if written >= record.bytes:
        return Resumption(record.coming)
    return Resumption(record.position, printed=written)


def _written(place: Place | None, stdout: Place | None) -> int | None:
    """Return how many bytes stand in the file after a place of it; None where that is not known."""
    if place is None or stdout is None:
        return None
    if (place.device, place.inode) != (stdout.device, stdout.inode) or stdout.size < place.size:
        return None
    return stdout.size - place.size
