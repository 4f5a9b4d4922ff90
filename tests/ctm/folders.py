"""Small folders as tests of the schedule write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.rehearse.plan import Plan
from ctm.rehearse.reading import plan_of

NEEDS: dict[str, tuple[str, ...]] = {"Job:Dummy": (), "Job:SLAManagement": ("ServiceName",)}
POOLS = {"seats": 2, "desks": 3}


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
