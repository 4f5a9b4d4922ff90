"""Create a Job and what it needs, or take up the one that an earlier launch of the run made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runjob.asking import Asking
from runjob.errors import ApiError, Exit, LaunchError, NoClusterError
from runjob.existing import (
    Adopt,
    AwaitRemoval,
    Past,
    Refuse,
    Replace,
    final_state,
    stands,
    told,
)
from runjob.finalizers import held, holders
from runjob.identity import Signature, named, selector
from runjob.marks import mark
from runjob.messages import Created, Message, Named, NotCreated
from runjob.observed import REPLACED
from runjob.options import IfExists
from runjob.plan import made_by
from runjob.provisions import LOOK, REMOVAL, Provisions
from runjob.provisions import Api as PrerequisiteApi
from runjob.remains import grace
from runjob.request import JOB, Body, JobRequest, Kind
from runjob.retry import Backoff

Tell = Callable[[Message], None]


class Api(PrerequisiteApi, Protocol):
    """What the creator needs of the API."""

    def now(self) -> datetime:
        """Return the time by the API's clock."""

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        """Return the objects that query selects."""

    def remove(
        self, kind: Kind, namespace: str, name: str, uid: str, version: str, *, propagation: str
    ) -> object:
        """Delete an object as it was seen."""


class Console(Protocol):
    """Where it is told that the Job stands."""

    def line(self, text: str) -> None:
        """Print one line to stdout."""

    def remark(self, text: str) -> None:
        """Print one line to stderr."""


class Journal(Protocol):
    """What is written down from launch to launch; see `runjob.state`."""

    @property
    def past(self) -> Past | None:
        """What an earlier launch left, None where there was none."""

    @property
    def ends_told(self) -> Collection[str]:
        """The uids of Jobs that may stand yet, though their ends were told."""

    def begin(self, job: Body, ours: Sequence[Body], beside: Collection[str]) -> bool:
        """Begin with that Job; tell whether an earlier launch has written of it.

        beside are the uids of Jobs of the run that stay as they are.
        """

    def take_up(self) -> None:
        """Bring what is written of the past to its end."""


