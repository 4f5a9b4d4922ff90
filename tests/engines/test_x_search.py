"""The stand-in for X finds recent posts, in pages, as X does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from misc.engines import sample
from tests.engines.x_client import FIELDS, RULES, SEARCH, Client, expected, serve

pytest_plugins = ["tests.engines.x_fixtures"]


def test_pages_lead_from_the_newest_to_the_oldest_post(client: Client) -> None:
    wanted = expected("bonds OR #investing")[::-1]
    assert len(wanted) > 20
    found: list[str] = []
    query = {"query": "bonds OR #investing", "max_results": "10", **FIELDS}
    while True:
        answer = client.ask(SEARCH, **query).json()
        ids = [each["id"] for each in answer["data"]]
        assert answer["meta"]["newest_id"] == ids[0]
        assert answer["meta"]["oldest_id"] == ids[-1]
        assert answer["meta"]["result_count"] == len(ids)
        authors = {each["id"] for each in answer["includes"]["users"]}
        assert {each["author_id"] for each in answer["data"]} == authors
        found += ids
        if "next_token" not in answer["meta"]:
            break
        query["next_token"] = answer["meta"]["next_token"]
    assert found == wanted


def test_since_and_until_are_exclusive(client: Client) -> None:
    wanted = expected("bonds")
    answer = client.ask(
        SEARCH, query="bonds", since_id=wanted[0], until_id=wanted[4], max_results="100"
    ).json()
    assert [each["id"] for each in answer["data"]] == wanted[1:4][::-1]
    nothing = client.ask(SEARCH, query="bonds", since_id=wanted[-1]).json()
    assert nothing == {"meta": {"result_count": 0}}


def test_only_seven_days_are_found() -> None:
    long_ago = datetime.now(timezone.utc) - timedelta(days=7, seconds=5)
    posts = list(sample.posts(100, seed=3, start=long_ago, seconds_apart=6_000))
    for client in serve(posts=posts):
        old = posts[0]["data"]["id"]
        everything = client.ask(SEARCH, query="mi OR mon OR bonds", max_results="100")
        assert old not in [each["id"] for each in everything.json()["data"]]
        refused = client.ask(SEARCH, query="bonds", since_id=old)
        assert refused.status_code == 400
        message = refused.json()["errors"][0]["message"]
        assert "'since_id' must be a tweet id created after" in message


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({}, "can not be empty"),
        ({"query": "has:geo"}, "at least one positive"),
        ({"query": "b" * 513}, "at most 512"),
        ({"query": "bonds", "max_results": "9"}, "not between 10 and 100"),
        ({"query": "bonds", "max_results": "101"}, "not between 10 and 100"),
        ({"query": "bonds", "since_id": "x"}, "not valid"),
        ({"query": "bonds", "next_token": "!"}, "not valid"),
        ({"query": "bonds", "start_time": "yesterday"}, "not RFC 3339"),
        ({"query": "bonds", "start_time": "2020-01-01T00:00:00Z"}, "must be on or after"),
        (
            {"query": "bonds", "since_id": "1", "start_time": "2020-01-01T00:00:00Z"},
            "in conjunction with",
        ),
        ({"query": "bonds", "page": "2"}, "is not one of"),
    ],
)
def test_a_bad_search_is_refused(shared: Client, query: dict[str, str], why: str) -> None:
    answer = shared.ask(SEARCH, **query)
    assert answer.status_code == 400
    assert why in answer.json()["errors"][0]["message"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    yield from serve()


def test_the_last_half_minute_is_found_only_where_end_time_asks_for_it(quiet: Client) -> None:
    now = datetime.now(timezone.utc)
    posts = list(sample.posts(2, start=now - timedelta(seconds=40), seconds_apart=20))
    for each in posts:
        each["data"]["text"] = "bonds"
    quiet.push(*posts)
    last, first = (each["data"]["id"] for each in reversed(posts))
    end = (now - timedelta(seconds=10)).isoformat()
    for more, wanted in (
        ({}, [first]),
        ({"until_id": str(int(last) + 1)}, [first]),
        ({"end_time": end}, [last, first]),
    ):
        answer = quiet.ask(SEARCH, query="bonds", **more).json()
        assert [each["id"] for each in answer["data"]] == wanted


def test_searches_have_their_own_limit() -> None:
    for client in serve(limits={"searches": 1}):
        first = client.ask(SEARCH, query="bonds")
        assert first.headers["x-rate-limit-remaining"] == "0"
        assert client.ask(SEARCH, query="bonds").status_code == 429
        assert client.ask(RULES).status_code == 200
