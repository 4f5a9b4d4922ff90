"""Logs are printed until their launch has ended, and no byte of them after it."""

from __future__ import annotations

import io
import threading

import pytest

from runjob import logprinter
from runjob.console import Console
from runjob.logprinter import LogPrinter


class Pipe(io.BytesIO):
    """A stdout whose reader stops reading at some words, until it is let go on."""

    def __init__(self, words: bytes) -> None:
        super().__init__()
        self.words = words
        self.stuck, self.goes_on = threading.Event(), threading.Event()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.words in data:
            self.stuck.set()
            assert self.goes_on.wait(60)
        return super().write(data)


def stubborn(printer: LogPrinter, text: bytes) -> threading.Thread:
    thread = threading.Thread(target=printer.log, args=(text,), daemon=True)
    thread.start()
    return thread


def test_nothing_of_a_log_comes_after_the_closing_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread is within its write when the launch ends, others wait to print or come late."""
    monkeypatch.setattr(logprinter, "HURRY", 0.01)
    out = Pipe(b"within")
    console = Console(out, None)
    printer = LogPrinter(console)
    threads = [stubborn(printer, b"within\n")]
    assert out.stuck.wait(60)
    threads += [stubborn(printer, b"waiting\n") for _ in range(5)]
    printer.close(lambda: True)
    out.goes_on.set()
    console.line("Job Completion status: 0")
    for thread in threads:
        thread.join(60)
    printer.log(b"late\n")
    printer.line("late")
    assert out.getvalue() == b"within\nJob Completion status: 0\n"


def test_a_reader_that_has_stopped_reading_does_not_hold_up_an_end_in_a_hurry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logprinter, "HURRY", 0.01)
    out = Pipe(b"x")
    printer = LogPrinter(Console(out, None), 1000)
    printer.log(b"a\n" * 400)
    printer.log(b"x\n" * 400)
    printer.close(lambda: True)
    assert out.getvalue().startswith(b"a\n" * 250)
    assert b"x" not in out.getvalue()
    out.goes_on.set()


def test_a_signal_that_comes_while_a_reader_is_waited_for_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else nothing but SIGKILL would end a launcher whose output nobody reads."""
    monkeypatch.setattr(logprinter, "HURRY", 0.01)
    monkeypatch.setattr(logprinter, "LOOK", 0.01)
    out = Pipe(b"x")
    printer = LogPrinter(Console(out, None))
    stubborn(printer, b"x\n")
    assert out.stuck.wait(60)
    looks = iter((False, False, True))
    printer.close(lambda: next(looks))
    assert list(looks) == []
    out.goes_on.set()


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param(b"", b"a\n--- a gap ---\nb\n", id="without a prefix"),
        pytest.param(b"[p/c] ", b"[p/c] a\n[p/c] --- a gap ---\n[p/c] b\n", id="with one"),
    ],
)
def test_a_line_of_ours_stands_in_the_log_like_its_lines(prefix: bytes, expected: bytes) -> None:
    out = io.BytesIO()
    printer = LogPrinter(Console(out, None))
    printer.log(b"a", prefix)
    printer.line("--- a gap ---", prefix)
    printer.log(b"b\n", prefix)
    assert out.getvalue() == expected


@pytest.mark.parametrize("limit", [None, 8])
def test_what_is_to_stand_at_the_end_waits_for_it(limit: int | None) -> None:
    out = io.BytesIO()
    printer = LogPrinter(Console(out, None), limit)
    printer.add_at_end(["--- a gap ---"])
    printer.log(b"a\nb")
    assert not out.getvalue().endswith(b"gap ---\n")
    printer.close()
    assert out.getvalue() == b"a\nb\n--- a gap ---\n"


def test_it_starts_no_line_once_it_is_closed() -> None:
    out = io.BytesIO()
    printer = LogPrinter(Console(out, None))
    printer.log(b"a")
    printer.start_line()
    printer.log(b"b")
    printer.close()
    printer.start_line()
    assert out.getvalue() == b"a\nb"


def test_it_tells_whether_somebody_reads() -> None:
    err = io.StringIO()
    printer = LogPrinter(Console(None, err))
    printer.remark("a word")
    assert (printer.reading, err.getvalue()) == (False, "runjob: a word\n")
