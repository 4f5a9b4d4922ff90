"""A folder's run by its events alone: what starts and what does not, given how each job ends.

Nothing is executed, and locks, pools and times are left out: they only put a job off. A job ends
OK, not OK, or could not be submitted, and only what is written for that ending happens: whether
Control-M also counts a job that was not submitted as not OK is documented nowhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OK, NOT_OK, NOT_SUBMITTED = "OK", "NOTOK", "not submitted"
ENDINGS = (OK, NOT_OK, NOT_SUBMITTED)

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """A job: the event lists that it waits for, and what its endings add and delete."""

    name: str
    waits: tuple[tuple[Any, ...], ...]
    adds: Mapping[str, frozenset[str]]
    deletes: Mapping[str, frozenset[str]]
    ends_folder: bool


@dataclass(frozen=True)
class Run:
    """What happened, as (what, job) in its order, and the events that are left."""

    steps: tuple[tuple[str, str], ...]
    events: frozenset[str]

    def place(self, what: str, job: str) -> int | None:
        return self.steps.index((what, job)) if (what, job) in self.steps else None


def children(content: Content, kind: str) -> Iterator[tuple[str, Content]]:
    """Yield the members of a type, or of one that begins with it and a colon."""
    for name, member in content.items():
        if isinstance(member, Mapping) and f"{member.get('Type')}:".startswith(f"{kind}:"):
            yield name, member


def jobs(folder: Content) -> dict[str, Job]:
    """Read the jobs of a folder without subfolders; a flow's events are added and deleted by it."""
    flows = [
        (before, after)
        for _, flow in children(folder, "Flow")
        for before, after in zip(flow["Sequence"], flow["Sequence"][1:], strict=False)
    ]
    return {name: _job(name, content, flows) for name, content in children(folder, "Job")}


def _job(name: str, content: Content, flows: Sequence[tuple[str, str]]) -> Job:
    waits = [tuple(each["Events"]) for _, each in children(content, "WaitForEvents")]
    adds: dict[str, set[str]] = {ending: set() for ending in ENDINGS}
    deletes: dict[str, set[str]] = {ending: set() for ending in ENDINGS}
    for before, after in flows:
        event = f"{before}-TO-{after}"
        if name == before:
            adds[OK].add(event)
        if name == after:
            waits.append(({"Event": event},))
            deletes[OK].add(event)
    for kind, caused in (("AddEvents", adds), ("DeleteEvents", deletes)):
        for _, each in children(content, kind):
            caused[OK].update(event["Event"] for event in each["Events"])
    for condition, ending in (
        *((each, each["CompletionStatus"]) for _, each in children(content, "If:CompletionStatus")),
        *((each, NOT_SUBMITTED) for _, each in children(content, "If:JobNotSubmitted")),
    ):
        for kind, caused in (("Event:Add", adds), ("Event:Delete", deletes)):
            caused.get(ending, set()).update(each["Event"] for _, each in children(condition, kind))
    return Job(
        name,
        tuple(waits),
        {ending: frozenset(events) for ending, events in adds.items()},
        {ending: frozenset(events) for ending, events in deletes.items()},
        bool(content.get("EndFolder")),
    )


def holds(events: Sequence[Any], there: frozenset[str]) -> bool:
    """Tell whether a list of events, OR and parentheses holds; neighbours are joined by and."""
    rest = list(events)

    def alternatives() -> bool:
        found = together()
        while rest and rest[0] == "OR":
            rest.pop(0)
            found = together() or found
        return found

    def together() -> bool:
        found = True
        while rest and rest[0] not in ("OR", ")"):
            each = rest.pop(0)
            if each == "(":
                found = alternatives() and found
                rest.pop(0)
            else:
                found = each["Event"] in there and found
        return found

    return alternatives()


def run(
    folder: Content,
    endings: Mapping[str, str],
    chance: random.Random,
    events: frozenset[str] = frozenset(),
) -> Run:
    """Run the folder until nothing moves; an ending not told is OK, and chance picks who ends."""
    waiting, running = jobs(folder), dict[str, Job]()
    steps: list[tuple[str, str]] = []
    while True:
        for job in list(waiting.values()):
            if all(holds(each, events) for each in job.waits):
                running[job.name] = waiting.pop(job.name)
                steps.append(("start", job.name))
        if not running:
            return Run(tuple(steps), events)
        job = running.pop(chance.choice(sorted(running)))
        ending = endings.get(job.name, OK)
        steps.append((f"end {ending}", job.name))
        events = (events - job.deletes[ending]) | job.adds[ending]
        if job.ends_folder:
            waiting = {}
