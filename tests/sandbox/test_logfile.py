"""The log file of one container."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runjob.sandbox.logfile import BLOCK, LONGEST, LogFile, LogQuery
from runjob.sandbox.moments import nano_stamp, seconds_of


async def collect(file: LogFile, query: LogQuery) -> bytes:
    return b"".join([part async for part in file.read(query)])


def read(folder: Path, pieces: list[bytes], query: LogQuery | None = None) -> bytes:
    async def story() -> bytes:
        file = LogFile(folder / "log")
        for piece in pieces:
            file.write(piece)
        file.finish()
        file.finish()
        return await collect(file, query or LogQuery())

    return asyncio.run(story())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(pieces=st.lists(st.binary(max_size=60)), long=st.booleans())
def test_a_log_reads_byte_for_byte_as_it_was_written(
    tmp_path: Path, pieces: list[bytes], long: bool
) -> None:
    if long:
        pieces = [*pieces, b"x" * (LONGEST + 7), b"y\n", b"z" * LONGEST + b"\nend" * 3]
    assert read(tmp_path, pieces) == b"".join(pieces)


def test_more_than_one_block_is_read_whole(tmp_path: Path) -> None:
    lines = b"".join(b"%08d\n" % count for count in range(BLOCK // 4))
    assert read(tmp_path, [lines]) == lines
    assert read(tmp_path, [lines], LogQuery(tail=40_000)) == lines[-40_000 * 9 :]


def test_timestamps_stand_before_lines_and_grow(tmp_path: Path) -> None:
    text = read(tmp_path, [b"a\nb\n", b"c\n", b"rest"], LogQuery(timestamps=True))
    rows = [row.split(b" ", 1) for row in text.split(b"\n")]
    assert [content for _, content in rows] == [b"a", b"b", b"c", b"rest"]
    stamps = [moment for moment, _ in rows]
    assert stamps == sorted(set(stamps))
    assert all(len(moment) == 30 for moment in stamps)


def test_a_long_line_has_one_timestamp(tmp_path: Path) -> None:
    line = b"x" * (3 * LONGEST)
    text = read(tmp_path, [line + b"\n"], LogQuery(timestamps=True))
    assert text[31:] == line + b"\n"


@pytest.mark.parametrize(
    ("tail", "result"), [(0, b""), (1, b"c"), (2, b"b\nc"), (3, b"a\nb\nc"), (9, b"a\nb\nc")]
)
def test_the_tail_is_as_long_as_asked_for(tmp_path: Path, tail: int, result: bytes) -> None:
    assert read(tmp_path, [b"a\nb\nc"], LogQuery(tail=tail)) == result


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_cuts_to_the_byte(tmp_path: Path, limit: int) -> None:
    assert read(tmp_path, [b"a\nb\nc\n"], LogQuery(limit=limit)) == b"a\nb\nc\n"[:limit]


def test_a_time_leaves_out_what_is_older(tmp_path: Path) -> None:
    async def story() -> tuple[bytes, bytes]:
        file = LogFile(tmp_path / "log")
        for count in range(50):
            file.write(b"%d\n" % count)
        file.finish()
        text = await collect(file, LogQuery(timestamps=True))
        row = text.splitlines(keepends=True)[20]
        whole, _, fraction = row[:29].partition(b".")
        since = int(seconds_of(f"{whole.decode()}Z")) * 1_000_000_000 + int(fraction)
        rest = await collect(file, LogQuery(timestamps=True, since=since))
        nothing = await collect(file, LogQuery(since=since + 10**12))
        assert rest == text[text.index(row) :]
        return rest, nothing

    rest, nothing = asyncio.run(story())
    assert rest.count(b"\n") == 30
    assert nothing == b""


def test_a_rotated_file_gives_what_came_after_and_a_follower_reads_on(tmp_path: Path) -> None:
    async def story() -> tuple[bytes, ...]:
        file = LogFile(tmp_path / "log")
        file.write(b"a\nb\n")
        follower = asyncio.ensure_future(collect(file, LogQuery(follow=True)))
        await asyncio.sleep(0)
        file.rotate()
        empty = await collect(file, LogQuery())
        file.write(b"c\n")
        file.finish()
        return (empty, await collect(file, LogQuery(since=0)),
                await collect(file, LogQuery(tail=9)), await follower)  # fmt: skip

    assert asyncio.run(story()) == (b"", b"c\n", b"c\n", b"a\nb\nc\n")


def test_the_rest_of_a_line_that_began_too_early_has_no_timestamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kubelet gives it: it stamps where a line begins, and knows that this is none."""
    clock = iter(range(5 * 10**9, 10**12, 10**9))
    monkeypatch.setattr("time.time_ns", lambda: next(clock))

    async def story() -> bytes:
        file = LogFile(tmp_path / "log")
        file.write(b"x" * (LONGEST + 5) + b"\ny\n")
        file.finish()
        return await collect(file, LogQuery(timestamps=True, since=6 * 10**9))

    assert asyncio.run(story()) == b"x" * 5 + b"\n1970-01-01T00:00:07.000000000Z y\n"


def test_followers_get_everything_and_end_with_the_container(tmp_path: Path) -> None:
    async def story() -> list[bytes]:
        file = LogFile(tmp_path / "log")
        file.write(b"early\n")
        readers = [asyncio.ensure_future(collect(file, LogQuery(follow=True))) for _ in range(2)]
        for piece in (b"a", b"b\n", b"c\n", b"end"):
            await asyncio.sleep(0)
            file.write(piece)
        file.finish()
        return list(await asyncio.gather(*readers))

    assert asyncio.run(story()) == [b"early\nab\nc\nend"] * 2


def test_the_last_text_is_short_and_readable(tmp_path: Path) -> None:
    async def story() -> str:
        file = LogFile(tmp_path / "log")
        file.write(b"first\n\xff second\n")
        file.finish()
        return file.last_text(1, 2048)

    assert asyncio.run(story()) == "\ufffd second\n"


def test_stamps_cross_a_second_unharmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_999_999_999)
    text = read(tmp_path, [b"a\nb\n"], LogQuery(timestamps=True))
    assert text == (b"1970-01-01T00:00:01.999999999Z a\n1970-01-01T00:00:02.000000000Z b\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T01:00:01.5+01:00", 1.5),
        ("1970-01-01T00:00:01.123456789Z", 1.123456789),
    ],
)
def test_times_are_read_with_any_zone_and_fraction(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["yesterday", "1970-01-01T00:00:01", "1970-01-01", ""])
def test_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        seconds_of(text)


def test_a_stamp_has_nine_digits() -> None:
    assert nano_stamp(1) == b"1970-01-01T00:00:00.000000001Z"
