"""An answer that is long in coming, or falls silent, and who ends it from another thread."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from runjob import stream as streams
from runjob.errors import ApiError
from runjob.sandbox.certificate import Authority
from runjob.stream import Answer, AwaitedStream, Stream


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("early", [True, False], ids=["before it is asked for", "while it is"])
def test_a_wait_for_an_answer_that_never_comes_can_be_ended(
    ends: tuple[socket.socket, socket.socket], early: bool
) -> None:
    ours, theirs = ends
    ours.settimeout(20)

    def ask(hold: Callable[[socket.socket], None]) -> Answer:
        ours.sendall(b"?")
        hold(ours)
        assert ours.recv(1) == b""
        raise ApiError(0, "it broke off")

    stream = AwaitedStream(ask)

    def end() -> None:
        theirs.recv(1)
        stream.close()

    thread = threading.Thread(target=stream.close if early else end)
    thread.start()
    if early:
        thread.join()
    with pytest.raises(ApiError, match="it broke off"):
        next(iter(stream))
    thread.join(20)


@pytest.mark.parametrize("framed", [True, False], ids=["in chunks", "plain"])
def test_what_comes_after_an_answer_was_ended_is_never_what_stands_on_the_wire(
    ends: tuple[socket.socket, socket.socket],
    framed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A naive launcher's log goes on with what is still encrypted."""
    monkeypatch.setattr(streams, "BURST", 1)  # a record of TLS at a time
    ours, theirs = ends
    issued, pem = Authority().server(), tmp_path / "server.pem"
    pem.write_text(issued.certificate + issued.key)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(pem)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    head = b"Transfer-Encoding: chunked\r\n\r\n9c40\r\n" if framed else b"\r\n"

    def answer() -> None:
        with server.wrap_socket(theirs, server_side=True) as sock:
            sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"a" * 40_000)

    thread = threading.Thread(target=answer)
    thread.start()
    with client.wrap_socket(ours) as sock:
        thread.join(20)  # all of it waits to be read now
        response = HTTPResponse(sock)
        response.begin()
        stream = Stream(HTTPConnection("nowhere"), sock, response)
        came = bytearray()

        def read() -> None:
            for some in stream:
                came.extend(some)
                stream.close()

        with pytest.raises(ApiError):
            read()
        response.close()
    assert came
    assert not came.strip(b"a")
