"""End the Job of a run that goes on elsewhere, known by its run identity and by nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from runjob.errors import ApiError, Exit, LaunchError
from runjob.plan import RUN_ID, is_ours
from runjob.request import JOB, Body, Kind
from runjob.retry import Backoff, wait_for

T = TypeVar("T")

# Seconds. A launcher that has just been started makes its Job within this time.
APPEARANCE = 3.0
# Beyond the pods' own grace period, until a deletion is seen to be done.
REMOVAL = 15.0
LOOK = 0.5


class Api(Protocol):
    """What a kill needs of the API; its methods raise ApiError."""

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        """Return the objects that query selects."""

    def delete(self, body: Body, namespace: str, uid: str, *, propagation: str) -> None:
        """Delete the object of that uid."""


class Killer:
    """Ends Jobs; patience are the seconds that the API may give no answer."""

    def __init__(
        self,
        api: Api,
        patience: float,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._patience = patience
        self._now = now
        self._wait = wait

    def kill(self, namespace: str, run_id: str) -> str:
        """Delete the Job of that run and wait until it and its pods are gone; say what was done.

        A run that has no Job, or no longer, is no error. Raises LaunchError.
        """
        until = self._now() + APPEARANCE
        while not (jobs := self._jobs(namespace, run_id)) and self._now() < until:
            self._wait(LOOK)
        if not jobs:
            return f"No Job of this run in namespace {namespace}: nothing to end"
        names = ", ".join(job["metadata"]["name"] for job in jobs)
        if not all(is_ours(job) for job in jobs):
            raise LaunchError(
                f"Job {namespace}/{names} carries the identity of this run, but runjob did not "
                "make it; it was not touched",
                Exit.EXISTS,
            )
        if len(jobs) > 1:
            raise LaunchError(
                f"{len(jobs)} Jobs in namespace {namespace} carry the identity of this run: "
                f"{names}; none was touched. Give each run an identity of its own (--run-id)",
                Exit.EXISTS,
            )
        job = jobs[0]
        uid = job["metadata"]["uid"]
        # In the foreground, so that the Job stays to be seen until its pods are gone.
        self._patiently(
            lambda: self._api.delete(job, namespace, uid, propagation="Foreground"),
            f"delete Job {namespace}/{names}",
        )
        until = self._now() + _grace(job) + REMOVAL
        while any(each["metadata"]["uid"] == uid for each in self._jobs(namespace, run_id)):
            if self._now() > until:
                raise LaunchError(
                    f"Job {namespace}/{names} is being deleted but is not gone yet; look with: "
                    f"kubectl -n {namespace} get job,pod -l job-name={names}"
                )
            self._wait(LOOK)
        return f"Job {namespace}/{names} was ended: it and its pods are gone"

    def _jobs(self, namespace: str, run_id: str) -> list[Body]:
        select = {"labelSelector": f"{RUN_ID}={run_id}"}
        found, _ = self._patiently(
            lambda: self._api.list(JOB, namespace, select), f"list the Jobs of {namespace}"
        )
        return [{"apiVersion": JOB.api_version, "kind": JOB.name, **body} for body in found]

    def _patiently(self, ask: Callable[[], T], what: str) -> T:
        """Ask again, until the patience is at its end, what may be answered otherwise later."""
        began = self._now()
        for pause in Backoff().waits():
            try:
                return ask()
            except ApiError as error:
                over = self._now() - began > self._patience or error.reason == "NoSuchHost"
                if not error.heals or over:
                    code = Exit.UNREADABLE if error.heals else Exit.REFUSED
                    raise LaunchError(f"cannot {what}: {error}", code) from error
                self._wait(wait_for(error.retry_after, pause))
        raise AssertionError("the waits never end")


def _grace(job: Body) -> float:
    spec = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    seconds = spec.get("terminationGracePeriodSeconds")
    return 30.0 if seconds is None else float(seconds)
