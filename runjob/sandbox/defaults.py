"""Default values, as the API server fills them in."""

from __future__ import annotations

from .resources import Json

CONTAINER_LISTS = ("initContainers", "containers")
UNLIMITED = 2147483647


def job_with_defaults(job: Json) -> Json:
    """Fill in a Job."""
    spec = dict(job.get("spec") or {})
    template = dict(spec.get("template") or {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", UNLIMITED if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    replacement = "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", replacement)
    template["metadata"] = dict(template.get("metadata") or {})
    template["spec"] = pod_spec_with_defaults(template.get("spec") or {})
    spec["template"] = template
    metadata = dict(job["metadata"])
    if not metadata.get("labels") and template["metadata"].get("labels"):
        metadata["labels"] = template["metadata"]["labels"]
    return {**job, "metadata": metadata, "spec": spec}


def pod_spec_with_defaults(spec: Json) -> Json:
    """Fill in a pod's spec, in a template too."""
    spec = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        **spec,
    }
    for field in CONTAINER_LISTS:
        if spec.get(field):
            spec[field] = [container_with_defaults(each) for each in spec[field]]
    return spec


def container_with_defaults(container: Json) -> Json:
    """Fill in a container."""
    latest = _tag(str(container.get("image") or "")) in ("", "latest")
    return {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always" if latest else "IfNotPresent",
        **container,
    }


def pod_with_defaults(pod: Json) -> Json:
    """Fill in a pod, with what a template does not get."""
    spec = pod_spec_with_defaults(pod.get("spec") or {})
    for field in CONTAINER_LISTS:
        if spec.get(field):
            spec[field] = [_requests_from_limits(each) for each in spec[field]]
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    return {**pod, "spec": spec}


def _requests_from_limits(container: Json) -> Json:
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return container
    requests = {**limits, **(resources.get("requests") or {})}
    return {**container, "resources": {**resources, "requests": requests}}


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]
