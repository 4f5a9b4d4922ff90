"""Keep watching one kind of object, over any number of broken watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from runjob.errors import ApiError, NoClusterError
from runjob.messages import Answered, Listed, Message, Observed, Trouble
from runjob.observed import Seen, event_view, is_child, job_view, pod_view
from runjob.request import EVENT, JOB, POD, Body, Kind
from runjob.retry import Backoff, wait_for


class Change(Protocol):
    """One step of a watch."""

    @property
    def type(self) -> str: ...

    @property
    def body(self) -> Body: ...

    @property
    def version(self) -> str: ...


class Watch(Protocol):
    """An open watch; `close` ends it from another thread."""

    def __iter__(self) -> Iterator[Change]: ...

    def close(self) -> None: ...


class Api(Protocol):
    """What an informer needs of the API."""

    def watch(self, kind: Kind, namespace: str, query: Mapping[str, str], version: str) -> Watch:
        """Open a watch from version on; "0" begins with what is there."""

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        """Return what is there, and the version to watch from."""


@dataclass(frozen=True)
class Query:
    """What to watch: the objects of one kind that select picks, from version start on.

    read turns an object into its view, None for one that is none of ours. Without a version it
    begins with a list.
    """

    kind: Kind
    namespace: str
    select: Mapping[str, str]
    read: Callable[[Body], Seen | None]
    start: str | None = "0"


def job_query(job: Body) -> Query:
    """Watch this one Job, from its creation on."""
    metadata = job["metadata"]
    return Query(
        JOB,
        metadata["namespace"],
        {"fieldSelector": f"metadata.name={metadata['name']}"},
        job_view,
        metadata["resourceVersion"],
    )


def pods_query(job: Body) -> Query:
    """Watch the pods of this Job: by the selector that the API gave it, and by their owner."""
    uid = job["metadata"]["uid"]
    labels = ((job.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return Query(
        POD,
        job["metadata"]["namespace"],
        {"labelSelector": selector} if selector else {},
        lambda body: pod_view(body) if is_child(body, uid) else None,
    )


def events_query(namespace: str, uid: str) -> Query:
    """Watch the events about one object."""
    return Query(EVENT, namespace, {"fieldSelector": f"involvedObject.uid={uid}"}, event_view)


def watching(kind: Kind) -> str:
    """Name the watch of a kind, for messages."""
    return f"watching {kind.plural}"


class Informer:
    """Tells of every change of what query selects, until it is stopped.

    `run` blocks, so it wants a thread of its own. A watch that ends goes on where it was; a
    version that the API no longer knows (410) is replaced by a list. Silence counts from the last
    byte, by the clock now (seconds): but a watch that went mute is opened once more before it does,
    for its connection alone may be lost.
    """

    def __init__(
        self,
        api: Api,
        query: Query,
        tell: Callable[[Message], None],
        backoff: Backoff,
        now: Callable[[], float],
    ) -> None:
        self._api = api
        self._query = query
        self._tell = tell
        self._backoff = backoff
        self._now = now
        self._heard = now()
        self._open = False
        self._what = watching(query.kind)
        self._stop = threading.Event()
        self._watch: Watch | None = None

    def stop(self) -> None:
        """End the watch that is open, and open no other."""
        self._stop.set()
        if self._watch is not None:
            self._watch.close()

    def run(self) -> None:
        """Watch until stopped."""
        version: str | None = self._query.start
        waits = self._backoff.waits()
        while not self._stop.is_set():
            asked: float | None = None
            try:
                if version is None:
                    version = self._list()
                for latest in self._changes(version):
                    version, waits = latest, self._backoff.waits()
            except ApiError as error:
                if self._stop.is_set():
                    return
                if error.status == 403 and self._query.kind is EVENT:
                    return  # events explain a wait, and no more: it goes on without
                asked = error.retry_after
                if error.status == 410 and version is not None:
                    version = None
                    self._hear()
                else:
                    self._tell(Trouble(error, self._what, since=self._since(error)))
            except NoClusterError as error:
                self._hear()
                trouble = ApiError(401, str(error))
                self._tell(Trouble(trouble, self._what))
            except Exception as error:  # noqa: BLE001
                # A thread that dies would leave the launch waiting for ever.
                self._hear()
                strange = ApiError(0, f"an object that is none ({error!r})")
                self._tell(Trouble(strange, self._what))
            # Also after a clean end: an API that closes every watch at once must not be stormed.
            self._stop.wait(wait_for(asked, next(waits)))

    def _hear(self, *, watch: bool = False) -> None:
        """Note that the API gave a sign of itself, with watch on a watch that is open."""
        self._heard, self._open = self._now(), watch

    def _since(self, error: ApiError) -> float | None:
        """Return since when the API is silent, None where no more is known than the error."""
        if error.reason != "Silence":
            self._hear()
            return None
        mute, self._open = self._open, False
        return None if mute else self._heard

    def _changes(self, version: str) -> Iterator[str]:
        query = self._query
        self._watch = watch = self._api.watch(query.kind, query.namespace, query.select, version)
        if self._stop.is_set():
            watch.close()
        self._hear(watch=True)
        self._tell(Answered(self._what))
        for change in watch:
            self._hear(watch=True)
            view = query.read(change.body) if change.type != "BOOKMARK" else None
            if view is not None:
                self._tell(Observed(view, change.type == "DELETED"))
            yield change.version
        self._hear()

    def _list(self) -> str:
        query = self._query
        bodies, version = self._api.list(query.kind, query.namespace, query.select)
        self._hear()
        views = [view for body in bodies if (view := query.read(body)) is not None]
        for view in views:
            self._tell(Observed(view))
        self._tell(Listed(query.kind.name, frozenset(view.uid for view in views)))
        return version
