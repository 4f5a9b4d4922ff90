"""Whether every event has both ends: what is waited for is added, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctm.definition import Path
from ctm.lint.finding import Finding
from ctm.lint.flows import steps
from ctm.lint.tree import Tree, is_a
from ctm.rehearse.errors import PlanError
from ctm.rehearse.events import WORDS, wait_of

RUN = ("Folder", "SimpleFolder", "SubFolder", "Job")
"""The kinds of objects that run, and so can wait for events and add them."""

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
        """Tell whether it is about this day's run."""
        return self.date not in ("PreviousOrderDate", "NextOrderDate")

    @property
    def by_one(self) -> bool:
        """Tell whether one job or folder adds it, rather than many through Defaults."""
        owner = self.tree.items.get(self.owner)
        return owner is not None and is_a(owner.type, *RUN) and not owner.is_default


def events(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find events that are waited for and never added, or the other way round."""
    waits, adds, deletes = (
        list(mentions(trees, list_, single))
        for list_, single in (
            ("WaitForEvents", ""), ("AddEvents", "Event:Add"), ("DeleteEvents", "Event:Delete")
        )
    )  # fmt: skip
    flows = {step.event for step in steps(trees)}
    for wait in waits:
        if _elsewhere(wait, flows):
            continue
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
        if add.event not in {wait.event for wait in waits} and not _elsewhere(add, flows):
            yield add.tree.finding(
                add.path, "event",
                f"{add.event} is added, but nothing waits for it; have a job wait, or do not add "
                "it (give all files that belong together at once)",
            )  # fmt: skip
    for delete in deletes:
        if delete.event not in {add.event for add in adds} and not _elsewhere(delete, flows):
            yield delete.tree.finding(
                delete.path, "event", f"{delete.event} is deleted, but nothing adds it; remove this"
            )


def _elsewhere(mention: Mention, flows: set[str]) -> bool:
    """Tell whether an event's other end cannot be told: a flow's own, or named by a variable."""
    return mention.event in flows or "%%" in mention.event


def expressions(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find lists of events that are no expression, and additions that are one."""
    for tree in trees:
        for item in tree.of("WaitForEvents", "AddEvents", "DeleteEvents"):
            named = item.get("Events")
            words = named if isinstance(named, list) else []
            if item.type != "WaitForEvents":
                for position, word in enumerate(words):
                    if word in WORDS:
                        yield tree.finding(
                            (*item.path, "Events", position), "event",
                            f"only a wait may have {word}; remove it",
                        )  # fmt: skip
            elif wrong := _wrong(words):
                yield tree.finding(
                    (*item.path, "Events"), "event",
                    f"{wrong}; put AND or OR between two events, and close what is open",
                )  # fmt: skip


def _wrong(words: Sequence[Any]) -> str:
    """Say what is wrong with an expression; whether its events are events is told elsewhere."""
    try:
        if words:
            wait_of([word if word in WORDS else {"Event": "any"} for word in words], "")
    except PlanError as error:
        return str(error).removeprefix(": ")
    return ""


def mentions(trees: Iterable[Tree], lists: str, single: str) -> Iterator[Mention]:
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
