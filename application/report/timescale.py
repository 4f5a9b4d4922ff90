"""How time is cut into slices, and how it is written."""

from __future__ import annotations

from datetime import datetime, timedelta

from application.report.data import Scale

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    1, 2, 5, 10, 15, 30,
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 7, 28, 91, 364)),
)  # fmt: skip
_EPOCH = datetime(2001, 1, 1)  # a Monday, so that slices of a week begin with one


def scale(first: datetime, last: datetime, most: int = 60) -> Scale:
    """Cut time into at most so many slices of a round length; first and last are in them.

    Longer than most years, the last length is taken so often that it fits.
    """
    for seconds in (*_STEPS, *(_STEPS[-1] * 2**power for power in range(1, 12))):
        step = timedelta(seconds=seconds)
        start = _EPOCH + (first - _EPOCH) // step * step
        count = (last - start) // step + 1
        if count <= most:
            return Scale(start, seconds, count)
    raise AssertionError("the calendar ends before the lengths do")


def span(seconds: float | None) -> str:
    """Write how long something takes, for people.

    >>> span(0.25), span(74), span(7300), span(200000)
    ('0.25 s', '1 min 14 s', '2 h 2 min', '2 d 8 h')
    """
    if seconds is None:
        return "—"
    if seconds < 0:
        return f"-{span(-seconds)}"
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    for size, name, smaller, less in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {less}" if rest else "")
    raise AssertionError("seconds were told above")


def length(seconds: int) -> str:
    """Name a slice: `1 s`, `6 h`, `1 week`."""
    weeks, rest = divmod(seconds, 7 * _DAY)
    if weeks and not rest:
        return f"{weeks} week{'' if weeks == 1 else 's'}"
    return span(seconds)


def moment(time: datetime | None) -> str:
    """Write a time to the minute; day first, as no country reads it wrongly with a named month."""
    return f"{time.day} {time:%b %Y, %H:%M}" if time else "—"


def second(time: datetime | None) -> str:
    """Write a time to the second, without its year."""
    return f"{time.day} {time:%b, %H:%M:%S}" if time else "—"


def day(time: datetime) -> str:
    """Write a day."""
    return f"{time.day} {time:%b %Y}"
