"""The lines that close a log: what failed, what callers read, the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from runjob.masking import without
from runjob.options import Shown
from runjob.result import as_json
from runjob.verdict import Verdict


def report(verdict: Verdict, shown: tuple[Shown, ...] = ()) -> tuple[str, ...]:
    """Return the closing lines: what failed, the two lines that callers read, the verdict.

    `Pods Statuses:` and `Job Completion status:` are read by the job type's output rule; they keep
    their form. shown asks for further lines before them, that it reads too.
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
        *(_LINES[each](verdict) for each in dict.fromkeys(shown)),
        f"Pods Statuses: {verdict.running} Running / {verdict.succeeded} Succeeded / "
        f"{verdict.failed} Failed",
        f"Job Completion status: {verdict.exit_code}",
        f"Verdict: Job {verdict.namespace}/{verdict.job} {sentence}",
    )


def _exit_code(verdict: Verdict) -> str:
    code = verdict.container_code
    return f"Container exit code: {'none' if code is None else code}"


def _result(verdict: Verdict) -> str:
    return f"Result: {json.dumps(as_json(verdict), separators=(',', ':'))}"


_LINES = {"exit-code": _exit_code, "result": _result}


def without_secrets(verdict: Verdict, secrets: Sequence[str]) -> Verdict:
    """Return the verdict with these values hidden in all that came from outside."""
    if not secrets:
        return verdict
    ending = verdict.ending
    return replace(
        verdict,
        ending=replace(
            ending, text=without(ending.text, secrets), hint=without(ending.hint, secrets)
        ),
        failures=tuple(
            replace(each, text=without(each.text, secrets)) for each in verdict.failures
        ),
        warnings=tuple(without(each, secrets) for each in verdict.warnings),
        left_behind=without(verdict.left_behind, secrets),
    )
