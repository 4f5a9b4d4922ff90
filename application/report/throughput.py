"""How many posts came when, and how long they took: the pictures' geometry, a pure decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from application.report.data import Found, Row, Scale
from application.report.timescale import length, moment, second, span

# Units of a picture, which is drawn as wide as the page lets it.
WIDTH, HEIGHT = 600.0, 150.0


def throughput(found: Found) -> dict[str, Any] | None:
    """Return what the section shows: posts a slice, as Kafka and the lake got them, and lags."""
    scale = found.span.loaded
    if scale is None:
        return None
    loaded = {int(row[0]): row for row in found.loaded}
    published = {int(row[0]): int(row[1]) for row in found.published}
    highest = _round(max([1, *(row[1] for row in loaded.values()), *published.values()]))
    lags = [float(row[3]) for row in loaded.values() if row[3] is not None]
    slowest = _round(max(lags, default=1.0))
    found_after, in_pipeline, late = (None if each is None else float(each) for each in found.lags)
    return {
        "slice": length(scale.seconds),
        "begins": _clock(scale, 0),
        "middle": _clock(scale, scale.count // 2),
        "ends": _clock(scale, scale.count),
        "highest": f"{highest:,.0f}",
        "loaded": _bars({at: row[1] for at, row in loaded.items()}, scale, highest, 0.5),
        "published": _bars(published, scale, highest, 0.0),
        "slowest": span(slowest),
        "median": _bars(_lag(loaded.values(), 2), scale, slowest, 0.5),
        "late": _bars(_lag(loaded.values(), 3), scale, slowest, 0.0),
        "rows": [_line(at, loaded.get(at), published.get(at, 0), scale)
            for at in sorted(loaded.keys() | published.keys())],
        "found_after": span(found_after),
        "in_pipeline": span(in_pipeline),
        "late_words": span(late),
        "per_second": _per_second(found, scale),
        "untold": found.span.posts - found.span.published,
    }  # fmt: skip


def _lag(rows: Iterable[Row], place: int) -> dict[int, float]:
    return {int(row[0]): float(row[place]) for row in rows if row[place] is not None}


def _bars(
    values: Mapping[int, float], scale: Scale, highest: float, shift: float
) -> Sequence[tuple[float, float, float, float]]:
    """Return x, y, width and height of each bar; two in a slice stand beside each other."""
    step = WIDTH / scale.count
    wide = step * 0.42
    bars = []
    for at, value in sorted(values.items()):
        high = max(1.0, HEIGHT * value / highest) if value > 0 else 0.0
        x = step * (at + 0.04 + shift * 0.96)
        bars.append((round(x, 2), round(HEIGHT - high, 2), round(wide, 2), round(high, 2)))
    return bars


def _line(at: int, row: Row | None, published: int, scale: Scale) -> tuple[str, str, str, str, str]:
    median, late = (row[2], row[3]) if row else (None, None)
    return (
        _clock(scale, at),
        f"{published:,}",
        f"{row[1] if row else 0:,}",
        span(None if median is None else float(median)),
        span(None if late is None else float(late)),
    )


def _per_second(found: Found, scale: Scale) -> str:
    """Return posts a second over the whole run, where it is short enough to be one."""
    busy = len({int(row[0]) for row in (*found.loaded, *found.published)}) * scale.seconds
    rate = found.span.posts / max(1, busy)
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _clock(scale: Scale, at: int) -> str:
    time = scale.at(at)
    return second(time) if scale.seconds < 60 else moment(time)


def _round(value: float) -> float:
    """Return the next round number that is not less: 1, 2 or 5 times a power of ten."""
    power = 10.0**-3
    while True:
        for base in (1, 2, 5):
            if base * power >= value:
                return base * power
        power *= 10
