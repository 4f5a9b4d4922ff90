"""The stand-in for X fails as it is told."""

from __future__ import annotations

import json
import threading

import pytest
import requests

from tests.engines.waiting import until
from tests.engines.x_client import SEARCH, STREAM, Client, expected, read

pytest_plugins = ["tests.engines.x_fixtures"]


def test_a_clean_close_comes_after_so_many_posts(client: Client) -> None:
    client.add("bonds")
    client.order({"do": "close", "after": 3})
    with client.stream() as answer:
        assert len(read(answer, 100)) == 3
    wanted = expected("bonds")
    with client.stream() as answer:
        assert read(answer, 1)[0]["data"]["id"] == wanted[3]


def test_a_line_that_was_cut_is_sent_again_to_the_next_connection(client: Client) -> None:
    client.add("bonds")
    client.order({"do": "cut", "after": 2})
    whole: list[bytes] = []
    with (
        client.stream() as answer,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        whole.extend(filter(None, answer.iter_lines(chunk_size=1)))
    wanted = expected("bonds")
    assert [json.loads(line)["data"]["id"] for line in whole] == wanted[:2]
    until(lambda: not client.counts()["open"])
    with client.stream() as answer:
        assert [each["data"]["id"] for each in read(answer, 2)] == wanted[2:4]


def test_a_silent_stream_sends_not_even_empty_lines(quiet: Client) -> None:
    quiet.add("bonds")
    quiet.order({"do": "silence"})
    with (
        requests.get(
            quiet._url + STREAM, headers=quiet._headers(), stream=True, timeout=(5, 0.5)
        ) as answer,
        pytest.raises(requests.exceptions.ConnectionError, match="Read timed out"),
    ):
        next(answer.iter_lines())


def test_connects_are_refused_so_often_as_ordered(client: Client) -> None:
    client.add("bonds")
    client.order(
        {"do": "refuse", "status": 503, "times": 2},
        {"do": "refuse", "status": 429, "headers": {"x-rate-limit-reset": "1"}},
    )
    statuses = [client.ask(STREAM).status_code for _ in range(3)]
    assert statuses == [503, 503, 429]
    with client.stream() as answer:
        assert answer.status_code == 200
    assert client.counts()["stream"] == 4
    assert client.counts()["connected"] == 1


def test_other_requests_can_be_refused_too(client: Client) -> None:
    client.order({"do": "refuse", "status": 503, "path": "search"})
    assert client.ask(SEARCH, query="bonds").status_code == 503
    assert client.ask(SEARCH, query="bonds").status_code == 200


def test_a_malformed_line_comes_between_whole_ones(client: Client) -> None:
    client.add("bonds")
    client.order({"do": "malformed", "after": 1, "line": "{oops"})
    with client.stream() as answer:
        lines = answer.iter_lines()
        first, second, third = (next(lines) for _ in range(3))
    assert second == b"{oops"
    ids = [json.loads(line)["data"]["id"] for line in (first, third)]
    assert ids == expected("bonds")[:2]


def test_a_disconnect_is_told_before_the_end(quiet: Client) -> None:
    quiet.add("bonds")
    quiet.order({"do": "disconnect"})
    with quiet.stream() as answer:
        (told,) = read(answer, 100)
    assert told["errors"][0]["title"] == "operational-disconnect"


def test_a_fault_reaches_a_connection_that_is_open(quiet: Client) -> None:
    quiet.add("bonds")
    with quiet.stream() as answer:
        lines: list[bytes] = []
        reader = threading.Thread(target=lambda: lines.extend(answer.iter_lines()))
        reader.start()
        quiet.order({"do": "close"})
        reader.join(10)
        assert not reader.is_alive()
