"""The lines that close a log: what failed, what callers read, the verdict."""

from __future__ import annotations

from runjob.verdict import Verdict


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
