"""Connections to the host of an API, by TLS and a proxy where these are asked for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

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
    """The way that access leads.

    path begins every path; tls is None where it goes without; proxy is a host and its port.
    """

    access: Access
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    proxy: tuple[str, int] | None

    @property
    def authorities(self) -> frozenset[bytes]:
        """The certificates by which the host's is trusted, of a folder those in use so far."""
        return frozenset(self.tls.get_ca_certs(binary_form=True) if self.tls else ())

    def headers(self) -> Mapping[str, str]:
        """Return the authorization headers.

        Raises NoClusterError for what no header can hold: the library's own error would show it.
        """
        found = self.access.headers()
        if not all(value.isascii() and value.isprintable() for value in found.values()):
            raise NoClusterError(
                f"the token or password for {self.access.host} holds a line end, or what else no "
                "request can carry; it must be one line of ASCII"
            )
        return found

    def connection(self) -> HTTPConnection:
        """Return a connection of its own that is yet to be opened."""
        if self.proxy is None:
            return self._connection(self.host, self.port)
        connection = self._connection(*self.proxy)
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

    Raises NoClusterError where an address is none, or its certificates cannot be used.
    """
    address = _address(access.host)
    if address is None or address.scheme not in ("http", "https"):
        raise NoClusterError(f"{access.host!r:.80} is no address such as https://host:6443")
    secure = address.scheme == "https"
    try:
        tls = _tls(access) if secure else None
    except (OSError, ValueError) as error:
        raise NoClusterError(
            f"a certificate or key for {access.host} cannot be used: {error}"
        ) from error
    return Route(
        access=access,
        host=address.hostname or "",
        port=address.port or (443 if secure else 80),
        path=address.path,
        tls=tls,
        proxy=_proxy(access.proxy) if access.proxy else None,
    )


def _address(text: str) -> SplitResult | None:
    try:
        address = urlsplit(text)
        return address if address.hostname and address.port != 0 else None
    except ValueError:
        return None


def _proxy(text: str) -> tuple[str, int]:
    address = _address(text if "//" in text else f"//{text}")
    if address is None:
        # It may hold a password.
        raise NoClusterError("the proxy in HTTPS_PROXY is no address such as http://host:3128")
    return address.hostname or "", address.port or 3128


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
