"""Whether every job can come to run: nothing waits, over events and flows, for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctm.definition import Path
from ctm.lint.events import RUN, Mention, mentions
from ctm.lint.finding import Finding
from ctm.lint.flows import Step, steps
from ctm.lint.tree import Item, Tree, is_a

Node = tuple[int, Path, str]
"""A moment: the file's number, the object's path, and "start" or "end"."""


def deadlocks(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find jobs that can never start although each event that they wait for is added somewhere."""
    waits = list(mentions(trees, "WaitForEvents", ""))
    adds = list(mentions(trees, "AddEvents", "Event:Add"))
    needs = dict(_needs(trees, waits, adds))
    reached: set[Node] = set()
    while True:
        more = {node for node, need in needs.items() if node not in reached and need.met(reached)}
        if not more:
            break
        reached |= more
    stuck = {node: need for node, need in needs.items() if node not in reached}
    for circle in _circles(stuck, reached):
        starts = [node for node in circle if node[2] == "start"]
        first = circle.index(min(starts))
        circle = [*circle[first:], *circle[:first]]
        # A job's end follows its start; a folder's end waits for what is in it.
        told = [
            "/".join(map(str, path))
            if moment == "start"
            else f"the end of {'/'.join(map(str, path))}"
            for number, path, moment in circle
            if moment == "start" or (number, path, "start") not in circle
        ]
        number, path, _ = circle[0]
        yield trees[number].finding(
            path, "deadlock",
            f"can never start: {' waits for '.join([*told, told[0]])}; break the circle in one "
            "place",
        )  # fmt: skip


@dataclass(frozen=True)
class Need:
    """What must have happened before a moment: all of these, and the events' expressions."""

    all_of: frozenset[Node]
    expressions: tuple[Any, ...] = ()

    def met(self, reached: set[Node]) -> bool:
        return self.all_of <= reached and all(_true(e, reached) for e in self.expressions)

    def missing(self, reached: set[Node]) -> Iterator[Node]:
        yield from sorted(self.all_of - reached)
        for expression in self.expressions:
            if not _true(expression, reached):
                yield from sorted(_leaves(expression) - reached)


# An expression is a bool, a Node, or ("and" | "or", expression, …).
def _true(expression: Any, reached: set[Node]) -> bool:
    if isinstance(expression, bool):
        return expression
    if expression[0] == "or":
        return any(_true(part, reached) for part in expression[1:])
    if expression[0] == "and":
        return all(_true(part, reached) for part in expression[1:])
    return expression in reached


def _leaves(expression: Any) -> set[Node]:
    if isinstance(expression, bool):
        return set()
    if expression[0] in ("or", "and"):
        return set().union(*(_leaves(part) for part in expression[1:]))
    return {expression}


def _needs(
    trees: Sequence[Tree], waits: Sequence[Mention], adds: Sequence[Mention]
) -> Iterator[tuple[Node, Need]]:
    """Yield what each moment of each folder and job needs."""
    number = {id(tree): position for position, tree in enumerate(trees)}
    flows = list(steps(trees))
    by_path = {(id(wait.tree), wait.path): wait for wait in waits}

    def served(tree: Tree, path: Path) -> Any:
        wait = by_path.get((id(tree), path))
        if wait is None or not wait.today:
            return True
        serving = [add for add in adds if add.serves(wait)]
        nodes = [(number[id(add.tree)], add.owner, "end") for add in serving]
        # An event that nothing adds is told as such, and holds up nobody here; another day's
        # run, or a job that has its events by Defaults, is no part of a circle.
        if not nodes or not all(add.today and add.by_one for add in serving):
            return True
        return ("or", *nodes)

    def stepped(step: Step) -> Any:
        """Say what opens a step of a flow: its first job's end, or its event added by hand."""
        by_hand = [
            (number[id(add.tree)], add.owner, "end")
            for add in adds
            if add.event == step.event and add.by_one
        ]
        return ("or", (*step.first, "end"), *by_hand)

    for position, tree in enumerate(trees):
        for item in tree.of(*RUN):
            if item.is_default:
                continue
            node = (position, item.path)
            parent = tree.parent(item)
            start: set[Node] = set()
            if parent is not None and is_a(parent.type, *RUN):
                start.add((position, parent.path, "start"))
            expressions = [
                *(stepped(step) for step in flows if step.then == node),
                *(_expression(tree, child, served)
                  for child in tree.children(item, "WaitForEvents")),
            ]  # fmt: skip
            yield (*node, "start"), Need(frozenset(start), tuple(expressions))
            inside = {
                (position, child.path, "end")
                for child in tree.children(item, "Job", "SubFolder")
                if not child.is_default
            }
            yield (*node, "end"), Need(frozenset({(*node, "start"), *inside}))


def _expression(tree: Tree, item: Item, served: Any) -> Any:
    """Read a list of events with "OR", "AND" and parentheses; blanks between events mean AND."""
    events_ = item.get("Events")
    words = list(enumerate(events_)) if isinstance(events_, list) else []

    def either() -> Any:
        parts = [every()]
        while words and words[0][1] == "OR":
            words.pop(0)
            parts.append(every())
        return ("or", *parts)

    def every() -> Any:
        parts: list[Any] = []
        while words and words[0][1] not in ("OR", ")"):
            position, word = words.pop(0)
            if word == "(":
                parts.append(either())
                if words:
                    words.pop(0)
            elif word != "AND":
                parts.append(served(tree, (*item.path, "Events", position)))
        return ("and", *parts)

    whole = [either()]
    while words:  # a parenthesis too many
        words.pop(0)
        whole.append(either())
    return ("and", *whole)


def _circles(stuck: Mapping[Node, Need], reached: set[Node]) -> Iterator[list[Node]]:
    """Yield each circle once: from every stuck moment go on to what it misses."""
    done: set[Node] = set()
    for node in sorted(stuck):
        trail: list[Node] = []
        while node not in done and node not in trail:
            trail.append(node)
            node = next(iter(stuck[node].missing(reached)))
        if node not in done:
            yield trail[trail.index(node) :]
        done |= set(trail)
