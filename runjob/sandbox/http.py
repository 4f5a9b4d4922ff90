"""HTTP/1.1 messages: requests as they come in, replies as they go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from .refusals import Refusal
from .resources import Json
from .store import encode

Ending = Literal["keep", "close", "reset", "mute"]
MAX_BODY = 3 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case, the last of repeated parameters counts.

    ``certificate`` is the serial number of the client's, 0 without one.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate: int = 0

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """One answer: a body, or a stream of chunks.

    ``limit`` and ``ending`` break it on purpose: after that many bytes of body the connection
    falls silent, is reset or closed. A stream that is closed at its limit ends properly.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    stream: AsyncIterator[bytes] | None = None
    limit: int | None = None
    ending: Ending = "keep"


def json_reply(value: Json, status: int = 200, warnings: tuple[str, ...] = ()) -> Reply:
    """Answer with an object, and warnings for the user."""
    headers = tuple(("Warning", f'299 - "{_quoted(text)}"') for text in warnings)
    return Reply(status, encode(value) + b"\n", headers=headers)


def refusal_reply(refusal: Refusal) -> Reply:
    """Answer with a Status."""
    headers: tuple[tuple[str, str], ...] = ()
    if refusal.retry_after is not None:
        headers = (("Retry-After", str(refusal.retry_after)),)
    return Reply(refusal.code, encode(refusal.status()) + b"\n", headers=headers)


def with_close(reply: Reply) -> Reply:
    """Say that the connection ends with this reply."""
    return replace(reply, headers=(*reply.headers, ("Connection", "close")))


def head_of(reply: Reply) -> bytes:
    """Write the status line and the headers of a reply."""
    phrase = HTTPStatus(reply.status).phrase
    lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Content-Type: {reply.content_type}"]
    lines.append(f"Date: {formatdate(usegmt=True)}")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if reply.stream is None:
        lines.append(f"Content-Length: {len(reply.body)}")
    else:
        lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read the next request of a connection; None when the client has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target = urlsplit(rest.rpartition(" ")[0])
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        body = await _read_body(reader, headers)
    except (asyncio.IncompleteReadError, ValueError, OSError):
        return None
    return Request(method, unquote(target.path), target.query, headers, body)


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        size = int(headers.get("content-length", "0"))
        return await reader.readexactly(size) if size <= MAX_BODY else b""
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return bytes(body)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
