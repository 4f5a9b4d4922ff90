"""The rules of Control-M as a pure function: what has happened becomes what is done now.

`begin` and `after` return the next state and the decisions that follow; nothing here waits, reads
a clock or starts anything. Times are seconds of any one clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ctm.rehearse.conditions import Ending, holds
from ctm.rehearse.events import Event, events_in, satisfied
from ctm.rehearse.plan import Action, Node, Plan

# A job that Action:Run orders after its end runs anew, so that two could order each other for ever.
MOST_ORDERS = 3
# Of the events that a job waits for, so many are told.
MOST_CAUSES = 3


class Phase(str, Enum):
    """Where a job or a folder is; PAUSED is between two runs."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    OK = "ended OK"
    NOT_OK = "ended not OK"


_ENDS = (Phase.OK, Phase.NOT_OK)


@dataclass(frozen=True)
class Run:
    """How far a job or a folder is.

    tries counts runs since it was ordered, orders how often it was ordered again; due is when a
    PAUSED one goes on; warned holds what was already said about its time.
    """

    phase: Phase = Phase.WAITING
    tries: int = 0
    failures: int = 0
    orders: int = 0
    began: float | None = None
    ended: float | None = None
    due: float | None = None
    asked: bool = False
    confirmed: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    warned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """Everything that changes."""

    runs: Mapping[str, Run]
    events: frozenset[Event]
    began: float


@dataclass(frozen=True)
class Ended:
    """A job's run has ended; values are variables that it has set."""

    job: str
    ok: bool
    code: int = 0
    output: str = ""
    submitted: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Confirmed:
    """A person has let a job start."""

    job: str


@dataclass(frozen=True)
class Passed:
    """Time has passed."""


Happening = Ended | Confirmed | Passed


@dataclass(frozen=True)
class Start:
    """Start a job, for the so-manieth time, with these variables."""

    job: str
    number: int
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """Ask a person whether a job may start."""

    job: str


@dataclass(frozen=True)
class Say:
    """Tell what follows, of which nobody else would learn."""

    job: str
    kind: str
    text: str


Decision = Start | Ask | Say
Step = tuple[State, tuple[Decision, ...]]


def begin(plan: Plan, now: float) -> Step:
    """Start what waits for nothing."""
    state = State({name: Run() for name in plan.nodes}, plan.events, now)
    return _settled(plan, state, [], now)


def after(plan: Plan, state: State, happening: Happening, now: float) -> Step:
    """Return what follows from a happening."""
    decisions: list[Decision] = []
    if isinstance(happening, Ended):
        run = state.runs[happening.job]
        if run.phase is Phase.RUNNING:
            state = _ended(plan, state, happening, decisions, now)
    elif isinstance(happening, Confirmed):
        state = _with(state, happening.job, confirmed=True)
    return _settled(plan, state, decisions, now)


def next_due(plan: Plan, state: State) -> float | None:
    """Return when time alone changes something; None where it does not."""
    return min((moment for _, _, moment in _dues(plan, state)), default=None)


def is_live(plan: Plan, state: State) -> bool:
    """Tell whether anything is still running, or is to run again."""
    live = (Phase.RUNNING, Phase.PAUSED)
    return any(state.runs[job.name].phase in live for job in plan.jobs)


def why_waiting(plan: Plan, state: State, name: str) -> str:
    """Say what a waiting job waits for, and where that stands."""
    node, run = plan.nodes[name], state.runs[name]
    if node.parent and state.runs[node.parent].phase is Phase.WAITING:
        return f"its folder {node.parent}, which waits for {why_waiting(plan, state, node.parent)}"
    if not satisfied(node.wait, state.events):
        missing = [each for each in events_in(node.wait) if each not in state.events]
        causes = [_cause(plan, state, each) for each in dict.fromkeys(missing)]
        more = f" and {len(causes) - MOST_CAUSES} more" if len(causes) > MOST_CAUSES else ""
        return "; ".join(causes[:MOST_CAUSES]) + more
    if node.confirm and not run.confirmed:
        return "a confirmation"
    return _shortage(plan, state, node) or "its start"


def _cause(plan: Plan, state: State, event: Event) -> str:
    adders = plan.adders(event)
    if not adders:
        return f"the event {event}, which nobody adds"
    where = ", ".join(f"{name} ({state.runs[name].phase.value})" for name in adders)
    return f"the event {event} of {where}"


