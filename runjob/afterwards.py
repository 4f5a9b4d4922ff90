"""Look after what launches and others left behind: `gc`, `list` and `show`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count as count_up
from typing import Protocol, TypeVar

from runjob.commands import Commands
from runjob.errors import ApiError, Exit, LaunchError
from runjob.finalizers import held, holders
from runjob.informer import Query, events_query, pods_query
from runjob.leftovers import Ended, count, divide, ended, fronted, rows
from runjob.observed import Picture, job_view
from runjob.request import JOB, Body, Kind
from runjob.retry import persist
from runjob.roster import Entry, entry, lost, lost_rows, table
from runjob.show import (
    LINES,
    LastWords,
    described,
    logs_to_show,
    near,
    pods_to_show,
)
from runjob.subcommands import Collect, Roster, Show

T = TypeVar("T")

# How often a request is repeated that may be answered otherwise a little later: for about 12 s.
TRIES = 6
# How often, and after how many seconds each, it is looked whether a Job is held yet.
LOOKS = 3
LOOK = 1.0
# What to do where the Jobs of all namespaces may not be listed.
FORBIDDEN = (
    "name one with -n, or bind a ClusterRole that may list jobs (apiGroups: batch) by a "
    "ClusterRoleBinding"
)


class Api(Protocol):
    """What is asked of the API; its methods raise ApiError."""

    def now(self) -> datetime:
        """Return the time by the API's clock."""

    def pages(
        self, kind: Kind, namespace: str | None, query: Mapping[str, str]
    ) -> Iterator[list[Body]]:
        """Yield the objects that query selects, some at a time; None means all namespaces."""

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name."""

    def remove(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        uid: str,
        version: str,
        *,
        propagation: str = "Background",
    ) -> tuple[str, ...]:
        """Delete an object as it was seen; return the finalizers of others that hold it."""

    def tail(
        self, namespace: str, pod: str, container: str, lines: int, *, previous: bool = False
    ) -> bytes:
        """Return the last lines of a log."""


class Seen(Protocol):
    """A Job at one version of it."""

    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def uid(self) -> str: ...

    @property
    def version(self) -> str: ...


class Printer(Protocol):
    """Where it is told."""

    def line(self, text: str) -> None:
        """Print one line to stdout."""

    def remark(self, text: str) -> None:
        """Print one line to stderr."""


class Caretaker:
    """Does what `gc`, `list` and `show` ask for; raises LaunchError where the API does not let it.

    wait is called with seconds before a request is repeated; commands words what to run next.
    """

    def __init__(
        self,
        api: Api,
        console: Printer,
        wait: Callable[[float], None] = time.sleep,
        commands: Commands = Commands(),  # noqa: B008  # frozen
    ) -> None:
        self._api = api
        self._console = console
        self._wait = wait
        self._commands = commands

    # -- gc --------------------------------------------------------------------------------------

    def collect(self, asked: Collect) -> int:
        """List what was left behind, remove it when asked to, and return the exit code."""
        place = _place(asked.namespace)
        over, entries = self._jobs(asked.namespace)
        now = self._api.now()
        if asked.lost:
            strays, left = lost(entries)
            none = f"no Job of a launch {place} has lost its launcher"
            return self._sweep(asked, strays, lost_rows(strays, now), left, none)
        leftovers, spared = divide(over, asked.wanted, now)
        none = f"no Job of that kind has ended {place}"
        code = self._sweep(asked, leftovers, rows(leftovers, now), spared, none)
        alone = sum(not each.over for each in lost(entries)[0])
        if alone:
            self._console.remark(
                f"{count(alone)} {'has' if alone == 1 else 'have'} no end yet and no launcher any "
                f"more; see: gc --lost{'' if asked.namespace else ' -A'}"
            )
        return code

    def _sweep(
        self,
        asked: Collect,
        jobs: Sequence[Seen],
        lines: Sequence[str],
        spared: Mapping[str, int],
        none: str,
    ) -> int:
        """List Jobs, remove them when asked to, and return the exit code."""
        kept = 0
        if asked.namespace is None:
            lines = fronted([job.namespace for job in jobs], lines)
        for job, row in zip(jobs, lines, strict=True):
            if not asked.delete:
                self._console.line(f"would remove  {row}")
                continue
            word, why = self._remove(job, asked)
            self._console.line(f"{word:<12}  {row}")
            if why:
                kept += 1
                self._console.remark(
                    f"error: Job {job.namespace}/{job.name} was not removed: {why}"
                )
        for why, number in spared.items():
            self._console.remark(f"left alone: {count(number)} {why}")
        place = _place(asked.namespace)
        if not jobs and spared:
            self._console.remark(f"nothing to remove {place}")
        elif not jobs:
            self._console.remark(none)
        elif not asked.delete:
            for namespace, number in Counter(job.namespace for job in jobs).items():
                remove = self._commands.gc(namespace, "--delete", *asked.options)
                self._console.remark(
                    f"{count(number)} left behind {_place(namespace)}; remove: {remove}"
                )
        else:
            removed = len(jobs) - kept
            after = ": gone once the pods have ended" if asked.lost and removed else ""
            self._console.remark(f"{count(removed)} removed {place}{after}")
        return int(Exit.FAILED if kept else Exit.SUCCEEDED)

    def _jobs(self, namespace: str | None) -> tuple[list[Ended], list[Entry]]:
        """Return the Jobs that have ended, whoever made them, and all those of launches."""

        def found() -> tuple[list[Ended], list[Entry]]:
            over, entries = [], []
            for body in self._every(JOB, namespace, {}):
                job, one = ended(body), entry(body, self._api.now())
                over += [job] if job is not None else []
                entries += [one] if one is not None else []
            return over, entries

        if namespace is None:
            return self._must(found, "list the Jobs of all namespaces", FORBIDDEN)
        return self._must(found, f"list the Jobs of namespace {namespace}")

    def _remove(self, job: Seen, asked: Collect) -> tuple[str, str]:
        """Remove a Job; return what became of it, and why it was not removed.

        One that lost its launcher goes after its pods: in the background they would run on for as
        long as a finalizer holds it.
        """
        seen = JOB, job.namespace, job.name, job.uid, job.version
        propagation = "Foreground" if asked.lost else "Background"
        try:
            by = self._patiently(lambda: self._api.remove(*seen, propagation=propagation))
        except ApiError as error:
            if error.status == 404:
                return "gone already", ""
            if error.status == 409:
                return "NOT removed", "it changed since it was looked at; run this again"
            return "NOT removed", str(error)
        body = {"kind": "Job", "metadata": {"name": job.name, "uid": job.uid}}
        if not by or self._is_let_go(body, job.namespace):
            return "removed", ""
        return "NOT removed", held(body, by, job.namespace, self._commands)

    def _is_let_go(self, job: Body, namespace: str) -> bool:
        """Tell whether others let a Job go in a moment; it may wait for its pods even then."""
        for _ in range(LOOKS):
            self._wait(LOOK)
            try:
                there = self._api.read(job, namespace)
            except ApiError as error:
                if error.status == 404:
                    return True
            else:
                if there["metadata"]["uid"] != job["metadata"]["uid"] or not holders(there):
                    return True
        return False

    # -- list ------------------------------------------------------------------------------------

    def roster(self, asked: Roster) -> int:
        """List the Jobs of launches, and return the exit code."""
        _, entries = self._jobs(asked.namespace)
        now = self._api.now()
        if not entries:
            self._console.remark(f"no Job of a launch {_place(asked.namespace)}")
            return int(Exit.SUCCEEDED)
        for line in table(entries, now, namespaces=asked.namespace is None):
            self._console.line(line)
        return int(Exit.SUCCEEDED)

    # -- show ------------------------------------------------------------------------------------

    def show(self, asked: Show) -> int:
        """Tell all about one Job and return the exit code; it is 0 however the Job stands."""
        job = self._job(asked.name, asked.namespace)
        picture = self._picture(job)
        words = tuple(self._last_words(asked.namespace, picture))
        for line in described(job, picture, words, self._api.now(), self._commands):
            self._console.line(line)
        return int(Exit.SUCCEEDED)

    def _job(self, name: str, namespace: str) -> Body:
        def found() -> Body | None:
            try:
                return self._api.read({"kind": "Job", "metadata": {"name": name}}, namespace)
            except ApiError as error:
                if error.status != 404:
                    raise
                return None

        def names() -> list[str]:
            return [body["metadata"]["name"] for body in self._every(JOB, namespace, {})]

        job = self._must(found, f"read Job {namespace}/{name}")
        if job is not None:
            return job
        known = self._must(names, f"list the Jobs of namespace {namespace}")
        alike = near(name, known)
        hint = f"is it one of these: {', '.join(alike)}?" if alike else "no name is near it"
        if not known:
            hint = "there is no Job at all (is it another namespace? -n)"
        raise LaunchError(f"no Job {name} in namespace {namespace}; {hint}")

    def _picture(self, job: Body) -> Picture:
        picture = self._with(Picture(job_view(job)), pods_query(job))
        namespace = job["metadata"]["namespace"]
        for uid in (picture.job.uid, *(pod.uid for pod in pods_to_show(picture))):
            picture = self._with(picture, events_query(namespace, uid))
        return picture

    def _with(self, picture: Picture, query: Query) -> Picture:
        """Add to a picture what a query finds; where it may not be read the rest is still shown."""

        def seen() -> Picture:
            found = picture
            for body in self._every(query.kind, query.namespace, query.select):
                view = query.read(body)
                found = found if view is None else found.after(view)
            return found

        try:
            return self._patiently(seen)
        except ApiError as error:
            self._console.remark(f"note: {query.kind.plural} cannot be read: {error}")
            return picture

    def _last_words(self, namespace: str, picture: Picture) -> Iterator[LastWords]:
        for pod, view in logs_to_show(picture):
            previous = view.terminated is None and view.waiting is None
            try:
                text = self._api.tail(namespace, pod.name, view.name, LINES, previous=previous)
            except ApiError as error:
                yield LastWords(pod.name, view.name, trouble=str(error))
            else:
                lines = text.decode(errors="replace").splitlines()
                yield LastWords(pod.name, view.name, tuple(lines[-LINES:]))

    # -- requests --------------------------------------------------------------------------------

    def _every(
        self, kind: Kind, namespace: str | None, select: Mapping[str, str]
    ) -> Iterable[Body]:
        for page in self._api.pages(kind, namespace, select):
            yield from page

    def _must(self, ask: Callable[[], T], what: str, forbidden: str = "") -> T:
        """Return what is asked for; forbidden says what to do where that is."""
        try:
            return self._patiently(ask)
        except ApiError as error:
            code = Exit.UNREADABLE if error.heals else Exit.REFUSED
            if error.status == 401:
                code = Exit.NO_CLUSTER
            hint = f"; {forbidden}" if forbidden and error.status == 403 else ""
            raise LaunchError(f"cannot {what}: {error}{hint}", code) from error

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again, a few times, what may be answered otherwise a little later."""
        tries = count_up(1)

        def enough(error: ApiError) -> bool:
            return next(tries) > TRIES or error.reason == "NoSuchHost"

        return persist(ask, self._wait, enough=enough)


def _place(namespace: str | None) -> str:
    return "in any namespace" if namespace is None else f"in namespace {namespace}"
