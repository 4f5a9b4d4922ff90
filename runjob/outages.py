"""Keep account of what the API does not answer, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from runjob.errors import ApiError
from runjob.retry import REFUSALS

# Seconds until the same trouble is worth another line.
TELL_AGAIN = 300.0


@dataclass(frozen=True)
class Outage:
    """Since when something is not answered, with what, and how often in a row it was forbidden."""

    since: float
    error: ApiError
    refusals: int = 0


class Outages:
    """The requests that are in trouble, each by what it is for; times are in seconds."""

    def __init__(self) -> None:
        self._lasting: dict[str, Outage] = {}
        self._since = 0.0  # when the first began of those that overlap
        self._told: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._lasting)

    def begin(self, what: str, error: ApiError, since: float) -> None:
        """Note that something is not answered since then; it lasts until it ends."""
        known = self._lasting.get(what) or Outage(since, error)
        refusals = known.refusals + 1 if error.status == 403 else 0
        since = min(since, known.since)
        self._since = min(since, self._since) if self._lasting else since
        self._lasting[what] = Outage(since, error, refusals)

    def end(self, what: str, now: float) -> float:
        """Note an answer; return how long not all was answered, where the last one came by it."""
        outage = self._lasting.pop(what, None)
        return 0.0 if outage is None or self._lasting else now - self._since

    def end_all(self) -> None:
        """Note that what was asked for until now is not asked for any more."""
        self._lasting.clear()

    def of(self, what: str) -> Outage | None:
        """Return the outage of something that is not answered now."""
        return self._lasting.get(what)

    @property
    def begun(self) -> float | None:
        """When the longest began of those that may end, None where there is none."""
        return min(
            (each.since for what, each in self._lasting.items() if self.may_end(what)), default=None
        )

    def may_end(self, what: str) -> bool:
        """Tell whether something is not answered now and is worth waiting for.

        What stays forbidden is not: an API server that has just started refuses for seconds only.
        """
        outage = self._lasting.get(what)
        return outage is not None and outage.refusals < REFUSALS

    def is_news(self, text: str, now: float) -> bool:
        """Tell whether a trouble is worth a line; one may last for ever, and is told now and then.

        Asking counts as telling.
        """
        if now - self._told.get(text, -TELL_AGAIN) < TELL_AGAIN:
            return False
        self._told[text] = now
        return True
