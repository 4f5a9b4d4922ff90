"""How far a log was printed can be read after a kill between any two writes."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.logs import KEPT, LogCursor
from runjob.positions import (
    SIZE,
    Place,
    Record,
    Resumption,
    Standing,
    decoded,
    encoded,
    latest,
    resumption,
)

HERE = (0, {"last": "here"})
THERE = (0, {"last": "there"})
FILE = Place(1, 2, 1000)


CHUNK = b"one\ntwo\nthree\n"
COMING = Record(HERE, THERE, len(CHUNK), zlib.crc32(CHUNK), FILE)


@pytest.mark.parametrize(
    ("record", "standing", "expected"),
    [
        pytest.param(Record(), None, Resumption(), id="nothing was printed"),
        pytest.param(Record(HERE), None, Resumption(HERE), id="after a commit"),
        pytest.param(Record(HERE, doubt=9), None, Resumption(HERE, doubt=9), id="still in doubt"),
        pytest.param(COMING, CHUNK, Resumption(THERE), id="the chunk is out"),
        pytest.param(COMING, b"", Resumption(HERE), id="nothing of it is out"),
        pytest.param(
            COMING, CHUNK[:6], Resumption(HERE, standing=CHUNK[:6]), id="a part of it is out"
        ),
        pytest.param(COMING, None, Resumption(HERE, doubt=14), id="that is not known"),
        pytest.param(
            replace(COMING, place=Place(1, 2, 1000, shared=True)),
            b"else",
            Resumption(HERE, doubt=14),
            id="something else of ours may stand there",
        ),
        pytest.param(
            replace(COMING, doubt=20),
            CHUNK,
            Resumption(THERE, doubt=6),
            id="the chunk is out, and more is in doubt",
        ),
        pytest.param(
            replace(COMING, skipped=4), b"", Resumption(HERE, 4), id="what was out before stays so"
        ),
    ],
)
def test_where_to_go_on(record: Record, standing: bytes | None, expected: Resumption) -> None:
    assert resumption(record, standing) == expected


@pytest.mark.parametrize(
    ("resumed", "shown", "expected"),
    [
        pytest.param(Resumption(), [b"one\n"], [(0, False)], id="nothing stands there"),
        pytest.param(
            Resumption(standing=b"one\ntw"), [b"one\n", b"two\n"], [(4, False), (0, True)],
            id="a line and a half",
        ),
        pytest.param(
            Resumption(standing=b"one\n# else\n"), [b"one\ntwo\n"], [(4, False)],
            id="a line, and something else",
        ),
        pytest.param(
            Resumption(skipped=4, standing=b"two\n"), [b"one\ntwo\nthree\n"], [(8, False)],
            id="a line that is out for certain, and one that stands there",
        ),
        pytest.param(
            Resumption(skipped=8), [b"one\n", b"two\nthree\n"], [(4, False), (4, False)],
            id="two chunks",
        ),
    ],
)  # fmt: skip
def test_what_stands_above_already_is_found(
    resumed: Resumption, shown: list[bytes], expected: list[tuple[int, bool]]
) -> None:
    standing = Standing(resumed)
    assert [(standing.find(each), standing.part) for each in shown] == expected
    assert not standing
    assert standing.lines == sum(count for count, _ in expected)


def test_a_record_comes_back_the_same() -> None:
    record = replace(COMING, prefix="[pod/main] ")
    slot = encoded(7, record)
    assert len(slot) == SIZE
    assert decoded(slot) == (7, record)


@given(st.integers(0, SIZE - 1), st.integers(1, 255))
def test_a_slot_that_was_spoilt_anywhere_is_read_as_it_was_or_not_at_all(
    at: int, change: int
) -> None:
    slot = bytearray(encoded(7, COMING))
    slot[at] ^= change
    assert decoded(bytes(slot)) in (None, (7, COMING))


@given(st.binary(max_size=64))
def test_what_is_no_slot_is_none(data: bytes) -> None:
    assert decoded(data) is None


def test_a_slot_of_another_version_is_none() -> None:
    for text in (b"[]", b"{}", b"x", b'{"position":1,"coming":null,"bytes":0,"place":null}'):
        body = struct.pack(">QI", 1, len(text)) + text
        assert decoded(struct.pack(">I", zlib.crc32(body)) + body) is None


def test_a_record_from_before_prefixes_were_written_down_is_read() -> None:
    text = b'{"position":[0,{"last":"here"}],"coming":null,"bytes":0,"checksum":0,"place":null}'
    body = struct.pack(">QI", 1, len(text)) + text
    assert decoded(struct.pack(">I", zlib.crc32(body)) + body) == (1, Record(HERE))


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
    place, prefix = Place(2**63, 2**63, 2**63, True), f"[{'p' * 253}/{'c' * 63}] "
    encoded(2**63, Record(full, full, 2**40, 2**32, place, 2**40, 2**40, prefix))
    with pytest.raises(ValueError, match="does not fit"):
        encoded(1, Record((0, {"last": "x" * SIZE})))
