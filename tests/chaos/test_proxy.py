"""The way to the warehouse is as bad as it is asked to be."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos import proxy as ways
from tests.chaos.proxy import Proxy, proxy


class Server(ThreadingHTTPServer):
    """Answers every request with how many there were."""

    def __init__(self) -> None:
        self.asked = 0
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        body = str(self.server.asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture
def way(server: Server) -> Iterator[Proxy]:
    with proxy(("127.0.0.1", server.server_address[1])) as running:
        yield running


def ask(way: Proxy, times: int = 1) -> list[tuple[int, bytes]]:
    """Ask so many times over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", way.port, timeout=20)
    answers = []
    try:
        for _ in range(times):
            connection.request("GET", "/")
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
    finally:
        connection.close()
    return answers


def test_a_fair_way_passes_on(way: Proxy) -> None:
    assert ask(way, 3) == [(200, b"1"), (200, b"2"), (200, b"3")]


def test_a_refusing_way_does_not_ask_the_server(way: Proxy, server: Server) -> None:
    end, end_another = way.refuse(), way.refuse()
    end_another()
    assert ask(way) == [(503, b"")]
    assert server.asked == 0
    end()
    assert ask(way) == [(200, b"1")]


def test_an_answer_is_lost_after_the_server_gave_it(way: Proxy, server: Server) -> None:
    way.lose()
    with pytest.raises(http.client.RemoteDisconnected):
        ask(way)
    assert (server.asked, way.lost) == (1, 1)
    assert ask(way) == [(200, b"2")]


def test_of_an_answer_the_body_alone_can_be_lost(way: Proxy, server: Server) -> None:
    way.lose("body")
    with pytest.raises(http.client.IncompleteRead):
        ask(way)
    assert (server.asked, way.lost) == (1, 1)


def test_a_slow_way_answers_all_the_same(way: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "SLOW_SECONDS", 0.01)
    end = way.slow()
    assert ask(way, 2) == [(200, b"1"), (200, b"2")]
    assert way.slowed >= 2
    end()
    before = way.slowed
    ask(way)
    assert way.slowed == before
