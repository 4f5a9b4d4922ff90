"""The network between launchers and the API is as bad as it is asked to be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.soak import way as ways
from tests.soak.way import Way, way


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Serve a server that says back what it hears."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            while data := client.recv(100):
                client.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=answer, args=(client,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[:2]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(10)


@pytest.fixture
def open_way(echo: tuple[str, int]) -> Iterator[Way]:
    with way(echo) as running:
        yield running


@pytest.fixture
def client(open_way: Way) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", open_way.port), timeout=20) as connection:
        yield connection


def said(client: socket.socket, words: bytes = b"hello") -> bytes:
    client.sendall(words)
    return client.recv(100)


def test_a_fair_way_passes_on_and_ends_with_its_client(client: socket.socket) -> None:
    assert said(client) == b"hello"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(100) == b""


def test_a_reset_breaks_what_is_open(open_way: Way, client: socket.socket) -> None:
    assert said(client) == b"hello"
    assert open_way.reset() == 1
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    with socket.create_connection(("127.0.0.1", open_way.port), timeout=20) as another:
        assert said(another) == b"hello"


def test_a_silent_way_goes_on_where_it_was(open_way: Way, client: socket.socket) -> None:
    assert said(client) == b"hello"
    end = open_way.silence()
    client.sendall(b"late")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(100)
    end()
    client.settimeout(20)
    assert client.recv(100) == b"late"


def test_dead_connections_say_nothing_while_new_ones_work(
    open_way: Way, client: socket.socket
) -> None:
    assert said(client) == b"hello"
    end = open_way.kill()
    client.sendall(b"lost")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(100)
    with socket.create_connection(("127.0.0.1", open_way.port), timeout=20) as another:
        assert said(another) == b"hello"
        end()
        client.settimeout(20)
        with pytest.raises(ConnectionResetError):
            client.recv(100)
        assert said(another) == b"hello"


def test_a_slow_way_passes_on_all_the_same(
    open_way: Way, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "SLOW", 0.01)
    end = open_way.slow()
    assert said(client) == b"hello"
    end()
    assert said(client) == b"hello"


def test_a_server_that_is_not_there_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nowhere = gone.getsockname()[:2]
    with (
        way(nowhere) as running,
        pytest.raises(ConnectionResetError),  # at once, or only once it reads
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as client,
    ):
        client.recv(100)
