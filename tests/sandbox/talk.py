"""A small client for the tests: requests, watches and logs over TLS, with nothing in between."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from runjob.sandbox import Sandbox

Json = dict[str, Any]
NAMESPACE = "controlm"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
PODS = f"{CORE}/pods"
PATIENCE = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        value: Json = json.loads(self.body)
        return value

    @property
    def message(self) -> str:
        return str(self.json["message"])


class Talk:
    """Speaks to one sandbox; every call opens a connection of its own."""

    def __init__(self, sandbox: Sandbox, timeout: float = PATIENCE) -> None:
        self.sandbox = sandbox
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=str(sandbox.ca_file))

    def open(
        self, method: str, path: str, body: object = None, kind: str = "application/json",
        accept: str = "application/json", **query: Any,
    ) -> http.client.HTTPResponse:  # fmt: skip
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.sandbox.port, timeout=self._timeout, context=self._context
        )
        if query:
            path = f"{path}?{urlencode(query)}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.sandbox.token}",
            "Content-Type": kind,
            "Accept": accept,
            "Connection": "close",
        }
        connection.request(method, path, data, headers)
        return connection.getresponse()

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        with self.open(method, path, body, **more) as response:
            return Answer(response.status, dict(response.headers), response.read())

    def get(self, path: str, **query: Any) -> Json:
        answer = self.call("GET", path, **query)
        assert answer.status == 200, answer.body
        return answer.json

    def create(self, path: str, body: Json) -> Json:
        answer = self.call("POST", path, body)
        assert answer.status == 201, answer.body
        return answer.json

    def watch(self, path: str, **query: Any) -> Iterator[Json]:
        """Open a watch and yield its events until the stream ends."""
        response = self.open("GET", path, watch="true", **query)
        assert response.status == 200
        return _events(response)

    def until(self, path: str, wanted: Callable[[Json], object], **query: Any) -> Json:
        """Watch until an event's object is as wanted, and return the object."""
        end = time.monotonic() + PATIENCE
        seen: list[Json] = []
        query.setdefault("timeoutSeconds", int(PATIENCE))
        for event in self.watch(path, **query):
            item: Json = event["object"]
            seen.append(event)
            if wanted(item):
                return item
            if time.monotonic() > end:
                break
        raise AssertionError(f"never came: {json.dumps(seen[-3:], indent=1)}")

    def gone(self, path: str, name: str) -> None:
        """Wait until an object of that name is deleted; it may be gone already."""
        collection = self.get(path, fieldSelector=f"metadata.name={name}")
        if not collection["items"]:
            return
        version = collection["metadata"]["resourceVersion"]
        for event in self.watch(
            path, fieldSelector=f"metadata.name={name}", resourceVersion=version, timeoutSeconds=20
        ):
            if event["type"] == "DELETED":
                return
        raise AssertionError(f"{name} is still there")

    def job(self, body: Json) -> Json:
        return self.create(JOBS, body)

    def ended(self, name: str) -> Json:
        """Wait for a Job's final condition."""
        return self.until(JOBS, is_finished, fieldSelector=f"metadata.name={name}")

    def pod(self, job: str, wanted: Callable[[Json], object] = bool) -> Json:
        """Wait for a pod of a Job that is as wanted."""
        return self.until(PODS, wanted, labelSelector=f"job-name={job}")

    def log(self, pod: str, **query: Any) -> bytes:
        answer = self.call("GET", f"{PODS}/{pod}/log", **query)
        assert answer.status == 200, answer.body
        return answer.body

    def events(self, item: Json) -> list[tuple[str, str]]:
        uid = item["metadata"]["uid"]
        found = self.get(f"{CORE}/events", fieldSelector=f"involvedObject.uid={uid}")
        return [(event["reason"], event["message"]) for event in found["items"]]


def _events(response: http.client.HTTPResponse) -> Iterator[Json]:
    with response:
        for line in response:
            yield json.loads(line)


def job(name: str, *command: str, **spec: Any) -> Json:
    """Make a Job of one busybox container; ``pod`` and ``container`` add to those."""
    pod, container = spec.pop("pod", {}), spec.pop("container", {})
    main = {"name": "main", "image": "busybox:1", **container}
    if command:
        main["command"] = list(command)
    template = {"restartPolicy": "Never", "containers": [main], **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": template}, **spec},
    }


def shell(name: str, script: str, **spec: Any) -> Json:
    return job(name, "sh", "-c", script, **spec)


def held(item: Json) -> dict[str, str]:
    """Read the conditions that hold, with their reasons."""
    conditions = item.get("status", {}).get("conditions") or ()
    return {c["type"]: c.get("reason", "") for c in conditions if c["status"] == "True"}


def is_finished(item: Json) -> bool:
    return bool({"Complete", "Failed"} & set(held(item)))


def phase_is(*phases: str) -> Callable[[Json], bool]:
    return lambda pod: pod["status"].get("phase") in phases


def state(pod: Json, container: int = 0) -> Json:
    statuses = pod["status"].get("containerStatuses")
    found: Json = statuses[container]["state"] if statuses else {}
    return found


def waits_for(reason: str) -> Callable[[Json], bool]:
    return lambda pod: (state(pod).get("waiting") or {}).get("reason") == reason
