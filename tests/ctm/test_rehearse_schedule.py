"""The schedule: its laws over made-up folders, and the rules by name."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.rehearse import schedule
from ctm.rehearse.errors import PlanError
from ctm.rehearse.events import Event, satisfied
from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of
from ctm.rehearse.state import (
    Ask,
    Confirmed,
    Decision,
    Ended,
    Happening,
    Passed,
    Phase,
    Say,
    Start,
    State,
)
from ctm.rehearse.waiting import why_waiting

NEEDS: dict[str, tuple[str, ...]] = {"Job:Dummy": (), "Job:SLAManagement": ("ServiceName",)}
POOLS = {"seats": 2, "desks": 3}
NAMES = ("A", "B", "C", "D", "E", "F")
EVENTS = ("E1", "E2", "E3", "E4")


def folder(**members: Any) -> Plan:
    """Return the plan of a folder: names to properties of its jobs, or whole members."""
    content = {
        name: {"Type": "Job:Dummy", **each} if "Type" not in each else each
        for name, each in members.items()
    }
    return plan_of([{"F": {"Type": "Folder", **content}}], NEEDS, pools=POOLS)


def waits(*events: Any) -> dict[str, Any]:
    entries = [{"Event": each} if each not in ("(", ")", "OR") else each for each in events]
    return {"w": {"Type": "WaitForEvents", "Events": entries}}


def adds(*events: str) -> dict[str, Any]:
    return {"a": {"Type": "AddEvents", "Events": [{"Event": each} for each in events]}}


def on(status: str, *actions: Mapping[str, Any]) -> dict[str, Any]:
    named = {f"do{number}": each for number, each in enumerate(actions)}
    return {f"if{status}": {"Type": "If:CompletionStatus", "CompletionStatus": status, **named}}


RERUN = {"Type": "Action:Rerun"}


class Play:
    """A folder that is played by hand."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = 0.0
        self.state, self.last = schedule.begin(plan, 0.0)

    def _then(self, happening: Happening) -> tuple[Decision, ...]:
        self.state, self.last = schedule.after(self.plan, self.state, happening, self.now)
        return self.last

    def ends(self, job: str, ok: bool = True, **more: Any) -> tuple[Decision, ...]:
        return self._then(Ended(job, ok, 0 if ok else 1, **more))

    def confirmed(self, job: str) -> tuple[Decision, ...]:
        return self._then(Confirmed(job))

    def passes(self, seconds: float) -> tuple[Decision, ...]:
        self.now += seconds
        return self._then(Passed())

    @property
    def started(self) -> list[str]:
        return [each.job for each in self.last if isinstance(each, Start)]

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(each.kind, each.text) for each in self.last if isinstance(each, Say)]

    def phase(self, name: str) -> Phase:
        return self.state.runs[name].phase


def test_a_flow_runs_one_after_the_other() -> None:
    play = Play(folder(A={}, B={}, C={}, flow={"Type": "Flow", "Sequence": ["A", "B", "C"]}))
    assert play.started == ["A"]
    play.ends("A")
    assert play.started == ["B"]
    play.ends("B")
    assert play.started == ["C"]
    play.ends("C")
    assert play.phase("F") is Phase.OK


def test_who_waits_for_a_failed_job_waits_on_and_says_why() -> None:
    play = Play(folder(A={}, B={}, flow={"Type": "Flow", "Sequence": ["A", "B"]}))
    play.ends("A", ok=False)
    assert not schedule.is_live(play.plan, play.state)
    assert why_waiting(play.plan, play.state, "B") == ("the event A-TO-B of A (ended not OK)")


def test_an_event_that_nobody_adds_is_told() -> None:
    play = Play(folder(A=waits("E1")))
    assert why_waiting(play.plan, play.state, "A") == "the event E1, which nobody adds"


def test_an_if_adds_an_event_after_a_failure() -> None:
    act = {"Type": "Event:Add", "Event": "E1"}
    play = Play(folder(A=on("NOTOK", act), B=waits("E1")))
    play.ends("A", ok=False)
    assert play.started == ["B"]
    play.ends("B")
    assert play.phase("F") is Phase.NOT_OK


