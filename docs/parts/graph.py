"""Boxes in columns and the arrows between them, as one accessible SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

BOX, ROW, COLUMN, MARGIN, LETTER, PAD = 30, 44, 38, 6, 7.6, 8

# The page's own colours, so that a picture is light or dark as the page is; others where it
# stands alone.
STYLE = """
.box { fill: var(--color-background-secondary, #f6f8fa); stroke: var(--color-foreground-muted, #6e7781) }
.strong { stroke: var(--color-brand-primary, #0969da); stroke-width: 2 }
.store { stroke-dasharray: 5 3 }
text { fill: var(--color-foreground-primary, #1f2328); font: 12.5px ui-monospace, monospace }
.note { fill: var(--color-foreground-secondary, #57606a); font: 12px system-ui, sans-serif }
.arrow { fill: none; stroke: var(--color-foreground-muted, #6e7781); stroke-width: 1.3 }
.any { stroke-dasharray: 6 4 }
.head { fill: var(--color-foreground-muted, #6e7781) }
"""  # noqa: E501 - a rule a line


@dataclass(frozen=True)
class Box:
    """What is drawn as a box; says is told where a pointer rests on it."""

    name: str
    says: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Graph:
    """Boxes by name, and arrows (from, to) with their kind: `any` is drawn broken."""

    boxes: tuple[Box, ...]
    arrows: Mapping[tuple[str, str], str] = field(default_factory=dict)


def ranks(graph: Graph) -> dict[str, int]:
    """Put each box one column behind the last one that leads to it."""
    found = {box.name: 0 for box in graph.boxes}
    for _ in graph.boxes:
        before = dict(found)
        for start, end in graph.arrows:
            found[end] = max(found[end], found[start] + 1)
        if before == found:
            return found
    raise ValueError("these arrows lead in a circle")


def direct(graph: Graph) -> Graph:
    """Leave out an arrow where a longer way leads to the same box."""
    after: dict[str, set[str]] = {box.name: set() for box in graph.boxes}
    for start, end in graph.arrows:
        after[start].add(end)

    def reach(name: str) -> set[str]:
        return set().union(*({each} | reach(each) for each in after[name]))

    kept = {
        (start, end): kind
        for (start, end), kind in graph.arrows.items()
        if kind == "failed" or not any(end in reach(other) for other in after[start] - {end})
    }
    return Graph(graph.boxes, kept)


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float


def columns(graph: Graph) -> list[list[str]]:
    """Order the boxes of each column by where their arrows come from.

    A long arrow holds a place of its own in each column that it passes, named `from>to`.
    """
    rank = ranks(graph)
    found: list[list[str]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    before: dict[str, list[str]] = {}
    for box in graph.boxes:
        found[rank[box.name]].append(box.name)
    for start, end in graph.arrows:
        way = [start, *(f"{start}>{end}" for _ in range(rank[start] + 1, rank[end])), end]
        for number, (one, other) in enumerate(pairwise(way), rank[start] + 1):
            before.setdefault(f"{number} {other}", []).append(one)
            if ">" in other:
                found[number].append(other)
    for number, column in enumerate(found[1:], 1):
        at = {name: place / len(found[number - 1]) for place, name in enumerate(found[number - 1])}

        def middle(name: str, number: int = number, at: dict[str, float] = at) -> float:
            places = [at[each] for each in before.get(f"{number} {name}", []) if each in at]
            return sum(places) / len(places) if places else 1.0

        column.sort(key=middle)
    return found


def svg(graph: Graph, title: str, says: str, notes: Sequence[str] = ()) -> str:
    """Draw it from left to right; title and says are read to who does not see it."""
    boxes = {box.name: box for box in graph.boxes}
    order = columns(graph)
    tallest = max(len(column) for column in order)
    places: dict[tuple[int, str], _Place] = {}
    x: float = MARGIN
    for number, column in enumerate(order):
        width = max((_wide(name) for name in column if name in boxes), default=0.0)
        top = MARGIN + (tallest - len(column)) * ROW / 2
        for row, name in enumerate(column):
            places[number, name] = _Place(x, top + row * ROW, width)
        x += width + COLUMN
    height = MARGIN * 2 + tallest * ROW + 20 * len(notes)
    rank = ranks(graph)
    body = [
        *(
            line
            for arrow, kind in graph.arrows.items()
            for line in _arrow(arrow, kind, rank, places)
        ),
        *(_box(boxes[name], place) for (_, name), place in places.items() if name in boxes),
        *(
            f'<text class="note" x="{MARGIN}" y="{MARGIN * 2 + tallest * ROW + 20 * row + 4}">'
            f"{escape(note)}</text>"
            for row, note in enumerate(notes)
        ),
    ]
    wide = max([x - COLUMN + MARGIN, *(MARGIN * 2 + len(note) * 6.4 for note in notes)])
    return framed(body, wide, height, title, says)


def framed(body: Iterable[str], width: float, height: float, title: str, says: str) -> str:
    """Make a picture of its lines, with the words that stand for it."""
    name = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'role="img" aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{escape(says)}</desc>',
            f"<style>{STYLE}</style>",
            *body,
            "</svg>",
        ]
    )


def rectangle(box: Box, x: float, y: float, width: float) -> str:
    """Draw one box with its name in the middle."""
    about = f"<title>{escape(box.says)}</title>" if box.says else ""
    return (
        f'<g>{about}<rect class="box {box.kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{BOX}" rx="6"/><text x="{x + width / 2:.1f}" y="{y + BOX / 2 + 4.5:.1f}" '
        f'text-anchor="middle">{escape(box.name)}</text></g>'
    )


def _wide(name: str) -> float:
    return len(name) * LETTER + 2 * PAD


def _box(box: Box, place: _Place) -> str:
    return rectangle(box, place.x, place.y, place.width)


def _arrow(
    arrow: tuple[str, str],
    kind: str,
    rank: Mapping[str, int],
    places: Mapping[tuple[int, str], _Place],
) -> list[str]:
    start, end = arrow
    first, last = places[rank[start], start], places[rank[end], end]
    x, y = first.x + first.width, first.y + BOX / 2
    steps = [f"M{x:.1f} {y:.1f}"]
    for number in range(rank[start] + 1, rank[end]):
        by = places[number, f"{start}>{end}"]
        there = by.y + BOX / 2
        steps.append(_curve(x, y, by.x, there))
        x, y = by.x + by.width, there
        steps.append(f"H{x:.1f}")
    tip, level = last.x, last.y + BOX / 2
    steps.append(_curve(x, y, tip - 6, level))
    broken = " any" if kind else ""
    return [
        f'<path class="arrow{broken}" d="{" ".join(steps)}"/>',
        f'<path class="head" d="M{tip:.1f} {level:.1f} l-8 -4 v8 z"/>',
    ]


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = (to_x - x) / 2
    return f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
