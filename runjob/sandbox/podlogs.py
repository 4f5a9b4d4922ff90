"""The logs of all pods on the node, and the answers to requests for them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from .http import Reply
from .logfile import LogFile, LogQuery
from .moments import whole_seconds_of
from .refusals import Cause, Refusal, invalid, unprocessable
from .resources import Json, Resource

OPTIONS = Resource("pods", "PodLogOptions")
PULL_TROUBLE = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True)
class LogOptions:
    """Which log of a pod a client wants to see, and what of it."""

    query: LogQuery
    previous: bool = False
    container: str = ""


def log_options(pod: Json, parameters: dict[str, str], now: float) -> LogOptions:
    """Read the query of a log request; refuse what a real server refuses."""
    causes: list[Cause] = []

    def number(name: str, least: int) -> int | None:
        text = parameters.get(name, "")
        if not text:
            return None
        try:
            value = int(text)
        except ValueError:
            raise Refusal(400, f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
        if value < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            causes.append(invalid(name, value, f"must be {bound}"))
        return value

    def flag(name: str) -> bool:
        return parameters.get(name, "").lower() in ("1", "true")

    seconds = number("sinceSeconds", 1)
    since = None if seconds is None else int((now - seconds) * 1e9)
    if text := parameters.get("sinceTime", ""):
        if seconds is not None:
            why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
            causes.append(Cause("", "FieldValueForbidden", f"Forbidden: {why}"))
        try:
            # The API server hands the time on to the kubelet in whole seconds.
            since = whole_seconds_of(text) * 1_000_000_000
        except ValueError as error:
            raise Refusal(400, f'parsing time "{text}": {error}') from error
    query = LogQuery(
        flag("follow"),
        flag("timestamps"),
        since,
        number("tailLines", 0),
        number("limitBytes", 1),
    )
    if causes:
        raise unprocessable(OPTIONS, pod["metadata"]["name"], causes)
    return LogOptions(query, flag("previous"), parameters.get("container", ""))


class PodLogs:
    """All logs of the node, by the uid of the pod and the name of the container."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, deque[LogFile]]] = {}
        self.lost = False  # with their node

    def open(self, uid: str, container: str, instance: int) -> LogFile:
        """Begin the log of a container instance; the one before stays as the previous."""
        folder = self._folder / uid
        folder.mkdir(parents=True, exist_ok=True)
        files = self._files.setdefault(uid, {}).setdefault(container, deque())
        files.append(LogFile(folder / f"{container}.{instance}"))
        if len(files) > 2:
            files.popleft().path.unlink(missing_ok=True)
        return files[-1]

    def rotate(self) -> None:
        """Rotate the present log of each container."""
        for containers in self._files.values():
            for files in containers.values():
                files[-1].rotate()

    def forget(self, uid: str) -> None:
        for files in self._files.pop(uid, {}).values():
            for file in files:
                file.path.unlink(missing_ok=True)

    def reply(self, pod: Json, parameters: dict[str, str]) -> Reply:
        """Answer a log request for a pod; refuse while the container is waiting to start."""
        options = log_options(pod, parameters, time.time())
        container = chosen_container(pod, options.container)
        files = self._files.get(pod["metadata"]["uid"], {}).get(container, deque())
        name = pod["metadata"]["name"]
        if self.lost and pod["spec"].get("nodeName"):
            raise Refusal(500, 'Get "https://127.0.0.1:10250/containerLogs": dial tcp: i/o timeout')
        if options.previous:
            if len(files) < 2:
                raise Refusal(
                    400, f'previous terminated container "{container}" in pod "{name}" not found'
                )
            file = files[0]
        elif files:
            file = files[-1]
        elif not pod["spec"].get("nodeName"):
            # There is no kubelet to ask yet: the real server answers with nothing, too.
            return Reply(200, content_type="text/plain")
        else:
            raise _not_started(pod, container)
        return Reply(200, content_type="text/plain", stream=file.read(options.query))


def chosen_container(pod: Json, wanted: str) -> str:
    """Find the container whose log is meant; refuse when the name is missing or unknown."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    main = [each["name"] for each in spec["containers"]]
    initial = [each["name"] for each in spec.get("initContainers") or ()]
    if wanted:
        if wanted in main or wanted in initial:
            return wanted
        raise Refusal(400, f"container {wanted} is not valid for pod {name}")
    if len(main) == 1:
        return str(main[0])
    names = " ".join([*initial, *main])
    text = f"a container name must be specified for pod {name}, choose one of: [{names}]"
    raise Refusal(400, text)


def _not_started(pod: Json, container: str) -> Refusal:
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    fields = ("containerStatuses", "initContainerStatuses")
    for each in (entry for field in fields for entry in status.get(field) or ()):
        waiting = (each.get("state") or {}).get("waiting")
        if each["name"] == container and waiting:
            why = PULL_TROUBLE.get(waiting["reason"], waiting["reason"])
            text = f'container "{container}" in pod "{name}" is waiting to start: {why}'
            return Refusal(400, text)
    return Refusal(
        400, f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
    )
