"""Signals, as messages to the story."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

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
        self._before: dict[signal.Signals, Any] = {}  # whose handlers these were

    def install(self) -> None:
        """Take over SIGTERM, SIGINT and SIGHUP; one that is ignored (nohup) stays ignored."""
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)

    def restore(self) -> None:
        """Give the signals back: whoever called may live on, and a signal is theirs from now on.

        One that comes meanwhile ends nothing any more; it is known by `last`.
        """
        self._tell = lambda _: None
        for number, handler in self._before.items():
            # None stands for a handler that was not installed by Python, and cannot be by it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

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


@contextmanager
def ctrl_c(tell: Callable[[int], None]) -> Iterator[None]:
    """Tell of Ctrl-C while the block runs to its end, and raise KeyboardInterrupt after it.

    Whoever has taken SIGINT over keeps it, and other threads than the main one never meet it.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        pressed.append(number)
        tell(number)

    signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


def code_of(number: int) -> Exit:
    """Return the exit code of a launch that this signal ended."""
    return Exit.INTERRUPTED if number == signal.SIGINT else Exit.KILLED


def _early(number: int, moment: str) -> LaunchError:
    name = signal.Signals(number).name
    return LaunchError(f"killed by {name} {moment}", code_of(number))
