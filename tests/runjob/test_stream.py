"""An answer that is long in coming, and who ends the wait for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from runjob.errors import ApiError
from runjob.stream import Answer, AwaitedStream


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