class Creator:
    """Creates in a thread of its own, and ends with a message: Created or NotCreated.

    console is told when the Job stands, at once: whoever reads along should not wait for more;
    request carries the signature, by which the Job is known again after a lost answer, and by a
    later launch of the same run; patience are the seconds that the API may give no answer.
    """

    def __init__(
        self,
        api: Api,
        request: JobRequest,
        signature: Signature,
        if_exists: IfExists,
        now: Callable[[], float],
        console: Console,
        *,
        journal: Journal | None = None,
        backoff: Backoff = Backoff(),  # noqa: B008  # frozen
        patience: float = 600.0,
    ) -> None:
        self._api = api
        self._request = request
        self._signature = signature
        self._if_exists = if_exists
        self._now = now
        self._console = console
        self._journal = journal
        self._backoff = backoff
        self._patience = patience
        self._asking = Asking(request, now, backoff, patience)
        self._provisions = Provisions(
            api,
            request,
            signature,
            self._asking,
            now,
            console.remark,
            takes_up=self._takes_up or if_exists == "replace",
        )
        self._leaving = ""  # an earlier Job that is on its way out
        self._beside: tuple[str, ...] = ()  # the uids of Jobs of this run that stay as they are

    def start(self, tell: Tell) -> None:
        """Begin; returns at once."""
        self._asking.tell = tell
        threading.Thread(target=lambda: self._run(tell), name="create", daemon=True).start()

    def cancel(self) -> None:
        """Create nothing further, and try nothing again."""
        self._asking.cancel()

    @property
    def _takes_up(self) -> bool:
        """Whether what an earlier launch of this run left is ours."""
        usual = self._if_exists == "auto" and self._signature.bound
        return usual or self._if_exists == "adopt"

    def _run(self, tell: Tell) -> None:
        made = self._create()
        tell(made)
        # The Job is being followed by now: what goes with it may take its time.
        if isinstance(made, Created) and not made.concluded:
            staying = self._provisions.bequeath(made.job, self._backoff, self._patience)
            if staying:
                self._console.remark(staying)

    def _create(self) -> Message:
        provisions = self._provisions
        try:
            over = self._concluded()
            if over is not None:
                return over
            provisions.prepare()
            job, again = self._job()
            self._announce(job, provisions.ours, again)
            return Created(job, provisions.ours)
        except LaunchError as error:
            return NotCreated(
                error, provisions.made, unsure=self._asking.doubtful, leaving=self._leaving
            )
        except Exception as error:  # noqa: BLE001
            # A thread that dies would leave the launch waiting for ever.
            strange = LaunchError(f"the API gave an answer that is none ({error!r})")
            return NotCreated(strange, provisions.made, unsure=True)

    def _announce(self, job: Body, ours: tuple[Body, ...], again: bool) -> None:
        journal = self._journal
        known = journal.begin(job, ours, self._beside) if journal is not None else False
        if not again:
            self._console.line("Job created")
            return
        label = f"{self._request.namespace}/{job['metadata']['name']}"
        self._console.remark(f"Job {label} {self._signature.kinship}, {told(job)}: following it")
        self._console.line("Job adopted")
        how = (
            "goes on where the earlier launcher stopped"
            if known
            else "from its beginning; an earlier launcher may have printed a part of it"
        )
        self._console.line(mark(f"log of Job {label} {how}"))

    # -- what an earlier launch wrote down -------------------------------------------------------

    def _concluded(self) -> Message | None:
        """Return how a run stands that is over but for its removal; None where it goes on."""
        past = self._journal.past if self._journal is not None and self._takes_up else None
        if self._journal is None or past is None:
            return None
        there = self._read(past.job)
        label = f"{self._request.namespace}/{past.job['metadata']['name']}"
        if past.concluded and (
            there is None or there["metadata"]["uid"] == past.job["metadata"]["uid"]
        ):
            self._journal.take_up()
            self._console.remark(
                f"Job {label} had ended when its launcher was killed: finishing what that one began"
            )
            return Created(there or past.job, past.ours, concluded=True)
        if there is None and self._signature.bound:
            self._journal.take_up()
            error = LaunchError(
                "the Job of this run was followed by an earlier launcher and is gone, deleted "
                "by somebody else; nothing is known about its result. Find out who removes Jobs in "
                "this namespace; the next launch begins anew",
                Exit.DELETED,
            )
            return NotCreated(error, past.ours)
        return None

    # -- the Job ---------------------------------------------------------------------------------

    def _job(self) -> tuple[Body, bool]:
        """Create the Job, or take up the one that is there; tell whether another launch made it."""
        there = self._earlier() or self._owner()
        deadline = vanishing = None
        while True:
            if there is None:
                if self._leaving or vanishing:
                    self._leaving = ""
                    self._provisions.prepare()  # what belonged to that Job goes with it
                made, there = self._made()
                if made is not None:
                    return made, False
            if there is None:
                # It was gone before it could be looked at.
                vanishing = vanishing or self._now() + REMOVAL
                if self._now() > vanishing:
                    raise self._vanishes()
                self._asking.pause(LOOK)
                continue
            found = self._fate(there)
            if isinstance(found, Refuse):
                raise LaunchError(found.text, Exit.EXISTS, found.hint)
            if isinstance(found, Adopt):
                return there, found.again
            deadline = self._make_room(there, found, deadline)
            there = self._read(there)

    def _make_room(
        self, there: Body, found: Replace | AwaitRemoval, deadline: float | None
    ) -> float:
        """Have a Job go that is to be replaced, wait a moment, and return until when to wait.

        deadline is None for the first time.
        """
        name, by = there["metadata"]["name"], holders(there)
        if deadline is None:
            patience = grace(there) + REMOVAL
            deadline = self._now() + patience
            what = (
                f"removing Job {name}, {told(there)} (--if-exists=replace), and waiting"
                if isinstance(found, Replace)
                else f"Job {name} is being deleted: waiting"
            )
            self._console.remark(
                f"{what} until it and its pods are gone, {patience:.0f} s at most"
                + (f" (its finalizer {', '.join(by)} goes first)" if by else "")
            )
        self._leaving = f"{self._request.namespace}/{name}"
        if isinstance(found, Replace):
            self._remove(there, found)
        if self._now() > deadline:
            request = self._request
            look = self._kubectl("get", "job,pod", "-l", f"job-name={name}")
            raise self._stands(
                held(there, by, request.namespace, request.commands)
                if by
                else f"Job {request.namespace}/{name} is being deleted but is not gone yet; "
                f"look with: {look}"
            )
        self._asking.pause(LOOK)
        return deadline

    def _vanishes(self) -> LaunchError:
        look = self._kubectl("get", "job", self._request.name, "--watch")
        return self._stands(
            f"Job {self._request.label} exists already whenever it is created, and is gone "
            f"whenever it is read: find out who makes and deletes it, with: {look}"
        )

    def _kubectl(self, *words: str) -> str:
        return self._request.commands.kubectl(self._request.namespace, *words)

    def _stands(self, text: str) -> LaunchError:
        """Return the refusal of what stands in the way, and say which run it is that ends so."""
        return LaunchError(self._signature.with_run(text), Exit.EXISTS)

    def _made(self) -> tuple[Body | None, Body | None]:
        """Create the Job; return it, or else what stands there."""
        request = self._request
        name = f"Job {request.label}"
        try:
            return self._asking.persist(
                lambda: self._api.create(request.job, request.namespace), name
            ), None
        except ApiError as error:
            if error.status == 409 and error.reason == "AlreadyExists":
                return None, self._read(request.job)
            known = self._made_unnoticed()
            if known is None:
                self._asking.doubtful = False  # the last word is no
                raise self._asking.refused(error, name) from error
        except LaunchError:
            known = self._made_unnoticed()
            if known is None:
                raise
        return known, None

    def _earlier(self) -> Body | None:
        """Return the Job with a generated name that an earlier launch of this run made.

        Where there are only such that stay as they are, this launch makes its own beside them. One
        that is being deleted has its name waited for: a launch at the same moment may no longer
        see it, and would make a second Job under that.
        """
        request = self._request
        if not (request.generated and self._takes_up and self._signature.bound):
            return None
        select = {"labelSelector": selector(self._signature)}
        try:
            found, _ = self._asking.persist(
                lambda: self._api.list(JOB, request.namespace, select), "the Job"
            )
        except ApiError as error:
            raise self._asking.refused(error, f"to list the Jobs of {request.namespace}") from error
        jobs = [{"apiVersion": JOB.api_version, "kind": JOB.name, **body} for body in found]
        fates = [(job["metadata"], self._fate(job)) for job in jobs]
        beside = [each for each, fate in fates if isinstance(fate, Refuse)]
        self._beside = tuple(each["uid"] for each in beside)
        for job, (_, fate) in zip(jobs, fates, strict=True):
            if isinstance(fate, Adopt):
                return job
        if beside:
            mine, names = self._signature, [each["name"] for each in beside]
            self._request = named(request, mine.identity, mine.content, names)
            self._asking.tell(Named(self._request.name))
        return None

    def _owner(self) -> Body | None:
        """Return the Job of that name, where what this one needs may go with it.

        A create would not tell that it has gone a moment ago.
        """
        if not self._provisions.at_stake:
            return None
        there = self._read(self._request.job)
        if there is None:
            self._provisions.prepare()
        return there

    def _fate(self, there: Body) -> Adopt | Replace | AwaitRemoval | Refuse:
        """Decide what becomes of a Job, also by what is written down of it."""
        told = self._journal is not None and there["metadata"]["uid"] in self._journal.ends_told
        now = self._api.now()
        return stands(there, self._signature, self._if_exists, now, told=told)

    def _read(self, job: Body) -> Body | None:
        """Return a Job as it is now, None where there is none."""
        name = f"Job {self._request.namespace}/{job['metadata']['name']}"
        try:
            return self._asking.persist(lambda: self._api.read(job, self._request.namespace), name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise self._asking.refused(error, name) from error

    def _remove(self, job: Body, seen: Replace) -> None:
        """Ask to delete a Job as it was seen; one that has changed is looked at again."""
        name, version = job["metadata"]["name"], self._say_replaced(job, seen)
        try:
            self._asking.persist(
                lambda: self._api.remove(
                    JOB,
                    self._request.namespace,
                    name,
                    seen.uid,
                    version,
                    propagation="Foreground",
                ),
                f"room for Job {name}",
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise self._asking.refused(error, f"to delete Job {name}") from error

    def _say_replaced(self, job: Body, seen: Replace) -> str:
        """Write on a Job that lives who removes it, for its launcher to read; return its version.

        Without the right to write it is deleted all the same.
        """
        if final_state(job):
            return seen.version
        found = {"uid": seen.uid, "resourceVersion": seen.version}
        note = {"metadata": {**found, "annotations": {REPLACED: "true"}}}
        try:
            noted = self._api.patch(job, self._request.namespace, note)
        except (ApiError, NoClusterError):
            return seen.version
        return str(noted["metadata"]["resourceVersion"])

    def _made_unnoticed(self) -> Body | None:
        """Return the Job where the answer to its create was lost, if the API tells at once.

        A quota that it has used up then refuses it a second time.
        """
        if not self._asking.doubtful:
            return None
        try:
            known = self._api.read(self._request.job, self._request.namespace)
        except (ApiError, NoClusterError):
            return None
        return known if made_by(known, self._signature.launch) else None
