"""Build a Job out of flags, with the official client's models."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from runjob.errors import UsageError
from runjob.lean import import_lightly
from runjob.options import JobOptions, Pairs
from runjob.request import Body

CONTAINER = "main"
VOLUME = "data"


def _model(model: str, /, **values: Any) -> Any:
    """Make the official model of that name; a value of None or an empty one is left out."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
    kind = getattr(import_lightly(f"kubernetes.client.models.{snake}"), model)
    given = {key: value for key, value in values.items() if value not in (None, (), [], {})}
    return kind(**given, local_vars_configuration=_SETTINGS)


# All that a model asks of its configuration; with none it would load and make the whole.
_SETTINGS = SimpleNamespace(client_side_validation=True)


def to_json(value: Any) -> Any:
    """Turn models into the JSON objects that the API takes, by the models' own attribute maps."""
    if isinstance(value, dict):
        return {key: to_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    attributes = getattr(value, "attribute_map", None)
    if attributes is None:
        return value
    return {
        key: to_json(getattr(value, name))
        for name, key in attributes.items()
        if getattr(value, name) is not None
    }


def check(options: JobOptions) -> None:
    """Refuse combinations that can mean nothing; the rest is the API's to judge."""
    if not options.image:
        raise UsageError("no image: name one with -i, or a manifest with -y")
    if options.claim and options.host_path:
        raise UsageError("-c and -H both name a volume: give one of them")
    source = options.claim or options.host_path
    if source and not options.mount_path:
        raise UsageError("-c or -H without -t: say where the pod is to see the volume")
    if options.mount_path and not source:
        raise UsageError("-t without -c or -H: say what to mount there")
    if options.mount_path and not options.mount_path.startswith("/"):
        raise UsageError(f"-t takes an absolute path, not {options.mount_path!r}")
    if options.host_path and not options.host_path.startswith("/"):
        raise UsageError(f"-H takes an absolute path, not {options.host_path!r}")
    if options.indexed and not options.completions:
        raise UsageError("--indexed needs --completions: how many indexes are there?")


def build(name: str, namespace: str, options: JobOptions) -> Body:
    """Return the Job as the JSON object that the API takes.

    Raises UsageError for a combination of options that can mean nothing.
    """
    check(options)
    labels, annotations = dict(options.labels), dict(options.annotations)
    job = _model(
        "V1Job",
        api_version="batch/v1",
        kind="Job",
        metadata=_model(
            "V1ObjectMeta", name=name, namespace=namespace, labels=labels, annotations=annotations
        ),
        spec=_model(
            "V1JobSpec",
            backoff_limit=options.backoff_limit,
            active_deadline_seconds=options.deadline,
            completions=options.completions,
            parallelism=options.parallelism,
            completion_mode="Indexed" if options.indexed else None,
            template=_model(
                "V1PodTemplateSpec",
                metadata=_model("V1ObjectMeta", labels=labels, annotations=annotations)
                if labels or annotations
                else None,
                spec=_pod(options),
            ),
        ),
    )
    body: Body = to_json(job)
    return body


def _pod(options: JobOptions) -> Any:
    secret = options.pull_secret
    restricted = options.security == "restricted"
    return _model(
        "V1PodSpec",
        containers=[_container(options)],
        restart_policy=options.restart_policy,
        image_pull_secrets=[_model("V1LocalObjectReference", name=secret)] if secret else None,
        service_account_name=options.service_account,
        node_selector=_merged("--node-selector", options.node_selector),
        tolerations=[_toleration(text) for text in options.tolerations],
        volumes=_volumes(options),
        security_context=_model(
            "V1PodSecurityContext",
            run_as_non_root=True,
            seccomp_profile=_model("V1SeccompProfile", type="RuntimeDefault"),
        )
        if restricted
        else None,
    )


def _container(options: JobOptions) -> Any:
    return _model(
        "V1Container",
        name=CONTAINER,
        image=options.image,
        image_pull_policy=options.pull_policy,
        command=list(options.command),
        args=list(options.args),
        env=[_model("V1EnvVar", name=name, value=value) for name, value in options.env],
        env_from=[_env_from(kind, name) for kind, name in options.env_from],
        resources=_model(
            "V1ResourceRequirements",
            requests=_merged("--requests", options.requests),
            limits=_merged("--limits", options.limits),
        )
        if options.requests or options.limits
        else None,
        volume_mounts=[
            _model(
                "V1VolumeMount", name=options.volume_name or VOLUME, mount_path=options.mount_path
            )
        ]
        if options.mount_path
        else None,
        # The container part of the Pod Security Standard "restricted".
        security_context=_model(
            "V1SecurityContext",
            allow_privilege_escalation=False,
            capabilities=_model("V1Capabilities", drop=["ALL"]),
        )
        if options.security == "restricted"
        else None,
    )


def _env_from(kind: str, name: str) -> Any:
    if kind == "secret":
        return _model("V1EnvFromSource", secret_ref=_model("V1SecretEnvSource", name=name))
    return _model("V1EnvFromSource", config_map_ref=_model("V1ConfigMapEnvSource", name=name))


def _volumes(options: JobOptions) -> list[Any]:
    name = options.volume_name or VOLUME
    if options.claim:
        claim = _model("V1PersistentVolumeClaimVolumeSource", claim_name=options.claim)
        return [_model("V1Volume", name=name, persistent_volume_claim=claim)]
    if options.host_path:
        path = _model("V1HostPathVolumeSource", path=options.host_path, type="Directory")
        return [_model("V1Volume", name=name, host_path=path)]
    return []


def _toleration(text: str) -> Any:
    taint, _, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    return _model(
        "V1Toleration",
        key=None if key == "*" else key,
        operator="Equal" if equals else "Exists",
        value=value if equals else None,
        effect=effect or None,
    )


def _merged(option: str, pairs: Pairs) -> dict[str, str]:
    merged = dict(pairs)
    if len(merged) != len(pairs):
        raise UsageError(f"{option} names {_twice(pairs)!r} twice")
    return merged


def _twice(pairs: Pairs) -> str:
    names = [name for name, _ in pairs]
    return next(name for name in names if names.count(name) > 1)
