"""How far a log was printed can be read after a kill between any two writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.logs import KEPT, LogCursor
from runjob.positions import (
    SIZE,
    Place,
    Record,
    Resumption,
    decoded,
    encoded,
    latest,
    resumption,
)

HERE = (0, {"last": "here"})
THERE = (0, {"last": "there"})
FILE = Place(1, 2, 1000)


def out(size: int, *, device: int = 1, inode: int = 2) -> Place:
    return Place(device, inode, size)


@pytest.mark.parametrize(
    ("record", "stdout", "expected"),
    [
        pytest.param(Record(), None, Resumption(), id="nothing was printed"),
        pytest.param(Record(HERE), None, Resumption(HERE), id="after a commit"),
        pytest.param(
            Record(HERE, THERE, 50, FILE), out(1050), Resumption(THERE), id="the chunk is out"
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE), out(1080), Resumption(THERE), id="and somebody wrote on"
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE), out(1000), Resumption(HERE), id="nothing of it is out"
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE),
            out(1020),
            Resumption(HERE, printed=20),
            id="a part of it is out",
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE),
            out(900),
            Resumption(HERE, doubt=50),
            id="the file was cut",
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE),
            out(1050, inode=3),
            Resumption(HERE, doubt=50),
            id="another file",
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE),
            out(1050, device=3),
            Resumption(HERE, doubt=50),
            id="another device",
        ),
        pytest.param(
            Record(HERE, THERE, 50, None), FILE, Resumption(HERE, doubt=50), id="it was a pipe"
        ),
        pytest.param(
            Record(HERE, THERE, 50, FILE), None, Resumption(HERE, doubt=50), id="it is a pipe"
        ),
    ],
)
def test_where_to_go_on(record: Record, stdout: Place | None, expected: Resumption) -> None:
    assert resumption(record, stdout) == expected


def test_a_record_comes_back_the_same() -> None:
    record = Record(HERE, THERE, 50, FILE)
    slot = encoded(7, record)
    assert len(slot) == SIZE
    assert decoded(slot) == (7, record)


@given(st.integers(0, SIZE - 1), st.integers(1, 255))
def test_a_slot_that_was_spoilt_anywhere_is_read_as_it_was_or_not_at_all(
    at: int, change: int
) -> None:
    slot = bytearray(encoded(7, Record(HERE, THERE, 50, FILE)))
    slot[at] ^= change
    assert decoded(bytes(slot)) in (None, (7, Record(HERE, THERE, 50, FILE)))


@given(st.binary(max_size=64))
def test_what_is_no_slot_is_none(data: bytes) -> None:
    assert decoded(data) is None


def test_a_slot_of_another_version_is_none() -> None:
    import struct
    import zlib

    for text in (b"[]", b"{}", b"x", b'{"position":1,"coming":null,"bytes":0,"place":null}'):
        body = struct.pack(">QI", 1, len(text)) + text
        assert decoded(struct.pack(">I", zlib.crc32(body)) + body) is None


def test_the_newest_whole_record_counts() -> None:
    old, new = encoded(1, Record(HERE)), encoded(2, Record(THERE))
    assert latest(b"") == (0, Record())
    assert latest(old) == (1, Record(HERE))
    assert latest(new + old) == latest(old + new) == (2, Record(THERE))
    assert latest(old + new[:30]) == (1, Record(HERE))
    assert latest(b"\0" * 2 * SIZE) == (0, Record())


def test_the_largest_position_fits_and_a_larger_one_is_refused() -> None:
    cursor = LogCursor()
    for second in range(KEPT):
        cursor.feed(b"2026-01-31T12:00:%02d.123456789+01:00 text\n" % second)
    cursor.feed(b"2026-01-31T12:00:09.123456789+01:00 " + b"x" * (1 << 21))
    full = (10**6, cursor.snapshot())
    encoded(2**63, Record(full, full, 2**40, Place(2**63, 2**63, 2**63)))
    with pytest.raises(ValueError, match="does not fit"):
        encoded(1, Record((0, {"last": "x" * SIZE})))
