"""The embedded cluster's gate in front of a real one: faults on demand, and all else is real."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from runjob.chunked import Dechunker
from runjob.login import Access, login
from runjob.options import Connection
from runjob.sandbox import Sandbox
from runjob.sandbox.api import locate
from runjob.sandbox.faults import Target
from runjob.sandbox.gate import Gate
from runjob.sandbox.http import Reply, Request
from runjob.sandbox.server import Server

# What a request and an answer say that the cluster, and the launcher, act upon.
ASKED = ("accept", "content-type", "user-agent")
ANSWERED = ("retry-after", "warning")


class Front(Sandbox):
    """Hands each request on to the cluster of a kubeconfig, unless a fault hits it.

    Its own cluster stays empty. Whoever comes by `kubeconfig` acts there as the other one's user.
    """

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__()
        self._login = login(Connection(kubeconfig=str(kubeconfig)))

    def _assemble(self, context: ssl.SSLContext) -> None:
        super()._assemble(context)
        self._gate = Gate(self.token, locate, self._hand_on)
        self._server = Server(self._gate, context)

    async def _hand_on(self, request: Request, _: Target | None) -> Reply:
        access = self._login()
        host = urlsplit(access.host)
        reader, writer = await asyncio.open_connection(
            host.hostname, host.port or 443, ssl=_trusting(access)
        )
        writer.write(_head(request, access, host.netloc) + request.body)
        status, headers = _answered(await reader.readuntil(b"\r\n\r\n"))
        kept = tuple((name.title(), headers[name]) for name in ANSWERED if name in headers)
        kind = headers.get("content-type", "application/json")
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, b"", kind, kept, stream=_stream(reader, writer))
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        writer.close()
        return Reply(status, body, kind, kept)


def _trusting(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=access.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if access.cert_file:
        context.load_cert_chain(access.cert_file, access.key_file)
    return context


def _head(request: Request, access: Access, host: str) -> bytes:
    path = quote(request.path) + (f"?{request.query}" if request.query else "")
    asked = {name: request.headers[name] for name in ASKED if name in request.headers}
    headers = {
        **asked, **access.headers(), "Host": host, "Connection": "close",
        "Content-Length": str(len(request.body)),
    }  # fmt: skip
    lines = (f"{name}: {value}" for name, value in headers.items())
    return "\r\n".join((f"{request.method} {path} HTTP/1.1", *lines, "", "")).encode("latin-1")


def _answered(head: bytes) -> tuple[int, Mapping[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[bytes]:
    """Yield what comes, as it comes; raises EOFError where it breaks off."""
    body = Dechunker()
    try:
        while not body.done:
            arrived = await reader.read(1 << 16)
            if not arrived:
                raise EOFError("the answer broke off")
            if some := body.feed(arrived):
                yield some
    finally:
        writer.close()
