"""The Kubernetes API, and the only module that speaks to it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode

from runjob import moments
from runjob.connections import Route, opened, route_to
from runjob.errors import ApiError, NoClusterError
from runjob.finalizers import holders
from runjob.login import Login
from runjob.refusals import broken, refusal, words
from runjob.request import EVENT, JOB, POD, PREREQUISITES, Body, Kind
from runjob.stream import AwaitedStream, Stream
from runjob.version import VERSION
from runjob.watches import Watch

# Seconds between two bytes of an answer.
READ_TIMEOUT = 30.0
# What a launch waits for at its end, the rest of a log and a deletion, is asked for anew after so
# long: sooner than the launch gives it up, and later than the API does a webhook that hangs (10 s,
# if nothing else is written): a request that is broken off before has no effect.
END_TIMEOUT = 13.0
# A stream that brings nothing for so long is opened anew: a follow can go mute when the kubelet
# rotates the file. Just over 5 minutes, since each reopening is a request.
STREAM_TIMEOUT = 310.0
# A watch of Jobs or pods that brings nothing for so long is broken: API servers bookmark it each
# minute. Watches of events get no bookmarks, and are streams like any other.
WATCH_TIMEOUT = 150.0
# How long the API is asked to keep a watch open, in seconds.
WATCH_SECONDS = 3300
# How many objects to ask for at once: as kubectl does.
PAGE = 500
# What the last lines of a log may come to.
TAIL_BYTES = 1 << 16


class Cluster:
    """One connection to one cluster; its methods raise ApiError, and wait READ_TIMEOUT for a byte.

    login leads to the cluster; it is asked again when the API refuses the credentials.
    """

    def __init__(self, login: Login, user_agent: str = f"runjob/{VERSION}") -> None:
        self._login = login
        self._agent = user_agent
        self._lock = threading.Lock()
        self._ahead = timedelta()
        self._route = route_to(login())
        self._refused: Route | None = None
        self._trusted = False  # whether a certificate of the API ever was

    def now(self) -> datetime:
        """Return the time by the API's clock, as its latest answer told it; ours before one.

        Whoever judges an age by what stands in the API must not believe a machine of its own.
        """
        return moments.now() + self._ahead

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        read_timeout: float = READ_TIMEOUT,
        content_type: str = "application/json",
        hold: Callable[[socket.socket], None] = lambda _: None,
    ) -> tuple[HTTPConnection, socket.socket, HTTPResponse]:
        """Send one request on a connection of its own; the answer's body is yet to be read.

        hold gets the socket on which the answer is waited for.
        """
        route = self._current()
        headers = {
            "User-Agent": self._agent,
            "Accept": "application/json",
            **route.headers(),
        }
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        url = route.path + path + (f"?{urlencode(query)}" if query else "")
        connection = route.connection()
        try:
            sock = opened(connection, read_timeout)
            self._trusted = True
            connection.request(method, url, data, headers)
            hold(sock)
            response = connection.getresponse()
            self._ahead = _ahead(response.getheader("Date"), self._ahead)
            if response.status < 300:
                return connection, sock, response
            answer = response.read()
        except ssl.SSLError as error:
            connection.close()
            # A certificate ends like a token: what replaces it lies in the same file.
            self._refused = route
            if isinstance(error, ssl.SSLCertVerificationError):
                raise self._distrust(route, error.verify_message) from error
            raise ApiError(0, words(error)) from error
        except socket.gaierror as error:
            raise ApiError(0, words(error), reason="NoSuchHost") from error
        except (HTTPException, OSError) as error:
            connection.close()
            hung_up = isinstance(error, (ConnectionResetError, BrokenPipeError))
            if route.access.cert_file and hung_up:
                # A server may say no more than that when it refuses a client's certificate. Where
                # files are being replaced, what broke still counts: the request may have got there.
                with suppress(NoClusterError):
                    self._renew(route)
            raise broken(error) from error
        connection.close()
        if response.status == 401:
            self._refused = route
        raise refusal(response.status, answer, response.getheader("Retry-After"))

    def _current(self) -> Route:
        """Return the way to the API, with credentials read anew where the latest were refused.

        They are read when they are used, not when they were refused: those that take their place
        may come in between.
        """
        if self._refused is self._route:
            self._renew(self._route)
        return self._route

    def _renew(self, refused: Route) -> None:
        """Log in again, unless another thread has done so since that request was made."""
        with self._lock:
            if self._route is refused:
                self._route = route_to(self._login())

    def _distrust(self, route: Route, why: str) -> ApiError | NoClusterError:
        """Return what to raise where a certificate is not trusted.

        One that never was is worth another try only where an authority is there that was not
        before. A folder of them tells only those that a handshake has asked for, on a new route
        none: what lies in it counts as known.
        """
        text = f"{route.access.host}: its certificate is not trusted ({why})"
        if not self._trusted:
            self._renew(route)
            if self._route.authorities <= route.authorities:
                return NoClusterError(text)
        return ApiError(401, text, reason="Untrusted")

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Body:
        timeout = END_TIMEOUT if method == "DELETE" else READ_TIMEOUT
        stream = Stream(*self._request(method, path, query, body, timeout, content_type))
        try:
            answer: Body = json.loads(b"".join(stream))
        except ValueError as error:
            raise ApiError(0, f"no JSON came from {self._route.access.host}") from error
        return answer

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        """Create an object as it is written; an unknown or doubled field is refused by name."""
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        return self._json("POST", _kind(body).path(namespace), query, body)

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name as it is now."""
        return self._json("GET", _kind(body).path(namespace, body["metadata"]["name"]))

    def call(self, method: str, path: str, body: Body | None = None) -> Body:
        """Send one request about what lives in no namespace, and return the answer."""
        return self._json(method, path, None, body)

    def patch(self, body: Body, namespace: str, patch: Body, *, strategic: bool = False) -> Body:
        """Change the fields of an object that patch names, null takes one away; return it.

        With metadata.uid in patch another object of the same name is refused and not changed. A
        list takes the place of the one that is there; strategic adds to one with keys, as owners
        have.
        """
        path = _kind(body).path(namespace, body["metadata"]["name"])
        kind = f"application/{'strategic-' if strategic else ''}merge-patch+json"
        return self._json("PATCH", path, None, patch, kind)

    def delete(
        self, body: Body, namespace: str, uid: str, *, propagation: str = "Background"
    ) -> tuple[str, ...]:
        """Ask to delete the object of that uid; return the finalizers of others that hold it.

        One that is gone, or another one, is no error. propagation is Background or Foreground:
        without either the API would leave a Job's pods behind as orphans.
        """
        try:
            path = _kind(body).path(namespace, body["metadata"]["name"])
            return self._delete(path, propagation, {"uid": uid})
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            return ()

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
        """Ask to delete an object as it was seen; return the finalizers of others that hold it.

        Gone (404) or changed since (409) is an error.
        """
        seen = {"uid": uid, "resourceVersion": version}
        return self._delete(kind.path(namespace, name), propagation, seen)

    def _delete(
        self, path: str, propagation: str, preconditions: Mapping[str, str]
    ) -> tuple[str, ...]:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": preconditions,
        }
        return holders(self._json("DELETE", path, None, options))

    def pages(
        self, kind: Kind, namespace: str | None, query: Mapping[str, str], size: int = PAGE
    ) -> Iterator[list[Body]]:
        """Yield the objects that query selects, as they were at one moment, size at a time.

        No namespace means all of them. Raises ApiError with status 410 when the reader takes so
        long (minutes) that the API has forgotten that moment.
        """
        query = {**query, "limit": str(size)}
        while True:
            answer = self._json("GET", kind.path(namespace), query)
            yield list(answer.get("items") or ())
            more = answer["metadata"].get("continue")
            if not more:
                return
            query = {**query, "continue": more}

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        """Return the objects that query selects, and the version to watch from."""
        answer = self._json("GET", kind.path(namespace), query)
        return list(answer.get("items") or ()), answer["metadata"]["resourceVersion"]

    def watch(self, kind: Kind, namespace: str, query: Mapping[str, str], version: str) -> Watch:
        """Open a watch that goes on from version; "0" means from what the API has at hand."""
        query = {
            **query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        # Unlike a log's, its answer begins at once.
        answer = self._request("GET", kind.path(namespace), query, None, READ_TIMEOUT)
        answer[1].settimeout(STREAM_TIMEOUT if kind is EVENT else WATCH_TIMEOUT)
        return Watch(Stream(*answer))

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: str | None = None,
        follow: bool = False,
        previous: bool = False,
        tail: int | None = None,
    ) -> Stream:
        """Open a container's log, with time stamps; previous means that of the run before.

        With tail only so many lines of its end come. With follow it is asked for as it is read: an
        API server answers no sooner than the container writes, which may be never.
        """
        query = {"container": container, "timestamps": "true"}
        if tail:
            query["tailLines"] = str(tail)
        if since:
            query["sinceTime"] = since
        if follow:
            query["follow"] = "true"
        if previous:
            query["previous"] = "true"
        path = POD.path(namespace, pod) + "/log"
        if follow:
            ask = partial(self._request, "GET", path, query, None, STREAM_TIMEOUT)
            return AwaitedStream(lambda hold: ask(hold=hold))
        return Stream(*self._request("GET", path, query, None, END_TIMEOUT))

    def tail(
        self, namespace: str, pod: str, container: str, lines: int, *, previous: bool = False
    ) -> bytes:
        """Return the last lines of a container's log, unstamped; of long ones a part."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(TAIL_BYTES)}
        if previous:
            query["previous"] = "true"
        return b"".join(Stream(*self._request("GET", POD.path(namespace, pod) + "/log", query)))


def _ahead(date: str | None, known: timedelta) -> timedelta:
    """Return how far the clock that wrote a Date header is ahead of ours; known without one."""
    try:
        return parsedate_to_datetime(date or "") - moments.now()
    except (ValueError, TypeError):
        return known


def _kind(body: Body) -> Kind:
    if body["kind"] == "Job":
        return JOB
    return PREREQUISITES[body["apiVersion"], body["kind"]]
