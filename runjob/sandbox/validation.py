"""Validation: what a well-formed object may still not say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .quantity import quantity
from .refusals import Cause, absent, duplicate, forbidden_field, invalid, required, unsupported
from .resources import CONFIGMAPS, JOBS, NAMESPACES, PODS, SECRETS, Json, Resource

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    f"regex used for validation is '{LABEL}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
    f"used for validation is '{SUBDOMAIN}')"
)
QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{QUALIFIED}')"
)
VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    f"'12345', regex used for validation is '({QUALIFIED})?')"
)
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
ENV_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters other "
    "than '='"
)
NOT_NEGATIVE = "must be greater than or equal to 0"
COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
    "ttlSecondsAfterFinished",
)  # fmt: skip
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
MODES = ("NonIndexed", "Indexed")
HOST_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
FIELD_PATHS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
ACTIONS = '["Count" "FailIndex" "FailJob" "Ignore"]'
POD_CHANGES = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")


def new_refused(resource: Resource, item: Json) -> list[Cause]:
    """List what is wrong with a new object, in the server's order and words."""
    causes = list(_metadata(resource, item["metadata"]))
    if resource is JOBS:
        causes += _job_spec(item)
    elif resource is PODS:
        causes += _pod_spec(item["spec"], "spec")
    elif resource in (CONFIGMAPS, SECRETS):
        for key in item.get("data") or ():
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                causes.append(invalid(f"data[{key}]", key, CONFIG_KEY_TEXT))
    return causes


def changes_refused(resource: Resource, stored: Json, item: Json) -> list[Cause]:
    """List what is wrong with a change: new mistakes, and fields that may not change."""
    before, after = stored.get("spec") or {}, item.get("spec") or {}
    if resource is JOBS:
        causes = list(_job_counts(after))
        for field in ("completions", "selector", "template", "completionMode", "podFailurePolicy"):
            free = field == "template" and _may_change_template(stored)
            if before.get(field) != after.get(field) and not free:
                causes.append(immutable(f"spec.{field}", after.get(field)))
        return causes
    if resource is PODS and _frozen(before) != _frozen(after):
        return [
            forbidden_field(
                "spec",
                "pod updates may not change fields other than `spec.containers[*].image`,"
                "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
                "(allow it to be set to 1 if it was previously negative)",
            )
        ]
    return list(_labels(item["metadata"]))


def immutable(path: str, value: object) -> Cause:
    """Refuse a change of a field that keeps what it was created with."""
    shown = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return Cause(path, "FieldValueInvalid", f"Invalid value: {shown}: field is immutable")


def _may_change_template(job: Json) -> bool:
    """Allow scheduling hints to change while a Job waits suspended and never ran."""
    return bool(job["spec"].get("suspend")) and "startTime" not in (job.get("status") or {})


def _frozen(spec: Json) -> Json:
    kept = {key: value for key, value in spec.items() if key not in POD_CHANGES}
    for field in ("containers", "initContainers"):
        kept[field] = [{**each, "image": ""} for each in spec.get(field) or ()]
    return kept


def _metadata(resource: Resource, metadata: Json) -> Iterator[Cause]:
    name = metadata.get("name") or ""
    pattern, text = (LABEL, LABEL_TEXT) if resource is NAMESPACES else (SUBDOMAIN, SUBDOMAIN_TEXT)
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif not re.fullmatch(pattern, name):
        yield invalid("metadata.name", name, text)
    elif len(name) > 253:
        yield invalid("metadata.name", name, "must be no more than 253 bytes")
    yield from _labels(metadata)


def _labels(metadata: Json) -> Iterator[Cause]:
    for key, value in (metadata.get("labels") or {}).items():
        if not re.fullmatch(QUALIFIED, key.rpartition("/")[2]):
            yield invalid("metadata.labels", key, KEY_TEXT)
        if not re.fullmatch(f"({QUALIFIED})?", value):
            yield invalid("metadata.labels", value, VALUE_TEXT)
        if len(value) > 63:
            yield invalid("metadata.labels", value, "must be no more than 63 bytes")


def _job_counts(spec: Json) -> Iterator[Cause]:
    for field in COUNTS:
        if spec.get(field, 0) < 0:
            yield invalid(f"spec.{field}", spec[field], NOT_NEGATIVE)


def _job_spec(job: Json) -> Iterator[Cause]:
    spec, name = job["spec"], job["metadata"].get("name") or ""
    yield from _job_counts(spec)
    if spec["completionMode"] not in MODES:
        yield unsupported("spec.completionMode", spec["completionMode"], MODES)
    elif spec["completionMode"] == "Indexed" and "completions" not in spec:
        yield required("spec.completions", "when completion mode is Indexed")
    if spec.get("selector") and not spec["manualSelector"]:
        shown = json.dumps(spec["selector"], separators=(",", ":"), sort_keys=True)
        text = f"Invalid value: {shown}: `selector` not auto-generated"
        yield Cause("spec.selector", "FieldValueInvalid", text)
    policy = spec.get("podFailurePolicy") or {}
    for at, rule in enumerate(policy.get("rules") or ()):
        yield from _rule(rule, f"spec.podFailurePolicy.rules[{at}]")
    if len(name) > 63 and re.fullmatch(SUBDOMAIN, name):
        yield invalid("spec.template.labels", name, "must be no more than 63 bytes")
    template = spec["template"]["spec"]
    yield from _pod_spec(template, "spec.template.spec")
    restart = template["restartPolicy"]
    where = "spec.template.spec.restartPolicy"
    if restart == "Always":
        yield required(where, 'valid values: "OnFailure", "Never"')
    elif restart not in RESTART_POLICIES:
        yield unsupported(where, restart, ("OnFailure", "Never"))
    elif restart != "Never" and policy:
        text = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid(where, restart, text)


