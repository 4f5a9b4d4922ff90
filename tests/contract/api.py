"""A cluster's API, as tests look into it and change what is there."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import urllib3

from runjob.login import Login

Json = dict[str, Any]
T = TypeVar("T")

ROOTS = {
    "jobs": "/apis/batch/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
}


class RefusedError(Exception):
    """The API said no to a test's own request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """The administrator's way to one namespace: objects as JSON, by kind and name."""

    def __init__(self, login: Login, namespace: str, patience: float) -> None:
        self.namespace = namespace
        self.patience = patience
        self._login = login
        self._enter()

    def _enter(self) -> None:
        self._access = access = self._login()
        self._pool = urllib3.PoolManager(
            ca_certs=access.ca_file, cert_file=access.cert_file, key_file=access.key_file
        )

    def call(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> Json:
        """Send one request and read the object that comes back."""
        read: Json = json.loads(self._send(method, path, body, kind))
        return read

    def text(self, path: str) -> bytes:
        """Read something that is no object."""
        return self._send("GET", path, None, "")

    def _send(self, method: str, path: str, body: object, kind: str) -> bytes:
        """Send one request; an API that is away for some seconds is waited for."""
        data = None if body is None else json.dumps(body).encode()
        until = time.monotonic() + self.patience
        while True:
            headers = {"User-Agent": "contract", "Content-Type": kind, **self._access.headers()}
            try:
                answer = self._pool.request(
                    method, self._access.host + path, body=data, headers=headers, retries=False
                )
                if answer.status not in (401, 503) or time.monotonic() > until:
                    break
                self._enter()
            except urllib3.exceptions.SSLError:
                if time.monotonic() > until:
                    raise
                self._enter()
            except (urllib3.exceptions.HTTPError, OSError):
                if time.monotonic() > until:
                    raise
            time.sleep(0.2)
        if answer.status >= 300:
            raise RefusedError(answer.status, answer.data.decode(errors="replace"))
        return bytes(answer.data)

    def path(self, plural: str, name: str = "") -> str:
        root = ROOTS.get(plural, "/api/v1")
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def create(self, plural: str, body: Json) -> Json:
        return self.call("POST", self.path(plural), body)

    def find(self, plural: str, name: str) -> Json | None:
        """Return the object of that name, None where there is none."""
        try:
            return self.call("GET", self.path(plural, name))
        except RefusedError as error:
            if error.status != 404:
                raise
            return None

    def delete(self, plural: str, name: str, seconds: int | None = None) -> None:
        """Delete an object with all that it owns; one that is gone is no error."""
        options: Json = {"propagationPolicy": "Background"}
        if seconds is not None:
            options["gracePeriodSeconds"] = seconds
        try:
            self.call("DELETE", self.path(plural, name), options)
        except RefusedError as error:
            if error.status != 404:
                raise

    def items(self, plural: str) -> list[Json]:
        return list(self.call("GET", self.path(plural)).get("items") or ())

    def job(self, name: str) -> Json | None:
        return self.find("jobs", name)

    def pods(self, job: str) -> list[Json]:
        """Return the pods of a Job, the oldest first."""
        path = f"{self.path('pods')}?labelSelector=job-name%3D{job}"
        found = self.call("GET", path).get("items") or ()
        return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def until(self, happened: Callable[[], T | None], what: str) -> T:
        """Look again and again until something true comes back, and return that."""
        until = time.monotonic() + self.patience
        while not (found := happened()):
            assert time.monotonic() < until, f"waited {self.patience:.0f} s in vain: {what}"
            time.sleep(0.02)
        return found

    def running_pods(self, job: str, count: int = 1) -> list[Json]:
        """Wait until that many pods of a Job run, and return them."""

        def running() -> list[Json]:
            found = [pod for pod in self.pods(job) if is_running(pod)]
            return found if len(found) >= count else []

        return self.until(running, f"{count} running pod(s) of {job}")

    def speaking_pod(self, job: str) -> Json:
        """Wait until a pod of a Job runs and has written something, and return it.

        One that runs may not have come to its first command yet.
        """

        def speaking() -> Json | None:
            for pod in filter(is_running, self.pods(job)):
                with contextlib.suppress(RefusedError):
                    if self.text(self.path("pods", pod["metadata"]["name"]) + "/log"):
                        return pod
            return None

        return self.until(speaking, f"a pod of {job} that has written something")

    def is_gone(self, job: str) -> bool:
        return self.job(job) is None and not self.pods(job)

    def wait_gone(self, job: str) -> None:
        """Wait until neither the Job nor a pod of it is left."""
        self.until(lambda: self.is_gone(job), f"{job} and its pods gone")


def is_running(pod: Json) -> bool:
    """Tell whether a pod runs and is not being deleted."""
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def waiting_reason(pod: Json) -> str:
    """Return the reason for which the first container waits, empty where it does not."""
    states = [each.get("state") or {} for each in pod["status"].get("containerStatuses") or ()]
    return str(next((s["waiting"].get("reason") for s in states if "waiting" in s), "") or "")
