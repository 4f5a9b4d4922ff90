"""The log goes to stdout as it is, our own lines stand at the start of a line."""

from __future__ import annotations

import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.console import Console, standard


class Gone(io.RawIOBase):
    """A pipe whose reader has gone away."""

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        raise BrokenPipeError


@given(st.lists(st.binary()))
def test_a_log_is_printed_byte_for_byte(parts: list[bytes]) -> None:
    out = io.BytesIO()
    console = Console(out, io.StringIO())
    for part in parts:
        console.log(part)
    assert out.getvalue() == b"".join(parts)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param(b"", b"ours\n", id="no log"),
        pytest.param(b"a\n", b"a\nours\n", id="a whole line"),
        pytest.param(b"a", b"a\nours\n", id="a line without an end"),
        pytest.param(b"\xff\x00", b"\xff\x00\nours\n", id="bytes of any kind"),
    ],
)
def test_our_line_starts_a_line_in_any_case(log: bytes, expected: bytes) -> None:
    out = io.BytesIO()
    console = Console(out, io.StringIO())
    console.log(log)
    console.line("ours")
    assert out.getvalue() == expected


def test_our_line_is_one_line_and_can_always_be_written() -> None:
    out = io.BytesIO()
    Console(out, io.StringIO()).line("a\nb\x1b[31m\udcff é")
    assert out.getvalue() == "a b [31m? é\n".encode()


def test_a_prefix_stands_before_each_line() -> None:
    out = io.BytesIO()
    Console(out, io.StringIO()).log(b"a\nb\n", b"[pod/main] ")
    assert out.getvalue() == b"[pod/main] a\n[pod/main] b\n"


def test_with_a_prefix_a_line_without_an_end_does_not_swallow_the_next() -> None:
    out = io.BytesIO()
    console = Console(out, io.StringIO())
    console.log(b"a", b"[x] ")
    console.log(b"b\n", b"[y] ")
    assert out.getvalue() == b"[x] a\n[y] b\n"


@pytest.mark.parametrize(("log", "expected"), [(b"", b""), (b"a\n", b"a\n"), (b"a", b"a\n")])
def test_a_line_is_started_where_none_has_begun(log: bytes, expected: bytes) -> None:
    out = io.BytesIO()
    console = Console(out, None)
    console.log(log)
    console.start_line()
    console.start_line()
    assert out.getvalue() == expected


def test_a_remark_goes_to_stderr_on_one_line() -> None:
    out, err = io.BytesIO(), io.StringIO()
    Console(out, err).remark("error: a\r\nb")
    assert err.getvalue() == "runjob: error: a b\n"
    assert out.getvalue() == b""


def test_a_reader_that_has_gone_stops_nothing() -> None:
    console = Console(io.BufferedWriter(Gone()), io.TextIOWrapper(io.BufferedWriter(Gone())))
    console.log(b"a\n")
    console.line("b")
    console.log(b"c\n")
    console.remark("d")


def test_the_standard_console_writes_to_this_process(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    console = standard()
    console.log(b"\xff\n")
    console.remark("x")
    assert tuple(capfdbinary.readouterr()) == (b"\xff\n", f"runjob: x{os.linesep}".encode())


def test_a_process_without_stdout_still_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console = standard()
    console.line("x")
    console.remark("x")
