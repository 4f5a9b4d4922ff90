"""What the user sees: the log on stdout byte for byte, remarks on stderr."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import Protocol, TextIO

from runjob.logs import clean, prefixed
from runjob.masking import without


class Out(Protocol):
    """What takes the bytes of stdout."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Console:
    """Writes whole lines, from any thread, each at once.

    A reader that has gone away (a closed pipe) stops the writing and nothing else: the Job must
    still be tracked and removed. lost tells of output that nobody has seen, for another reason;
    secrets are values that no remark shows, wherever they come from.
    """

    def __init__(self, out: Out | None, err: TextIO | None) -> None:
        self._out = out
        self._err = err
        # Of its own each: a reader that stops reading stdout must not hold up what a signal does.
        self._lock = threading.Lock()
        self._err_lock = threading.Lock()
        self._at_line_start = True
        self.lost = False
        self.secrets: tuple[str, ...] = ()

    @property
    def reading(self) -> bool:
        """Whether what is printed still reaches somebody."""
        return self._out is not None

    def log(self, lines: bytes, prefix: bytes = b"") -> None:
        """Print a part of a container's log as it is; with a prefix, at the start of a line."""
        if not lines:
            return
        with self._lock:
            self._write((self._line_start() + prefixed(lines, prefix)) if prefix else lines)

    def line(self, text: str) -> None:
        """Print one line of ours to stdout, at the start of a line in any case."""
        with self._lock:
            self._write(self._line_start() + clean(text).encode(errors="replace") + b"\n")

    def start_line(self) -> None:
        """End a line that has no end yet, so that what comes next begins where stdout ends now."""
        with self._lock:
            if not self._at_line_start:
                self._write(b"\n")

    def _line_start(self) -> bytes:
        return b"" if self._at_line_start else b"\n"

    def remark(self, text: str) -> None:
        """Print one line to stderr."""
        with self._err_lock, suppress(OSError, ValueError):
            if self._err is not None:
                self._err.write(f"runjob: {clean(without(text, self.secrets))}\n")
                self._err.flush()

    def _write(self, data: bytes) -> None:
        self._at_line_start = data.endswith(b"\n")
        if self._out is None:
            return
        try:
            self._out.write(data)
            self._out.flush()
        except (OSError, ValueError) as error:
            self._out = None
            if not isinstance(error, BrokenPipeError):  # a reader that went away has seen enough
                self.lost = True
                self.remark(f"stdout cannot be written ({error}): the rest of the log is lost")


def standard() -> Console:
    """Return the console of this process; a stream that is closed (>&-) swallows its lines."""
    return Console(None if sys.stdout is None else sys.stdout.buffer, sys.stderr)
