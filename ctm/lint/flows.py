"""Whether every job can come to run: events have both ends, and nothing waits for itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctm.definition import Path
from ctm.lint.finding import Finding
from ctm.lint.tree import Item, Tree, is_a

Node = tuple[int, Path, str]
"""A moment: the file's number, the object's path, and "start" or "end"."""

_RUN = ("Folder", "SimpleFolder", "SubFolder", "Job")
_ANY = "AnyDate"
_SERVES: Mapping[str, tuple[str, ...]] = {
    # The date that is waited for, and the dates of additions that can ever serve it: what today's
    # run adds for the next date is there tomorrow.
    "OrderDate": ("OrderDate", "NextOrderDate"),
    "PreviousOrderDate": ("OrderDate", "PreviousOrderDate", "NextOrderDate"),
    "NextOrderDate": ("OrderDate", "NextOrderDate"),
    "NoDate": ("NoDate",),
}


@dataclass(frozen=True)
class Mention:
    """An event named at a place, by an object (for an If, the object that has the If)."""

    event: str
    date: str
    path: Path
    tree: Tree
    owner: Path

    def serves(self, wait: Mention) -> bool:
        """Tell whether this addition can ever be what is waited for."""
        if self.event != wait.event:
            return False
        dates = _SERVES.get(wait.date)
        return dates is None or self.date not in (*_SERVES, _ANY) or self.date in dates

    @property
    def today(self) -> bool:
        return self.date not in ("PreviousOrderDate", "NextOrderDate")

    @property
    def by_one(self) -> bool:
        """Tell whether one job or folder adds it, rather than many through Defaults."""
        owner = self.tree.items.get(self.owner)
        return owner is not None and is_a(owner.type, *_RUN) and not owner.is_default


def events(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find events that are waited for and never added, or the other way round."""
    waits, adds, deletes = (
        list(_mentions(trees, list_, single))
        for list_, single in (
            ("WaitForEvents", ""), ("AddEvents", "Event:Add"), ("DeleteEvents", "Event:Delete")
        )
    )  # fmt: skip
    for wait in waits:
        named = [add for add in adds if add.event == wait.event]
        if not named:
            yield wait.tree.finding(
                wait.path, "event",
                f"{wait.event} is waited for, but nothing adds it; have a job add it, or do not "
                "wait (give all files that belong together at once)",
            )  # fmt: skip
        elif not any(add.serves(wait) for add in named):
            yield wait.tree.finding(
                wait.path, "event",
                f"{wait.event} is waited for with {wait.date}, but added with "
                f"{named[0].date} only, so that it never comes; use the same Date",
            )  # fmt: skip
    for add in adds:
        if add.event not in {wait.event for wait in waits}:
            yield add.tree.finding(
                add.path, "event",
                f"{add.event} is added, but nothing waits for it; have a job wait, or do not add "
                "it (give all files that belong together at once)",
            )  # fmt: skip
    for delete in deletes:
        if delete.event not in {add.event for add in adds}:
            yield delete.tree.finding(
                delete.path, "event", f"{delete.event} is deleted, but nothing adds it; remove this"
            )


def expressions(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find lists of events whose parentheses do not match."""
    for tree in trees:
        for wait in tree.of("WaitForEvents"):
            named = wait.get("Events")
            depth = lowest = 0
            for word in named if isinstance(named, list) else []:
                depth += (word == "(") - (word == ")")
                lowest = min(lowest, depth)
            if depth or lowest:
                yield tree.finding(
                    (*wait.path, "Events"), "event",
                    "has parentheses that do not match; give each its other half",
                )  # fmt: skip


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


def deadlocks(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find jobs that can never start although each event that they wait for is added somewhere."""
    waits = list(_mentions(trees, "WaitForEvents", ""))
    adds = list(_mentions(trees, "AddEvents", "Event:Add"))
    needs = dict(_needs(trees, waits, adds))
    reached: set[Node] = set()
    while True:
        more = {node for node, need in needs.items() if node not in reached and need.met(reached)}
        if not more:
            break
        reached |= more
    stuck = {node: need for node, need in needs.items() if node not in reached}
    for circle in _circles(stuck, reached):
        names = [path for _, path, moment in circle if moment == "start"]
        number, path, _ = min(node for node in circle if node[2] == "start")
        told = " waits for ".join("/".join(map(str, name)) for name in (*names, names[0]))
        yield trees[number].finding(
            path, "deadlock", f"can never start: {told}; break the circle in one place"
        )


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
    before = _flow_steps(trees)
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

    for position, tree in enumerate(trees):
        for item in tree.of(*_RUN):
            if item.is_default:
                continue
            node = (position, item.path)
            parent = tree.parent(item)
            start = set(before.get(node, ()))
            if parent is not None and is_a(parent.type, *_RUN):
                start.add((position, parent.path, "start"))
            expressions = tuple(
                _expression(tree, child, served) for child in tree.children(item, "WaitForEvents")
            )
            yield (*node, "start"), Need(frozenset(start), expressions)
            inside = {
                (position, child.path, "end") for child in tree.children(item, "Job", "SubFolder")
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


def _flow_steps(trees: Sequence[Tree]) -> dict[tuple[int, Path], set[Node]]:
    before: dict[tuple[int, Path], set[Node]] = {}
    for position, tree in enumerate(trees):
        for flow in tree.of("Flow"):
            steps = flow.get("Sequence")
            found = (
                [_sibling(tree, flow, step) for step in steps] if isinstance(steps, list) else []
            )
            for first, then in itertools.pairwise(found):
                if first is not None and then is not None:
                    before.setdefault((position, then.path), set()).add(
                        (position, first.path, "end")
                    )
    return before


def _sibling(tree: Tree, flow: Item, name: Any) -> Item | None:
    item = tree.items.get((*flow.path[:-1], name)) if isinstance(name, str) else None
    return item if item is not None and is_a(item.type, "Job", "SubFolder") else None


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


def _mentions(trees: Iterable[Tree], lists: str, single: str) -> Iterator[Mention]:
    """Yield the events in lists of one type, and those that an If's action names alone."""
    for tree in trees:
        for item in tree.items.values():
            if item.type == lists:
                named = item.get("Events")
                for position, event in enumerate(named if isinstance(named, list) else []):
                    if isinstance(event, dict):
                        path = (*item.path, "Events", position)
                        yield from _mention(tree, path, event, item.path[:-1])
            elif single and item.type == single:
                owner = next((a for a in tree.ancestors(item) if not is_a(a.type, "If")), item)
                yield from _mention(tree, item.path, item.content, owner.path)


def _mention(tree: Tree, path: Path, event: Mapping[str, Any], owner: Path) -> Iterator[Mention]:
    name, date = event.get("Event"), event.get("Date", "OrderDate")
    if isinstance(name, str) and isinstance(date, str):
        yield Mention(name, date, path, tree, owner)
