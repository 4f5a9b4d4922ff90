"""Posts from JSON Lines, at a chosen rate."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pythonapp.clock import Clock
from pythonapp.errors import BadInputError
from pythonapp.message import read
from pythonapp.page import posts_of
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.route import quadrant_of
from pythonapp.settings import Replay, Settings

LINE_LIMIT = 1_000_000  # bytes; no post is as long
TICK = 1.0


class ReplaySource:
    """Reads a file once, from where it stopped; a file that was read to its end begins anew."""

    name = "replay"
    due = None  # it does not ask, it reads on

    def __init__(self, options: Replay, quadrants: Sequence[Settings], clock: Clock) -> None:
        self._options = options
        self._quadrants = quadrants
        self._clock = clock
        self._bookmark = f"{quadrants[0].quadrant}-replay"
        self._file = json.dumps(Path(options.file).name)

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        """Yield the posts of every line; Quiet now and then while the rate makes it wait."""
        done = _lines_done(saved.get(self._bookmark), self._options.file)
        start, count = self._clock.now(), 0
        for number, line in enumerate(self._lines(), 1):
            if number <= done or not line.strip():
                continue
            for found in self._found(line, number):
                if self._options.rate:
                    yield from self._pace(start + count / self._options.rate)
                if self._clock.stopped:
                    return
                yield found
                count += 1
        if end := self._position(0):
            yield end

    def _found(self, line: bytes, number: int) -> Iterator[Found]:
        payloads = list(posts_of(read(line)))
        for left, payload in enumerate(payloads, 1 - len(payloads)):
            quadrant = quadrant_of(payload, self._quadrants) or self._quadrants[0].quadrant
            # A line with several posts is done with its last one.
            done = number if left == 0 else number - 1
            yield Found(payload, quadrant, self._position(done))

    def _position(self, line: int) -> Bookmark | None:
        if self._options.file == "-":
            return None
        return Bookmark(self._bookmark, f'{{"file": {self._file}, "line": {line}}}')

    def _pace(self, due: float) -> Iterator[Quiet]:
        while (left := due - self._clock.now()) > 0 and not self._clock.wait(min(left, TICK)):
            if left > TICK:
                yield Quiet.TROUBLE  # not at an end, only slow

    def _lines(self) -> Iterator[bytes]:
        name = self._options.file
        try:
            if name == "-":
                yield from _bounded(sys.stdin.buffer)
                return
            opening: Any = gzip.open if name.endswith(".gz") else open
            with opening(name, "rb") as file:
                yield from _bounded(file)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise BadInputError(f"replay: {name} cannot be read ({reason})") from error


def _bounded(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines, of one that is too long only its beginning."""
    while line := file.readline(LINE_LIMIT):
        rest = line
        while len(rest) == LINE_LIMIT and not rest.endswith(b"\n"):
            rest = file.readline(LINE_LIMIT)
        yield line


def _lines_done(saved: str | None, file: str) -> int:
    """Return the lines that are done, by a saved position; 0 where it is of another file."""
    try:
        position = json.loads(saved or "{}")
        return int(position["line"]) if position["file"] == Path(file).name else 0
    except (KeyError, TypeError, ValueError):
        return 0
