"""Kubernetes jobs: those of an Application Integrator job type, and the vendor's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ctm.rehearse.profile import mapped
from ctm.rehearse.task import Result, Task, of_code
from ctm.rehearse.variables import expanded
from misc.jobtype import Commands, JobType, expand, verdict_of

LAUNCHER = 'exec python3 "$0/runJob.py" "$@"'


def runner_of(job_type: JobType) -> Callable[[Task], Result]:
    """Return what runs jobs of a job type: its own command lines, by its own rules."""

    def run(task: Task) -> Result:
        commands = commands_of(job_type, task.properties, task.profiles, task.variables)
        task.farewell = mapped(commands.kill, task.stage.paths)
        code = task.shell(mapped(commands.execute, task.stage.paths))
        outcome = verdict_of(job_type, task.output(), code)
        return Result(code, ok=outcome.ok, submitted=code != 127, values=outcome.values)

    return run


def commands_of(
    job_type: JobType,
    properties: Mapping[str, Any],
    profiles: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, str],
) -> Commands:
    """Expand a job's command lines, with the variables that stand in the form's defaults too.

    Raises misc.jobtype.JobTypeError where the job or its connection profile does not fit.
    """
    profile = profiles.get(str(properties.get("ConnectionProfile")), {})
    commands = expand(job_type, properties, profile)
    return Commands(expanded(commands.execute, variables), expanded(commands.kill, variables))


def vendors(task: Task) -> Result:
    """Run the manifest of a Job:Kubernetes through the launcher, which tells log and verdict."""
    text = str(task.properties["Job Spec Yaml"])
    path = task.stage.work / f"{task.log.stem}.yaml"
    path.write_text(text, encoding="utf-8")
    profile = task.profiles.get(str(task.properties.get("ConnectionProfile")), {})
    words = ["-y", str(path)]
    if profile.get("Namespace") and not named_namespace(text):
        words += ["-n", str(profile["Namespace"])]
    launcher = str(task.stage.launcher)
    return of_code(task.process(["/bin/sh", "-c", LAUNCHER, launcher, *words]))


def named_namespace(text: str) -> str | None:
    """Return the namespace that a manifest names, None where it names none or cannot be read."""
    try:
        bodies = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    except yaml.YAMLError:
        return None
    names = (str((each.get("metadata") or {}).get("namespace") or "") for each in bodies)
    return next(filter(None, names), None)
