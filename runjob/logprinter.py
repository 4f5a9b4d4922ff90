"""Print a launch's logs, and nothing of them once it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from runjob.console import Console
from runjob.logs import clean

# How long a reader that has stopped reading may hold up a launch that a signal ends, in seconds.
HURRY = 5.0
# How often to look whether a signal has come meanwhile, in seconds.
LOOK = 0.5


def printed(work: Callable[[], None], hurry: Callable[[], bool]) -> None:
    """Have something printed; wait for its reader until hurry says that a signal has come."""
    printer = threading.Thread(target=work, daemon=True)
    printer.start()
    while printer.is_alive() and not hurry():
        printer.join(LOOK)
    printer.join(HURRY)


class LogPrinter:
    """Takes the logs of one launch from any thread, until `close`.

    With a limit (--log-limit, in bytes) the end of a log that is too long waits for `close`.
    """

    def __init__(self, console: Console, limit: int | None = None) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._last: list[str] = []
        self.closed = False
        self._out = console
        self._limited = None
        if limit is not None:
            from runjob.loglimit import Limited  # not for a launch without one

            self._limited = Limited(console.log, limit)
            self._out = Console(self._limited, None)

    @property
    def reading(self) -> bool:
        """Whether what is printed still reaches somebody."""
        return self._console.reading and not self.closed

    def log(self, lines: bytes, prefix: bytes = b"") -> None:
        """Print a part of a container's log as it is; with a prefix, at the start of a line."""
        with self._lock:
            if not self.closed:
                self._out.log(lines, prefix)

    def start_line(self) -> None:
        """End a line that has no end yet."""
        with self._lock:
            if not self.closed:
                self._out.start_line()

    def line(self, text: str, prefix: bytes = b"") -> None:
        """Print one line of ours where it stands in the log, at the start of a line."""
        with self._lock:
            if not self.closed and prefix:
                self._out.log(clean(text).encode(errors="replace") + b"\n", prefix)
            elif not self.closed:
                self._out.line(text)

    def add_at_end(self, lines: Sequence[str]) -> None:
        """Have lines of ours printed behind all of the log; waits for no reader."""
        self._last += lines

    def remark(self, text: str) -> None:
        """Print one line to stderr."""
        self._console.remark(text)

    def close(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Print what waits, and take no more; in a hurry do not wait for a reader that is gone."""
        self.closed = True  # now: a thread that waits for the lock prints no more
        printed(self._end, hurry)

    def _end(self) -> None:
        with self._lock:  # whoever prints now has done so then
            if self._limited is not None:
                text, blocks = self._limited.rest()
                if text:
                    self._console.line(text)
                for block in blocks:
                    self._console.log(block)
            for text in self._last:
                self._console.line(text)
