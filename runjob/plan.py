"""Turn options into what goes to the API: from flags, or from a manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from runjob.errors import ManifestError, UsageError
from runjob.flags import FLAGS
from runjob.masking import is_secret, masked, masked_words
from runjob.options import Options, Pairs, RunOptions
from runjob.request import Body, JobRequest

T = TypeVar("T")

# How we know a Job of ours again when the answer to its creation was lost.
LAUNCH = "runjob/launch"
# The label by which a kill finds the Job of a run that it knows only the identity of.
RUN_ID = "runjob/run-id"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SHAPING = {flag.name: flag.legacy for flag in FLAGS if flag.target.startswith(("job.", "env."))}


def plan(
    options: Options, find: Callable[[str], str | None], read: Callable[[str], str]
) -> tuple[JobRequest, tuple[str, ...]]:
    """Return the request, and remarks for the user.

    find(name) gives the path of a manifest of that file name beside the current directory or the
    script; read(path) its text, `-` being standard input. Raises LaunchError.
    """
    path = options.manifest
    if (options.query or options.token_file) and not is_address(path):
        raise UsageError("--query and --token-file go with an https address: name it with -y")
    if path is None and options.job.image is None and options.job_name:
        path = find(f"{options.job_name}.yaml")
        if path is None:
            raise UsageError(
                f"no image (-i) and no manifest (-y), and no {options.job_name}.yaml in the "
                "current directory or beside runJob.py"
            )
    if path is None:
        request, notes = _from_flags(options), options.notes
    else:
        request, more = _from_manifest(options, path, read(path))
        notes = options.notes + more
    check_names(request)
    request = fitted(_with_sets(request, options.sets), options.run)
    return _identified(request, options.run_id), notes


def fitted(request: JobRequest, options: RunOptions) -> JobRequest:
    """Return the request as these options need it; raises UsageError where it does not fit them."""
    name = options.main_container
    if name is not None:
        from runjob.sidecars import names

        there = _part(request, names)
        if name not in there:
            raise UsageError(
                f"--main-container {name!r:.80} is no container of the pod: it has "
                f"{', '.join(there) or 'none'}"
            )
    if options.ignore_disruptions:
        from runjob.disruptions import ignored

        request = replace(request, job=_part(request, ignored))
    return request


def _part(request: JobRequest, find: Callable[[Body], T]) -> T:
    """Return what find makes of the Job; raises UsageError where its parts are none."""
    try:
        return find(request.job)
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(
            "the Job has no spec.template.spec with containers as objects, so that neither "
            "--main-container nor --ignore-disruptions can be told for it"
        ) from error


# YAML and the models are loaded where a launch needs them and nowhere else: it seldom needs both,
# and a third of the time that a launcher takes is imports.


def _with_sets(request: JobRequest, sets: Pairs) -> JobRequest:
    if not sets:
        return request
    from runjob.fields import with_field

    job = request.job
    for where, text in sets:
        job = with_field(job, where, text)
    _check_identity(request, job)
    return replace(request, job=job)


def _identified(request: JobRequest, run_id: str | None) -> JobRequest:
    if run_id is None:
        return request
    metadata = request.job["metadata"]
    labels = metadata.get("labels") or {}
    if not isinstance(labels, dict):
        raise UsageError("--set: metadata.labels must stay an object")
    metadata = {**metadata, "labels": {**labels, RUN_ID: run_id}}
    return replace(request, job={**request.job, "metadata": metadata})


def check_names(request: JobRequest) -> None:
    """Refuse names that the API would refuse, before they become parts of its addresses."""
    error = ManifestError if request.source == "manifest" else UsageError
    if not _NAME.fullmatch(request.name) or len(request.name) > 63:
        raise error(
            f"{request.name!r:.80} is no name for a Job: a-z, 0-9, - and . only, letters or digits "
            "at both ends, at most 63 characters"
        )
    if not _LABEL.fullmatch(request.namespace) or len(request.namespace) > 63:
        raise error(
            f"{request.namespace!r:.80} is no name for a namespace: a-z, 0-9 and - only, letters "
            "or digits at both ends, at most 63 characters"
        )
    for body in request.prerequisites:
        name = body["metadata"]["name"]
        if not _NAME.fullmatch(name) or len(name) > 253:
            raise error(f"{name!r:.80} is no name for a {body['kind']}: a-z, 0-9, - and .")


def _check_identity(request: JobRequest, job: Body) -> None:
    """Refuse a --set that would make it another object."""
    for field in ("apiVersion", "kind"):
        if job.get(field) != request.job[field]:
            raise UsageError(f"--set cannot change {field}")
    metadata = job.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("annotations") or {}, dict):
        raise UsageError("--set: metadata and metadata.annotations must stay objects")
    for field, agreed in (("name", request.name), ("namespace", request.namespace)):
        if metadata.get(field) != agreed:
            raise UsageError(f"--set cannot change metadata.{field}: use -j or -n")


def _from_flags(options: Options) -> JobRequest:
    if options.params:
        raise UsageError("--param fills the placeholders of a manifest: name one with -y")
    name = _job_name(options)
    if name is None:
        raise UsageError("no Job name: give one with -j, or a start of one with --generate-name")
    from runjob import jobspec

    namespace = options.namespace or "default"
    job = jobspec.build(name, namespace, options.job)
    return JobRequest(name, namespace, job, generated=options.generate_name or "")


def _from_manifest(options: Options, path: str, text: str) -> tuple[JobRequest, tuple[str, ...]]:
    shaping = sorted(options.given & _SHAPING.keys())
    newer = [name for name in shaping if not _SHAPING[name]]
    if newer:
        raise UsageError(f"--{newer[0]} goes with -i; in a manifest use --set, or write it there")
    from runjob import manifest

    notes = (f"with a manifest these are ignored: --{', --'.join(shaping)}",) if shaping else ()
    origin = "standard input" if path == "-" else shown(path)
    objects = manifest.documents(text, options.params, origin)
    job, others = manifest.divide(objects, origin)
    # A generated name is meant to be another one each time, whatever the manifest says.
    name = (options.generate_name and _job_name(options)) or manifest.agreed_name(
        job, options.job_name, origin
    )
    namespace = manifest.agreed_namespace(objects, options.namespace, origin)

    request = JobRequest(
        name,
        namespace,
        manifest.placed(job, namespace, name),
        tuple(manifest.placed(body, namespace) for body in others),
        "manifest",
        options.generate_name or "",
    )
    return request, notes


def _job_name(options: Options) -> str | None:
    if options.job_name and options.generate_name:
        raise UsageError("-j and --generate-name both name the Job: give one of them")
    name = options.job_name
    if options.generate_name:
        # Made here and not by the API, so that a create whose answer was lost can be repeated. A
        # run that is named has another end put in its place.
        name = options.generate_name + os.urandom(3).hex()
    return name


def made_by(body: Body, launch: str) -> bool:
    """Tell whether this object came from the launch of that identity."""
    return bool((body["metadata"].get("annotations") or {}).get(LAUNCH) == launch)


def is_ours(body: Body) -> bool:
    """Tell whether a launcher made this object."""
    return LAUNCH in (body["metadata"].get("annotations") or {})


def is_address(path: str | None) -> bool:
    """Tell whether a manifest is to be fetched and not read from a file."""
    return path is not None and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path) is not None


def shown(path: str) -> str:
    """Return a manifest's name as it may be shown: a query or a password in it may be secrets."""
    if not is_address(path):
        return path
    # A password may hold any of /?#: all up to the last @ goes, and a port that is no number.
    named = re.sub(r"//.*@", "//****@", re.split(r"[?#]", path)[0])
    return re.sub(r"//[^/:@\[]*:(?!\d*(?:/|$)).*", "//****", named)


