"""Jobs as launches leave them behind."""

from __future__ import annotations

from typing import Any

from runjob.observed import job_view
from runjob.plan import LAUNCH
from tests.contract.api import Json
from tests.contract.targets import Target


def body(name: str, script: str, *, ours: bool = True, **spec: Any) -> Json:
    """Return a Job as a launcher writes it, or as somebody else does."""
    main = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", script]}
    main["imagePullPolicy"] = "IfNotPresent"
    template = {"restartPolicy": "Never", "containers": [main]}
    annotations = {LAUNCH: "0123456789abcdef"} if ours else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"backoffLimit": 0, "template": {"spec": template}, **spec},
    }


def ended(target: Target, *jobs: Json) -> None:
    """Create Jobs and wait until each has ended."""
    names = [target.api.create("jobs", job)["metadata"]["name"] for job in jobs]
    for name in names:
        target.api.until(lambda name=name: _is_over(target, name), f"the end of {name}")  # type: ignore[misc]  # a default argument binds


def _is_over(target: Target, name: str) -> bool:
    job = target.api.job(name)
    assert job is not None
    view = job_view(job)
    return bool(view.condition("Complete") or view.condition("Failed"))
