"""Say why a Job does not run yet, and whether waiting can help."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from runjob.errors import Exit
from runjob.observed import ContainerView, EventView, Picture, PodView


@dataclass(frozen=True)
class Waiting:
    """Why something waits, in words.

    final is the exit code where no waiting can help, None where it can; hint then says what to do.
    moving tells that work is going on whose end another party bounds: the kubelet gives up a pull
    that stands still, an autoscaler a node that does not come. usual marks what every Job passes
    through, which is worth a line only when it takes long.
    """

    text: str
    final: Exit | None = None
    hint: str = ""
    moving: bool = False
    usual: bool = False


# What a registry or the runtime says when the next try will end as this one did …
_NO_IMAGE = re.compile(
    r"not found|does not exist|manifest unknown|name unknown|no such image|not present", re.I
)
_NO_ENTRY = re.compile(
    r"\bdenied\b|unauthorized|authentication required|authorization failed|insufficient_scope"
    r"|\b40[13]\b|no basic auth",
    re.I,
)
# … and when it may not. Looked for first: "429 Too Many Requests: denied: rate limit" heals.
_PASSING = re.compile(
    r"qps exceeded|toomanyrequests|too many requests|\b429\b|\b5\d\d\b|time-?out|deadline exceeded"
    r"|connection (refused|reset)|i/o|no such host|temporary failure|TLS handshake|EOF"
    r"|rate limit|server misbehaving|network is unreachable|unavailable|no space left"
    r"|context canceled",
    re.I,
)

# The kubelet is a moment behind the API; what is absent is named otherwise.
_CACHE_BEHIND = re.compile(r"failed to sync|timed out waiting|not yet been read", re.I)

_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"}
_CANNOT_RUN = {"StartError", "ContainerCannotRun", "RunContainerError"}

_UNPULLED, _NO_SECRET = "cannot be pulled", "the imagePullSecret"

IMAGE_HINT = "mend the image name or tag, or the pull secret (-s), and run again"
_MORE = "--preflight shows whether more is missing"
CONFIGURATION_HINT = (
    f"create what is missing, or mend what the message names, and run again; {_MORE}"
)
QUOTA_HINT = f"give every container --requests and --limits (in a manifest resources); {_MORE}"


def why_container_waits(view: ContainerView) -> Waiting | None:
    """Tell why this container does not run; None while it runs, has ended, or nothing is wrong."""
    if view.waiting is None:
        return None
    reason, message = view.waiting
    message = " ".join(message.split())
    if reason in _IMAGE_REASONS:
        return _image(view.name, message)
    if reason in ("InvalidImageName", "ErrImageNeverPull"):
        return Waiting(f"{reason}: {message}", Exit.IMAGE, IMAGE_HINT)
    if reason == "CreateContainerConfigError":
        healing = _CACHE_BEHIND.search(message)
        return Waiting(
            f"{reason}: {message}", None if healing else Exit.CONFIGURATION, CONFIGURATION_HINT
        )
    if reason == "CreateContainerError" and "no command specified" in message.lower():
        return Waiting(f"{reason}: {message}", Exit.CONFIGURATION, "name a command with -k")
    if reason in _CANNOT_RUN:
        return _cannot_run(reason, message)
    return Waiting(f"{reason}: {message}" if message else reason, usual=not message)


def _image(container: str, message: str) -> Waiting:
    # ErrImagePull and ImagePullBackOff take turns for one cause; one text for both says it once.
    cause = re.sub(r'^Back-off pulling image "[^"]*"(: ErrImagePull: )?', "", message)
    text = f"image of {container} {_UNPULLED}" + (f": {cause}" if cause else "")
    words = _bare(cause)
    if not cause or _PASSING.search(words):
        return Waiting(text)
    if _NO_IMAGE.search(words) or _NO_ENTRY.search(words):
        return Waiting(text, Exit.IMAGE, IMAGE_HINT)
    return Waiting(text)


def why_pod_waits(pod: PodView, events: tuple[EventView, ...]) -> Waiting | None:
    """Tell why this pod does not run yet; None once it runs, or when it is over.

    events are those about the pod; without them a pull or a mount is not seen.
    """
    if pod.over or pod.deleting or pod.phase == "Running":
        return None
    unscheduled = next((each for each in pod.conditions if each.type == "PodScheduled"), None)
    if unscheduled is not None and unscheduled.status == "False":
        if unscheduled.reason == "SchedulingGated":
            return Waiting(f"SchedulingGated: {unscheduled.message}")
        scaling = any(event.reason == "TriggeredScaleUp" for event in events)
        more = " (the autoscaler is adding a node)" if scaling else ""
        return Waiting(f"Unschedulable: {unscheduled.message}{more}", moving=scaling)
    if not pod.node:
        return Waiting("not scheduled yet", usual=True)
    causes = [
        (view, why) for view in pod.containers if (why := why_container_waits(view)) is not None
    ]
    for _, why in causes:
        if why.final is not None or not why.text.startswith(("ContainerCreating", "PodInit")):
            return replace(why, text=with_absent_secret(why.text, events))
    pulling = _pulling(events)
    if pulling is not None:
        return pulling
    mount = _mount(events)
    if mount is not None:
        return mount
    running = [
        view.name for view in pod.containers if view.role == "init" and view.running is not None
    ]
    if running:
        return Waiting(f"init container {running[0]} runs", moving=True)
    return causes[0][1] if causes else Waiting("ContainerCreating", usual=True)


def with_absent_secret(text: str, events: Iterable[EventView]) -> str:
    """Add to the words of a pull that fails which imagePullSecret is not there.

    The kubelet says so beside its own words, and also when the pull succeeds without.
    """
    if _UNPULLED not in text or _NO_SECRET in text:
        return text
    for event in events:
        found = re.search(r"image pull secrets \(([^)]+)\)", event.message)
        if event.reason == "FailedToRetrieveImagePullSecret" and found:
            return f"{text}; {_NO_SECRET} {found[1]} does not exist"
    return text


def _mount(events: tuple[EventView, ...]) -> Waiting | None:
    failed = [event for event in events if event.reason in ("FailedMount", "FailedAttachVolume")]
    # Volumes come before images: a pull proves that they are there by now.
    if not failed or any(event.reason == "Pulling" for event in events):
        return None
    event = failed[-1]
    message = " ".join(event.message.split())
    absent = re.search(
        r'(configmap|secret) "[^"]+" not found|non-?existent (config|secret) key'
        r"|hostPath type check failed",
        message,
    )
    # The kubelet's cache can be a moment behind; after the third refusal the thing is not there.
    final = absent and sum(each.count for each in failed) >= 3
    return Waiting(
        f"{event.reason}: {message}", Exit.CONFIGURATION if final else None, CONFIGURATION_HINT
    )


def _pulling(events: tuple[EventView, ...]) -> Waiting | None:
    steps = [event for event in events if event.reason in ("Pulling", "Pulled", "Failed")]
    if not steps or steps[-1].reason != "Pulling":
        return None
    return Waiting(steps[-1].message, moving=True)


def why_job_waits(picture: Picture) -> Waiting | None:
    """Tell why the Job has no pod; None once it has one."""
    if any(not pod.over for pod in picture.pods.values()):
        return None
    if picture.job.suspended:
        return Waiting("the Job is suspended (spec.suspend); it waits until somebody resumes it")
    refused = [each for each in picture.about(picture.job.uid) if each.reason == "FailedCreate"]
    if refused:
        return _refused_pod(" ".join(refused[-1].message.split()))
    if picture.pods:
        return Waiting("the next pod; the Job controller spaces retries out", usual=True)
    return Waiting("no pod yet", usual=True)


def _refused_pod(message: str) -> Waiting:
    text = f"the Job cannot create its pod: {message}"
    if re.search(r"violates PodSecurity", message):
        return Waiting(text, Exit.CONFIGURATION, "try --security restricted")
    # The ServiceAccount "default" follows its namespace by a moment.
    if re.search(r'serviceaccount "(?!default")[^"]+" not found', message):
        return Waiting(text, Exit.CONFIGURATION, CONFIGURATION_HINT)
    if re.search("failed quota: .*must specify", message):
        return Waiting(text, Exit.CONFIGURATION, QUOTA_HINT)
    if re.search("exceeded quota|serviceaccount", message) or "is forbidden" not in message:
        return Waiting(text)
    return Waiting(text, Exit.CONFIGURATION, f"mend what the message names, and run again; {_MORE}")


def cannot_start(view: ContainerView) -> Waiting | None:
    """Tell why a container that was tried can never start; None when it can, or has run."""
    end = view.latest_end
    if end is not None and end.reason in _CANNOT_RUN:
        why = _cannot_run(end.reason, " ".join(end.message.split()))
        return why if why.final is not None else None
    return None


def _bare(message: str) -> str:
    """Leave out names: a registry called 503.example is no error 503."""
    return re.sub(r'"[^"]*"|\S+/\S+', " ", message)


def _cannot_run(reason: str, message: str) -> Waiting:
    return Waiting(
        f"{reason}: {message}",
        None if _PASSING.search(_bare(message)) else Exit.CONFIGURATION,
        "mend the command (-k, -a) or the image",
    )


def causes(picture: Picture) -> dict[str, Waiting]:
    """Return why each waiting pod waits, by pod uid, and under "" why there is no pod."""
    found: dict[str, Waiting] = {}
    for pod in picture.pods.values():
        why = why_pod_waits(pod, picture.about(pod.uid))
        if why is not None:
            found[pod.uid] = why
    job = why_job_waits(picture)
    if job is not None:
        found[""] = job
    return found


def hopeless(picture: Picture) -> tuple[PodView | None, Waiting] | None:
    """Return the pod that can never start and why, if there is one.

    While another pod of the Job runs it is the Job controller's to judge.
    """
    if any(pod.phase == "Running" for pod in picture.pods.values()):
        return None
    for uid, why in causes(picture).items():
        if why.final is not None:
            return picture.pods.get(uid), why
    for pod in picture.pods.values():
        for view in pod.containers:
            why_not = cannot_start(view)
            if why_not is not None:
                return pod, why_not
    return None
