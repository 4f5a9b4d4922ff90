"""podFailurePolicy: what a failed pod means for its Job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .resources import Json


@dataclass(frozen=True)
class Verdict:
    """The action of the first rule that matches a failed pod, and the controller's words."""

    action: str
    message: str


def verdict_of(policy: Json | None, pod: Json) -> Verdict | None:
    """Apply the rules in their order; None when none matches."""
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        what = _exit_match(rule.get("onExitCodes"), pod) or _condition_match(
            rule.get("onPodConditions"), pod
        )
        if what is not None:
            action = rule["action"]
            return Verdict(action, f"{what} matching {action} rule at index {number}")
    return None


def _exit_match(rule: Json | None, pod: Json) -> str | None:
    if not rule:
        return None
    for name, code in _exits(pod):
        if rule.get("containerName") in (None, name) and (
            (code in rule["values"]) == (rule["operator"] == "In")
        ):
            return f"Container {name} for pod {_where(pod)} failed with exit code {code}"
    return None


def _exits(pod: Json) -> Iterator[tuple[str, int]]:
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(field) or ():
            code = (entry["state"].get("terminated") or {}).get("exitCode", 0)
            if code:
                yield entry["name"], code


def _condition_match(patterns: list[Json] | None, pod: Json) -> str | None:
    for pattern in patterns or ():
        for condition in (pod.get("status") or {}).get("conditions") or ():
            if condition["type"] == pattern["type"] and condition["status"] == pattern.get(
                "status", "True"
            ):
                return f"Pod {_where(pod)} has condition {condition['type']}"
    return None


def _where(pod: Json) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