def test_a_deleted_event_holds_who_comes_later() -> None:
    gone = {"d": {"Type": "DeleteEvents", "Events": [{"Event": "E1"}]}}
    play = Play(folder(A=adds("E1"), B={**waits("E1"), **gone}, C=waits("E1", "E2")))
    play.ends("A")
    assert play.started == ["B"]
    play.ends("B")
    assert Event("E1") not in play.state.events
    assert "the event E1 of A (ended OK, deleted since)" in why_waiting(play.plan, play.state, "C")


def test_a_flow_adds_the_event_that_control_m_makes_of_it_and_no_other() -> None:
    flow = {"Type": "Flow", "Sequence": ["P", "Q"]}
    made = "flow_from_F_folder_job_P_to_F_folder_job_Q"
    play = Play(folder(P={}, Q={}, A=waits("P-TO-Q"), B=waits(made), flow=flow))
    play.ends("P")
    assert play.started == ["Q", "B"]
    assert why_waiting(play.plan, play.state, "A") == "the event P-TO-Q, which nobody adds"


def test_a_rerun_waits_its_pause_and_ends_at_its_limit() -> None:
    play = Play(folder(A={"RerunLimit": {"Times": "2", "Every": "5"}, **on("NOTOK", RERUN)}))
    for _ in range(2):
        play.ends("A", ok=False)
        assert play.phase("A") is Phase.PAUSED
        play.passes(299)
        assert play.started == []
        play.passes(1)
        assert play.started == ["A"]
    play.ends("A", ok=False)
    assert play.phase("A") is Phase.NOT_OK
    assert ("rerun", "its rerun limit of 2 is reached") in play.said


def test_a_cyclic_job_runs_as_often_as_it_says() -> None:
    play = Play(folder(A={"Rerun": {"Every": "1", "Units": "Minutes", "Times": "3"}}))
    for _ in range(2):
        play.ends("A")
        play.passes(60)
        assert play.started == ["A"]
    play.ends("A")
    assert play.phase("A") is Phase.OK


def test_set_to_ok_lets_the_others_go_on() -> None:
    play = Play(folder(A={**on("NOTOK", {"Type": "Action:SetToOK"}), **adds("E1")}, B=waits("E1")))
    play.ends("A", ok=False)
    assert play.started == ["B"]
    play.ends("B")
    assert play.phase("F") is Phase.OK


def test_text_in_the_output_can_fail_a_job() -> None:
    look = {"Type": "If:Output", "Code": "*NO POSTS*", "x": {"Type": "Action:SetToNotOK"}}
    play = Play(folder(A={"look": look}))
    play.ends("A", output="CUST360\nNO POSTS\n")
    assert play.phase("A") is Phase.NOT_OK


@pytest.mark.parametrize(("said", "fails"), [("all FINE Rows", False), ("an [ERROR] came", True)])
def test_brackets_in_a_text_to_look_for_are_brackets(said: str, fails: bool) -> None:
    look = {"Type": "If:Output", "Code": "[ERROR]", "x": {"Type": "Action:SetToNotOK"}}
    play = Play(folder(A={"look": look}))
    play.ends("A", output=said)
    assert play.phase("A") is (Phase.NOT_OK if fails else Phase.OK)


def test_a_set_variable_is_there_in_the_next_run() -> None:
    act = {"Type": "Action:Set", "Variable": "%%SIZE", "Value": "small"}
    play = Play(
        folder(A={"RerunLimit": {"Times": "1"}, "Variables": [{"SIZE": "big"}],
                  **on("NOTOK", act, RERUN)})
    )  # fmt: skip
    assert [each.variables["SIZE"] for each in play.last if isinstance(each, Start)] == ["big"]
    play.ends("A", ok=False)
    assert [each.variables["SIZE"] for each in play.last if isinstance(each, Start)] == ["small"]


def test_a_folders_variables_reach_its_jobs() -> None:
    content = {"Type": "Folder", "Variables": [{"X": "1"}, {"Y": "2"}],
               "A": {"Type": "Job:Dummy", "Variables": [{"Y": "3"}]}}  # fmt: skip
    play = Play(plan_of([{"F": content}], NEEDS))
    assert [each.variables for each in play.last if isinstance(each, Start)] == [
        {"X": "1", "Y": "3"}
    ]


def test_a_pool_lets_in_who_fits() -> None:
    two = {"seats": {"Type": "Resource:Pool", "Quantity": "1"}}
    play = Play(folder(A=two, B=two, C=two))
    assert play.started == ["A", "B"]
    assert why_waiting(play.plan, play.state, "C").startswith("1 of the pool seats")
    play.ends("B")
    assert play.started == ["C"]


