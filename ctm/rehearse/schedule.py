"""The rules of Control-M as a pure function: what has happened becomes what is done now.

`begin` and `after` return the next state and the decisions that follow; nothing here waits, reads
a clock or starts anything. Times are seconds of any one clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ctm.rehearse.conditions import Ending, holds
from ctm.rehearse.events import Event
from ctm.rehearse.plan import Action, Node, Plan
from ctm.rehearse.state import (
    ENDS,
    Ask,
    Confirmed,
    Decision,
    Ended,
    Happening,
    Phase,
    Run,
    Say,
    Start,
    State,
)
from ctm.rehearse.waiting import may_begin, shortage

# A job that Action:Run orders after its end runs anew, so that two could order each other for ever.
MOST_ORDERS = 3


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


def _settled(plan: Plan, state: State, decisions: list[Decision], now: float) -> Step:
    """Follow everything that can follow at once, until nothing moves."""
    state = _timed(plan, state, decisions, now)
    before = None
    while before is not state:
        before = state
        for node in plan.nodes.values():
            if state.runs[node.name].phase is Phase.WAITING and may_begin(state, node):
                state = _let_begin(plan, state, node, decisions, now)
        if before is state:
            # A folder has ended only when nothing in it can begin any more.
            state = _folders_ended(plan, state, decisions, now)
    return state, tuple(decisions)


def _let_begin(
    plan: Plan, state: State, node: Node, decisions: list[Decision], now: float
) -> State:
    """Begin a node unless a person, a pool or a lock holds it."""
    run = state.runs[node.name]
    if node.confirm and not run.confirmed:
        if run.asked:
            return state
        decisions.append(Ask(node.name))
        return _with(state, node.name, asked=True)
    return state if shortage(plan, state, node) else _begun(plan, state, node, decisions, now)


def _folders_ended(plan: Plan, state: State, decisions: list[Decision], now: float) -> State:
    """End the first folder that can; the state stays the same one where none can."""
    for node in plan.nodes.values():
        if node.is_folder and state.runs[node.name].phase is Phase.RUNNING:
            phases = [state.runs[each.name].phase for each in plan.children(node.name)]
            if _has_ended(plan, state, node):
                ok = Phase.NOT_OK not in phases
                return _ended(plan, state, Ended(node.name, ok, 0 if ok else 1), decisions, now)
    return state


def _has_ended(plan: Plan, state: State, folder: Node) -> bool:
    """Tell whether all in a folder has ended, or its end point and nothing else runs."""
    inside = [(each, state.runs[each.name].phase) for each in plan.children(folder.name)]
    phases = [phase for _, phase in inside]
    if Phase.RUNNING in phases or Phase.PAUSED in phases:
        return False
    pointed = any(each.ends_folder and phase is Phase.OK for each, phase in inside)
    return pointed or Phase.WAITING not in phases


def _begun(plan: Plan, state: State, node: Node, decisions: list[Decision], now: float) -> State:
    run = state.runs[node.name]
    tries = run.tries + 1
    state = _with(state, node.name, phase=Phase.RUNNING, tries=tries, began=now, due=None)
    if not node.is_folder:
        variables = _variables(plan, state, node)
        decisions.append(Start(node.name, tries, variables))
    return state


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
        if told["order"] is None or plan.nodes[told["order"]].is_folder:
            decisions.append(Say(node.name, "order", f"would order {told['place']}"))
            return state
        return _ordered(state, node, told["order"], decisions)
    if action.kind == "Action:Mail":
        to = ", ".join(str(each) for each in (told.get("To"), told.get("CC")) if each)
        decisions.append(Say(node.name, "mail", f"to {to}: {told.get('Subject', '')}"))
    if action.kind == "Action:Notify":
        decisions.append(_notice(node, told))
    return state


def _ordered(state: State, node: Node, job: str, decisions: list[Decision]) -> State:
    run = state.runs[job]
    if run.phase not in ENDS or run.orders >= MOST_ORDERS:
        why = "was ordered often enough" if run.phase in ENDS else f"is {run.phase.value} already"
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
        if node.complete_in is not None and run.phase not in ENDS:
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
