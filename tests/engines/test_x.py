"""The stand-in for X speaks to real clients as X does, and fails as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
import tweepy

from misc.engines import sample, x
from misc.engines.process import EngineError
from misc.engines.x_rules import facts, parse
from tests.engines.waiting import free_port, until

BEGUN = datetime.now(timezone.utc) - timedelta(seconds=400)
POSTS = list(sample.posts(300, seed=11, start=BEGUN))
HARTFORD = "bounding_box:[-72.75 41.7 -72.6 41.85]"
FIELDS = {
    "tweet.fields": "created_at,geo,lang,entities,author_id",
    "expansions": "author_id,geo.place_id",
    "place.fields": "geo,full_name,place_type,name",
    "user.fields": "username,name,location",
}
RULES, STREAM, SEARCH = (
    "/2/tweets/search/stream/rules",
    "/2/tweets/search/stream",
    "/2/tweets/search/recent",
)


class Client:
    """One account's requests."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._url = settings["X_API_URL"]
        self._token = settings["X_BEARER_TOKEN"]

    def ask(self, path: str, token: str | None = None, **query: Any) -> requests.Response:
        return requests.get(
            self._url + path, params=query, headers=self._headers(token), timeout=10
        )

    def rules(self, body: Any, **query: str) -> requests.Response:
        return requests.post(
            self._url + RULES, params=query, json=body, headers=self._headers(), timeout=10
        )

    def add(self, *values: str) -> None:
        answer = self.rules({"add": [{"value": value, "tag": value[:8]} for value in values]})
        assert answer.status_code == 201, answer.text

    def stream(self, **query: str) -> requests.Response:
        return requests.get(
            self._url + STREAM, params=query, headers=self._headers(), stream=True, timeout=10
        )

    def order(self, *faults: dict[str, Any]) -> None:
        requests.post(f"{self._url}/stand-in/faults", json=faults, timeout=10).raise_for_status()

    def push(self, *posts: Any) -> None:
        requests.post(f"{self._url}/stand-in/posts", json=posts, timeout=10).raise_for_status()

    def counts(self) -> Any:
        return requests.get(f"{self._url}/stand-in/counts", timeout=10).json()

    def _headers(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self._token}"}


def serve(**options: Any) -> Iterator[Client]:
    with x.embedded(**options) as settings:
        yield Client(settings)


@pytest.fixture
def client() -> Iterator[Client]:
    yield from serve(posts=POSTS)


@pytest.fixture
def quiet() -> Iterator[Client]:
    """Serve no posts but those that are pushed, and often an empty line."""
    yield from serve(limits={"keep_alive_seconds": 0.05})


def expected(rule: str, posts: list[Any] = POSTS) -> list[str]:
    clause = parse(rule)
    return [each["data"]["id"] for each in posts if clause.matches(facts(each))]


def read(answer: requests.Response, count: int) -> list[Any]:
    """Return the next posts of a stream, as they were sent."""
    found: list[Any] = []
    for line in answer.iter_lines():
        if line:
            found.append(json.loads(line))
        if len(found) == count:
            return found
    return found


# -- rules ---------------------------------------------------------------------------------------


def test_rules_are_added_listed_and_deleted(client: Client) -> None:
    added = client.rules({"add": [{"value": "bonds", "tag": "ctne"}, {"value": "stocks"}]})
    assert added.status_code == 201
    assert added.json()["meta"]["summary"] == {
        "created": 2,
        "not_created": 0,
        "valid": 2,
        "invalid": 0,
    }
    listed = client.ask(RULES).json()
    assert [(each["value"], each.get("tag")) for each in listed["data"]] == [
        ("bonds", "ctne"),
        ("stocks", None),
    ]
    ids = [each["id"] for each in listed["data"]]
    deleted = client.rules({"delete": {"ids": [ids[0], "12"]}}).json()
    assert deleted["meta"]["summary"] == {"deleted": 1, "not_deleted": 1}
    assert deleted["errors"][0]["errors"][0]["message"] == "Rule does not exist"
    assert [each["value"] for each in client.ask(RULES).json()["data"]] == ["stocks"]


