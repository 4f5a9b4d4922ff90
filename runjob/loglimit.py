"""Keep of a log that is too long its beginning and its end (--log-limit)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from runjob.marks import mark
from runjob.values import as_size

# The end waits in memory until the launch is over: no more than this of it, in bytes. A larger
# limit leaves more to the beginning, which is printed as it comes.
MOST_HELD = 256 << 20
# Small pieces are held together, since an object for each line would cost more than the line.
_BLOCK = 1 << 16


class HeadAndTail:
    """Lets the first half of limit bytes pass and holds the last half of what comes after.

    Cuts stand at line ends, but for a line that is longer than all that may be shown. Memory is
    the half, and a block.
    """

    def __init__(self, limit: int) -> None:
        self._end = min(limit // 2, MOST_HELD)
        self._left = limit - self._end  # bytes that may yet pass
        self._is_full = False
        self._blocks: deque[bytearray] = deque()
        self._held = 0
        self.left_out_lines = 0
        self.left_out_bytes = 0

    def feed(self, log: bytes) -> bytes:
        """Take the next part of the log and return what of it is to be printed now."""
        if not self._is_full and len(log) <= self._left:
            self._left -= len(log)
            return log
        at = 0 if self._is_full else log.rfind(b"\n", 0, self._left) + 1
        self._is_full = True
        if at < len(log):
            self._hold(log[at:])
        return log[:at]

    def _hold(self, log: bytes) -> None:
        if self._blocks and len(self._blocks[-1]) + len(log) <= _BLOCK:
            self._blocks[-1] += log
        else:
            self._blocks.append(bytearray(log))
        self._held += len(log)
        while self._blocks and self._held - len(self._blocks[0]) >= self._end:
            self._drop(len(self._blocks[0]))

    def _drop(self, size: int) -> None:
        """Leave out so many bytes of what is held."""
        self._held -= size
        self.left_out_bytes += size
        while size:
            part = self._blocks[0][:size]
            self.left_out_lines += part.count(b"\n")
            size -= len(part)
            if len(part) == len(self._blocks[0]):
                self._blocks.popleft()
            else:
                del self._blocks[0][: len(part)]

    def rest(self) -> deque[bytearray]:
        """Return the end of the log; the account of what was left out is right from then on."""
        over = self._held - self._end
        if over > 0:
            self._drop(self._line_start(over))
        return self._blocks

    def _line_start(self, least: int) -> int:
        """Return where in what is held the first line begins that stands at least there."""
        before = 0
        for block in self._blocks:
            at = block.find(b"\n", max(least - 1 - before, 0)) + 1
            if at and before + at < self._held:
                return before + at
            before += len(block)
        return least


class Limited:
    """Writes to where the log is printed, like a file, what HeadAndTail lets pass of it."""

    def __init__(self, write: Callable[[bytes], None], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._parts = HeadAndTail(limit)

    def write(self, log: bytes, /) -> None:
        """Print what is to be printed at once."""
        self._write(self._parts.feed(log))

    def flush(self) -> None:
        """Do nothing: what passes is printed at once."""

    def rest(self) -> tuple[str, Iterable[bytes]]:
        """Return a line that says what was left out ("" for nothing), and the end of the log."""
        blocks = self._parts.rest()
        lines, size = self._parts.left_out_lines, self._parts.left_out_bytes
        text = mark(
            f"{lines:,} lines, {size:,} bytes left out (--log-limit {as_size(self._limit)})"
        )
        return text if size else "", map(bytes, blocks)
