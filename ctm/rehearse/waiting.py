"""What a job waits for: its folder, its events, a person, pools and locks."""

from __future__ import annotations

from collections.abc import Collection

from ctm.rehearse.events import Event, events_in, satisfied
from ctm.rehearse.plan import Node, Plan
from ctm.rehearse.state import BROKEN_OFF, ENDS, Phase, State

# Of the events that a job waits for, so many are told.
MOST_CAUSES = 3


def may_begin(state: State, node: Node) -> bool:
    """Tell whether its folder and its events let a node begin."""
    folder = Phase.RUNNING if node.parent is None else state.runs[node.parent].phase
    ordered = folder in ENDS and state.runs[node.name].orders > 0
    return (folder is Phase.RUNNING or ordered) and satisfied(node.wait, state.events)


def shortage(plan: Plan, state: State, node: Node) -> str | None:
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


def why_waiting(plan: Plan, state: State, name: str, broken: Collection[str] = ()) -> str:
    """Say what a waiting job waits for, and where that stands; a signal has ended the broken."""
    node, run = plan.nodes[name], state.runs[name]
    if node.parent and state.runs[node.parent].phase is Phase.WAITING:
        why = why_waiting(plan, state, node.parent, broken)
        return f"its folder {node.parent}, which waits for {why}"
    if node.parent and state.runs[node.parent].phase in ENDS and not run.orders:
        return f"nothing any more: its folder {node.parent} has ended"
    if not satisfied(node.wait, state.events):
        missing = [each for each in events_in(node.wait) if each not in state.events]
        causes = [_cause(plan, state, each, broken) for each in dict.fromkeys(missing)]
        more = f" and {len(causes) - MOST_CAUSES} more" if len(causes) > MOST_CAUSES else ""
        return "; ".join(causes[:MOST_CAUSES]) + more
    if node.confirm and not run.confirmed:
        return "a confirmation"
    return shortage(plan, state, node) or "its start"


def _cause(plan: Plan, state: State, event: Event, broken: Collection[str]) -> str:
    adders = plan.adders(event)
    if not adders:
        return f"the event {event}, which nobody adds"
    causes = []
    for name in adders:
        phase = state.runs[name].phase
        gone = phase is Phase.OK and event in plan.nodes[name].adds
        told = BROKEN_OFF if name in broken else phase.value
        causes.append(f"{name} ({told}{', deleted since' if gone else ''})")
    return f"the event {event} of {', '.join(causes)}"