def test_a_duplicate_is_told_with_the_id_of_the_first(client: Client) -> None:
    client.add("bonds")
    answer = client.rules({"add": [{"value": "bonds"}, {"value": "stocks"}]})
    assert answer.status_code == 201
    assert answer.json()["meta"]["summary"]["created"] == 1
    (error,) = answer.json()["errors"]
    assert error["title"] == "DuplicateRule"
    assert error["id"] == client.ask(RULES).json()["data"][0]["id"]


def test_an_invalid_rule_keeps_out_what_came_with_it(client: Client) -> None:
    answer = client.rules({"add": [{"value": "bonds"}, {"value": "has:geo"}]})
    assert answer.status_code == 200
    assert answer.json()["meta"]["summary"] == {
        "created": 0,
        "not_created": 2,
        "valid": 1,
        "invalid": 1,
    }
    (error,) = answer.json()["errors"]
    assert (error["title"], error["value"]) == ("UnprocessableEntity", "has:geo")
    assert "at least one positive" in error["details"][0]
    assert "data" not in client.ask(RULES).json()


def test_a_dry_run_changes_nothing(client: Client) -> None:
    answer = client.rules({"add": [{"value": "bonds"}]}, dry_run="true")
    assert answer.json()["meta"]["summary"]["valid"] == 1
    assert "data" not in client.ask(RULES).json()


def test_long_rules_and_too_many_are_refused() -> None:
    for client in serve(limits={"rules": 2, "rule_length": 20}):
        answer = client.rules({"add": [{"value": "a" * 21}]}).json()
        assert "the maximum is 20" in answer["errors"][0]["details"][0]
        client.add("one", "two")
        answer = client.rules({"add": [{"value": "three"}]}).json()
        assert answer["errors"][0]["type"].endswith("/rule-cap")