def test_an_exclusive_lock_is_held_alone_and_a_shared_one_together() -> None:
    def lock(kind: str) -> dict[str, Any]:
        return {"lake": {"Type": "Resource:Lock", "LockType": kind}}

    play = Play(folder(A=lock("Shared"), B=lock("Shared"), C=lock("Exclusive")))
    assert play.started == ["A", "B"]
    play.ends("A")
    assert why_waiting(play.plan, play.state, "C") == "the lock lake of B"
    play.ends("B")
    assert play.started == ["C"]


def test_a_job_that_asks_is_confirmed_first() -> None:
    play = Play(folder(A={"Confirm": True}))
    assert play.last == (Ask("A"),)
    assert why_waiting(play.plan, play.state, "A") == "a confirmation"
    play.confirmed("A")
    assert play.started == ["A"]


def test_a_late_service_is_told_once() -> None:
    service = {"Type": "Job:SLAManagement", "ServiceName": "Day", "CompleteIn": {"Time": "00:30"}}
    play = Play(folder(A={}, S={**service, **waits("E1")}))
    assert schedule.next_due(play.plan, play.state) == 1800
    play.passes(1801)
    assert play.said == [("sla", "Day is late: it was to be complete in 1800 s")]
    play.passes(1)
    assert play.said == []


def test_notices_and_mails_are_lines() -> None:
    mail = {"Type": "Action:Mail", "To": "a@example.com", "Subject": "help"}
    note = {"Type": "Notify:NotOK", "Message": "it failed", "Urgency": "Urgent"}
    slow = {"Type": "Notify:ExecutionTime", "Criteria": "GreaterThan", "Value": "1",
            "Message": "slow"}  # fmt: skip
    play = Play(folder(A={**on("NOTOK", mail), "n": note, "s": slow}))
    play.passes(61)
    assert play.said == [("notify", "slow")]
    play.ends("A", ok=False)
    assert play.said == [
        ("mail", "to a@example.com: help"),
        ("notify", "Alerts (Urgent): it failed"),
    ]


def test_an_ordered_job_runs_again_but_not_for_ever() -> None:
    def order(job: str) -> dict[str, Any]:
        return on("ANY", {"Type": "Action:Run", "Folder": "F", "Job": job})

    play = Play(folder(A=order("B"), B=order("A")))
    for _ in range(100):
        for job in [job.name for job in play.plan.jobs if play.phase(job.name) is Phase.RUNNING]:
            play.ends(job)
    assert not schedule.is_live(play.plan, play.state)
    assert play.phase("F") is Phase.OK


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"Folder": "G", "Job": "J"}, "orders G/J again"),
        ({"Folder": "F", "Job": "J"}, "orders J again"),
        ({"Folder": "F/S", "Job": "J"}, "orders S/J again"),
        ({"Folder": "H", "Job": "J"}, "would order H/J"),
        ({"Folder": "G"}, "would order G"),
    ],
)
def test_an_order_is_for_the_job_of_its_folder(order: dict[str, str], says: str) -> None:
    def content(**more: Any) -> dict[str, Any]:
        return {"Type": "Folder", "J": {"Type": "Job:Dummy"}, **more}

    orders = {"Type": "Job:Dummy", **on("OK", {"Type": "Action:Run", **order})}
    sub = {**content(), "Type": "SubFolder"}
    play = Play(plan_of([{"F": content(S=sub), "G": content(Z=orders)}], NEEDS))
    for job in ("J", "S/J", "G/J"):
        play.ends(job)
    play.ends("Z")
    assert play.said == [("order", says)]
    assert play.started == ([says.split()[1]] if says.endswith("again") else [])
    assert play.plan.notes == (
        ("Z may order H/J, which is not in this file",) if "H/J" in says else ()
    )


def test_a_subfolder_begins_with_its_event_and_ends_with_its_last_job() -> None:
    sub = {"Type": "SubFolder", "X": {"Type": "Job:Dummy"}, "Y": {"Type": "Job:Dummy"},
           **waits("E1"), **adds("E2")}  # fmt: skip
    play = Play(folder(A=adds("E1"), S=sub, Z=waits("E2")))
    assert play.started == ["A"]
    assert why_waiting(play.plan, play.state, "X").startswith("its folder S, which waits")
    play.ends("A")
    assert play.started == ["X", "Y"]
    play.ends("X")
    assert play.started == []
    play.ends("Y")
    assert play.started == ["Z"]


