"""The schedule's laws hold over folders that chance makes up."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ctm.rehearse import schedule
from ctm.rehearse.events import satisfied
from ctm.rehearse.plan import Plan
from ctm.rehearse.state import (
    Ask,
    Confirmed,
    Decision,
    Ended,
    Happening,
    Passed,
    Phase,
    Start,
    State,
)
from ctm.rehearse.waiting import why_waiting
from tests.ctm.folders import POOLS, RERUN, adds, folder, on, waits

NAMES = ("A", "B", "C", "D", "E", "F")
EVENTS = ("E1", "E2", "E3", "E4")


# Folders made up: each job waits, adds, deletes, takes and reruns as chance has it.
def _job(draw: st.DrawFn) -> dict[str, Any]:
    some = st.lists(st.sampled_from(EVENTS), max_size=2, unique=True)
    job: dict[str, Any] = {"Type": "Job:Dummy"}
    if waited := draw(some):
        word = ["OR"] if draw(st.booleans()) and len(waited) > 1 else []
        job |= waits(waited[0], *word, *waited[1:])
    if added := draw(some):
        job |= adds(*added)
    if deleted := draw(st.lists(st.sampled_from(EVENTS), max_size=1)):
        job["d"] = {"Type": "DeleteEvents", "Events": [{"Event": each} for each in deleted]}
    if draw(st.booleans()):
        quantity = draw(st.integers(1, 2))
        job["seats"] = {"Type": "Resource:Pool", "Quantity": str(quantity)}
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["Exclusive", "Shared"]))
        job["lake"] = {"Type": "Resource:Lock", "LockType": kind}
    actions: list[dict[str, Any]] = draw(
        st.lists(
            st.sampled_from(
                [
                    RERUN,
                    {"Type": "Event:Add", "Event": "E1"},
                    {"Type": "Event:Delete", "Event": "E2"},
                    {"Type": "Action:SetToOK"},
                    {"Type": "Action:SetToNotOK"},
                    {"Type": "Action:Run", "Folder": "F", "Job": "A"},
                ]
            ),
            max_size=2,
        )
    )
    job |= on(draw(st.sampled_from(["OK", "NOTOK", "ANY"])), *actions)
    job["RerunLimit"] = {"Times": "2", "Every": "1"}
    job["Confirm"] = draw(st.integers(0, 9)) == 0
    job["EndFolder"] = draw(st.integers(0, 9)) == 0
    return job


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    jobs = {name: _job(draw) for name in NAMES[: draw(st.integers(1, len(NAMES)))]}
    inner = dict(list(jobs.items())[: draw(st.integers(0, 2))])
    outer = {name: each for name, each in jobs.items() if name not in inner}
    members: dict[str, Any] = {**outer}
    if inner:
        members["S"] = {
            "Type": "SubFolder",
            **inner,
            **(waits("E1") if draw(st.booleans()) else {}),
        }
    return folder(**members)


def _check(plan: Plan, state: State, decisions: tuple[Decision, ...]) -> None:
    runs = [node for node in plan.nodes.values() if state.runs[node.name].phase is Phase.RUNNING]
    for pool, size in POOLS.items():
        assert sum(each.pools.get(pool, 0) for each in runs) <= size
    holders = [each.locks["lake"] for each in runs if "lake" in each.locks]
    assert len(holders) <= 1 or not any(holders), "an exclusive lock is shared"
    for each in decisions:
        if isinstance(each, Start):
            node = plan.nodes[each.job]
            # Only an end changes events, and starts follow what it has changed.
            assert satisfied(node.wait, state.events), "it started before its events"
            assert not node.confirm or state.runs[each.job].confirmed
            assert node.parent is None or state.runs[node.parent].phase is not Phase.WAITING


@given(plans(), st.integers(0, 2**32))
def test_the_laws_hold_until_every_job_has_ended_or_says_what_it_waits_for(
    plan: Plan, seed: int
) -> None:
    chance, now = random.Random(seed), 0.0
    state, decisions = schedule.begin(plan, now)
    _check(plan, state, decisions)
    for _ in range(400):
        asked = [each.job for each in decisions if isinstance(each, Ask)]
        running = [job.name for job in plan.jobs if state.runs[job.name].phase is Phase.RUNNING]
        happening: Happening
        if asked and chance.random() < 0.8:
            happening = Confirmed(chance.choice(asked))
        elif running and chance.random() < 0.9:
            happening = Ended(chance.choice(running), chance.random() < 0.6)
        elif (due := schedule.next_due(plan, state)) is not None:
            now, happening = max(now, due), Passed()
        elif running:
            continue
        else:
            break
        state, decisions = schedule.after(plan, state, happening, now)
        _check(plan, state, decisions)
    assert not schedule.is_live(plan, state)
    for job in plan.jobs:
        phase = state.runs[job.name].phase
        if phase is Phase.WAITING:
            why = why_waiting(plan, state, job.name)
            # With nothing running nothing is taken: only an event or a person can be missing.
            assert why.startswith(("the event", "its folder", "a confirmation", "nothing any"))
        else:
            assert phase in (Phase.OK, Phase.NOT_OK)
