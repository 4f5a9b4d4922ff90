"""The listener: connections over TLS, one request after the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace

from .http import Reply, Request, head_of, read_request, with_close

Application = Callable[[Request], Awaitable[Reply]]

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server:
    """Listens on 127.0.0.1; may stop and start again on the same port, with another context."""

    def __init__(self, application: Application, context: ssl.SSLContext, port: int = 0) -> None:
        self.context = context
        self._application = application
        self.port = port
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self.context, backlog=1024
            )
            self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset every connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            for writer in list(self._connections):
                _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._listener is None:
            _reset(writer)  # it was shaking hands when the listener was stopped
            return
        self._connections.add(writer)
        certificate = int((writer.get_extra_info("peercert") or {}).get("serialNumber", "0"), 16)
        try:
            while (request := await read_request(reader)) is not None:
                reply = await self._application(replace(request, certificate=certificate))
                if request.headers.get("connection", "").lower() == "close":
                    await self._send(with_close(reply), reader, writer)
                    break
                if not await self._send(reply, reader, writer):
                    break
        except (OSError, asyncio.CancelledError):
            # The client went away, or the sandbox ends: nobody is left to be told.
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _send(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Send a reply; return whether the connection can take another request."""
        if reply.limit is None and reply.ending in ("reset", "mute"):
            return await _end(reply, reader, writer)
        if reply.stream is None:
            writer.write(head_of(reply) + reply.body[: reply.limit])
            await writer.drain()
        else:
            writer.write(head_of(reply))
            if not await self._stream(reply, reader, writer):
                return False
        return await _end(reply, reader, writer)

    async def _stream(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Send the chunks; stop when the client hangs up, which only reading can tell."""
        copying = asyncio.ensure_future(_copy(reply, writer))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({copying, hangup}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (copying, hangup):
                task.cancel()
            outcome = await asyncio.gather(copying, hangup, return_exceptions=True)
        return outcome[0] is None and isinstance(outcome[1], asyncio.CancelledError)


async def _copy(reply: Reply, writer: asyncio.StreamWriter) -> None:
    assert reply.stream is not None
    left = reply.limit
    async with contextlib.aclosing(reply.stream) as chunks:  # type: ignore[type-var]
        # The head goes out at once: a watch on an empty collection must open.
        await writer.drain()
        while left is None or left > 0:
            chunk = await anext(chunks, None)
            if chunk is None:
                break
            part = chunk[:left]
            if left is not None:
                left -= len(part)
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
    if reply.ending in ("keep", "close"):
        writer.write(b"0\r\n\r\n")


async def _end(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    if reply.ending == "reset":
        _reset(writer)
    elif reply.ending == "mute":
        await reader.read(1)
    return reply.ending == "keep"


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop a connection so that the client sees a reset, not an orderly end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
