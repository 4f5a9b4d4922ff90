"""Whether flows name jobs that are there, and the steps that they make."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ctm.definition import Path
from ctm.lint.finding import Finding
from ctm.lint.tree import Item, Tree, is_a
from ctm.rehearse.events import flow_event


def sequences(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find flows that name what is not there, twice, or nothing at all."""
    for tree in trees:
        for flow in tree.of("Flow"):
            steps = flow.get("Sequence")
            if not isinstance(steps, list):
                continue
            if len(steps) < 2:
                yield tree.finding(
                    (*flow.path, "Sequence"), "flow",
                    "has fewer than two steps and orders nothing; add the others, or remove it",
                )  # fmt: skip
            for position, step in enumerate(steps):
                here = (*flow.path, "Sequence", position)
                if not isinstance(step, str):
                    continue
                if _sibling(tree, flow, step) is None:
                    where = "/".join(str(part) for part in flow.path[:-1])
                    yield tree.finding(
                        here, "flow", f"{where} has no job or subfolder {step}; correct the name"
                    )


@dataclass(frozen=True)
class Step:
    """Two neighbours in a flow, and the event that Control-M makes of them."""

    first: tuple[int, Path]
    then: tuple[int, Path]
    event: str


def steps(trees: Sequence[Tree]) -> Iterator[Step]:
    """Yield every step of every flow whose two ends are there."""
    for number, tree in enumerate(trees):
        for flow in tree.of("Flow"):
            named = flow.get("Sequence")
            found = (
                [_sibling(tree, flow, step) for step in named] if isinstance(named, list) else []
            )
            for first, then in itertools.pairwise(found):
                if first is not None and then is not None:
                    folder = flow.path[-2] if len(flow.path) > 1 else ""
                    yield Step(
                        (number, first.path), (number, then.path),
                        flow_event(flow.name, str(folder), first.name, then.name),
                    )  # fmt: skip


def _sibling(tree: Tree, flow: Item, name: Any) -> Item | None:
    item = tree.items.get((*flow.path[:-1], name)) if isinstance(name, str) else None
    return item if item is not None and is_a(item.type, "Job", "SubFolder") else None
