"""Signals, as messages to the story."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from runjob.errors import Exit, LaunchError

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Interrupts:
    """Hands each signal on as its number; one that comes before anyone listens ends the program.

    It then raises LaunchError out of whatever is going on: nothing has been created yet, or, once
    moment says otherwise, what that names.
    """

    def __init__(self) -> None:
        self.moment = "before anything was created"
        self._tell: Callable[[int], None] | None = None
        self.last = 0  # the latest signal's number

    def install(self) -> None:
        """Take over SIGTERM, SIGINT and SIGHUP; one that is ignored (nohup) stays ignored."""
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def listen(self, tell: Callable[[int], None]) -> None:
        """Call tell with each signal's number, from now on.

        tell runs inside a signal handler: it must not block or take a lock. Raises LaunchError when
        one came before and was swallowed by whatever it interrupted.
        """
        if self.last:
            raise _early(self.last, self.moment)
        self._tell = tell

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.last = number
        if self._tell is None:
            raise _early(number, self.moment)
        self._tell(number)


def code_of(number: int) -> Exit:
    """Return the exit code of a launch that this signal ended."""
    return Exit.INTERRUPTED if number == signal.SIGINT else Exit.KILLED


def _early(number: int, moment: str) -> LaunchError:
    name = signal.Signals(number).name
    return LaunchError(f"killed by {name} {moment}", code_of(number))
