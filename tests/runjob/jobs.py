"""Jobs of launches, as gc, list and show find them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runjob.identity import TOLD
from runjob.plan import LAUNCH
from runjob.request import Body
from tests.runjob.scenes import NOON

NOW = NOON + timedelta(hours=2)


def stamp(seconds: float) -> str:
    """Return the time so many seconds before NOW."""
    return f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def job(state: str = "Failed", *, hours: float = 1, **metadata: Any) -> dict[str, Any]:
    """Return a Job that our launcher made and that ended so many hours before NOW."""
    at = (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": state, "status": "True", "reason": "Why", "lastTransitionTime": at}
    made = {
        "namespace": "ns", "name": "hello", "uid": "1", "resourceVersion": "7",
        "annotations": {LAUNCH: "ab"},
    }  # fmt: skip
    return {"metadata": {**made, **metadata}, "status": {"conditions": [condition]}}


def launched(
    name: str = "hello",
    *,
    sign: float | None = 60,
    age: float = 600,
    every: int | None = 300,
    suspend: bool = False,
    conditions: dict[str, float] | None = None,
    status: dict[str, Any] | None = None,
    kept: bool = False,
    **metadata: Any,
) -> Body:
    """Return a Job of a launch; sign and age are in seconds before NOW."""
    notes = {LAUNCH: "0a", "runjob/launcher": "agent/7", "runjob/identity": "ns/hello"}
    if every is not None:
        notes["runjob/heartbeat-seconds"] = str(every)
    if kept:
        notes[TOLD] = "true"
    if sign is not None:
        notes["runjob/heartbeat"] = stamp(sign)
    found = [
        {"type": type, "status": "True", "lastTransitionTime": stamp(seconds)}
        for type, seconds in (conditions or {}).items()
    ]
    return {
        "metadata": {
            "namespace": "ns",
            "name": name,
            "uid": f"of-{name}",
            "resourceVersion": "7",
            "creationTimestamp": stamp(age),
            "annotations": notes,
            **metadata,
        },
        "spec": {"suspend": suspend},
        "status": {**(status or {}), "conditions": found},
    }
