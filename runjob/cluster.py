"""The Kubernetes API, and the only module that speaks to it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from runjob import moments
from runjob.errors import ApiError, NoClusterError
from runjob.login import Access, Login
from runjob.request import EVENT, JOB, POD, PREREQUISITES, Body, Kind
from runjob.stream import Stream, broken, words
from runjob.version import VERSION

# Seconds to connect, and between two bytes of an answer.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
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

# A peer that is gone without a word is found within about a minute, at no request's cost.
_KEEPALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)
    ),
]


@dataclass(frozen=True)
class Change:
    """One step of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the version to go on from."""

    type: str
    body: Body
    version: str


class Cluster:
    """One connection to one cluster; its methods raise ApiError, and wait READ_TIMEOUT for a byte.

    login leads to the cluster; it is asked again when the API refuses the credentials.
    """

    def __init__(self, login: Login, user_agent: str = f"runjob/{VERSION}") -> None:
        self._login = login
        self._agent = user_agent
        self._lock = threading.Lock()
        self._ahead = timedelta()
        self._connect()

    def now(self) -> datetime:
        """Return the time by the API's clock, as its latest answer told it; ours before one.

        Whoever judges an age by what stands in the API must not believe a machine of its own.
        """
        return moments.now() + self._ahead

    def _connect(self) -> None:
        self._access = access = self._login()
        try:
            self._host = urlsplit(access.host)
            good = self._host.scheme in ("http", "https") and bool(self._host.hostname)
            good = good and self._host.port != 0
        except ValueError:
            good = False
        if not good:
            raise NoClusterError(f"{access.host!r:.80} is no address such as https://host:6443")
        try:
            self._tls = _tls(access) if self._host.scheme == "https" else None
        except (OSError, ValueError) as error:
            raise NoClusterError(
                f"a certificate or key for {access.host} cannot be used: {error}"
            ) from error

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        read_timeout: float = READ_TIMEOUT,
        content_type: str = "application/json",
    ) -> tuple[HTTPConnection, socket.socket, HTTPResponse]:
        """Send one request on a connection of its own; the answer's body is yet to be read."""
        access = self._access
        headers = {"User-Agent": self._agent, "Accept": "application/json", **access.headers()}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        url = self._host.path + path + (f"?{urlencode(query)}" if query else "")
        connection = self._connection()
        try:
            connection.connect()
            # Kept by the caller: after an answer that closes the connection, http.client lets go.
            sock = connection.sock
            for level, option, value in _KEEPALIVE:
                sock.setsockopt(level, option, value)
            sock.settimeout(read_timeout)
            connection.request(method, url, data, headers)
            response = connection.getresponse()
            self._ahead = _ahead(response.getheader("Date"), self._ahead)
            if response.status < 300:
                return connection, sock, response
            answer = response.read()
        except ssl.SSLError as error:
            connection.close()
            # A certificate ends like a token: what replaces it lies in the same file.
            self._renew(access)
            if isinstance(error, ssl.SSLCertVerificationError):
                raise NoClusterError(
                    f"{access.host}: its certificate is not trusted ({error.verify_message})"
                ) from error
            raise ApiError(0, words(error)) from error
        except socket.gaierror as error:
            raise ApiError(0, words(error), reason="NoSuchHost") from error
        except (HTTPException, OSError) as error:
            connection.close()
            raise broken(error) from error
        connection.close()
        if response.status == 401:
            self._renew(access)
        raise _refusal(response, answer)

    def _connection(self) -> HTTPConnection:
        name, port = self._host.hostname or "", self._host.port
        address = (name, port or (443 if self._tls else 80))
        server = self._access.server_name
        if not self._access.proxy:
            return _connection(*address, self._tls, server)
        proxy = urlsplit(self._access.proxy if "//" in self._access.proxy
                         else f"//{self._access.proxy}")  # fmt: skip
        connection = _connection(proxy.hostname or "", proxy.port or 3128, self._tls, server)
        connection.set_tunnel(*address)
        return connection

    def _renew(self, refused: Access) -> None:
        """Log in again, unless another thread has done so since that request was made."""
        with self._lock:
            if self._access is refused:
                self._connect()

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Body:
        stream = Stream(
            *self._request(method, path, query, body, READ_TIMEOUT, content_type=content_type)
        )
        try:
            answer: Body = json.loads(b"".join(stream))
        except ValueError as error:
            raise ApiError(0, f"no JSON came from {self._access.host}") from error
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

    def patch(self, body: Body, namespace: str, patch: Body) -> Body:
        """Change the fields of an object that patch names, null takes one away; return it.

        With metadata.uid in patch another object of the same name is refused and not changed.
        """
        path = _kind(body).path(namespace, body["metadata"]["name"])
        return self._json("PATCH", path, None, patch, "application/merge-patch+json")

    def delete(
        self, body: Body, namespace: str, uid: str, *, propagation: str = "Background"
    ) -> None:
        """Ask to delete the object of that uid; one that is gone, or another one, is no error.

        propagation is Background or Foreground: without either the API would leave a Job's pods
        behind as orphans.
        """
        try:
            path = _kind(body).path(namespace, body["metadata"]["name"])
            self._delete(path, propagation, {"uid": uid})
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def remove(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        uid: str,
        version: str,
        *,
        propagation: str = "Background",
    ) -> None:
        """Ask to delete an object as it was seen; gone (404) or changed since (409) is an error."""
        seen = {"uid": uid, "resourceVersion": version}
        self._delete(kind.path(namespace, name), propagation, seen)

    def _delete(self, path: str, propagation: str, preconditions: Mapping[str, str]) -> None:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": preconditions,
        }
        self._json("DELETE", path, None, options)

    def pages(
        self, kind: Kind, namespace: str, query: Mapping[str, str], size: int = PAGE
    ) -> Iterator[list[Body]]:
        """Yield the objects that query selects, as they were at one moment, size at a time.

        Raises ApiError with status 410 when the reader takes so long (minutes) that the API has
        forgotten that moment.
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

        With tail only so many lines of its end come.
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
        timeout = STREAM_TIMEOUT if follow else READ_TIMEOUT
        return Stream(*self._request("GET", path, query, None, timeout))

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


def _tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=access.ca_file)
    # Python 3.13 asks for extensions that the CAs of many clusters lack, and kubectl does not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.cert_file:
        context.load_cert_chain(access.cert_file, access.key_file)
    return context


class _NamedConnection(HTTPSConnection):
    """A TLS connection to a server that goes by another name (`tls-server-name`)."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port, timeout=CONNECT_TIMEOUT, context=tls)
        self._tls, self._name = tls, name

    def connect(self) -> None:
        HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _connection(
    host: str, port: int, tls: ssl.SSLContext | None, server_name: str | None
) -> HTTPConnection:
    if tls is None:
        return HTTPConnection(host, port, CONNECT_TIMEOUT)
    if server_name:
        return _NamedConnection(host, port, tls, server_name)
    return HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, context=tls)


class Watch:
    """The changes of one watch as they come; `close` ends it, from any thread."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Change]:
        rest = b""
        for chunk in self._stream:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _change(line)

    def close(self) -> None:
        self._stream.close()


def _change(line: bytes) -> Change:
    try:
        step = json.loads(line)
        body = step["object"]
        if step["type"] == "ERROR":
            raise ApiError(
                body.get("code") or 500, body.get("message") or "", reason=body.get("reason") or ""
            )
        return Change(step["type"], body, body["metadata"]["resourceVersion"])
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(0, "a watch brought something that is no change") from error


def _kind(body: Body) -> Kind:
    if body["kind"] == "Job":
        return JOB
    return PREREQUISITES[body["apiVersion"], body["kind"]]


def _refusal(response: HTTPResponse, answer: bytes) -> ApiError:
    try:
        status = json.loads(answer)
        message, reason = str(status["message"]), str(status.get("reason") or "")
    except (ValueError, KeyError, TypeError):
        message, reason = answer[:300].decode(errors="replace"), ""
    after = response.getheader("Retry-After") or ""
    return ApiError(
        response.status,
        " ".join(message.split()) or f"HTTP {response.status}",
        reason=reason,
        retry_after=float(after) if after.isdigit() else None,
    )
