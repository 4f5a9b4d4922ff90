"""A container's log is read exactly once, whatever happens to its streams."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runjob import logs
from runjob.logs import Gap, LogCursor, prefixed

START = datetime(2026, 1, 31, 23, 59, 58, tzinfo=timezone.utc)


def stamp(nanoseconds: int) -> bytes:
    whole = START + timedelta(seconds=nanoseconds // 10**9)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z ".encode()


class Kubelet:
    """One container's log file, served as the kubelet serves it."""

    def __init__(self, lines: list[tuple[int, bytes]], final_newline: bool = True) -> None:
        self.lines = lines
        self.final_newline = final_newline

    @property
    def text(self) -> bytes:
        whole = b"".join(line + b"\n" for _, line in self.lines)
        return whole if self.final_newline or not whole else whole[:-1]

    def serve(self, since: str | None) -> bytes:
        at = (
            int((datetime.fromisoformat(since.replace("Z", "+00:00")) - START).total_seconds())
            if since
            else -(10**6)
        )
        sent = b"".join(
            stamp(time) + line + b"\n" for time, line in self.lines if time >= at * 10**9
        )
        last_is_sent = self.lines and self.lines[-1][0] >= at * 10**9
        return sent if self.final_newline or not sent or not last_is_sent else sent[:-1]


line_texts = st.binary(max_size=30).map(lambda text: text.replace(b"\n", b""))


@st.composite
def logs_of_a_container(draw: st.DrawFn) -> Kubelet:
    """Lines a little out of order, as two pipes stamped apart leave them."""
    time, lines = 0, []
    for step, text in draw(st.lists(st.tuples(st.integers(0, 9 * 10**8), line_texts), max_size=40)):
        time += step
        late = draw(st.integers(0, 10**6))
        lines.append((max(time - late, 0), text))
    return Kubelet(lines, draw(st.booleans()))


def read(kubelet: Kubelet, breaks: list[int], chunk: int) -> bytes:
    """Read through streams that break after so many bytes, and one that does not."""
    cursor, got = LogCursor(), b""
    for length in [*breaks, None]:
        served = kubelet.serve(cursor.resume())[:length]
        for at in range(0, len(served), chunk):
            got += cursor.feed(served[at : at + chunk])
    return got + cursor.finish()


@given(logs_of_a_container(), st.lists(st.integers(0, 1500), max_size=6), st.integers(1, 200))
@example(Kubelet([(0, b""), (0, b"")], final_newline=False), [31], 1)
def test_a_broken_stream_reads_like_a_whole_one(
    kubelet: Kubelet, breaks: list[int], chunk: int
) -> None:
    if kubelet.lines and not kubelet.final_newline and kubelet.lines[-1][1] == b"":
        kubelet.final_newline = True  # a runtime writes no record for an empty rest
    assert read(kubelet, breaks, chunk) == kubelet.text


@given(logs_of_a_container(), st.lists(st.integers(0, 1500), max_size=6), st.integers(1, 50))
def test_a_long_line_is_passed_on_in_parts_and_still_exactly_once(
    kubelet: Kubelet, breaks: list[int], chunk: int
) -> None:
    if kubelet.lines and not kubelet.final_newline and kubelet.lines[-1][1] == b"":
        kubelet.final_newline = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", 40)
        assert read(kubelet, breaks, chunk) == kubelet.text


@given(
    logs_of_a_container(),
    st.lists(st.tuples(st.integers(0, 1500), st.booleans()), max_size=6),
    st.integers(1, 60),
    st.sampled_from([40, 1 << 20]),
)
def test_a_cursor_goes_on_where_its_snapshot_was_taken(
    kubelet: Kubelet, cuts: list[tuple[int, bool]], chunk: int, held: int
) -> None:
    """Another process reads on from a snapshot; whether the line was at its end or not."""
    if kubelet.lines and not kubelet.final_newline and kubelet.lines[-1][1] == b"":
        kubelet.final_newline = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", held)
        cursor, got = LogCursor(), b""
        for length, dies in [*cuts, (None, False)]:
            served = kubelet.serve(cursor.resume())[:length]
            for at in range(0, len(served), chunk):
                got += cursor.feed(served[at : at + chunk])
            if dies:
                cursor = LogCursor.restored(json.loads(json.dumps(cursor.snapshot())))
        assert got + cursor.finish() == kubelet.text
        assert cursor.take_gap() is None


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({}, id="empty"),
        pytest.param({**LogCursor().snapshot(), "last": "yesterday"}, id="no stamp"),
        pytest.param({**LogCursor().snapshot(), "open": [1]}, id="no triple"),
        pytest.param({**LogCursor().snapshot(), "latest": None}, id="no list"),
    ],
)
def test_what_is_no_snapshot_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        LogCursor.restored(broken)


