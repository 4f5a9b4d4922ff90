"""Signals, as messages to the story."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from runjob.errors import Exit, LaunchError

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Interrupts:
    """Hands each signal on as its number; one that comes before anyone listens ends the program.

    It then raises LaunchError out of whatever is going on: nothing has been created yet.
    """

    def __init__(self) -> None:
        self._tell: Callable[[int], None] | None = None

    def install(self) -> None:
        """Take over SIGTERM, SIGINT and SIGHUP; one that is ignored (nohup) stays ignored."""
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def listen(self, tell: Callable[[int], None]) -> None:
        """Call tell with each signal's number, from now on.

        tell runs inside a signal handler: it must not block or take a lock.
        """
        self._tell = tell

    def restore(self) -> None:
        """Give each signal back its usual effect: there is nothing more to remove."""
        self._tell = None
        for number in NUMBERS:
            if signal.getsignal(number) == self._on_signal:
                usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                signal.signal(number, usual)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._tell is None:
            code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.KILLED
            name = signal.Signals(number).name
            raise LaunchError(f"killed by {name} before anything was created", code)
        self._tell(number)
