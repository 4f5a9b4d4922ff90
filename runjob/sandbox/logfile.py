"""Log files: one container run's output as records on disk, in the manner of the CRI.

A record is a time of fixed width, F or P (the line goes on in the next record), and the text.
"""

from __future__ import annotations

import asyncio
import os
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from .moments import nano_stamp

STAMP = 30
HEAD = STAMP + 3
LONGEST = 16 * 1024
BLOCK = 256 * 1024
SECOND = 1_000_000_000


@dataclass(frozen=True)
class LogQuery:
    """What a reader asks for; ``since`` is in nanoseconds of the epoch."""

    follow: bool = False
    timestamps: bool = False
    since: int | None = None
    tail: int | None = None
    limit: int | None = None


class LogFile:
    """Takes bytes from one writer and gives them to any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._size = 0
        self._begin = 0
        self._rest = b""
        self._last = 0
        self._partials = False
        self._marks: list[tuple[int, int]] = []
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST or any(len(line) > LONGEST for line in lines):
            records = [record for line in lines for record in _parts(line, True)]
            if len(self._rest) > LONGEST:
                *full, (_, self._rest) = _parts(self._rest, False)
                records += full
            self._partials = True
            self._append(b"".join(self._stamped(flag, text) for flag, text in records))
        elif lines:
            self._append(self._whole(lines))

    def rotate(self) -> None:
        """Give what was written so far to no new reader; one who follows reads on."""
        self._begin = self._size

    def finish(self) -> None:
        """Write what is left of a last line without newline; readers then see the end."""
        if self.ended:
            return
        if self._rest:
            self._partials = True
            self._append(self._stamped(b"P", self._rest))
            self._rest = b""
        self.ended = True
        os.close(self._file)
        self._wake()

    def last_text(self, lines: int, size: int) -> str:
        """Return the end of the log, for a termination message."""
        with self.path.open("rb") as file:
            descriptor = file.fileno()
            start = self._tail_offset(descriptor, lines)
            data = os.pread(descriptor, self._size - start, start)
        text, _ = _texts(data, False, self._partials, True)
        return text[-size:].decode(errors="replace")

    def _whole(self, lines: list[bytes]) -> bytes:
        now = max(time.time_ns(), self._last + 1)
        self._last = now + len(lines) - 1
        seconds, rest = divmod(now, SECOND)
        if rest + len(lines) > SECOND:
            stamps = (nano_stamp(now + index) for index in range(len(lines)))
            return b"".join(b"%b F %b\n" % pair for pair in zip(stamps, lines, strict=True))
        head = nano_stamp(seconds * SECOND)[:20]
        return b"".join(
            [b"%b%09dZ F %b\n" % (head, at, line) for at, line in enumerate(lines, rest)]
        )

    def _stamped(self, flag: bytes, text: bytes) -> bytes:
        self._last = max(time.time_ns(), self._last + 1)
        return b"%b %b %b\n" % (nano_stamp(self._last), flag, text)

    def _append(self, records: bytes) -> None:
        if not self._marks or self._size - self._marks[-1][1] >= BLOCK:
            self._marks.append((self._last, self._size))
        view = memoryview(records)
        while view:
            view = view[os.write(self._file, view) :]
        self._size += len(records)
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def read(self, query: LogQuery) -> AsyncIterator[bytes]:
        """Yield the log in large pieces; with follow, go on until the container has ended."""
        left = query.limit
        with self.path.open("rb", buffering=0) as file:
            descriptor = file.fileno()
            offset = self._start(descriptor, query)
            # Only where it is told from when on does a kubelet know that a line began before.
            fresh = query.since is None or self._begins_line(descriptor, offset)
            while left is None or left > 0:
                changed = self._changed
                data = os.pread(descriptor, BLOCK, offset)
                data = data[: data.rfind(b"\n") + 1]
                if data:
                    offset += len(data)
                    text, fresh = _texts(data, query.timestamps, self._partials, fresh)
                    if left is not None:
                        text = text[:left]
                        left -= len(text)
                    yield text
                elif self.ended or not query.follow:
                    return
                else:
                    await changed.wait()

    def _start(self, descriptor: int, query: LogQuery) -> int:
        offset = self._begin
        if query.tail is not None:
            offset = max(offset, self._tail_offset(descriptor, query.tail))
        if query.since is not None:
            offset = max(offset, self._since_offset(descriptor, query.since))
        return offset

    def _begins_line(self, descriptor: int, offset: int) -> bool:
        """Tell whether the record there is not the rest of a line."""
        if not self._partials or offset <= self._begin:
            return True
        start = max(offset - HEAD - LONGEST - 1, 0)
        before = os.pread(descriptor, offset - 1 - start, start)
        flag = before.rfind(b"\n") + 1 + STAMP + 1
        return before[flag : flag + 1] == b"F"

    def _tail_offset(self, descriptor: int, lines: int) -> int:
        """Find where the last records begin, reading from the end."""
        if lines <= 0:
            return self._size
        wanted, end = lines + 1, self._size
        while end > 0:
            start = max(0, end - BLOCK)
            block = os.pread(descriptor, end - start, start)
            found = block.count(b"\n")
            if found >= wanted:
                position = len(block)
                for _ in range(wanted):
                    position = block.rfind(b"\n", 0, position)
                return start + position + 1
            wanted -= found
            end = start
        return 0

    def _since_offset(self, descriptor: int, since: int) -> int:
        index = bisect_left(self._marks, (since, 0))
        offset = self._marks[index - 1][1] if index else 0
        wanted = nano_stamp(since)
        while block := os.pread(descriptor, BLOCK, offset):
            for record in block[: block.rfind(b"\n") + 1].splitlines(keepends=True):
                if record[:STAMP] >= wanted:
                    return offset
                offset += len(record)
        return offset


def _parts(line: bytes, ended: bool) -> Iterator[tuple[bytes, bytes]]:
    """Cut a line as the runtime does; the last part is full when the line has ended."""
    start = 0
    while len(line) - start > LONGEST:
        yield b"P", line[start : start + LONGEST]
        start += LONGEST
    yield b"F" if ended else b"P", line[start:]


def _texts(data: bytes, timestamps: bool, partials: bool, fresh: bool) -> tuple[bytes, bool]:
    """Turn records into what a reader gets; ``fresh`` tells whether a line begins with them."""
    records = data.split(b"\n")
    records.pop()
    if not partials:
        if timestamps:
            return b"\n".join([r[: STAMP + 1] + r[HEAD:] for r in records]) + b"\n", True
        return b"\n".join([r[HEAD:] for r in records]) + b"\n", True
    pieces = []
    for record in records:
        if timestamps and fresh:
            pieces.append(record[: STAMP + 1])
        fresh = record[STAMP + 1 : STAMP + 2] == b"F"
        pieces.append(record[HEAD:])
        if fresh:
            pieces.append(b"\n")
    return b"".join(pieces), fresh
