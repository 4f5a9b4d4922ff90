"""Admission: what the server checks and fills in before it stores an object."""

from __future__ import annotations

import secrets

from .defaults import job_with_defaults, pod_with_defaults
from .limits import within_limits, within_quotas
from .refusals import Refusal, forbidden, not_found, unprocessable
from .resources import (
    CLAIMS,
    CONFIGMAPS,
    JOBS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    Json,
    Resource,
    with_metadata,
    with_status,
)
from .schema import decoded, secret_with_data
from .store import Store
from .validation import changes_refused, new_refused

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
NAME_LABEL = "kubernetes.io/metadata.name"
OWN_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
NEVER_GIVEN = (*OWN_METADATA, "resourceVersion", "generation", "managedFields", "selfLink")
LABELS = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")
OLD_LABELS = ("controller-uid", "job-name")


def admit_new(
    store: Store, resource: Resource, body: Json, namespace: str, strictness: str = "Warn"
) -> tuple[Json, tuple[str, ...]]:
    """Check a new object and complete it; return it with the warnings for the client."""
    item, warnings = decoded(resource, body, strictness)
    item = _addressed(resource, item, namespace)
    if resource.namespaced and store.find(NAMESPACES, ("", namespace)) is None:
        raise not_found(NAMESPACES, namespace)
    item.pop("status", None)
    if resource is JOBS:
        item = job_with_defaults(item)
    elif resource is PODS:
        item = pod_with_defaults(item)
    causes = new_refused(resource, item)
    if causes:
        raise unprocessable(resource, item["metadata"].get("name", ""), causes)
    item = Store.prepare(item)
    if resource is not PODS:
        within_quotas(store, resource, item)
    if resource is JOBS:
        item = with_status(_labelled(item), {})
    elif resource is PODS:
        item = admit_pod(store, item)
    elif resource is CLAIMS:
        # There is no provisioner: every claim is bound at once.
        item = with_status(item, {"phase": "Bound"})
    elif resource is NAMESPACES:
        labels = {**(item["metadata"].get("labels") or {}), NAME_LABEL: item["metadata"]["name"]}
        item = with_metadata(item, labels=labels)
        item = with_status({**item, "spec": {"finalizers": ["kubernetes"]}}, {"phase": "Active"})
    elif resource is SECRETS:
        item = secret_with_data({"type": "Opaque", **item})
    return item, warnings


def _addressed(resource: Resource, item: Json, namespace: str) -> Json:
    """Check that an object fits the path it was sent to; give it its name and namespace."""
    metadata = dict(item.get("metadata") or {})
    if resource.namespaced:
        if metadata.get("namespace") not in (None, "", namespace):
            raise Refusal(
                400,
                "the namespace of the provided object does not match the namespace sent on the "
                "request",
            )
        metadata["namespace"] = namespace
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(5))
        metadata["name"] = metadata["generateName"][:58] + suffix
    item = {**item, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return with_metadata(item, **dict.fromkeys(NEVER_GIVEN))


def namespace_contents(authority: str) -> tuple[tuple[Resource, Json], ...]:
    """List what the controllers of a cluster put into a new namespace."""
    root = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": authority}}
    return (SERVICEACCOUNTS, {"metadata": {"name": "default"}}), (CONFIGMAPS, root)


def admit_pod(store: Store, pod: Json) -> Json:
    """Complete a pod and check its service account, as for every pod however it is made."""
    pod = pod_with_defaults(pod)
    metadata, account = pod["metadata"], pod["spec"]["serviceAccountName"]
    if store.find(SERVICEACCOUNTS, (metadata["namespace"], account)) is None:
        why = (
            f"error looking up service account {metadata['namespace']}/{account}: "
            f'serviceaccount "{account}" not found'
        )
        raise forbidden(PODS, metadata["name"], why)
    within_limits(store, pod)
    within_quotas(store, PODS, pod)
    return with_status(pod, {"phase": "Pending"})


def _labelled(job: Json) -> Json:
    """Give a Job its selector, and its pods the labels that it selects."""
    spec, uid = job["spec"], job["metadata"]["uid"]
    job = with_metadata(job, generation=1)
    if spec["manualSelector"]:
        return job
    template = spec["template"]
    values = (uid, job["metadata"]["name"])
    labels = {
        **(template["metadata"].get("labels") or {}),
        **dict(zip(LABELS, values, strict=True)),
        **dict(zip(OLD_LABELS, values, strict=True)),
    }
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    selector = {"matchLabels": {LABELS[0]: uid}}
    return {**job, "spec": {**spec, "template": template, "selector": selector}}


def admit_update(
    resource: Resource, stored: Json, item: Json, subresource: str, strictness: str
) -> tuple[Json, tuple[str, ...]]:
    """Check a changed object against the stored one; what clients cannot change stays."""
    item, warnings = decoded(resource, item, strictness)
    kept, metadata = stored["metadata"], dict(item.get("metadata") or {})
    if metadata.get("uid") not in (None, "", kept["uid"]):
        why = (
            f"Precondition failed: UID in precondition: {metadata['uid']}, "
            f"UID in object meta: {kept['uid']}"
        )
        raise Refusal(409, f"Operation cannot be fulfilled on {resource.qualified}: {why}")
    own = {key: kept.get(key) for key in (*OWN_METADATA, "name", "namespace", "generation")}
    item = with_metadata({**item, "metadata": metadata}, **own, managedFields=None)
    item = {**item, "kind": resource.kind, "apiVersion": resource.api_version}
    if subresource == "status":
        return with_status(stored, item.get("status") or {}), warnings
    if "status" in stored:
        item = with_status(item, stored["status"])
    if resource is JOBS:
        item = job_with_defaults(item)
    elif resource is SECRETS:
        item = secret_with_data(item)
    causes = changes_refused(resource, stored, item)
    if causes:
        raise unprocessable(resource, kept["name"], causes)
    if resource is JOBS and item["spec"] != stored["spec"]:
        item = with_metadata(item, generation=kept.get("generation", 1) + 1)
    return item, warnings
