"""The lines that frame a log: the options in effect before it, the truth after it."""

from __future__ import annotations

import re

from runjob.options import Options
from runjob.request import JobRequest
from runjob.verdict import Verdict

_SECRET = re.compile(r"pass|secret|token|key|credential|auth", re.I)


def clean(text: str) -> str:
    """Keep a text from outside on one line, without control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)


def in_effect(request: JobRequest, options: Options) -> str:
    """Name the options in effect; what looks like a secret by its name is masked."""
    job = options.job
    parts = [f"jobname={request.name}", f"namespace={request.namespace}"]
    if request.source == "manifest":
        parts.append(f"manifest={options.manifest or request.name + '.yaml'}")
        parts += [f"{name}={_masked(name, value)}" for name, value in options.params]
    else:
        parts += [
            f"image={job.image}",
            f"imagepullpolicy={job.pull_policy}",
            f"imagesecret={job.pull_secret or 'none'}",
            f"restartpolicy={job.restart_policy}",
            f"backofflimit={job.backoff_limit}",
        ]
        if job.command or job.args:
            parts.append(f"command={' '.join((*job.command, *job.args))!r}")
        if job.mount_path:
            parts.append(f"volume={job.claim or job.host_path}:{job.mount_path}")
        parts += [f"{name}={_masked(name, value)}" for name, value in job.env]
    return "Options in effect: " + " ".join(parts)


def _masked(name: str, value: str) -> str:
    return "****" if _SECRET.search(name) else value


def report(verdict: Verdict) -> tuple[str, ...]:
    """Return the closing lines: what failed, the two lines that callers read, the verdict.

    `Pods Statuses:` and `Job Completion status:` are read by the job type's output rule; they keep
    their form.
    """
    failures = [f"Failed: {each.text}" for each in verdict.failures[-5:]]
    sentence = verdict.sentence
    warnings = [
        f"Event: {text}"
        for text in verdict.warnings
        if not verdict.ok and text.split(": ")[-1][-80:] not in sentence
    ]
    return (
        *failures,
        *warnings,
        f"Pods Statuses: {verdict.running} Running / {verdict.succeeded} Succeeded / "
        f"{verdict.failed} Failed",
        f"Job Completion status: {verdict.exit_code}",
        f"Verdict: Job {verdict.namespace}/{verdict.job} {sentence}",
    )
