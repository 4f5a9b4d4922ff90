"""Of a log that is too long the beginning and the end are kept."""

from __future__ import annotations

import io
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob import loglimit
from runjob.console import Console
from runjob.loglimit import HeadAndTail
from runjob.logprinter import LogPrinter

MARKER = re.compile(
    rb"--- runjob: ([\d,]+) lines, ([\d,]+) bytes left out \(--log-limit 1K\) ---\n"
)


def printed(parts: list[bytes], limit: int = 1000, prefix: bytes = b"") -> bytes:
    out = io.BytesIO()
    printer = LogPrinter(Console(out, None), limit)
    for part in parts:
        printer.log(part, prefix)
    printer.close()
    return out.getvalue()


line_lists = st.lists(st.binary(max_size=300).map(lambda text: text.replace(b"\n", b"") + b"\n"))


@given(line_lists, st.integers(1, 5), st.sampled_from([1, 64, 1 << 16]))
def test_head_and_tail_are_whole_lines_within_the_limit(
    lines: list[bytes], at_once: int, block: int
) -> None:
    log = b"".join(lines)
    parts = [b"".join(lines[at : at + at_once]) for at in range(0, len(lines), at_once)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loglimit, "_BLOCK", block)
        out = printed(parts)
    found = MARKER.search(out)
    if found is None:
        assert out == log
        return
    head, tail = out[: found.start()], out[found.end() :]
    left_out = log[len(head) : len(log) - len(tail)]
    assert log.startswith(head)
    assert log.endswith(tail)
    assert head.endswith(b"\n") or not head
    assert left_out.endswith(b"\n")
    assert [int(each.replace(b",", b"")) for each in found.groups()] == [
        left_out.count(b"\n"),
        len(left_out),
    ]
    assert len(head) <= 500
    assert len(tail) <= 500
    # No more was left out than had to be.
    assert len(head) + len(lines[head.count(b"\n")]) > 500
    assert len(tail) + len(lines[-tail.count(b"\n") - 1]) > 500


def test_a_log_of_just_the_limit_is_whole() -> None:
    log = [b"x" * 99 + b"\n"] * 10
    assert printed(log) == b"".join(log)


def test_a_line_longer_than_all_that_may_be_shown_is_cut() -> None:
    out = printed([b"a\n", b"x" * 5000 + b"\n"])
    assert out == (
        b"a\n--- runjob: 0 lines, 4,501 bytes left out (--log-limit 1K) ---\n" + b"x" * 499 + b"\n"
    )


def test_a_prefix_stands_before_each_line_that_waits() -> None:
    out = printed([b"%05d\n" % number for number in range(200)], prefix=b"[a/b] ")
    lines = MARKER.sub(b"", out).splitlines()
    assert all(re.fullmatch(rb"\[a/b\] \d{5}", line) for line in lines)
    assert lines[-1] == b"[a/b] 00199"


def test_memory_is_that_of_the_end() -> None:
    parts = HeadAndTail(400_000)
    tracemalloc.start()
    for _ in range(60_000):
        parts.feed(b"a short line\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000
    assert 199_000 < sum(map(len, parts.rest())) <= 200_000


def test_of_a_very_large_limit_the_larger_part_is_printed_as_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loglimit, "MOST_HELD", 100)
    parts = HeadAndTail(1000)
    assert len(parts.feed(b"12345678\n" * 200)) == 900
    assert sum(map(len, parts.rest())) == 99


def test_nothing_more_changes_nothing() -> None:
    assert printed([b"x" * 99 + b"\n"] * 11 + [b""]) == printed([b"x" * 99 + b"\n"] * 11)
    parts = HeadAndTail(1000)
    parts.feed(b"x\n" * 600)
    before = [*parts.rest()]
    assert parts.feed(b"") == b""
    assert [*parts.rest()] == before


@pytest.mark.parametrize("limit", range(1, 6))
def test_a_limit_of_a_few_bytes_leaves_nearly_all_out(limit: int) -> None:
    parts = HeadAndTail(limit)
    head = b"".join(map(parts.feed, (b"ab\n", b"cd\n", b"", b"ef\n")))
    tail = b"".join(parts.rest())
    assert len(head) + len(tail) <= limit
    assert len(head) + len(tail) + parts.left_out_bytes == 9
    assert head.count(b"\n") + tail.count(b"\n") + parts.left_out_lines == 3
