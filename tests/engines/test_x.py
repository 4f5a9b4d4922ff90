"""The stand-in for X speaks to real clients as X does: rules, and the stream."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import tweepy

from misc.engines import x
from misc.engines.process import EngineError
from tests.engines.waiting import free_port, until
from tests.engines.x_client import (
    FIELDS,
    HARTFORD,
    POSTS,
    RULES,
    SEARCH,
    STREAM,
    Client,
    expected,
    read,
    serve,
)

pytest_plugins = ["tests.engines.x_fixtures"]


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


def test_a_taken_port_is_refused_in_one_line() -> None:
    port = free_port()
    with (
        x.embedded(port=port),
        pytest.raises(EngineError, match=f"port {port}"),
        x.embedded(port=port),
    ):
        pass
