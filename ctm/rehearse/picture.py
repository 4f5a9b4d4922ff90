"""A Gantt picture of a rehearsal: one SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ctm.rehearse.plan import Plan
from ctm.rehearse.record import Attempt, Rehearsed
from ctm.rehearse.state import Phase

ROW, BAR, TOP, LEFT, RIGHT, CHART = 22, 14, 56, 210, 90, 760
LETTER = 7  # about as wide is one of a name
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.axis, .took, .why { fill: #57606a; font-size: 11px }
.grid { stroke: #d0d7de; stroke-width: 1 }
.folder { font-weight: 600 }
.ok { fill: #2da44e } .bad { fill: #cf222e } .open { fill: #bf8700 } .wait { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
  .axis, .took, .why { fill: #9198a1 }
}
"""
# A tick is one of these, times a power of ten, so that at most ten fit.
_STEPS = (1, 2, 5)


def gantt(plan: Plan, told: Rehearsed) -> str:
    """Draw a row a job, in the plan's order: its runs as bars, its wait where it never ran."""
    rows = list(plan.nodes.values())
    span = max([told.seconds, 0.1, *(each.ended or 0.0 for each in told.attempts)])
    height = TOP + ROW * len(rows) + 30
    width = LEFT + CHART + RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{escape(_title(told))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="16" y="26">{escape(_title(told))}</text>',
        *_grid(span, height),
    ]
    for number, node in enumerate(rows):
        y = TOP + ROW * number
        indent = 16 + 12 * _depth(plan, node.name)
        kind = ' class="folder"' if node.is_folder else ""
        name = _cut(node.name, (LEFT - indent) // LETTER)
        about = f"<title>{escape(node.name)}</title>" if name != node.name else ""
        parts.append(f'<text{kind} x="{indent}" y="{y + 15}">{escape(name)}{about}</text>')
        attempts = [each for each in told.attempts if each.job == node.name]
        parts.extend(_bar(each, y, span, told.seconds) for each in attempts)
        if attempts:
            last = attempts[-1]
            end = told.seconds if last.ended is None else last.ended
            x = LEFT + CHART * end / span + 5
            parts.append(
                f'<text class="took" x="{x:.1f}" y="{y + 15}">{end - last.began:.1f} s</text>'
            )
        elif told.phases[node.name] is Phase.WAITING and node.name in told.waiting:
            why = escape(_cut(f"waits for {told.waiting[node.name]}", 160))
            parts.append(f'<text class="why" x="{LEFT}" y="{y + 15}">{why}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _title(told: Rehearsed) -> str:
    end = "interrupted" if told.interrupted else "ended OK" if told.ok else "ended not OK"
    return f"{', '.join(told.names)}: {end}, {told.seconds:.1f} s from {told.began}"


def _grid(span: float, height: int) -> Iterator[str]:
    step = next(
        base * 10.0**power for power in range(-1, 9) for base in _STEPS
        if span / (base * 10.0**power) <= 10
    )  # fmt: skip
    for number in range(int(span / step) + 1):
        x = LEFT + CHART * number * step / span
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 22}"/>'
        yield f'<text class="axis" x="{x + 3:.1f}" y="{TOP - 12}">{number * step:g} s</text>'


def _bar(each: Attempt, y: int, span: float, now: float) -> str:
    end = now if each.ended is None else each.ended
    x, long = LEFT + CHART * each.began / span, max(2.0, CHART * (end - each.began) / span)
    kind = "open" if each.ended is None else "ok" if each.ok else "bad"
    words = "was ended" if each.ended is None else f"ended with {each.code}"
    about = f"{each.job}, run {each.number}: {each.began:.1f} s to {end:.1f} s, {words}"
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 4}" width="{long:.1f}" height="{BAR}" rx="2">'
        f"<title>{escape(about)}</title></rect>"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _depth(plan: Plan, name: str) -> int:
    parent = plan.nodes[name].parent
    return 0 if parent is None else 1 + _depth(plan, parent)
