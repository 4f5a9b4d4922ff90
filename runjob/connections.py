"""Connections to the host of an API, by TLS and a proxy where these are asked for."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

from runjob.errors import NoClusterError
from runjob.login import Access

# Seconds to connect.
TIMEOUT = 10.0

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


@dataclass(frozen=True, kw_only=True)
class Route:
    """The way that access leads: tls is None where it goes without, path begins every path."""

    access: Access
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    def connection(self) -> HTTPConnection:
        """Return a connection of its own that is yet to be opened."""
        if not self.access.proxy:
            return self._connection(self.host, self.port)
        proxy = urlsplit(self.access.proxy if "//" in self.access.proxy
                         else f"//{self.access.proxy}")  # fmt: skip
        connection = self._connection(proxy.hostname or "", proxy.port or 3128)
        connection.set_tunnel(self.host, self.port)
        return connection

    def _connection(self, host: str, port: int) -> HTTPConnection:
        if self.tls is None:
            return HTTPConnection(host, port, TIMEOUT)
        if self.access.server_name:
            return _NamedConnection(host, port, self.tls, self.access.server_name)
        return HTTPSConnection(host, port, timeout=TIMEOUT, context=self.tls)


def route_to(access: Access) -> Route:
    """Return the way that access leads.

    Raises NoClusterError where its address is none, or its certificates cannot be used.
    """
    try:
        address = urlsplit(access.host)
        host, port = address.hostname, address.port
    except ValueError:
        host = port = None
    if not host or port == 0 or address.scheme not in ("http", "https"):
        raise NoClusterError(f"{access.host!r:.80} is no address such as https://host:6443")
    try:
        tls = _tls(access) if address.scheme == "https" else None
    except (OSError, ValueError) as error:
        raise NoClusterError(
            f"a certificate or key for {access.host} cannot be used: {error}"
        ) from error
    default = 443 if tls else 80
    return Route(access=access, host=host, port=port or default, path=address.path, tls=tls)


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
        super().__init__(host, port, timeout=TIMEOUT, context=tls)
        self._tls, self._name = tls, name

    def connect(self) -> None:
        HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def opened(connection: HTTPConnection, read_timeout: float) -> socket.socket:
    """Open a connection and return its socket, which waits read_timeout seconds for a byte.

    The caller keeps it: after an answer that closes the connection, http.client lets go of it.
    """
    connection.connect()
    sock: socket.socket = connection.sock
    for level, option, value in _KEEPALIVE:
        sock.setsockopt(level, option, value)
    sock.settimeout(read_timeout)
    return sock
