"""The rules of the schedule, by name."""

from __future__ import annotations

from typing import Any

import pytest

from ctm.rehearse import schedule
from ctm.rehearse.events import Event
from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of
from ctm.rehearse.state import Ask, Confirmed, Decision, Ended, Happening, Passed, Phase, Say, Start
from ctm.rehearse.waiting import why_waiting
from tests.ctm.folders import NEEDS, RERUN, adds, folder, on, waits


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


@pytest.mark.parametrize("ok", [True, False])
def test_an_end_that_comes_twice_changes_nothing(ok: bool) -> None:
    play = Play(folder(A={}))
    play.ends("A", ok)
    before = play.state
    play.ends("A", not ok)
    assert play.state == before
