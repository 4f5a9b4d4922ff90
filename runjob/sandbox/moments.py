"""Time as the API writes it."""

from __future__ import annotations

import time
from datetime import datetime, timezone


def stamp(seconds: float | None = None) -> str:
    """Write a time in whole seconds, as metav1.Time does; None means now."""
    moment = time.gmtime(time.time() if seconds is None else seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)


def nano_stamp(nanoseconds: int) -> bytes:
    """Write a time with all nine digits, as the kubelet does in front of a log line."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{rest:09d}Z".encode()


def seconds_of(text: str) -> float:
    """Read an RFC 3339 time; raise ValueError on anything else."""
    whole, digits = _read(text)
    return whole + (float(f"0.{digits}") if digits else 0.0)


def whole_seconds_of(text: str) -> int:
    """Read an RFC 3339 time and drop its fraction, which as a float might round up."""
    return _read(text)[0]


def _read(text: str) -> tuple[int, str]:
    head, dot, tail = text.partition(".")
    digits = ""
    if dot:
        zone = next((i for i, c in enumerate(tail) if not c.isdigit()), len(tail))
        digits, head = tail[:zone], head + tail[zone:]
    if head.endswith(("Z", "z")):
        head = head[:-1] + "+00:00"
    moment = datetime.fromisoformat(head)
    if moment.tzinfo is None or "T" not in head:
        raise ValueError(f"not an RFC 3339 time: {text}")
    return int(moment.astimezone(timezone.utc).timestamp()), digits
