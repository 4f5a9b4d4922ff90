"""Mark those lines of a log that begin like one of ours (--guard-output)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from runjob.marks import BEGINNING

MARK = b"| "

OURS = (
    b"Job created",
    b"Job adopted",
    b"Options in effect:",
    b"Pods Statuses:",
    b"Job Completion status:",
    b"Container exit code:",
    b"Result:",
    b"Verdict:",
    b"Failed:",
    b"Event:",
    BEGINNING.encode(),
    b"Preflight",
)

# Where a reader may see a line begin: Python's splitlines and Java's \R know all of these as a
# line's end. The byte 85 is one where the log is read as Latin-1, and in UTF-8 it ends one too.
_ENDS = b"\n\r\v\f\x1c\x1d\x1e\x85"
_LONG_ENDS = (b"\xe2\x80\xa8", b"\xe2\x80\xa9")
# What a reader may take off before it compares: blanks, colours and other control characters.
_UNSEEN = bytes({*range(0x21), 0x7F} - {*_ENDS})
_LONG_UNSEEN = re.compile(rb"(?:\x1b\[[0-9;:?]*[ -/]*[@-~]|\xc2?\xa0|\xef\xbb\xbf)\Z")
# How far to look back for a line's beginning, in bytes. Where nothing visible stands in so many,
# it counts as one.
_WINDOW = 256


def guarded(log: bytes) -> bytes:
    """Return a part of a log with MARK before each line that begins like one of ours.

    The part is taken to begin a line, since something else may have been printed before it; and
    where it ends within a line, a beginning of one of ours counts as the whole.
    """
    found = [at for each in OURS for at in _found(each, log)]
    if not log.endswith(b"\n"):
        found += [
            len(log) - length
            for each in OURS
            for length in range(1, len(each))
            if log.endswith(each[:length])
        ]
    places = {place for at in found if (place := _line_start(log, at)) is not None}
    cuts = [0, *sorted(places), len(log)]
    return MARK.join(log[start:end] for start, end in pairwise(cuts)) if places else log


def _found(word: bytes, log: bytes) -> Iterator[int]:
    at = log.find(word)
    while at >= 0:
        yield at
        at = log.find(word, at + 1)


def _line_start(log: bytes, at: int) -> int | None:
    """Return where the line begins in which nothing visible stands before at, None if some does."""
    start = max(at - _WINDOW, 0)
    before = log[start:at]
    while True:
        before = before.rstrip(_UNSEEN)
        # The rest of a line's end that was cut in the middle may begin the part.
        if not before or before[-1] in _ENDS or before.endswith(_LONG_ENDS):
            return start + len(before)
        if not start and before in (b"\xa8", b"\xa9", b"\x80\xa8", b"\x80\xa9"):
            return len(before)
        unseen = _LONG_UNSEEN.search(before, max(len(before) - 32, 0))
        if unseen is None:
            return None
        before = before[: unseen.start()]
