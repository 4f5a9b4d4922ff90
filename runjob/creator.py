"""Create a Job and what it needs, through any number of unanswered requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runjob.errors import ApiError, Exit, LaunchError, ManifestError, NoClusterError
from runjob.messages import Created, Message, NotCreated, Prepared, Trouble
from runjob.plan import made_by
from runjob.request import Body, JobRequest
from runjob.retry import Backoff, wait_for

Tell = Callable[[Message], None]


class Api(Protocol):
    """What the creator needs of the API."""

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        """Create an object."""

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name."""


class Creator:
    """Creates in a thread of its own, and ends with a message: Created or NotCreated.

    announce is called when the Job stands, at once: whoever reads along should not wait for more;
    launch is the identity written on the Job, by which it is known again after a lost answer;
    patience are the seconds that the API may give no answer.
    """

    def __init__(
        self,
        api: Api,
        request: JobRequest,
        launch: str,
        now: Callable[[], float],
        announce: Callable[[], None],
        *,
        backoff: Backoff = Backoff(),  # noqa: B008  # frozen
        patience: float = 600.0,
    ) -> None:
        self._api = api
        self._request = request
        self._launch = launch
        self._now = now
        self._announce = announce
        self._backoff = backoff
        self._patience = patience
        self._cancelled = threading.Event()

    def start(self, tell: Tell) -> None:
        """Begin; returns at once."""
        threading.Thread(
            target=lambda: tell(self._create(tell)), name="create", daemon=True
        ).start()

    def cancel(self) -> None:
        """Create nothing further, and try nothing again."""
        self._cancelled.set()

    def _create(self, tell: Tell) -> Message:
        ours: list[Body] = []
        try:
            for body in self._request.prerequisites:
                made = self._prerequisite(body, tell)
                if made is not None:
                    ours.append(made)
                    tell(Prepared(made))
            job = self._job(tell)
            self._announce()
            return Created(job, tuple(ours))
        except UnansweredError as error:
            return NotCreated(error.instead, tuple(ours), unsure=True)
        except LaunchError as error:
            return NotCreated(error, tuple(ours))
        except Exception as error:  # noqa: BLE001
            # A thread that dies would leave the launch waiting for ever.
            strange = LaunchError(f"the API gave an answer that is none ({error!r})")
            return NotCreated(strange, tuple(ours), unsure=True)

    def _prerequisite(self, body: Body, tell: Tell) -> Body | None:
        """Create one object; None when it stood there already, as it is written."""
        name = f"{body['kind']} {self._request.namespace}/{body['metadata']['name']}"
        try:
            return self._persist(
                lambda: self._api.create(body, self._request.namespace), tell, name
            )
        except ApiError as error:
            if error.status != 409:
                raise self._refused(error, name) from error
        try:
            known = self._persist(lambda: self._api.read(body, self._request.namespace), tell, name)
        except ApiError as error:
            raise self._refused(error, name) from error
        if made_by(known, self._launch):
            return known  # the answer to our own create was lost
        from runjob.manifest import same_content

        if not same_content(body, known):
            raise LaunchError(
                f"{name} exists already with other content: rename it in the manifest, or remove "
                f"it with kubectl -n {self._request.namespace} delete {body['kind'].lower()} "
                f"{body['metadata']['name']}",
                Exit.EXISTS,
            )
        return None

    def _job(self, tell: Tell) -> Body:
        request = self._request
        name = f"Job {request.label}"
        try:
            return self._persist(
                lambda: self._api.create(request.job, request.namespace), tell, name
            )
        except ApiError as error:
            if error.status != 409 or error.reason != "AlreadyExists":
                raise self._refused(error, name) from error
        except UnansweredError:
            known = self._look()
            if known is None or not made_by(known, self._launch):
                raise
            return known
        try:
            there = self._persist(
                lambda: self._api.read(request.job, request.namespace), tell, name
            )
        except ApiError as error:
            raise self._refused(error, name) from error
        if made_by(there, self._launch):
            return there  # the answer to our own create was lost
        raise LaunchError(_whose(there, request), Exit.EXISTS)

    def _look(self) -> Body | None:
        """Return the Job of our name, if the API tells at once."""
        try:
            return self._api.read(self._request.job, self._request.namespace)
        except (ApiError, NoClusterError):
            return None

    def _persist(self, call: Callable[[], Body], tell: Tell, name: str) -> Body:
        """Repeat a call while the API gives no answer or one that heals.

        Raises ApiError for an answer that does not heal, LaunchError when cancelled or when the
        patience is at its end.
        """
        began = self._now()
        tried = False
        for wait in self._backoff.waits():
            if self._cancelled.is_set():
                ended = LaunchError("ended before anything was created", Exit.KILLED)
                raise UnansweredError(ended) if tried else ended
            tried = True
            try:
                return call()
            except ApiError as error:
                if not error.heals:
                    raise
                if error.reason == "NoSuchHost":
                    raise NoClusterError(f"the API cannot be found: {error}") from error
                if error.status == 401 and self._now() - began > LOGIN_PATIENCE:
                    raise NoClusterError(
                        f"the API does not accept our credentials: {error}"
                    ) from error
                if self._now() - began > self._patience:
                    given_up = LaunchError(
                        f"creating {name}: the API gave no answer for "
                        f"{self._now() - began:.0f} s ({error})",
                        Exit.UNREADABLE,
                    )
                    raise UnansweredError(given_up) from error
                tell(Trouble(error, f"creating {name}"))
                self._cancelled.wait(wait_for(error.retry_after, wait))
        raise AssertionError("the waits never end")

    def _refused(self, error: ApiError, name: str) -> LaunchError:
        manifest = self._request.source == "manifest"
        kind = ManifestError if manifest else LaunchError
        hint = _hint(error, self._request)
        return kind(
            f"the API refused {name}: {error}" + (f"; {hint}" if hint else ""),
            Exit.MANIFEST if manifest else Exit.REFUSED,
        )


class UnansweredError(LaunchError):
    """A request was given up that may have had its effect; instead tells what else to report."""

    def __init__(self, instead: LaunchError) -> None:
        super().__init__(str(instead), instead.exit_code)
        self.instead = instead


# A token that is being replaced is accepted within seconds; one that is wrong never is.
LOGIN_PATIENCE = 20.0


def _whose(job: Body, request: JobRequest) -> str:
    """Say whose the Job is that stands in our way."""
    metadata = job["metadata"]
    conditions = (job.get("status") or {}).get("conditions") or ()
    state = next(
        (each["type"] for each in conditions if each["type"] in ("Complete", "Failed")), "running"
    )
    managers = metadata.get("managedFields") or ()
    by = next((each["manager"] for each in managers if each.get("manager")), "")
    maker = "another launch of runjob" if _has_launch(metadata) else by or "somebody else"
    return (
        f"Job {request.label} exists already, made by {maker} at "
        f"{metadata.get('creationTimestamp')}, {state.lower()}; it was not touched. Use another "
        f"name (--generate-name {request.name}-), or remove it with: "
        f"kubectl -n {request.namespace} delete job {request.name}"
    )


def _has_launch(metadata: Mapping[str, Any]) -> bool:
    return any(key.startswith("runjob/") for key in metadata.get("annotations") or ())


def _hint(error: ApiError, request: JobRequest) -> str:
    if error.status == 404 and "namespaces" in str(error):
        return f"create the namespace {request.namespace}, or name another with -n"
    if error.status == 403 and "cannot create" in str(error):
        return "the ServiceAccount of this agent needs that right; k8s/runjob.yaml shows how"
    return ""
