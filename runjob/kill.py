"""End the Job of a run that goes on elsewhere, known by its run identity and by nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from runjob.asking import Access
from runjob.commands import Commands
from runjob.errors import ApiError, Exit, LaunchError, NoClusterError
from runjob.existing import final_state
from runjob.finalizers import held, holders
from runjob.identity import is_of_order
from runjob.observed import KILLED
from runjob.plan import RUN_ID, is_ours
from runjob.remains import grace
from runjob.request import JOB, Body, Kind
from runjob.retry import persist

T = TypeVar("T")

# Seconds. A launcher that has just been started, and has its manifest, makes its Job within this.
APPEARANCE = 5.0
# Beyond the pods' own grace period, until a deletion is seen to be done.
REMOVAL = 15.0
LOOK = 0.5


class Api(Protocol):
    """What a kill needs of the API; its methods raise ApiError."""

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        """Return the objects that query selects."""

    def patch(self, body: Body, namespace: str, patch: Body) -> Body:
        """Change the fields of an object that patch names."""

    def delete(self, body: Body, namespace: str, uid: str, *, propagation: str) -> object:
        """Delete the object of that uid."""


class Killer:
    """Ends Jobs; patience are the seconds that the API may give no answer."""

    def __init__(
        self,
        api: Api,
        patience: float,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        commands: Commands = Commands(),  # noqa: B008  # frozen
    ) -> None:
        self._api = api
        self._patience = patience
        self._now = now
        self._wait = wait
        self._commands = commands

    def kill(self, namespace: str, run_id: str, appearance: float = APPEARANCE) -> str:
        """Delete the Job of that run and wait until it and its pods are gone; say what was done.

        run_id is its --run-id, or `order:count` or `name/order:count` of a scheduler; appearance
        are the seconds that its launcher may take to make it. A Job that has ended
        stays: it may be an earlier run's, and kept. Raises LaunchError, also for a run that has no
        Job: its launcher may make it yet.
        """
        until = self._now() + appearance
        staying, leaving = self._alive(namespace, run_id)
        while not staying and not leaving and self._now() < until:
            self._wait(LOOK)
            staying, leaving = self._alive(namespace, run_id)
        if not staying and not leaving:
            return self._over(namespace, run_id)
        names = _names(staying)
        if not all(is_ours(job) for job in staying):
            raise LaunchError(
                f"Job {namespace}/{names} carries the identity of this run ({run_id}), but "
                "runjob did not make it; it was not touched",
                Exit.EXISTS,
            )
        if len(staying) > 1:
            raise LaunchError(
                f"{len(staying)} Jobs in namespace {namespace} carry the identity of this run "
                f"({run_id}): {names}; none was touched. Give each run an identity of its own "
                "(--run-id)",
                Exit.EXISTS,
            )
        for job in staying:
            self._delete(namespace, job)
        meant = staying or leaving
        self._see_gone(namespace, run_id, meant)
        return (
            f"Job {namespace}/{_names(meant)} was ended: it and its pods are gone; what else its "
            "manifest made goes with it, or is for its launcher to remove"
        )

    def _alive(self, namespace: str, run_id: str) -> tuple[list[Body], list[Body]]:
        """Return the Jobs that have not ended, and those of ours that are being deleted."""
        jobs = self._jobs(namespace, run_id)
        staying = [job for job in jobs if not _leaves(job) and not final_state(job)]
        return staying, [job for job in jobs if _leaves(job) and is_ours(job)]

    def _delete(self, namespace: str, job: Body) -> None:
        """Delete it in the foreground, so that it stays to be seen until its pods are gone.

        Its launcher reads on it who did so; without the right to write that it is deleted all the
        same.
        """
        name, uid = job["metadata"]["name"], job["metadata"]["uid"]
        with suppress(ApiError):
            note = {"metadata": {"uid": uid, "annotations": {KILLED: "true"}}}
            self._api.patch(job, namespace, note)
        self._patiently(
            lambda: self._api.delete(job, namespace, uid, propagation="Foreground"),
            f"delete Job {namespace}/{name}",
        )

    def _over(self, namespace: str, run_id: str) -> str:
        """Tell of a run without a Job that could be ended."""
        ended = [job for job in self._jobs(namespace, run_id) if final_state(job) and is_ours(job)]
        if ended:
            return f"Job {namespace}/{_names(ended)} of this run had ended already; left alone"
        raise LaunchError(
            f"no Job of this run in namespace {namespace}: either it is gone already, or its "
            "launcher still tries to make it and may do so yet; if that one runs on, kill again",
            Exit.NOT_STARTED,
        )

    def _see_gone(self, namespace: str, run_id: str, jobs: Sequence[Body]) -> None:
        uids = {job["metadata"]["uid"] for job in jobs}
        until = self._now() + max(grace(job) for job in jobs) + REMOVAL
        while True:
            stays = [job for job in self._jobs(namespace, run_id) if job["metadata"]["uid"] in uids]
            if not stays:
                return
            if self._now() > until:
                raise LaunchError(self._not_gone(namespace, stays))
            self._wait(LOOK)

    def _not_gone(self, namespace: str, jobs: Sequence[Body]) -> str:
        """Say which Jobs stay though they are being deleted, and what to do."""
        words = "; ".join(
            held(job, by, namespace, self._commands) for job in jobs if (by := holders(job))
        )
        look = self._commands.kubectl(
            namespace, "get", "job,pod", "-l", f"job-name in ({_names(jobs)})"
        )
        return words or (
            f"Job {namespace}/{_names(jobs)} is being deleted but is not gone yet; look with: "
            f"{look}"
        )

    def _jobs(self, namespace: str, run_id: str) -> list[Body]:
        # A --run-id holds no colon. What a scheduler's order may hold, a label may not.
        ordered = ":" in run_id
        select = {} if ordered else {"labelSelector": f"{RUN_ID}={run_id}"}
        found, _ = self._patiently(
            lambda: self._api.list(JOB, namespace, select), f"list the Jobs of {namespace}"
        )
        jobs = [{"apiVersion": JOB.api_version, "kind": JOB.name, **body} for body in found]
        return [job for job in jobs if not ordered or is_of_order(job, run_id)]

    def _patiently(self, ask: Callable[[], T], what: str) -> T:
        """Ask again, until the patience is at its end, what may be answered otherwise later.

        Raises NoClusterError where a launch does, and otherwise LaunchError.
        """
        began, access = self._now(), Access(self._now)

        def enough(error: ApiError) -> bool:
            shut = access.shut(error)
            if shut:
                raise NoClusterError(f"cannot {what}: {shut}") from error
            return self._now() - began > self._patience

        try:
            return persist(ask, self._wait, enough=enough)
        except ApiError as error:
            code = Exit.UNREADABLE if error.heals else Exit.REFUSED
            raise LaunchError(f"cannot {what}: {error}", code) from error


def _names(jobs: Sequence[Body]) -> str:
    return ", ".join(job["metadata"]["name"] for job in jobs)


def _leaves(job: Body) -> bool:
    return bool(job["metadata"].get("deletionTimestamp"))
