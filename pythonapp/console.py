"""What the user sees while it runs, and the closing line."""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO

from pythonapp.clock import Clock
from pythonapp.producer import Broker, Counts, Source

CAPTURED_EVERY, LIVE_EVERY = 10.0, 0.5


class Progress:
    """A live line on a terminal, else a plain line every ten seconds; on stderr.

    name begins each line: it tells the pods of the quadrants apart.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        broker: Broker,
        clock: Clock,
        stream: TextIO | None = None,
    ) -> None:
        self._name = name
        self._source = source
        self._broker = broker
        self._clock = clock
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._begun = clock.now()
        self._next = self._begun + self._every
        self._last = (self._begun, 0)

    @property
    def _every(self) -> float:
        return LIVE_EVERY if self._live else CAPTURED_EVERY

    def __call__(self, counts: Counts) -> None:
        now = self._clock.now()
        if now < self._next:
            return
        then, before = self._last
        speed = (counts.read - before) / max(now - then, 1e-9)
        self._last, self._next = (now, counts.read), now + self._every
        text = (
            f"{self._name}: {counts.read:,} posts, {speed:,.0f} a second, {counts.rejected:,} "
            f"rejected, {self._broker.delivered:,} messages delivered"
        )
        if (due := self._source.due) is not None:
            text += f"; next search in {max(due - now, 0):,.0f} s"
        self._write(f"\r\033[K{text}" if self._live else f"{text}\n")

    def end(self) -> None:
        """Leave the live line."""
        if self._live:
            self._write("\r\033[K")

    def seconds(self) -> float:
        return self._clock.now() - self._begun

    def _write(self, text: str) -> None:
        # A reader that has gone away stops the writing and nothing else.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def closing(counts: Counts, broker: Broker, dead_letters: str, seconds: float) -> str:
    """Return the closing line: every post read is in it once, every message too."""
    speed = counts.read / seconds if seconds > 0 else 0
    reasons = "; ".join(f"{count:,}x {reason}" for reason, count in counts.reasons.items())
    kept = f" (kept in {dead_letters}: {reasons})" if reasons else ""
    return (
        f"{counts.read:,} posts read in {seconds:,.1f} s, {speed:,.0f} a second: "
        f"{counts.read - counts.rejected:,} accepted, {counts.rejected:,} rejected{kept}; "
        f"{broker.delivered:,} messages delivered, {broker.undelivered:,} not delivered"
    )
