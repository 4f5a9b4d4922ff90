"""The network between launchers and the API, as bad as it is asked to be."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from misc.engines.ports import listen

# Seconds that each piece of data takes longer where the network is slow.
SLOW = 0.15
_CHUNK = 1 << 16
# To close with these is a reset: nothing that is on its way arrives any more.
_RESET = struct.pack("ii", 1, 0)


class Way:
    """Passes connections on, byte for byte.

    What it does to them ends when what the method returned is called.
    """

    def __init__(self, listening: socket.socket, target: tuple[str, int]) -> None:
        self._listening = listening
        self._target = target
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._slow = 0
        self._open = threading.Event()
        self._open.set()
        self._silences = 0

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def reset(self) -> int:
        """Break every connection that is open; return how many."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for each in pairs:
            each.reset()
        return len(pairs)

    def slow(self) -> Callable[[], None]:
        """Let everything take longer."""
        return self._while(slower=1)

    def silence(self) -> Callable[[], None]:
        """Pass nothing on; afterwards all goes on where it was."""
        return self._while(silent=1)

    def kill(self) -> Callable[[], None]:
        """Let what is open be dead, without a word to anybody; at the end it is reset."""
        with self._lock:
            dead = set(self._pairs)
        for each in dead:
            each.dead.set()

        def end() -> None:
            for each in dead:
                each.reset()

        return end

    def _while(self, *, slower: int = 0, silent: int = 0) -> Callable[[], None]:
        def change(sign: int) -> None:
            with self._lock:
                self._slow += sign * slower
                self._silences += sign * silent
                if self._silences:
                    self._open.clear()
                else:
                    self._open.set()

        change(1)
        return lambda: change(-1)

    def serve(self) -> None:
        """Accept connections until the listening socket is shut down."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        pair = _Pair(client, server)
        with self._lock:
            self._pairs.add(pair)
        back = threading.Thread(target=self._carry, args=(pair, server, client), daemon=True)
        back.start()
        self._carry(pair, client, server)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        if not pair.dead.is_set():
            pair.close()

    def _carry(self, pair: _Pair, source: socket.socket, sink: socket.socket) -> None:
        """Carry one direction to its end, and tell the other side of that end."""
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._slow:
                    time.sleep(SLOW)
                self._open.wait()
                if pair.dead.is_set():
                    return
                sink.sendall(data)
            self._open.wait()
            if not pair.dead.is_set():
                sink.shutdown(socket.SHUT_WR)
            return
        pair.reset()  # it did not end but broke


class _Pair:
    """One connection: the client's side and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._sides = (client, server)
        self.dead = threading.Event()

    def reset(self) -> None:
        self.dead.set()  # so that nobody ends it politely meanwhile
        for each in self._sides:
            _reset(each)

    def close(self) -> None:
        for each in self._sides:
            each.close()


def _reset(side: socket.socket) -> None:
    # Shut down first: it wakes the thread that reads here, which a close alone does not.
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RD)
    side.close()


@contextlib.contextmanager
def way(target: tuple[str, int]) -> Iterator[Way]:
    """Open a way to the target on a free port of 127.0.0.1 for the block."""
    with listen(0) as listening:
        running = Way(listening, target)
        thread = threading.Thread(target=running.serve, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            running.reset()
