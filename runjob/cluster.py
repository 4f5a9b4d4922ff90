"""The Kubernetes API, and the only module that speaks to it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from runjob.errors import ApiError, NoClusterError
from runjob.login import Access, Login
from runjob.request import JOB, POD, PREREQUISITES, Body, Kind
from runjob.version import VERSION

# Seconds to connect, and between two bytes of an answer.
SHORT = (10.0, 30.0)
# A stream that brings nothing for so long is opened anew: a follow can go mute when the kubelet
# rotates the file. Just over 5 minutes, since each reopening is a request.
STREAM = (10.0, 310.0)
# How long the API is asked to keep a watch open, in seconds.
WATCH_SECONDS = 3300

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


class Stream:
    """The bytes of one answer as they come; `close` ends it, from any thread.

    Raises ApiError with status 0 where the connection broke before the answer's end.
    """

    def __init__(self, response: Any) -> None:
        self._response = response
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        import urllib3

        try:
            yield from self._response.stream(1 << 16)
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # A response that another thread shut down fails in any of these ways.
            raise ApiError(0, _words(error)) from error
        finally:
            self._response.close()
        if self._closed.is_set():
            raise ApiError(0, "closed")

    def close(self) -> None:
        self._closed.set()
        # It may have ended by itself meanwhile.
        with suppress(OSError, ValueError, AttributeError, RuntimeError):
            self._response.shutdown()


class Cluster:
    """One connection to one cluster; its methods raise ApiError, and block no longer than SHORT.

    login leads to the cluster; it is asked again when the API refuses the credentials.
    """

    def __init__(self, login: Login, user_agent: str = f"runjob/{VERSION}") -> None:
        self._login = login
        self._agent = user_agent
        self._lock = threading.Lock()
        self._connect()

    def _connect(self) -> None:
        self._access = access = self._login()
        self._pool = _pool(access)

    def _headers(self) -> dict[str, str]:
        return {
            "User-Agent": self._agent,
            "Accept": "application/json",
            **self._access.headers(),
        }

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        timeout: tuple[float, float] = SHORT,
        stream: bool = False,
    ) -> Any:
        import urllib3

        access = self._access
        url = access.host + path + (f"?{urlencode(query)}" if query else "")
        headers = self._headers()
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            response = self._pool.request(
                method,
                url,
                body=data,
                headers=headers,
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
                preload_content=not stream,
                retries=False,
                redirect=False,
            )
            if response.status >= 300 and stream:
                response.read()
        except urllib3.exceptions.SSLError as error:
            if isinstance(error.args[0] if error.args else None, ssl.SSLCertVerificationError):
                raise NoClusterError(
                    f"{access.host}: its certificate is not trusted ({_words(error)})"
                ) from error
            raise ApiError(0, _words(error)) from error
        except urllib3.exceptions.NameResolutionError as error:
            raise ApiError(0, _words(error), reason="NoSuchHost") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, _words(error)) from error
        if response.status == 401:
            self._renew(access)
        if response.status >= 300:
            raise _refusal(response)
        return response

    def _renew(self, refused: Access) -> None:
        """Log in again, unless another thread has done so since that request was made."""
        with self._lock:
            if self._access is refused:
                self._connect()

    def _json(self, *args: Any, **more: Any) -> Body:
        answer = self._request(*args, **more)
        try:
            body: Body = json.loads(answer.data)
        except ValueError as error:
            raise ApiError(0, f"no JSON came from {self._access.host}") from error
        return body

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        """Create an object as it is written; an unknown or doubled field is refused by name."""
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        return self._json("POST", _kind(body).path(namespace), query, body)

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name as it is now."""
        return self._json("GET", _kind(body).path(namespace, body["metadata"]["name"]))

    def delete(
        self, body: Body, namespace: str, uid: str, *, propagation: str = "Background"
    ) -> None:
        """Ask to delete the object of that uid; one that is gone, or another one, is no error.

        propagation is Background or Foreground: without either the API would leave a Job's pods
        behind as orphans.
        """
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": uid},
        }
        try:
            path = _kind(body).path(namespace, body["metadata"]["name"])
            self._json("DELETE", path, None, options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

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
        return Watch(
            Stream(self._request("GET", kind.path(namespace), query, None, STREAM, stream=True))
        )

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: str | None = None,
        follow: bool = False,
        previous: bool = False,
    ) -> Stream:
        """Open a container's log, with time stamps; previous means that of the run before."""
        query = {"container": container, "timestamps": "true"}
        if since:
            query["sinceTime"] = since
        if follow:
            query["follow"] = "true"
        if previous:
            query["previous"] = "true"
        path = POD.path(namespace, pod) + "/log"
        timeout = STREAM if follow else SHORT
        return Stream(self._request("GET", path, query, None, timeout, stream=True))


def _pool(access: Access) -> Any:
    """Return the pool of connections to the API, with one TLS context for all of them."""
    import urllib3

    context = None
    if access.host.startswith("https"):
        context = ssl.create_default_context(cafile=access.ca_file)
        # Python 3.13 asks for extensions that the CAs of many clusters lack, and kubectl does not.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not access.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if access.cert_file:
            context.load_cert_chain(access.cert_file, access.key_file)
    settings: dict[str, Any] = {"maxsize": 1000, "ssl_context": context}
    if access.server_name:
        settings["server_hostname"] = access.server_name
    if access.proxy:
        return urllib3.ProxyManager(access.proxy, **settings)
    return urllib3.PoolManager(**settings, socket_options=_KEEPALIVE)


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


def _refusal(response: Any) -> ApiError:
    try:
        status = json.loads(response.data)
        message, reason = str(status["message"]), str(status.get("reason") or "")
    except (ValueError, KeyError, TypeError):
        message, reason = (response.data or b"")[:300].decode(errors="replace"), ""
    after = response.headers.get("Retry-After", "")
    return ApiError(
        response.status,
        " ".join(message.split()) or f"HTTP {response.status}",
        reason=reason,
        retry_after=float(after) if after.isdigit() else None,
    )


def _words(error: Exception) -> str:
    """Say in words what broke, without the client's inner objects."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    if isinstance(cause, TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time"
    if type(error).__name__ in ("ProtocolError", "InvalidChunkLength", "IncompleteRead"):
        return "the connection broke off"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return " ".join(str(cause).split())[:200] or type(cause).__name__
