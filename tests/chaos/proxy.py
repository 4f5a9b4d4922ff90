"""A way to the warehouse on which requests are refused, answers are slow, or lost."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from misc.engines.ports import listen

SLOW_SECONDS = 1.5
_CHUNK = 1 << 18
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes connections on; what it did to them is counted."""

    def __init__(self, listening: socket.socket, target: tuple[str, int]) -> None:
        self._listening = listening
        self._target = target
        self._to_lose = 0
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

    def lose(self, answers: int = 1) -> None:
        """Let the next requests through, and close the connection instead of answering them."""
        with self._lock:
            self._to_lose += answers

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
                if self._takes():
                    break
                if self._going_on["slow"]:
                    self.slowed += 1
                    time.sleep(SLOW_SECONDS)
                client.sendall(data)
        _end(client)
        _end(server)

    def _takes(self) -> bool:
        """Tell whether this answer is one to lose."""
        with self._lock:
            if not self._to_lose:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True


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
