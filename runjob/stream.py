"""The bytes of one answer of the API, as they come."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead

from runjob.chunked import Dechunker
from runjob.errors import ApiError
from runjob.refusals import broken

CHUNK = 1 << 16
BURST = 1 << 18
# How long to let lines gather, in seconds.
BREATH = 0.005


class Stream:
    """The bytes of one answer as they come; `close` ends it, from any thread.

    Raises ApiError with status 0 where the connection broke before the answer's end.
    """

    def __init__(
        self, connection: HTTPConnection, sock: socket.socket, response: HTTPResponse
    ) -> None:
        self._connection = connection
        self._response = response
        self._socket = sock
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks() if self._response.chunked else self._plain()
        except (HTTPException, OSError, ValueError, AttributeError) as error:
            # A connection that another thread shut down fails in any of these ways.
            raise (ApiError(0, "closed") if self._closed else broken(error)) from error
        finally:
            self._connection.close()
        if self._closed:
            raise ApiError(0, "closed")

    def _plain(self) -> Iterator[bytes]:
        while chunk := self._response.read1(CHUNK):
            yield chunk
        if self._response.length:
            raise IncompleteRead(b"", self._response.length)

    def _chunks(self) -> Iterator[bytes]:
        body = Dechunker()
        while not body.done:
            arrived = self._arrived()
            if not arrived:
                raise IncompleteRead(b"")
            if some := body.feed(arrived):
                yield some

    def _arrived(self) -> bytes:
        """Wait for the next bytes and return all that has arrived with them, up to a BURST.

        TLS hands on one record at a time, which may be one line of a log: to wake up for each
        would take more time from the API server's machine than the log is worth.
        """
        parts = [self._response.fp.read1(CHUNK)]
        time.sleep(BREATH)
        size, timeout = len(parts[0]), self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            while 0 < size < BURST and (part := self._response.fp.read1(CHUNK)):
                parts.append(part)
                size += len(part)
        except (ssl.SSLWantReadError, BlockingIOError):
            pass  # no more has arrived
        finally:
            self._socket.settimeout(timeout)
        return b"".join(parts)

    def close(self) -> None:
        self._closed = True
        # It may have ended by itself meanwhile, or not have begun. By the shutdown of a TLS socket
        # the thread that reads would get what waits there as it is on the wire: encrypted.
        with suppress(OSError, AttributeError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


Answer = tuple[HTTPConnection, socket.socket, HTTPResponse]


class AwaitedStream(Stream):
    """An answer that is asked for as it is read, and may be long in coming; `close` ends that too.

    ask gets what is to be called with the socket on which it waits.
    """

    def __init__(self, ask: Callable[[Callable[[socket.socket], None]], Answer]) -> None:
        self._ask = ask
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        self._connection, self._socket, self._response = self._ask(self._hold)
        yield from super().__iter__()

    def _hold(self, sock: socket.socket) -> None:
        self._socket = sock
        if self._closed:
            self.close()  # which came too early for it
