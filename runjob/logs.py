"""Read one container's log exactly once, over any number of broken streams.

The API is asked for timestamps; each line then comes as `2026-01-31T12:00:00.123456789Z text`.
After a break it can be asked again from a whole second on (`sinceTime`), and what was already seen
of that time is left out here. The kubelet compares each line of the file with that second, in the
file's order, so the lines from a given second on are the same lines at each try, and counting them
is enough. Two seconds are kept open, since stdout and stderr are stamped apart and may be written
slightly out of order.

A file that the kubelet has rotated meanwhile begins later than the one that we knew. The stamps of
the latest lines then tell where in it we are, or that lines between are gone.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_STAMP = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ")
_SECOND = len("2026-01-31T12:00:00")

# What is held of a line that has no end yet; a longer line is passed on in parts, so that memory
# stays constant.
MAX_HELD = 1 << 20

# How many of the latest stamps are kept, in the file's order. Two pipes that are stamped apart
# change places by a line or two.
KEPT = 8

# How much is held of the latest line's end: more than the pieces in which a runtime writes a long
# line down, each with a stamp of its own.
_PIECE = 1 << 15


@dataclass(frozen=True)
class Gap:
    """Whatever was written behind one line and before another cannot be read any more.

    Both lines are named by their stamps.
    """

    after: str
    before: str


class LogCursor:
    """Where we are in one container's log.

    `feed` takes what a stream brings and returns what is new in it, time stamps removed and whole
    lines only (a line beyond MAX_HELD in parts). `resume` prepares for the next stream of the same
    log, `next_run` for the log of the container's next run. `finish` returns the last line when it
    has no newline and no more can come; `words` then tells of a line that was not the container's.
    `take_gap` tells of lines that are gone: they belong before what the latest `feed` returned.
    `ends_with` compares what was read with the last line of the log.

    `snapshot` says in plain values how to go on after what was returned up to now, and `restored`
    makes a cursor of that, in another process and later too; `resume` comes first then.
    """

    def __init__(self) -> None:
        self._rest = b""  # of the stream: the line that is not at its end
        self._open: dict[bytes, tuple[int, bytes]] = {}  # second: lines seen, stamp of the first
        self._last = b""  # the latest stamp seen
        self._passed = 0  # bytes passed on of the line that is not at its end
        self._cut = 0  # bytes to leave out of the next line, since they were passed on
        self._skip = 0  # lines to leave out, since they were seen
        self._known = b""  # the stamp that the first of them must have
        self.words = ""  # the latest line that was not the container's but the kubelet's own
        self._by_time = False  # leave out by time stamp, since counting cannot tell
        self._latest: deque[bytes] = deque(maxlen=KEPT)  # stamps of the latest lines, as they stood
        self._partial = b""  # the stamp of the line that was passed on in part
        self._until = b""  # leave out all lines before the one of this stamp
        self._gap: Gap | None = None
        self._end: bytes | None = None  # of the latest line, _PIECE bytes at most; None: not known

    def snapshot(self) -> dict[str, Any]:
        """Return what a cursor needs to go on from here: JSON values, a kilobyte at most."""
        return {
            "last": self._last.decode(),
            "open": [
                [second.decode(), count, first.decode()]
                for second, (count, first) in self._open.items()
            ],
            "latest": [stamp.decode() for stamp in self._latest],
            "partial": self._partial.decode(),
            "passed": self._passed,
        }

    @classmethod
    def restored(cls, snapshot: Mapping[str, Any]) -> LogCursor:
        """Return a cursor that goes on where the snapshot was taken.

        Raises KeyError, TypeError, ValueError or AttributeError for what is no snapshot.
        """
        cursor = cls()
        cursor._last = snapshot["last"].encode()
        cursor._open = {
            second.encode(): (int(count), first.encode())
            for second, count, first in snapshot["open"]
        }
        cursor._latest.extend(stamp.encode() for stamp in snapshot["latest"])
        cursor._partial = snapshot["partial"].encode()
        cursor._passed = int(snapshot["passed"])
        cursor.resume()  # and it must be one that can be resumed
        return cursor

    def resume(self) -> str | None:
        """Forget what is unfinished and return the `sinceTime` to ask for, None for all."""
        self._rest = self._until = b""
        self._cut = self._passed
        self._by_time = bool(self._last) and not self._open
        self._skip = sum(count for count, _ in self._open.values())
        self._known = next((first for _, first in self._open.values()), self._partial)
        return self.since

    def take_gap(self) -> Gap | None:
        """Return the gap that the latest `feed` found, once."""
        gap, self._gap = self._gap, None
        return gap

    @property
    def since(self) -> str | None:
        """The whole second from which on the log is to be read, None for all of it."""
        if not self._last:
            return None
        zone = b"Z" if self._last.endswith(b"Z ") else self._last[-7:-1]
        return (_before(self._last[:_SECOND]) + zone).decode()

    def next_run(self) -> None:
        """Turn to the container's next run, before `resume`: all that is later counts as new."""
        self._rest = b""
        self.words = ""
        self._cut = self._passed = self._skip = 0
        self._partial = b""
        self._open = {}
        self._latest.clear()

    @property
    def empty(self) -> bool:
        """Whether nothing of this run's log was seen."""
        return not (self._latest or self._partial)

    def ends_with(self, tail: bytes) -> bool | None:
        """Tell whether the stream has brought the whole log, of which tail is the last line.

        None where that does not tell: for an empty log, and where a runtime wrote a line down in
        pieces, since a piece that comes alone has its own stamp.
        """
        if self._rest:
            latest, end = _STAMP.match(self._rest), None if self._partial else self._rest
        elif self.empty:
            return None
        else:
            latest, end = _STAMP.match(self._latest[-1]), self._end
        stamp = _STAMP.match(tail)
        if not (stamp and latest):
            # A kubelet says in words why there is no log; a stamp may have been cut.
            if _is_word(tail):
                return True if tail == self._rest else None
            return False
        if stamp[0] == latest[0]:
            return tail == self._rest if self._rest else tail.endswith(b"\n")
        same = end is None or end.endswith(tail[stamp.end() :][-_PIECE:])
        return None if same and stamp[0] > latest[0] else False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the stream and return those of the log that are new."""
        data = self._rest + chunk if self._rest else chunk
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        fresh = self._fresh(data[:end])
        if len(self._rest) > MAX_HELD:
            fresh += self._part()
        return fresh

    @property
    def seen(self) -> str:
        """The latest stamp of what was passed on, "" where nothing was."""
        return max(self._last, self._partial).decode().strip()

    @property
    def caught_up(self) -> bool:
        """Whether the stream has brought all that was known before; if not, it broke off."""
        return not (self._skip or self._until or self._known)

    @property
    def is_refused(self) -> bool:
        """Whether the kubelet says, instead of what it sent before, that there is no log."""
        return _is_word(self._rest) and not self.empty

    @property
    def unfinished(self) -> bytes:
        """What the stream brought of a line that is not at its end."""
        return self._rest

    def finish(self) -> bytes:
        """Return the last line, where it has no newline."""
        rest, self._rest = self._rest, b""
        return self._fresh(rest)

    def _fresh(self, lines: bytes) -> bytes:
        if self._known or self._is_skipping:
            lines = self._unseen(lines)
        if not lines:
            return b""
        begin = lines.rfind(b"\n", 0, -1) + 1
        whole = begin or not self._passed
        self._end = lines[max(begin, len(lines) - _PIECE) :] if whole else None
        head = b""
        if self._passed:
            end = lines.find(b"\n") + 1 or len(lines)
            head, lines = self._count(lines[:end])[self._cut :], lines[end:]
            self._passed = self._cut = 0
            self._partial = b""
        first = _STAMP.match(lines)
        last = _STAMP.match(lines, lines.rfind(b"\n", 0, -1) + 1)
        if first and last and first[0][:_SECOND] == last[0][:_SECOND] == self._last[:_SECOND]:
            # All of one second, the usual case under load: counted and stripped in one go.
            stripped, stamps = _STAMP.subn(b"", lines)
            if stamps == lines.count(b"\n"):
                count, opening = self._open.get(first[0][:_SECOND], (0, first[0]))
                self._open[first[0][:_SECOND]] = (count + stamps, opening)
                self._last = max(self._last, last[0])
                self._latest.extend(_stamps_at_end(lines))
                return head + stripped
        return head + b"".join(map(self._count, re.findall(rb"[^\n]*\n|[^\n]+", lines)))

    @property
    def _is_skipping(self) -> bool:
        return bool(self._skip or self._by_time or self._until)

    def _unseen(self, lines: bytes) -> bytes:
        """Leave out the lines that an earlier stream brought."""
        at = 0
        while at < len(lines) and (self._known or self._is_skipping):
            stamp = _STAMP.match(lines, at)
            if stamp and not self._was_seen(stamp[0]):
                break
            if stamp and self._skip:
                self._skip -= 1
            end = lines.find(b"\n", at) + 1 or len(lines)
            if not stamp:
                self._note_words(lines[at:end])
            at = end
        return lines[at:]

    def _was_seen(self, stamp: bytes) -> bool:
        """Tell whether the next line, of this stamp, was brought by an earlier stream."""
        if self._known:
            known, self._known = self._known, b""
            if stamp != known:
                self._find_place(stamp)
        if self._until and (stamp == self._until or stamp > self._last):
            self._skip, self._until = len(self._latest) if stamp == self._until else 0, b""
        if self._by_time and stamp > self._last:
            self._by_time = False
        return self._is_skipping

    def _find_place(self, first: bytes) -> None:
        """Find where we are in a file that is not the one that we knew: it was rotated."""
        latest, self._skip = [*self._latest], 0
        if first in latest:
            self._skip = len(latest) - latest.index(first)
        elif len(latest) == KEPT and first < min(latest):
            self._until = latest[0]
        elif first != self._partial:
            # Nothing of this file was seen: it begins behind that, next to it at best.
            behind = self._partial or [self._last, *latest][-1]
            self._gap = Gap(behind.decode().strip(), first.decode().strip())
            self._passed = self._cut = 0
            self._partial = b""
            self._open = {}

    def _count(self, line: bytes) -> bytes:
        """Count one line and return it without its stamp."""
        stamp = _STAMP.match(line)
        if not stamp:
            self._note_words(line)
            return b""
        second = stamp[0][:_SECOND]
        if second > self._last[:_SECOND]:
            before = _before(second)
            self._open = {key: seen for key, seen in self._open.items() if key == before}
        if second >= self._last[:_SECOND] or second == _before(self._last[:_SECOND]):
            count, first = self._open.get(second, (0, stamp[0]))
            self._open[second] = (count + 1, first)
        self._last = max(self._last, stamp[0])
        self._latest.append(stamp[0])
        return line[stamp.end() :]

    def _note_words(self, line: bytes) -> None:
        # The kubelet stamps what a container wrote; its own complaints come without.
        self.words = line.decode(errors="replace").strip()

    def _part(self) -> bytes:
        """Pass on what is held of a line that has no end yet, and go on holding its stamp."""
        stamp = _STAMP.match(self._rest)
        if not stamp:
            self._rest = self._rest[:_SECOND]  # the end of a line that began before `since`
            return b""
        text, self._rest = self._rest[stamp.end() :], stamp[0]
        if (self._known or self._is_skipping) and self._was_seen(stamp[0]):
            return b""
        fresh = text[self._cut :]
        self._cut = max(self._cut - len(text), 0)
        self._passed += len(fresh)
        self._partial = stamp[0]
        return fresh


def _stamps_at_end(lines: bytes) -> list[bytes]:
    """Return the stamps of the latest lines, KEPT at most, in their order."""
    stamps: list[bytes] = []
    end = len(lines)
    while end and len(stamps) < KEPT:
        end = lines.rfind(b"\n", 0, end - 1) + 1
        stamps += (stamp[0] for stamp in [_STAMP.match(lines, end)] if stamp)
    return stamps[::-1]


def _is_word(line: bytes) -> bool:
    """Tell whether a line is the kubelet's own, and not the beginning of a stamp."""
    return bool(line) and not line[:1].isdigit()


def _before(second: bytes) -> bytes:
    return (datetime.fromisoformat(second.decode()) - timedelta(seconds=1)).isoformat().encode()


def prefixed(lines: bytes, prefix: bytes) -> bytes:
    """Put prefix before each line."""
    whole = lines[:-1] if lines.endswith(b"\n") else lines
    return prefix + whole.replace(b"\n", b"\n" + prefix) + lines[len(whole) :]


def clean(text: str) -> str:
    """Keep a text from outside on one line, without what a terminal obeys or a reader misreads."""
    return _UNSEEN.sub(" ", text)


# Control characters, the line ends of Unicode, and what turns the direction of writing.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
