"""What a Job needs before it: created, or found as it is written, and bound to the Job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from runjob.asking import Asking
from runjob.belonging import bequest, jobs_of
from runjob.errors import ApiError, Exit, LaunchError, NoClusterError
from runjob.finalizers import held, holders
from runjob.identity import Signature, same_run, unsigned
from runjob.messages import Prepared
from runjob.plan import is_ours, made_by
from runjob.request import PREREQUISITES, Body, JobRequest
from runjob.retry import Backoff, persist

# Seconds in which what is being removed must be gone, and those between two looks at it.
REMOVAL = 15.0
LOOK = 0.5


class Api(Protocol):
    """What this needs of the API."""

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        """Create an object."""

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name."""

    def patch(self, body: Body, namespace: str, patch: Body, *, strategic: bool = False) -> Body:
        """Change fields of an object."""


class Provisions:
    """The prerequisites of one launch.

    made are those that it created itself; remark tells the user of a wait; takes_up tells whether
    those that an earlier launch of its run left are its own.
    """

    def __init__(
        self,
        api: Api,
        request: JobRequest,
        signature: Signature,
        asking: Asking,
        now: Callable[[], float],
        remark: Callable[[str], None],
        *,
        takes_up: bool,
    ) -> None:
        self.made: tuple[Body, ...] = ()
        self._api = api
        self._request = request
        self._signature = signature
        self._asking = asking
        self._now = now
        self._remark = remark
        self._takes_up = takes_up
        self._there: dict[tuple[str, str], tuple[Body, bool]] = {}

    @property
    def ours(self) -> tuple[Body, ...]:
        """Those that are to go with the Job."""
        return tuple(body for body, mine in self._there.values() if mine)

    @property
    def at_stake(self) -> bool:
        """Whether something that was found goes with a Job, and may vanish with it."""
        return any(jobs_of(body) for body, _ in self._there.values())

    def prepare(self) -> None:
        """Have all there that the Job needs.

        After an earlier Job has been removed it is called once more, since what belonged to that
        one goes too. Raises LaunchError.
        """
        for body in self._request.prerequisites:
            key = body["kind"], body["metadata"]["name"]
            if key in self._there and not jobs_of(self._there[key][0]):
                continue
            there, mine = self._prepared(body)
            self._there[key] = there, mine
            if made_by(there, self._signature.launch):
                self.made = (*self.made, there)
                self._asking.tell(Prepared(there))

    def _prepared(self, body: Body) -> tuple[Body, bool]:
        """Create one object, or find it as it is written; tell whether it is ours to remove."""
        name = f"{body['kind']} {self._request.namespace}/{body['metadata']['name']}"
        deadline: float | None = None
        while True:
            made = self._created(body, name)
            if made is not None:
                return made, True
            known = self._found(body, name)
            if known is not None and made_by(known, self._signature.launch):
                return known, True  # the answer to our own create was lost
            if known is not None and not self._leaves(known):
                break
            if deadline is None:
                deadline = self._now() + REMOVAL
                self._remark(
                    f"{name} is being deleted, or its Job was: waiting until it is gone, "
                    f"{REMOVAL:.0f} s at most"
                )
            if self._now() > deadline:
                raise self._stands(self._lingers(body, known, name))
            self._asking.pause(LOOK)
        from runjob.manifest import same_content

        if not same_content(unsigned(body), known):
            raise self._stands(
                f"{name} exists already with other content: rename it in the manifest, or remove "
                f"it with: {self._kubectl('delete', body)}"
            )
        return known, self._takes_up and same_run(known, self._signature)

    def _created(self, body: Body, name: str) -> Body | None:
        """Create an object; None where one of that name is there."""
        try:
            return self._asking.persist(
                lambda: self._api.create(body, self._request.namespace), name
            )
        except ApiError as error:
            if error.status == 409:
                return None
            raise self._asking.refused(error, name) from error

    def _found(self, body: Body, name: str) -> Body | None:
        """Return an object as it is now; None where there is none."""
        try:
            return self._asking.persist(lambda: self._api.read(body, self._request.namespace), name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise self._asking.refused(error, name) from error

    def _leaves(self, known: Body) -> bool:
        """Tell whether an object is on its way out: with its Job it may go a moment later."""
        if known["metadata"].get("deletionTimestamp"):
            return True
        jobs = jobs_of(known)
        return bool(jobs) and not any(map(self._is_there, jobs))

    def _lingers(self, body: Body, known: Body | None, name: str) -> str:
        """Say of an object, as it was seen last, that it does not go, and what holds it."""
        if known is not None and known["metadata"].get("deletionTimestamp"):
            by = holders(known)
            if by:
                return held(known, by, self._request.namespace, self._request.commands)
        look = self._kubectl("get", body, "-o", "yaml")
        return f"{name} is being deleted, or its Job was, but it is not gone yet; look with: {look}"

    def _is_there(self, job: Body) -> bool:
        name = f"Job {self._request.namespace}/{job['metadata']['name']}"
        there = self._found(job, name)
        return there is not None and bool(there["metadata"]["uid"] == job["metadata"]["uid"])

    def _kubectl(self, verb: str, body: Body, *more: str) -> str:
        kind, name = body["kind"].lower(), body["metadata"]["name"]
        return self._request.commands.kubectl(self._request.namespace, verb, kind, name, *more)

    def _stands(self, text: str) -> LaunchError:
        return LaunchError(self._signature.with_run(text), Exit.EXISTS)

    # -- once the Job stands ---------------------------------------------------------------------

    def bequeath(self, job: Body, backoff: Backoff, patience: float) -> str:
        """Have what is ours go with the Job, whoever removes that; say in words what will not."""
        began, staying = self._now(), list[Body]()
        last: ApiError | NoClusterError | None = None

        def enough(_: ApiError) -> bool:
            # What is refused for one is not worth as long a wait for the next.
            over = self._asking.cancelled or self._now() - began > patience
            return over or last is not None

        for body, mine in self._there.values():
            patch = bequest(body, job) if mine or _came_along(body) else None
            if patch is None:
                continue
            try:
                persist(
                    lambda body=body, patch=patch: self._api.patch(  # type: ignore[misc]
                        body, self._request.namespace, patch, strategic=True
                    ),
                    self._asking.pause,
                    enough=enough,
                    backoff=backoff,
                )
            except (ApiError, NoClusterError) as error:
                # Gone, or another one of that name by now.
                if getattr(error, "status", 0) not in (404, 422):
                    staying, last = [*staying, *([body] if mine else [])], error
        if last is None or not staying or self._asking.cancelled:
            return ""
        return _stays(staying, last)


def _came_along(body: Body) -> bool:
    """Tell whether an object came along with another Job, and would go with that one alone."""
    return is_ours(body) and bool(jobs_of(body))


def _stays(bodies: list[Body], error: ApiError | NoClusterError) -> str:
    """Say what is left behind by a launcher that is lost, and which right would mend that."""
    names = ", ".join(f"{body['kind']} {body['metadata']['name']}" for body in bodies)
    kinds = (PREREQUISITES[body["apiVersion"], body["kind"]].plural for body in bodies)
    right = f"; its Role needs the verb patch on {', '.join(dict.fromkeys(kinds))}"
    return (
        f"whoever removes the Job in place of this launcher leaves {names} behind: {error}"
        f"{right if getattr(error, 'status', 0) == 403 else ''}"
    )