def _settled(plan: Plan, state: State, decisions: list[Decision], now: float) -> Step:
    """Follow everything that can follow at once, until nothing moves."""
    state = _timed(plan, state, decisions, now)
    moved = True
    while moved:
        moved = False
        for node in plan.nodes.values():
            phase = state.runs[node.name].phase
            if phase is Phase.WAITING and _may_begin(state, node):
                run = state.runs[node.name]
                if node.confirm and not run.confirmed:
                    if not run.asked:
                        state = _with(state, node.name, asked=True)
                        decisions.append(Ask(node.name))
                elif _shortage(plan, state, node) is None:
                    state = _begun(plan, state, node, decisions, now)
                    moved = True
            elif phase is Phase.RUNNING and node.is_folder:
                ends = [state.runs[each.name].phase for each in plan.children(node.name)]
                if all(each in _ENDS for each in ends):
                    ok = all(each is Phase.OK for each in ends)
                    end = Ended(node.name, ok, 0 if ok else 1)
                    state = _ended(plan, state, end, decisions, now)
                    moved = True
    return state, tuple(decisions)


def _may_begin(state: State, node: Node) -> bool:
    inside = node.parent is None or state.runs[node.parent].phase is not Phase.WAITING
    return inside and satisfied(node.wait, state.events)


def _begun(plan: Plan, state: State, node: Node, decisions: list[Decision], now: float) -> State:
    run = state.runs[node.name]
    tries = run.tries + 1
    state = _with(state, node.name, phase=Phase.RUNNING, tries=tries, began=now, due=None)
    if not node.is_folder:
        variables = _variables(plan, state, node)
        decisions.append(Start(node.name, tries, variables))
    return state


def _shortage(plan: Plan, state: State, node: Node) -> str | None:
    """Say which pool or lock is taken; None where all are free."""
    holders = [
        each
        for each in plan.nodes.values()
        if state.runs[each.name].phase is Phase.RUNNING and each.name != node.name
    ]
    for pool, quantity in node.pools.items():
        taken = {each.name: each.pools[pool] for each in holders if pool in each.pools}
        if sum(taken.values()) + quantity > plan.pools[pool]:
            return f"{quantity} of the pool {pool}, of which {', '.join(taken)} has too much"
    for lock, exclusive in node.locks.items():
        rivals = [
            each.name for each in holders if lock in each.locks and (exclusive or each.locks[lock])
        ]
        if rivals:
            return f"the lock {lock} of {', '.join(rivals)}"
    return None


def _ended(plan: Plan, state: State, end: Ended, decisions: list[Decision], now: float) -> State:
    node = plan.nodes[end.job]
    run = state.runs[node.name]
    failures = run.failures + (not end.ok)
    run = replace(run, ended=now, failures=failures, variables={**run.variables, **end.values})
    state = replace(state, runs={**state.runs, node.name: run})
    ending = Ending(
        end.ok,
        end.code,
        end.output,
        end.submitted,
        executions=run.tries,
        failures=failures,
        variables=_variables(plan, state, node),
    )
    actions = [action for each in node.ifs if holds(each, ending) for action in each.actions]
    ok, again = end.ok, False
    for action in actions:
        if action.kind in ("Action:SetToOK", "Action:SetToNotOK"):
            ok = action.kind == "Action:SetToOK"
            decisions.append(
                Say(node.name, "status", f"an If sets it to {'OK' if ok else 'not OK'}")
            )
        again = again or action.kind == "Action:Rerun"
        state = _acted(plan, state, node, action, decisions)
    decisions.extend(_notices(node, ok, run, now))
    if ok:
        state = _with_events(state, node.adds, node.deletes)
    return _with(state, node.name, **_next(node, state.runs[node.name], ok, again, decisions, now))


def _next(
    node: Node, run: Run, ok: bool, again: bool, decisions: list[Decision], now: float
) -> dict[str, Any]:
    """Decide whether a run was the last one."""
    plan = node.retry if again else node.cycle if ok else None
    if again and node.retry and run.tries > node.retry.times:
        text = f"its rerun limit of {node.retry.times} is reached"
        decisions.append(Say(node.name, "rerun", text))
    elif plan and run.tries <= plan.times:
        start = run.began if plan.from_start and run.began is not None else now
        due = max(now, start + plan.pause)
        text = f"runs again in {due - now:.0f} s ({run.tries} of {plan.times})"
        decisions.append(Say(node.name, "rerun", text))
        return {"phase": Phase.PAUSED, "due": due}
    return {"phase": Phase.OK if ok else Phase.NOT_OK}


