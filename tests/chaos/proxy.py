"""A way to the warehouse on which requests are refused, answers are slow, or lost."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Literal

from misc.engines.ports import listen

Loss = Literal["answer", "body"]
SLOW_SECONDS = 1.5
_CHUNK = 1 << 18
_END_OF_HEAD = b"\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes connections on; what it did to them is counted."""

    def __init__(self, listening: socket.socket, target: tuple[str, int]) -> None:
        self._listening = listening
        self._target = target
        self._pieces: deque[Loss | None] = deque()
        self._lock = threading.Lock()
        self._going_on: Counter[str] = Counter()
        self.refused = self.slowed = self.lost = 0

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def refuse(self) -> Callable[[], None]:
        """Refuse every request until what is returned is called."""
        return self._begin("refuse")

    def slow(self) -> Callable[[], None]:
        """Delay every answer until what is returned is called."""
        return self._begin("slow")

    def lose(self, what: Loss = "answer", after: int = 0) -> None:
        """Let a request through, and close the connection instead of all of its answer.

        Of an answer whose body is lost, the head still comes. So many pieces of answers, a head or
        a part of a body each, come before that.
        """
        with self._lock:
            self._pieces.extend([*[None] * after, what])

    def _begin(self, fault: str) -> Callable[[], None]:
        with self._lock:
            self._going_on[fault] += 1

        def end() -> None:
            with self._lock:
                self._going_on[fault] -= 1

        return end

    def serve(self) -> None:
        """Accept connections until the listening socket is shut down."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self._going_on["refuse"]:
                self.refused += 1
                client.recv(_CHUNK)
                client.sendall(_BUSY)
                return
            with socket.create_connection(self._target) as server:
                back = threading.Thread(target=self._answer, args=(server, client), daemon=True)
                back.start()
                self._ask(client, server)
                back.join()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(_CHUNK):
                if self._going_on["refuse"]:
                    self.refused += 1
                    client.sendall(_BUSY)
                    break
                server.sendall(data)
        finally:
            _end(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                if (loss := self._loss()) is not None:
                    if loss == "body":
                        head, end, _ = data.partition(_END_OF_HEAD)
                        client.sendall(head + end)
                    break
                if self._going_on["slow"]:
                    self.slowed += 1
                    time.sleep(SLOW_SECONDS)
                client.sendall(data)
        _end(client)
        _end(server)

    def _loss(self) -> Loss | None:
        """Return what of this answer is to be lost, None for nothing."""
        with self._lock:
            loss = self._pieces.popleft() if self._pieces else None
            self.lost += loss is not None
            return loss


@contextlib.contextmanager
def proxy(target: tuple[str, int]) -> Iterator[Proxy]:
    """Run a proxy on a free port of 127.0.0.1 for the block."""
    with listen(0) as listening:
        running = Proxy(listening, target)
        thread = threading.Thread(target=running.serve, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            # A closed socket alone does not wake who waits in accept.
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
