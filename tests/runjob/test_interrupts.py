"""Signals come through, early ones as the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from runjob import cli
from runjob.errors import Exit, LaunchError
from runjob.interrupts import NUMBERS, Interrupts, code_of, ctrl_c


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put the handlers of this process back afterwards."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_signal_is_handed_on_as_its_number(number: signal.Signals) -> None:
    got: list[int] = []
    interrupts = Interrupts()
    interrupts.install()
    interrupts.listen(got.append)
    signal.raise_signal(number)
    assert got == [number]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 8), (signal.SIGHUP, 8), (signal.SIGINT, 130)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_signal_before_anyone_listens_ends_the_program(number: int, code: int) -> None:
    Interrupts().install()
    with pytest.raises(LaunchError, match="before anything was created") as caught:
        signal.raise_signal(number)
    assert caught.value.exit_code == code


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Interrupts().install()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL


def test_a_signal_that_something_swallowed_is_not_forgotten() -> None:
    interrupts = Interrupts()
    interrupts.install()
    with pytest.raises(LaunchError):
        os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(LaunchError, match="SIGTERM") as caught:
        interrupts.listen(print)
    assert caught.value.exit_code == Exit.KILLED


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, Exit.KILLED, id="SIGTERM"),
        pytest.param(signal.SIGINT, Exit.INTERRUPTED, id="SIGINT"),
    ],
)
def test_each_signal_has_its_exit_code(number: int, code: Exit) -> None:
    assert code_of(number) is code


@pytest.mark.parametrize("words", [["--version"], ["--nonsense"]])
def test_a_command_line_gives_the_signals_back(words: list[str]) -> None:
    """A program that calls it would be deaf to signals from then on."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    before = [signal.getsignal(number) for number in NUMBERS]
    cli.main(words)
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_ctrl_c_is_told_of_and_raised_when_all_is_done() -> None:
    told: list[int] = []
    steps: list[str] = []
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def launch() -> None:
        with ctrl_c(told.append):
            signal.raise_signal(signal.SIGINT)
            steps.append("done")

    with pytest.raises(KeyboardInterrupt):
        launch()
    assert (told, steps) == ([signal.SIGINT], ["done"])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_stays_with_whoever_took_it_over() -> None:
    def own(_number: int, _frame: object) -> None: ...

    signal.signal(signal.SIGINT, own)
    with ctrl_c(print):
        assert signal.getsignal(signal.SIGINT) is own


def test_in_another_thread_ctrl_c_is_not_asked_for() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seen: list[object] = []

    def other() -> None:
        with ctrl_c(print):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
