"""Signals come through, early ones as the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from runjob.errors import Exit, LaunchError
from runjob.interrupts import NUMBERS, Interrupts, code_of


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