def in_effect(request: JobRequest, options: Options) -> str:
    """Name the options in effect.

    What looks like a secret, by its name or by itself, is masked, and all that is sent for a
    manifest.
    """
    job = options.job
    parts = [f"jobname={request.name}", f"namespace={request.namespace}"]
    if request.source == "manifest":
        parts.append(f"manifest={shown(options.manifest or request.name + '.yaml')}")
        parts += [f"{name}={masked(name, value)}" for name, value in options.params]
        parts += [f"{name}=****" for name, _ in options.query]
    else:
        parts += [
            f"image={job.image}",
            f"imagepullpolicy={job.pull_policy}",
            f"imagesecret={job.pull_secret or 'none'}",
            f"restartpolicy={job.restart_policy}",
            f"backofflimit={job.backoff_limit}",
        ]
        if job.command or job.args:
            parts.append(f"command={masked_words((*job.command, *job.args))!r}")
        if job.mount_path:
            parts.append(f"volume={job.claim or job.host_path}:{job.mount_path}")
        parts += [f"{name}={masked(name, value)}" for name, value in job.env]
    return "Options in effect: " + " ".join(parts)


def secrets_given(options: Options) -> tuple[str, ...]:
    """Return the values on the line that are secrets by their names, or by where they are sent."""
    named = (*options.params, *options.job.env)
    return (
        *(value for name, value in named if is_secret(name)),
        *(value for _, value in options.query),
    )