def test_tweepy_manages_rules(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    streaming = tweepy.StreamingClient(client._token)
    through = streaming.session.request

    def here(method: str, url: str, **more: Any) -> Any:
        return through(method, url.replace("https://api.twitter.com", client._url), **more)

    monkeypatch.setattr(streaming.session, "request", here)
    streaming.add_rules([tweepy.StreamRule("bonds", tag="ctne")])
    (rule,) = streaming.get_rules().data
    assert (rule.value, rule.tag) == ("bonds", "ctne")
    seen: list[bytes] = []

    def on_data(line: bytes) -> None:
        seen.append(line)
        streaming.disconnect()

    monkeypatch.setattr(streaming, "on_data", on_data)
    streaming.filter()
    assert json.loads(seen[0])["data"]["id"] == expected("bonds")[0]
    assert streaming.delete_rules(rule.id).meta["summary"]["deleted"] == 1
    streaming.session.close()


# -- the stream ----------------------------------------------------------------------------------


def test_every_delivered_post_matches_the_rules_it_names_and_none_is_left_out(
    client: Client,
) -> None:
    rules = {"words": "bonds OR #investing", "north": HARTFORD, "spanish": "mi lang:es"}
    client.rules({"add": [{"value": value, "tag": tag} for tag, value in rules.items()]})
    wanted = {tag: expected(rule) for tag, rule in rules.items()}
    assert all(wanted.values())
    ids = {post_id for ids in wanted.values() for post_id in ids}
    with client.stream(**FIELDS) as answer:
        posts = read(answer, len(ids))
    for tag, of_tag in wanted.items():
        named = [
            each["data"]["id"]
            for each in posts
            if tag in [rule["tag"] for rule in each["matching_rules"]]
        ]
        assert named == of_tag


def test_only_what_was_asked_for_is_sent(client: Client) -> None:
    client.add(HARTFORD)
    client.order({"do": "close", "after": 1})
    with client.stream() as answer:
        (bare,) = read(answer, 100)
    assert set(bare) == {"data", "matching_rules"}
    assert set(bare["data"]) == {"id", "text", "edit_history_tweet_ids"}
    with client.stream(**FIELDS) as answer:
        (full,) = read(answer, 1)
    assert set(full["data"]) >= {"created_at", "geo", "lang", "author_id"}
    (user,), (place,) = full["includes"]["users"], full["includes"]["places"]
    assert user["id"] == full["data"]["author_id"]
    assert place["id"] == full["data"]["geo"]["place_id"]
    assert len(place["geo"]["bbox"]) == 4


def test_an_unknown_field_or_parameter_is_refused(client: Client) -> None:
    client.add("bonds")
    for query in ({"tweet.fields": "mood"}, {"backfill_minutes": "5"}):
        answer = client.ask(STREAM, **query)
        assert answer.status_code == 400
        assert answer.json()["title"] == "Invalid Request"
        assert "is not one of" in answer.json()["errors"][0]["message"]


def test_a_stream_without_rules_is_refused(client: Client) -> None:
    answer = client.ask(STREAM)
    assert answer.status_code == 409
    assert answer.json()["connection_issue"] == "RuleConfigurationIssue"


def test_a_second_connection_is_refused_until_the_first_is_gone(quiet: Client) -> None:
    quiet.add("bonds")
    with quiet.stream():
        answer = quiet.ask(STREAM)
        assert answer.status_code == 429
        assert answer.json() == {
            "title": "ConnectionException",
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "connection_issue": "TooManyConnections",
            "type": "https://api.twitter.com/2/problems/streaming-connection",
        }
    until(lambda: not quiet.counts()["open"])
    with quiet.stream() as answer:
        assert answer.status_code == 200


def test_a_wrong_token_is_refused(client: Client) -> None:
    for path in (RULES, STREAM, SEARCH):
        answer = client.ask(path, token="wrong")
        assert answer.status_code == 401
        assert answer.json() == {
            "title": "Unauthorized",
            "detail": "Unauthorized",
            "type": "about:blank",
            "status": 401,
        }


def test_too_many_connects_are_refused_with_the_time_to_wait() -> None:
    for client in serve(limits={"connects": 2}):
        for _ in range(2):
            assert client.ask(STREAM).status_code == 409
        answer = client.ask(STREAM)
        assert answer.status_code == 429
        assert answer.json()["title"] == "Too Many Requests"
        assert answer.headers["x-rate-limit-limit"] == "2"
        assert answer.headers["x-rate-limit-remaining"] == "0"
        wait = int(answer.headers["x-rate-limit-reset"]) - datetime.now(timezone.utc).timestamp()
        assert 800 < wait < 902


def test_a_quiet_stream_sends_empty_lines(quiet: Client) -> None:
    quiet.add("bonds")
    with quiet.stream() as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(3)] == [b"", b"", b""]


def test_a_pushed_post_reaches_who_is_connected(quiet: Client) -> None:
    quiet.add("bonds")
    matching = next(each for each in POSTS if "bonds" in each["data"]["text"])
    with quiet.stream() as answer:
        quiet.push(matching)
        assert read(answer, 1)[0]["data"]["id"] == matching["data"]["id"]


def test_posts_are_played_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in POSTS), encoding="utf-8")
    for client in serve(posts=file, rate=100_000.0):
        client.add("bonds")
        wanted = expected("bonds")
        with client.stream() as answer:
            assert [each["data"]["id"] for each in read(answer, len(wanted))] == wanted


# -- faults --------------------------------------------------------------------------------------


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


# -- search --------------------------------------------------------------------------------------


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


def test_a_taken_port_is_refused_in_one_line() -> None:
    port = free_port()
    with (
        x.embedded(port=port),
        pytest.raises(EngineError, match=f"port {port}"),
        x.embedded(port=port),
    ):
        pass
