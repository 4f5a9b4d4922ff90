"""What is to be rehearsed, as frozen data: folders and jobs with what they wait for and cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctm.rehearse.events import All, Event, Wait

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """Something an If does, or a Notify: its Type and its properties."""

    kind: str
    properties: Properties


@dataclass(frozen=True)
class If:
    """A condition on a run, and what is done when it holds."""

    kind: str
    properties: Properties
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Again:
    """How often a job may run again, and after how many seconds.

    The pause counts from the end of a run, or from its start.
    """

    times: int
    pause: float = 0.0
    from_start: bool = False


@dataclass(frozen=True)
class Node:
    """A job, or a folder that holds jobs.

    pools are what it takes of each; locks tell whether each is taken for itself alone. cycle runs
    it again after an OK, retry bounds what Action:Rerun does. complete_in is a service's, in
    seconds from the start of the rehearsal; ends_folder ends its folder though others never ran.
    longest and shortest are what Notify:ExecutionTime
    allows a run, with their message.
    """

    name: str
    kind: str
    parent: str | None = None
    is_folder: bool = False
    properties: Properties = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    wait: Wait = All()  # noqa: RUF009  # frozen
    adds: tuple[Event, ...] = ()
    deletes: tuple[Event, ...] = ()
    pools: Mapping[str, int] = field(default_factory=dict)
    locks: Mapping[str, bool] = field(default_factory=dict)
    confirm: bool = False
    ifs: tuple[If, ...] = ()
    notices: tuple[Action, ...] = ()
    cycle: Again | None = None
    retry: Again | None = None
    ends_folder: bool = False
    complete_in: float | None = None
    longest: tuple[tuple[float, str], ...] = ()
    shortest: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Folders and jobs by name, a folder before what it holds.

    pools are their sizes, events what is there from the start; notes are remarks for the user
    about what a rehearsal leaves out.
    """

    nodes: Mapping[str, Node]
    pools: Mapping[str, int] = field(default_factory=dict)
    events: frozenset[Event] = frozenset()
    profiles: Mapping[str, Properties] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def jobs(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes.values() if not node.is_folder)

    def children(self, name: str) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes.values() if node.parent == name)

    def adders(self, event: Event) -> tuple[str, ...]:
        """Return who adds an event, by its end or by an If."""
        return tuple(
            node.name
            for node in self.nodes.values()
            if event in node.adds or event in added_by_ifs(node)
        )


def added_by_ifs(node: Node) -> frozenset[Event]:
    """Return the events that an If of the node may add."""
    return frozenset(
        action.properties["event"]
        for each in node.ifs
        for action in each.actions
        if action.kind == "Event:Add"
    )
