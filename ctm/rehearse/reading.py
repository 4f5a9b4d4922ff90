"""From definitions, as the Automation API takes them, to a plan."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from ctm.rehearse.conditions import check
from ctm.rehearse.errors import PlanError
from ctm.rehearse.events import All, Event, event_of, flow_event, wait_of
from ctm.rehearse.members import LINT, members, shaped, texts
from ctm.rehearse.plan import Action, Again, If, Node, Plan

FOLDERS = ("Folder", "SimpleFolder", "SubFolder")
_ACTIONS = (
    "Action:Mail",
    "Action:Notify",
    "Action:Rerun",
    "Action:Run",
    "Action:Set",
    "Action:SetToNotOK",
    "Action:SetToOK",
    "Event:Add",
    "Event:Delete",
)
# What has a Type of its own and may stand in a job, beside Ifs; a folder holds more.
_MEMBERS = (
    "AddEvents",
    "DeleteEvents",
    "Notify:DoesNotEnd",
    "Notify:DoesNotStart",
    "Notify:ExecutionTime",
    "Notify:LateCyclicSubmit",
    "Notify:NotOK",
    "Notify:OK",
    "Resource:Lock",
    "Resource:Pool",
    "WaitForEvents",
)
_MINUTES = {"Minutes": 1, "Hours": 60, "Days": 1440}
_SCOPES = ("Job", "Folder", "SubFolder", "SimpleFolder")


def plan_of(
    definitions: Sequence[Mapping[str, Any]],
    needs: Mapping[str, tuple[str, ...]],
    *,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    pools: Mapping[str, int] | None = None,
    events: Collection[Event] = (),
    minute: float = 60.0,
) -> Plan:
    """Read folders and connection profiles; raise PlanError, in one line, where that cannot be.

    Each definition's Defaults are for what it holds itself. needs names the job types that can be
    run and the properties that each must have. changes replaces properties of jobs, by patterns of
    their names; minute is how many seconds a minute lasts that a job is told to pause.
    """
    reader = _Reader(needs, changes or {}, minute)
    profiles = {}
    for definition in definitions:
        reader.defaults = definition.get("Defaults") or {}
        if not isinstance(reader.defaults, dict):
            raise PlanError(f"Defaults: {reader.defaults!r:.60} is no object; {LINT} where")
        for name, content in definition.items():
            kind = str(content.get("Type", "")) if isinstance(content, dict) else ""
            if kind.startswith(("ConnectionProfile:", "Driver:")):
                profiles[name] = content
            elif kind in FOLDERS:
                reader.folder(name, content, None)
            elif name not in ("Defaults", "Comment"):
                raise PlanError(
                    f"{name}: {kind or 'this'!r} is no folder and no connection profile"
                )
    nodes = reader.nodes
    if not any(not node.is_folder for node in nodes.values()):
        raise PlanError("there is no folder with a job in it")
    sizes = _sizes(nodes.values(), pools or {}, reader.notes)
    nodes = _aimed(nodes, reader.places, reader.notes)
    return Plan(nodes, sizes, frozenset(events), profiles, tuple(dict.fromkeys(reader.notes)))


class _Reader:
    """Collects nodes, and remarks about what is left out."""

    def __init__(
        self,
        needs: Mapping[str, tuple[str, ...]],
        changes: Mapping[str, Mapping[str, Any]],
        minute: float,
    ) -> None:
        self._needs = needs
        self._minute = minute
        self._changes = changes
        self.defaults: Mapping[str, Any] = {}
        self.nodes: dict[str, Node] = {}
        # Nodes' names by their places, such as F/S/J.
        self.places: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self.notes: list[str] = []

    def folder(self, name: str, content: Mapping[str, Any], parent: str | None) -> None:
        with shaped(name):
            self._folder(name, self._with_defaults(content), parent)

    def _folder(self, name: str, content: Mapping[str, Any], parent: str | None) -> None:
        if content.get("Rerun") or content.get("RerunLimit"):
            raise PlanError(f"{name}: a folder that runs again cannot be rehearsed")
        # Names are unique in a rehearsal; two jobs of one name get their folder's before theirs.
        short, name = name, self._unique(name, parent)
        self._place(name, short, parent)
        self.nodes[name] = self._node(name, content, parent, is_folder=True)
        flows = [each for each in members(content) if each[1]["Type"] == "Flow"]
        given: dict[str, str] = {}
        for child, member in members(content):
            kind = member["Type"]
            if kind == "SubFolder":
                given[child] = self._unique(child, name)
                self.folder(child, member, name)
            elif kind.startswith("Job:"):
                given[child] = self._unique(child, name)
                self._place(given[child], child, name)
                with shaped(given[child]):
                    self._job(given[child], child, member, name)
        for flow, member in flows:
            with shaped(f"{name}/{flow}"):
                self._chain(flow, member, short, given)

    def _job(self, name: str, short: str, content: Mapping[str, Any], parent: str) -> None:
        content = self._with_defaults(content)
        for pattern, change in self._changes.items():
            if fnmatchcase(short, pattern):
                content |= change
        kind = content["Type"]
        if kind not in self._needs:
            raise PlanError(f"{name}: a {kind} cannot be rehearsed; {_known(self._needs)}")
        if missing := [each for each in self._needs[kind] if content.get(each) in (None, "")]:
            raise PlanError(f"{name}: a {kind} needs {missing[0]}")
        if any("\0" in text for text in texts(content)):
            raise PlanError(f"{name}: it has a NUL character, which no process can be given")
        self.nodes[name] = self._node(name, content, parent, is_folder=False)

    def _node(
        self, name: str, content: Mapping[str, Any], parent: str | None, *, is_folder: bool
    ) -> Node:
        found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for member, each in members(content):
            kind = each["Type"]
            held = is_folder and (kind in ("Flow", "SubFolder") or kind.startswith("Job:"))
            if not (held or kind in _MEMBERS or kind.startswith("If:")):
                raise PlanError(
                    f"{name}/{member}: a {kind} cannot be rehearsed here; {LINT} what may be"
                )
            found.setdefault(kind, []).append((member, each))
        waits = [
            wait_of(each.get("Events") or [], f"{name}/{member}")
            for member, each in found.get("WaitForEvents", [])
            if each.get("Events")
        ]
        node = Node(
            name,
            content["Type"],
            parent,
            is_folder,
            content,
            variables=_variables(content.get("Variables"), name),
            wait=waits[0] if len(waits) == 1 else All(tuple(waits)),
            adds=_events(found, "AddEvents", name),
            deletes=_events(found, "DeleteEvents", name),
            pools={
                member: self._number(each.get("Quantity", 1), f"{name}/{member}: Quantity")
                for member, each in found.get("Resource:Pool", [])
            },
            locks={
                member: (each.get("LockType") or each.get("MutexType")) != "Shared"
                for member, each in found.get("Resource:Lock", [])
            },
            confirm=_is_true(content.get("Confirm")),
            ends_folder=_is_true(content.get("EndFolder")),
            ifs=tuple(
                self._if(f"{name}/{member}", each)
                for kind, members in found.items()
                if kind.startswith("If:")
                for member, each in members
            ),
            notices=tuple(
                Action(kind, each)
                for kind, members in found.items()
                if kind in ("Notify:OK", "Notify:NotOK")
                for _, each in members
            ),
            cycle=self._cycle(name, content.get("Rerun")),
            retry=self._again(f"{name}: RerunLimit", content.get("RerunLimit")),
        )
        if "When" in content:
            self.notes.append("When is not looked at: everything runs now")
        if "NumberOfRetries" in content:
            self.notes.append("NumberOfRetries is not looked at: a transfer is tried once")
        for member, told in (*found.get("Resource:Pool", []), *found.get("Resource:Lock", [])):
            if told.get("IfFail") == "Keep":
                self.notes.append(f"IfFail of {member} is not looked at: who fails gives it back")
        for kind in found:
            if kind in ("Notify:DoesNotStart", "Notify:DoesNotEnd", "Notify:LateCyclicSubmit"):
                self.notes.append(f"{kind} is about times of day, and not looked at")
        if not node.retry and any(
            action.kind == "Action:Rerun" for each in node.ifs for action in each.actions
        ):
            raise PlanError(f"{name}: Action:Rerun without a RerunLimit might never end; add Times")
        return self._with_times(node, found.get("Notify:ExecutionTime", []))

    def _with_times(self, node: Node, notices: Sequence[tuple[str, Mapping[str, Any]]]) -> Node:
        longest, shortest = [], []
        for member, each in notices:
            criteria = each.get("Criteria")
            where = f"{node.name}/{member}: Value"
            message = str(each.get("Message", ""))
            if criteria == "GreaterThan":
                longest.append((60.0 * self._number(each.get("Value"), where), message))
            elif criteria == "LessThan":
                shortest.append((60.0 * self._number(each.get("Value"), where), message))
            else:
                self.notes.append("a Notify:ExecutionTime by an average is not looked at")
        complete_in = None
        if node.kind == "Job:SLAManagement":
            told = (node.properties.get("CompleteIn") or {}).get("Time")
            if told is None:
                self.notes.append("a service's CompleteBy is a time of day, and not looked at")
            else:
                hours, colon, minutes = str(told).partition(":")
                if not (colon and hours.isdecimal() and minutes.isdecimal()):
                    raise PlanError(f"{node.name}: CompleteIn {told!r} is not as 00:30")
                complete_in = 3600.0 * int(hours) + 60.0 * int(minutes)
        return replace(
            node, longest=tuple(longest), shortest=tuple(shortest), complete_in=complete_in
        )

    def _if(self, where: str, content: Mapping[str, Any]) -> If:
        kind = content["Type"]
        check(kind, content, where)
        actions = []
        for member, each in members(content):
            name = f"{where}/{member}"
            if each["Type"] not in _ACTIONS:
                raise PlanError(f"{name}: a {each['Type']} cannot be rehearsed")
            properties = dict(each)
            if each["Type"].startswith("Event:"):
                properties["event"] = event_of(each, name)
            actions.append(Action(each["Type"], properties))
        return If(kind, content, tuple(actions))

    def _cycle(self, name: str, told: Any) -> Again | None:
        if told and not (isinstance(told, dict) and told.get("Times")):
            self.notes.append(f"{name} would run again and again; a rehearsal runs it once")
            return None
        return self._again(f"{name}: Rerun", told, runs=True)

    def _again(self, where: str, told: Any, *, runs: bool = False) -> Again | None:
        """Read Rerun, whose Times count all runs, or RerunLimit, whose Times count further ones."""
        if not told:
            return None
        unit = _MINUTES.get(told.get("Units", "Minutes"))
        if unit is None:
            raise PlanError(f"{where}: Units {told['Units']!r} is none of {', '.join(_MINUTES)}")
        pause = self._number(told.get("Every", 0), f"{where}: Every") * unit * self._minute
        times = self._number(told.get("Times"), f"{where}: Times")
        return Again(times - 1 if runs else times, pause, told.get("From") == "Start")

    def _number(self, told: Any, where: str) -> int:
        if not re.fullmatch(r"\d{1,9}", str(told)):
            raise PlanError(f"{where} is {told!r}, and must be a whole number")
        return int(told)

    def _chain(
        self, flow: str, content: Mapping[str, Any], folder: str, given: Mapping[str, str]
    ) -> None:
        names = content.get("Sequence") or []
        if unknown := [each for each in names if each not in given]:
            raise PlanError(f"{folder}/{flow}: there is no {unknown[0]} in its folder")
        for before, after in itertools.pairwise(names):
            first, then = self.nodes[given[before]], self.nodes[given[after]]
            name = flow_event(flow, folder, before, after)
            event = Event(name, short=f"{first.name}-TO-{then.name}")
            self.nodes[first.name] = replace(first, adds=(*first.adds, event))
            both = event if then.wait == All() else All((then.wait, event))
            self.nodes[then.name] = replace(self.nodes[then.name], wait=both)

    def _place(self, name: str, short: str, parent: str | None) -> None:
        self._paths[name] = f"{self._paths[parent]}/{short}" if parent else short
        self.places[self._paths[name]] = name

    def _unique(self, name: str, parent: str | None) -> str:
        return f"{parent}/{name}" if name in self.nodes else name

    def _with_defaults(self, content: Mapping[str, Any]) -> dict[str, Any]:
        kind = content["Type"]
        given: dict[str, Any] = {}
        for name, value in self.defaults.items():
            if name.split(":")[0] not in _SCOPES:
                given.setdefault(name, value)
            elif kind == name or kind.startswith(f"{name}:"):
                given.update(value)
        return {**given, **content}


def _is_true(told: Any) -> bool:
    return str(told).lower() in ("true", "yes", "y")


def _events(
    found: Mapping[str, list[tuple[str, Mapping[str, Any]]]], kind: str, name: str
) -> tuple[Event, ...]:
    return tuple(
        event_of(entry, f"{name}/{member}")
        for member, each in found.get(kind, [])
        for entry in each.get("Events") or []
    )


def _variables(told: Any, name: str) -> dict[str, str]:
    """Read `[{"NAME": "value"}, …]`."""
    pairs: dict[str, str] = {}
    for entry in told or []:
        if not isinstance(entry, dict):
            raise PlanError(f'{name}: Variables is a list such as [{{"NAME": "value"}}]')
        pairs.update({str(key): str(value) for key, value in entry.items()})
    return pairs


def _sizes(nodes: Collection[Node], sizes: Mapping[str, int], notes: list[str]) -> dict[str, int]:
    """Complete the pools' sizes; where none is told, one taker at a time fits."""
    all_sizes = dict(sizes)
    for node in nodes:
        for pool, quantity in node.pools.items():
            if pool not in sizes:
                all_sizes[pool] = max(all_sizes.get(pool, 0), quantity)
            elif quantity > sizes[pool]:
                raise PlanError(
                    f"{node.name}: it takes {quantity} of the pool {pool}, which has {sizes[pool]}"
                )
    if unknown := sorted(set(all_sizes) - set(sizes)):
        notes.append(f"the profile tells no size of {', '.join(unknown)}: one job at a time fits")
    return all_sizes


def _aimed(
    nodes: Mapping[str, Node], places: Mapping[str, str], notes: list[str]
) -> dict[str, Node]:
    """Resolve whom each Action:Run orders, now that all folders are read."""

    def aimed(node: Node, action: Action) -> Action:
        if action.kind != "Action:Run":
            return action
        told = action.properties
        place = "/".join(str(told[each]) for each in ("Folder", "Job") if told.get(each))
        if place not in places:
            notes.append(f"{node.name} may order {place}, which is not in this file")
        return replace(action, properties={**told, "place": place, "order": places.get(place)})

    return {
        node.name: replace(
            node,
            ifs=tuple(
                replace(each, actions=tuple(aimed(node, action) for action in each.actions))
                for each in node.ifs
            ),
        )
        for node in nodes.values()
    }


def _known(needs: Mapping[str, tuple[str, ...]]) -> str:
    return "it knows " + ", ".join(each.removeprefix("Job:") for each in needs)
