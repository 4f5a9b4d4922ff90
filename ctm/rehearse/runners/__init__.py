"""What runs a job, one module a kind; the only place where a rehearsal touches anything.

`NEEDS` names the job types and the properties that each must have, `RUNNERS` who runs them. A
runner takes a Task, writes to its output, and returns a Result.
"""

from __future__ import annotations

from collections.abc import Callable

from ctm.rehearse.errors import PlanError
from ctm.rehearse.plan import Node, Plan
from ctm.rehearse.runners import database, kubernetes, program, transfer, watcher
from ctm.rehearse.task import OK, Result, Task

Runner = Callable[[Task], Result]


def dummy(_task: Task) -> Result:
    """Do nothing: what counts is what the job waits for and causes."""
    return OK


RUNNERS: dict[str, Runner] = {
    "Job:Command": program.command,
    "Job:Script": program.script,
    "Job:EmbeddedScript": program.embedded_script,
    "Job:FileWatcher:Create": watcher.created,
    "Job:FileTransfer": transfer.transfer,
    "Job:Database:SQLScript": database.script,
    "Job:Database:EmbeddedQuery": database.query,
    "Job:Kubernetes": kubernetes.vendors,
    "Job:Dummy": dummy,
    "Job:SLAManagement": dummy,
}
NEEDS: dict[str, tuple[str, ...]] = {
    "Job:Command": ("Command",),
    "Job:Script": ("FileName", "FilePath"),
    "Job:EmbeddedScript": ("Script", "FileName"),
    "Job:FileWatcher:Create": ("Path",),
    "Job:FileTransfer": ("ConnectionProfileSrc", "ConnectionProfileDest", "FileTransfers"),
    "Job:Database:SQLScript": ("ConnectionProfile", "SQLScript"),
    "Job:Database:EmbeddedQuery": ("ConnectionProfile", "Query"),
    "Job:Kubernetes": ("ConnectionProfile", "Job Spec Yaml"),
    "Job:Dummy": (),
    "Job:SLAManagement": ("ServiceName",),
}


def check(plan: Plan) -> None:
    """Raise PlanError for a job whose connection profile or properties cannot be rehearsed."""
    for job in plan.jobs:
        try:
            _check(job, plan)
        except ValueError as error:
            raise PlanError(f"{job.name}: {error}") from error
        except (AttributeError, TypeError) as error:
            raise PlanError(
                f"{job.name}: a value has the wrong shape ({error}); python -m ctm.lint says where"
            ) from error


def _check(job: Node, plan: Plan) -> None:
    told = job.properties
    for name in ("ConnectionProfile", "ConnectionProfileSrc", "ConnectionProfileDest"):
        if name in NEEDS.get(job.kind, ("ConnectionProfile",)) and told[name] not in plan.profiles:
            raise ValueError(f"its {name} {told[name]} is in none of the files")
    if job.kind == "Job:FileTransfer":
        transfer.check(told, plan.profiles)
    if job.kind == "Job:FileWatcher:Create":
        watcher.check(told)