def _acted(
    plan: Plan, state: State, node: Node, action: Action, decisions: list[Decision]
) -> State:
    told = action.properties
    if action.kind == "Event:Add":
        return _with_events(state, (told["event"],), ())
    if action.kind == "Event:Delete":
        return _with_events(state, (), (told["event"],))
    if action.kind == "Action:Set":
        variables = {**state.runs[node.name].variables}
        variables[str(told.get("Variable", "")).lstrip("%")] = str(told.get("Value", ""))
        return _with(state, node.name, variables=variables)
    if action.kind == "Action:Run":
        job = str(told.get("Job") or told.get("Folder") or "?")
        return _ordered(plan, state, node, job, decisions)
    if action.kind == "Action:Mail":
        to = ", ".join(filter(None, (told.get("To"), told.get("CC"))))
        decisions.append(Say(node.name, "mail", f"to {to}: {told.get('Subject', '')}"))
    if action.kind == "Action:Notify":
        decisions.append(_notice(node, told))
    return state


def _ordered(plan: Plan, state: State, node: Node, job: str, decisions: list[Decision]) -> State:
    run = state.runs.get(job)
    if run is None or plan.nodes[job].is_folder:
        decisions.append(Say(node.name, "order", f"would order {job}"))
        return state
    if run.phase not in _ENDS or run.orders >= MOST_ORDERS:
        why = "was ordered often enough" if run.phase in _ENDS else f"is {run.phase.value} already"
        decisions.append(Say(node.name, "order", f"orders {job}, which {why}"))
        return state
    decisions.append(Say(node.name, "order", f"orders {job} again"))
    fresh = Run(orders=run.orders + 1)
    return replace(state, runs={**state.runs, job: fresh})


def _notices(node: Node, ok: bool, run: Run, now: float) -> list[Say]:
    kind = "Notify:OK" if ok else "Notify:NotOK"
    found = [_notice(node, each.properties) for each in node.notices if each.kind == kind]
    took = now - (run.began if run.began is not None else now)
    for seconds, message in node.shortest:
        if took < seconds:
            text = message or f"it took {took:.0f} s, less than {seconds:.0f} s"
            found.append(Say(node.name, "notify", text))
    return found


def _notice(node: Node, told: Mapping[str, Any]) -> Say:
    urgency = told.get("Urgency", "Regular")
    where = told.get("Destination", "Alerts")
    mark = "" if urgency == "Regular" else f" ({urgency})"
    return Say(node.name, "notify", f"{where}{mark}: {told.get('Message', '')}")


def _timed(plan: Plan, state: State, decisions: list[Decision], now: float) -> State:
    """Let go on whose pause is over, and warn of what takes too long."""
    for name, what, moment in _dues(plan, state):
        if moment > now:
            continue
        if what == "again":
            state = _with(state, name, phase=Phase.WAITING, due=None)
            continue
        decisions.append(Say(name, *what.partition(": ")[::2]))
        warned = state.runs[name].warned | {what}
        state = _with(state, name, warned=warned)
    return state


def _dues(plan: Plan, state: State) -> list[tuple[str, str, float]]:
    """List who is due when, and for what: to run again, or the kind and text of a warning."""
    found = []
    for node in plan.nodes.values():
        run = state.runs[node.name]
        if run.phase is Phase.PAUSED and run.due is not None:
            found.append((node.name, "again", run.due))
        warnings = []
        if node.complete_in is not None and run.phase not in _ENDS:
            service = node.properties.get("ServiceName", node.name)
            text = f"sla: {service} is late: it was to be complete in {node.complete_in:.0f} s"
            warnings.append((text, state.began + node.complete_in))
        if run.phase is Phase.RUNNING and run.began is not None:
            for seconds, message in node.longest:
                text = message or f"it takes longer than {seconds:.0f} s"
                warnings.append((f"notify: {text}", run.began + seconds))
        found.extend(
            (node.name, text, moment) for text, moment in warnings if text not in run.warned
        )
    return found


def _variables(plan: Plan, state: State, node: Node) -> dict[str, str]:
    """Return a node's variables: its own over those of its folders, set ones over defined ones."""
    lines = [node]
    while lines[0].parent:
        lines.insert(0, plan.nodes[lines[0].parent])
    found: dict[str, str] = {}
    for each in lines:
        found |= {**each.variables, **state.runs[each.name].variables}
    return found


def _with_events(state: State, adds: tuple[Event, ...], deletes: tuple[Event, ...]) -> State:
    return replace(state, events=(state.events | set(adds)) - set(deletes))


def _with(state: State, name: str, **changes: Any) -> State:
    return replace(state, runs={**state.runs, name: replace(state.runs[name], **changes)})
