"""The verdict as a program reads it."""

from __future__ import annotations

from typing import Any

from runjob.verdict import Verdict


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as --result-file writes it; its schema stands in docs/endings.md."""
    return {
        "schema": 1,
        "job": verdict.job,
        "namespace": verdict.namespace,
        "exit_code": verdict.exit_code,
        "mapped_from": verdict.mapped_from,
        "ending": verdict.ending.code.name.lower(),
        "verdict": verdict.sentence,
        "reason": verdict.ending.text,
        "hint": verdict.ending.hint,
        "pods": {
            "running": verdict.running,
            "succeeded": verdict.succeeded,
            "failed": verdict.failed,
        },
        "attempts": verdict.attempts,
        "seconds": {
            "queued": verdict.queued_seconds,
            "pulling": verdict.pulling_seconds,
            "running": verdict.running_seconds,
        },
        "containers": [
            {
                "pod": pod.name,
                "node": pod.node or None,
                "container": view.name,
                "role": view.role,
                "restarts": view.restarts,
                "exit_code": end.exit_code if (end := view.latest_end) else None,
                "reason": (end.reason if end else "") or pod.reason or None,
            }
            for pod in verdict.pods
            for view in pod.containers
        ],
        "failures": [
            {
                "pod": failure.pod,
                "container": failure.container or None,
                "node": failure.node or None,
                "attempt": failure.attempt,
                "exit_code": failure.exit_code,
                "reason": failure.reason or None,
                "text": failure.text,
            }
            for failure in verdict.failures
        ],
        "warnings": list(verdict.warnings),
    }
