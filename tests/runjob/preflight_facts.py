"""Jobs, answers and findings as the tests of a preflight name them."""

from __future__ import annotations

from typing import Any

from runjob.existing import Fate
from runjob.preflight.data import Answer, Facts
from runjob.preflight.findings import findings
from runjob.request import JobRequest

FORBIDDEN = Answer(None, 403, "Forbidden", 'secrets "x" is forbidden: User "u" cannot get resource')
ABSENT = Answer(None, 404, "NotFound", 'secrets "x" not found')


def job(*containers: dict[str, Any], init: tuple[Any, ...] = (), **pod: Any) -> dict[str, Any]:
    """Return a Job whose pods are so; spec.* names go to the Job's own spec."""
    own = {name[5:]: pod.pop(name) for name in list(pod) if name.startswith("spec_")}
    main = containers or ({"name": "main", "image": "busybox"},)
    spec = {"containers": list(main), "initContainers": list(init), **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "hello", "namespace": "ns"},
        "spec": {**own, "template": {"spec": spec}},
    }


def of(body: dict[str, Any], *others: dict[str, Any]) -> JobRequest:
    return JobRequest("hello", "ns", body, others, "manifest" if others else "flags")


def brought(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def asking(**resources: str) -> dict[str, Any]:
    """Return a container that requests this."""
    return {"name": "main", "resources": {"requests": resources}}


def told(
    request: JobRequest, *answers: tuple[Any, Answer], fate: Fate | None = None
) -> list[tuple[str, str, int]]:
    """Return severity, text and code of each finding."""
    facts = Facts(request, dict(answers), fate)
    return [(each.severity, each.text, int(each.code)) for each in findings(facts)]


def found(bodies: list[dict[str, Any]]) -> Answer:
    return Answer(bodies)