@pytest.mark.parametrize("ok", [True, False])
def test_a_folders_end_point_ends_it_though_others_never_ran(ok: bool) -> None:
    play = Play(folder(A={}, B=waits("E1"), C=waits("E2"), Z={**adds("E2"), "EndFolder": True}))
    play.ends("A", ok)
    assert play.phase("F") is Phase.RUNNING
    play.ends("Z")
    # What it lets start at the same moment still runs.
    assert play.started == ["C"]
    play.ends("C")
    assert play.phase("F") is (Phase.OK if ok else Phase.NOT_OK)
    assert why_waiting(play.plan, play.state, "B") == ("nothing any more: its folder F has ended")


@pytest.mark.parametrize(
    "members",
    [
        {"X": {"Type": "job:Command"}},
        {"X": {"Type": "Folder"}},
        {"X": {"Type": "Job"}},
        {"A": {"X": {"Type": "WaitForEvent", "Events": [{"Event": "E1"}]}}},
        {"A": {"X": {"Type": "Resource:Lok", "LockType": "Exclusive"}}},
        {"A": {"X": {"Type": "Job:Dummy"}}},
        {"A": {"X": {"Type": "IfCollection"}}},
    ],
)
def test_a_member_that_is_not_known_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=r"X: a \S+ cannot be rehearsed here; python -m ctm\.lint"):
        folder(**{"A": {}, **members})


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        ({"Variables": 5}, "A"),
        ({"a": {"Type": "AddEvents", "Events": 7}}, "A"),
        ({"w": {"Type": "WaitForEvents", "Events": 7}}, "A"),
        ({"RerunLimit": {"Times": "1", "Units": ["x"]}}, "A"),
        ({"RerunLimit": 5}, "A"),
        ({"Type": "Job:SLAManagement", "ServiceName": "S", "CompleteIn": "5"}, "A"),
        ({"x": {"Type": 5}}, "x"),
    ],
)
def test_a_value_of_the_wrong_shape_is_told_with_its_owner(
    definition: dict[str, Any], named: str
) -> None:
    with pytest.raises(PlanError, match=rf"^{named}: .*; python -m ctm\.lint says where$"):
        folder(A=definition)


def test_what_is_kept_after_a_failure_and_retries_are_told() -> None:
    lake = {"Type": "Resource:Lock", "LockType": "Exclusive", "IfFail": "Keep"}
    seats = {"Type": "Resource:Pool", "Quantity": "1", "IfFail": "Keep"}
    plan = folder(A={"lake": lake, "seats": seats, "NumberOfRetries": "3"}, B={"lake": lake})
    assert plan.notes == (
        "NumberOfRetries is not looked at: a transfer is tried once",
        "IfFail of seats is not looked at: who fails gives it back",
        "IfFail of lake is not looked at: who fails gives it back",
    )


def test_a_when_is_told_of_folders_as_of_jobs() -> None:
    when = {"When": {"WeekDays": ["MON"]}}
    for content in ({"A": {"Type": "Job:Dummy", **when}}, {"A": {"Type": "Job:Dummy"}, **when}):
        plan = plan_of([{"F": {"Type": "Folder", **content}}], NEEDS)
        assert plan.notes == ("When is not looked at: everything runs now",)


@pytest.mark.parametrize(
    ("definitions", "says"),
    [
        ({"Defaults": 5, "F": {"Type": "Folder"}}, r"^Defaults: 5 is no object"),
        ({"F": {"Type": 5}}, r"^F: '5' is no folder"),
        (
            {"F": {"Type": "Folder", "f": {"Type": "Flow", "Sequence": [["j"]]}}},
            r"^F/f: a value has the wrong shape",
        ),
        (
            {"F": {"Type": "Folder", "A": {"Type": "Job:Dummy", "Command": "a\0b"}}},
            r"^A: it has a NUL character",
        ),
    ],
)
def test_a_file_of_the_wrong_shape_is_told(definitions: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        plan_of([definitions], NEEDS)


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


@pytest.mark.parametrize("ok", [True, False])
def test_an_end_that_comes_twice_changes_nothing(ok: bool) -> None:
    play = Play(folder(A={}))
    play.ends("A", ok)
    before = play.state
    play.ends("A", not ok)
    assert play.state == before
