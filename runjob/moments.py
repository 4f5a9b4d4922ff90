"""Tell the time, and read and write the times of the API."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """Return the time by the clock of this machine."""
    return datetime.now(timezone.utc)


def moment(text: str | None) -> datetime | None:
    """Read an RFC 3339 time of UTC; None for what is none, and for what never came to be."""
    if not text or text.startswith("1970-"):
        return None  # what never started is stamped with the epoch
    # Python 3.10 reads neither the Z nor more than six digits.
    stamp, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{stamp}.{(fraction + '000000')[:6]}+00:00")


def stamp(at: datetime) -> str:
    """Write a time as the API does, in whole seconds of UTC."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