def _rule(rule: Json, path: str) -> Iterator[Cause]:
    if not rule.get("action"):
        yield required(f"{path}.action", f"valid values: {ACTIONS}")
    codes = rule.get("onExitCodes") or {}
    for at, value in enumerate(codes.get("values") or ()):
        if value == 0 and codes.get("operator") == "In":
            where = f"{path}.onExitCodes.values[{at}]"
            yield invalid(where, value, "must not be 0 for the In operator")


def _pod_spec(spec: Json, path: str) -> Iterator[Cause]:
    volumes: set[str] = set()
    for at, volume in enumerate(spec.get("volumes") or ()):
        yield from _volume(volume, f"{path}.volumes[{at}]", volumes)
    names: set[str] = set()
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    for field in ("containers", "initContainers"):
        for at, container in enumerate(spec.get(field) or ()):
            yield from _container(container, f"{path}.{field}[{at}]", names, volumes)
    restart = spec["restartPolicy"]
    if restart not in RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", restart, RESTART_POLICIES)
    account = spec.get("serviceAccountName") or "default"
    if not re.fullmatch(SUBDOMAIN, account):
        yield invalid(f"{path}.serviceAccountName", account, SUBDOMAIN_TEXT)


def _named(value: Json, path: str, taken: set[str]) -> Iterator[Cause]:
    """Check the name of something in a list; remember it in ``taken``."""
    name = value.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    elif not re.fullmatch(LABEL, name):
        yield invalid(f"{path}.name", name, LABEL_TEXT)
    elif name in taken:
        yield duplicate(f"{path}.name", name)
    taken.add(name)


def _volume(volume: Json, path: str, taken: set[str]) -> Iterator[Cause]:
    yield from _named(volume, path, taken)
    host = volume.get("hostPath")
    if host is not None:
        if not host.get("path"):
            yield required(f"{path}.hostPath.path")
        if host.get("type", "") not in HOST_TYPES:
            yield unsupported(f"{path}.hostPath.type", host["type"], HOST_TYPES)
    claim = volume.get("persistentVolumeClaim")
    if claim is not None and not claim.get("claimName"):
        yield required(f"{path}.persistentVolumeClaim.claimName")


def _container(container: Json, path: str, names: set[str], volumes: set[str]) -> Iterator[Cause]:
    yield from _named(container, path, names)
    if not container.get("image"):
        yield required(f"{path}.image")
    if container["imagePullPolicy"] not in PULL_POLICIES:
        policy = container["imagePullPolicy"]
        yield unsupported(f"{path}.imagePullPolicy", policy, PULL_POLICIES)
    for at, variable in enumerate(container.get("env") or ()):
        yield from _variable(variable, f"{path}.env[{at}]")
    paths: set[str] = set()
    for at, mount in enumerate(container.get("volumeMounts") or ()):
        where, target = f"{path}.volumeMounts[{at}]", mount.get("mountPath") or ""
        if mount.get("name") not in volumes:
            yield absent(f"{where}.name", mount.get("name") or "")
        if not target:
            yield required(f"{where}.mountPath")
        elif target in paths:
            yield invalid(f"{where}.mountPath", target, "must be unique")
        paths.add(target)
    yield from _resources(container.get("resources") or {}, f"{path}.resources")


def _variable(variable: Json, path: str) -> Iterator[Cause]:
    name, source = variable.get("name") or "", variable.get("valueFrom")
    if not name:
        yield required(f"{path}.name")
    elif not re.fullmatch(r"[ -<>-~]+", name):
        yield invalid(f"{path}.name", name, ENV_TEXT)
    if not source:
        return
    if variable.get("value"):
        text = "may not be specified when `value` is not empty"
        yield invalid(f"{path}.valueFrom", "", text)
    for field in ("configMapKeyRef", "secretKeyRef"):
        reference = source.get(field)
        if reference is None:
            continue
        if not re.fullmatch(SUBDOMAIN, reference.get("name") or ""):
            where = f"{path}.valueFrom.{field}.name"
            yield invalid(where, reference.get("name") or "", SUBDOMAIN_TEXT)
        if not reference.get("key"):
            yield required(f"{path}.valueFrom.{field}.key")
    wanted = (source.get("fieldRef") or {}).get("fieldPath")
    if wanted and wanted not in FIELD_PATHS and not wanted.endswith("']"):
        text = f"error converting fieldPath: field label not supported: {wanted}"
        yield invalid(f"{path}.valueFrom.fieldRef.fieldPath", wanted, text)


def _resources(resources: Json, path: str) -> Iterator[Cause]:
    limits = resources.get("limits") or {}
    for name, value in (resources.get("requests") or {}).items():
        if name in limits and quantity(value) > quantity(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", str(value), text)