def test_a_snapshot_stays_small() -> None:
    cursor = LogCursor()
    cursor.feed(b"".join(stamp(n * 10**5) + b"x\n" for n in range(50_000)))
    assert len(json.dumps(cursor.snapshot())) < 1000


def test_a_line_stamped_in_the_second_before_is_not_read_twice() -> None:
    lines = Kubelet([(2 * 10**9, b"out"), (2 * 10**9 - 1, b"err")])
    assert read(lines, [1000], 100) == lines.text


def test_memory_stays_bounded_while_a_line_does_not_end() -> None:
    cursor, passed = LogCursor(), 0
    cursor.feed(stamp(0))
    for _ in range(40):
        passed += len(cursor.feed(b"x" * (logs.MAX_HELD // 4)))
    assert passed >= 8 * logs.MAX_HELD
    passed += len(cursor.feed(b"\n"))
    assert passed == 10 * logs.MAX_HELD + 1


def test_many_lines_of_one_second_are_stripped_together() -> None:
    lines = [(n, b"line %d" % n) for n in range(5000)]
    assert read(Kubelet(lines), [40_000, 90_000], 1 << 16) == Kubelet(lines).text


def test_after_a_rotation_only_later_lines_count_as_new() -> None:
    old = [(n * 10**8, b"old %d" % n) for n in range(10)]
    new = [(2 * 10**9 + n, b"new %d" % n) for n in range(3)]
    cursor = LogCursor()
    cursor.resume()
    got = cursor.feed(Kubelet(old).serve(None))
    # The file that held the first lines is gone; the new one begins in their midst.
    got += cursor.feed(Kubelet(old[5:] + new).serve(cursor.resume()))
    assert got == Kubelet(old + new).text


Streams = list[tuple[int, int, "int | None", bool]]


@st.composite
def rotated_reads(draw: st.DrawFn) -> tuple[Kubelet, Streams]:
    """Draw a log, its stamps and texts all different, and streams of it.

    Each is where the file begins by then, where it ends, after how many bytes the stream breaks,
    and whether the reader dies after it. The last has all that the node still has.
    """
    time, lines = 0, list[tuple[int, bytes]]()
    for step, text in draw(st.lists(st.tuples(st.integers(1, 9 * 10**8), line_texts), max_size=40)):
        time += step
        lines.append((time, b"%d:%b" % (len(lines), text)))
    # Two pipes: a line may have been stamped before the one that was written before it.
    for at in draw(st.sets(st.integers(0, 40))):
        if at + 1 < len(lines):
            lines[at], lines[at + 1] = ((lines[at + 1][0], lines[at][1]),
                                        (lines[at][0], lines[at + 1][1]))  # fmt: skip
    streams, begin, end = [], 0, 0
    for _ in range(draw(st.integers(1, 6))):
        end = draw(st.integers(end, len(lines)))
        begin = draw(st.integers(begin, end))
        length = draw(st.none() | st.integers(0, 1500))
        streams.append((begin, end, length, draw(st.booleans())))
    return Kubelet(lines), [*streams, (begin, len(lines), None, False)]


@given(rotated_reads(), st.integers(1, 80), st.sampled_from([40, 1 << 20]))
def test_what_was_rotated_away_leaves_a_gap_just_where_it_stood(
    reads: tuple[Kubelet, Streams], chunk: int, held: int
) -> None:
    """A naive reader goes on with the next line, as if nothing had been between.

    Where a file begins right behind what was read, nobody can tell that nothing is missing; nor
    can the first who reads tell what there was before.
    """
    kubelet, streams = reads
    cursor, at = LogCursor(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", held)
        for begin, end, length, dies in streams:
            served = Kubelet(kubelet.lines[begin:end]).serve(cursor.resume())[:length]
            for place in range(0, len(served), chunk):
                known = cursor.seen
                new = cursor.feed(served[place : place + chunk])
                if cursor.take_gap() or not known:
                    start = len(Kubelet(kubelet.lines[:begin]).text)
                    assert start >= at
                    at = start
                assert kubelet.text[at : at + len(new)] == new
                at += len(new)
            if dies:
                cursor = LogCursor.restored(json.loads(json.dumps(cursor.snapshot())))
    assert at == len(kubelet.text) or not cursor.caught_up or not cursor.seen


def test_a_gap_names_the_lines_around_it() -> None:
    cursor = LogCursor()
    cursor.resume()
    cursor.feed(stamp(5) + b"a\n" + stamp(7) + b"b\n")
    cursor.resume()
    assert cursor.feed(stamp(10**10) + b"z\n") == b"z\n"
    assert cursor.take_gap() == Gap(
        "2026-01-31T23:59:58.000000007Z", "2026-02-01T00:00:08.000000000Z"
    )
    assert cursor.take_gap() is None


def test_a_line_that_is_read_in_part_and_rotated_away_leaves_a_gap() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", 40)
        cursor = LogCursor()
        cursor.resume()
        cursor.feed(stamp(5) + b"x" * 100)
        cursor.resume()
        assert not cursor.caught_up
        cursor.feed(stamp(10**10) + b"z\n")
        assert cursor.take_gap() is not None


def test_the_next_run_of_a_container_begins_behind_the_one_before() -> None:
    first = Kubelet([(0, b"one"), (5, b"two")])
    second = Kubelet([(5 * 10**8, b"three"), (3 * 10**9, b"four")])
    cursor = LogCursor()
    got = cursor.feed(first.serve(cursor.resume())) + cursor.finish()
    cursor.next_run()
    got += cursor.feed(second.serve(cursor.resume())[:45])
    got += cursor.feed(second.serve(cursor.resume()))
    assert got == first.text + second.text


def test_a_zone_other_than_utc_is_asked_for_as_it_came() -> None:
    cursor = LogCursor()
    assert cursor.feed(b"2026-01-31T12:00:01.000000001+02:00 x\n") == b"x\n"
    assert cursor.resume() == "2026-01-31T12:00:00+02:00"


def test_what_the_kubelet_says_itself_is_not_the_log() -> None:
    cursor = LogCursor()
    assert cursor.feed(stamp(0) + b"x\n" + b"failed to open the log file\n") == b"x\n"
    assert cursor.words == "failed to open the log file"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(b"a\nb\n", b"> a\n> b\n", id="whole lines"),
        pytest.param(b"a\nb", b"> a\n> b", id="no newline at the end"),
        pytest.param(b"\n\n", b"> \n> \n", id="empty lines"),
    ],
)
def test_each_line_gets_its_prefix(lines: bytes, expected: bytes) -> None:
    assert prefixed(lines, b"> ") == expected


def test_a_line_much_later_than_its_stamp_is_passed_on_all_the_same() -> None:
    lines = b"2026-01-31T12:00:05.0Z a\n2026-01-31T12:00:01.0Z late\n"
    assert LogCursor().feed(lines) == b"a\nlate\n"


def test_the_rest_of_a_long_line_that_began_too_early_is_not_the_log_and_is_not_held() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", 40)
        cursor = LogCursor()
        assert cursor.feed(b"x" * 100) == b""
        assert len(cursor.unfinished) < 40
        assert cursor.feed(b"x\n" + stamp(5) + b"y\n") == b"y\n"


def test_a_line_that_was_passed_on_in_part_goes_on_where_a_rotated_file_begins_with_it() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", 40)
        cursor = LogCursor()
        cursor.resume()
        got = cursor.feed(stamp(1) + b"a\n") + cursor.feed(stamp(5) + b"x" * 30)
        cursor.resume()
        got += cursor.feed(stamp(5) + b"x" * 60) + cursor.feed(b"\n")
        assert (got, cursor.take_gap()) == (b"a\n" + b"x" * 60 + b"\n", None)


def test_a_word_of_the_kubelet_among_lines_of_one_second_is_no_line() -> None:
    cursor = LogCursor()
    cursor.feed(stamp(1) + b"a\n")
    lines = stamp(2) + b"b\n" + stamp(3) + b"c\n"
    assert cursor.feed(lines + b"unable to\n" + stamp(4) + b"d\n") == b"b\nc\nd\n"
    assert cursor.words == "unable to"
    assert len(cursor.snapshot()["latest"]) == 4


LONG = b"x" * 70_000 + b"\n"


@pytest.mark.parametrize(
    ("read", "tail", "whole"),
    [
        pytest.param(b"", stamp(0) + b"a\n", None, id="nothing was read"),
        pytest.param(stamp(0) + b"a\n", stamp(0) + b"a\n", True, id="the same line"),
        pytest.param(stamp(0) + b"a\n", stamp(0) + b"a", False, id="not all of it"),
        pytest.param(stamp(0) + b"a\n", stamp(1) + b"b\n", False, id="a later line"),
        pytest.param(stamp(1) + b"a\n", stamp(0) + b"a\n", False, id="an earlier line"),
        pytest.param(stamp(0) + b"a\n", stamp(0)[:9], False, id="no line"),
        pytest.param(stamp(0) + b"a\n", b"", False, id="an empty log"),
        pytest.param(stamp(0) + b"a", stamp(0) + b"a", True, id="the same end"),
        pytest.param(stamp(0) + b"ab", stamp(0) + b"a", False, id="another end"),
        pytest.param(stamp(0) + b"a\n2026", stamp(1) + b"b\n", False, id="broken in a stamp"),
        pytest.param(stamp(0)[:9], stamp(0)[:9], False, id="twice broken in a stamp"),
        pytest.param(b"no such log", b"no such log", True, id="words of the kubelet"),
        pytest.param(stamp(0) + b"a\n", b"no such log", None, id="a log that was removed"),
        pytest.param(stamp(0) + b"a\nno", stamp(1) + b"b\n", False, id="other words"),
        pytest.param(stamp(0) + LONG, stamp(1) + LONG[-9_000:], None, id="a piece of a line"),
        pytest.param(stamp(0) + b"ab\n", stamp(1) + b"b\n", None, id="a piece of a short line"),
        pytest.param(stamp(0) + b"ab", stamp(1) + b"b", None, id="a piece of a line that is open"),
    ],
)  # fmt: skip
def test_the_last_line_of_a_log_tells_whether_it_was_read(
    read: bytes, tail: bytes, whole: bool | None
) -> None:
    cursor = LogCursor()
    cursor.feed(read)
    assert cursor.ends_with(tail) is whole


def test_a_line_that_came_in_parts_is_not_denied_to_be_the_last() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "MAX_HELD", 40)
        cursor = LogCursor()
        cursor.feed(stamp(0) + b"x" * 60)
        assert cursor.ends_with(stamp(1) + b"x" * 9) is None
        cursor.feed(b"xx\n")
        assert cursor.ends_with(stamp(1) + b"x" * 9 + b"\n") is None
        assert LogCursor.restored(cursor.snapshot()).ends_with(stamp(0) + b"xxx\n")


def test_the_next_run_is_not_compared_with_the_one_before() -> None:
    cursor = LogCursor()
    cursor.feed(stamp(0) + b"a\n")
    cursor.next_run()
    assert cursor.empty
    assert cursor.ends_with(stamp(0) + b"a\n") is None


@pytest.mark.parametrize("begin", [1, 3, 7, 19])
def test_a_file_that_begins_anew_within_what_is_known_goes_on_behind_it(begin: int) -> None:
    lines = [(n, b"line %d" % n) for n in range(20)]
    cursor = LogCursor()
    cursor.resume()
    got = cursor.feed(Kubelet(lines).serve(None))
    got += cursor.feed(Kubelet([*lines[begin:], (99, b"new")]).serve(cursor.resume()))
    assert (got, cursor.take_gap()) == (Kubelet([*lines, (99, b"new")]).text, None)
