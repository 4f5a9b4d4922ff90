"""The made-up people, their CRM and their posts."""

from __future__ import annotations

import filecmp
import html
import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from application.crm_records import CUSTOMERS, HOUSEHOLDS, KINDS, PORTFOLIOS, BadRowError, checked
from application.openaddresses import Address, Reject, addresses
from application.postal import address_key
from application.synth import texts
from application.synth.cli import main
from application.synth.moments import moments
from application.synth.score import read_truth
from application.synth.truth import Truth, line, read
from misc.engines.x_fields import chosen, wanted
from misc.engines.x_rules import facts, parse
from pythonapp.message import Message, message
from pythonapp.route import quadrant_of
from pythonapp.rules import rules
from pythonapp.settings import parse as settings

UNTIL = "2026-03-01T18:00:00Z"
POSTS, ADDRESSES = 1_500, 6_000
Json = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """All that one run has written."""

    folder: Path
    posts: tuple[Json, ...]
    truth: Mapping[str, Truth]
    homes: tuple[Address, ...]
    rejects: tuple[Reject, ...]
    customers: Mapping[str, Mapping[str, Any]]


def run(folder: Path, *more: str) -> int:
    return main([str(folder), "--posts", str(POSTS), "--addresses", str(ADDRESSES),
                 "--until", UNTIL, *more])  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("synth")
    assert run(folder) == 0
    with (folder / "posts.jsonl").open(encoding="utf-8") as lines:
        posts = tuple(json.loads(each) for each in lines)
    with (folder / "geo" / "Geo-synth.dat").open("rb") as file:
        rows = list(addresses(file))
    return Made(
        folder,
        posts,
        read_truth(folder / "truth" / "truth.jsonl"),
        tuple(each for each in rows if isinstance(each, Address)),
        tuple(each for each in rows if isinstance(each, Reject)),
        {each["customer_id"]: each for each in table(folder, "customers")},
    )


def table(folder: Path, name: str) -> Iterator[Mapping[str, Any]]:
    with closing(sqlite3.connect(folder / "crm.sqlite")) as crm:
        crm.row_factory = sqlite3.Row
        yield from map(dict, crm.execute(f"select * from {name}"))


def moment(post: Json) -> datetime:
    return datetime.fromisoformat(post["data"]["created_at"].replace("Z", "+00:00"))


# -- the files -----------------------------------------------------------------------------------


def test_the_same_options_make_the_same_files_and_another_seed_makes_others(
    made: Made, tmp_path: Path
) -> None:
    names = ["geo/Geo-synth.dat", "crm.sqlite", "posts.jsonl", "truth/truth.jsonl"]
    assert run(tmp_path / "again") == 0
    same, different, errors = filecmp.cmpfiles(
        made.folder, tmp_path / "again", names, shallow=False
    )
    assert (same, different, errors) == (names, [], [])
    assert run(tmp_path / "other", "--seed", "2") == 0
    _, different, _ = filecmp.cmpfiles(made.folder, tmp_path / "other", names, shallow=False)
    assert different == names


def test_a_second_run_into_a_folder_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert main([str(tmp_path), "--posts", "50", "--addresses", "300", "--seed", seed]) == 0
    truth = read_truth(tmp_path / "truth")
    lines = (tmp_path / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(each)["data"]["id"] for each in lines} == set(truth)
    assert len(truth) == 50


@pytest.mark.parametrize("sizes", [("1", "1"), ("3", "1"), ("1", "40")])
def test_the_smallest_sizes_make_a_whole(tmp_path: Path, sizes: tuple[str, str]) -> None:
    posts, rows = sizes
    assert main([str(tmp_path), "--posts", posts, "--addresses", rows]) == 0
    assert len(read_truth(tmp_path / "truth")) == int(posts)


# -- posts and their truth -----------------------------------------------------------------------


def test_every_post_has_its_truth_and_no_truth_is_of_no_post(made: Made) -> None:
    assert [each["data"]["id"] for each in made.posts] == list(made.truth)
    assert len(made.posts) == POSTS


def test_ids_and_times_go_up_to_the_time_asked_for(made: Made) -> None:
    ids, times = [int(each["data"]["id"]) for each in made.posts], list(map(moment, made.posts))
    last = datetime(2026, 3, 1, 18, tzinfo=timezone.utc)
    assert ids == sorted(set(ids))
    assert times == sorted(times)
    assert times[-1] == last
    assert last - timedelta(days=6) <= times[0] < last - timedelta(days=5)
    # An id holds its time, by which X's search goes.
    assert all(
        (id_ >> 22) + 1288834974657 == round(time.timestamp() * 1000)
        for id_, time in zip(ids, times, strict=True)
    )


def test_people_post_by_day() -> None:
    until = datetime(2026, 3, 1, 5, tzinfo=timezone.utc)  # midnight in Connecticut
    hours = Counter((each - timedelta(hours=5)).hour for each in moments(10_000, until, 4))
    assert sum(hours[hour] for hour in range(1, 6)) < sum(hours[hour] for hour in (12, 13)) < 2_000


def test_of_everything_that_is_promised_there_is_some(made: Made) -> None:
    told = made.truth.values()
    assert {each.lang for each in told} == {"en", "es", "fr"}
    assert {each.feeling for each in told} == {"positive", "neutral", "negative"}
    assert {topic for each in told for topic in each.topics} == {
        "complaint", "praise", "moving", "product_interest"
    }  # fmt: skip
    assert {each.kind for each in told} == {
        "original", "reply", "quote", "retweet", "duplicate", "edit"
    }  # fmt: skip
    assert {each.position for each in told} == {
        "point", "poi", "neighborhood", "city", "admin", "country", "none"
    }  # fmt: skip
    assert {each.category for each in told} == {
        "customer", "household_member", "prospect", "unknown"
    }  # fmt: skip
    for share in ("sarcastic", "about_money", "in_state"):
        assert {False, True} <= {getattr(each, share) for each in told}


def test_most_posts_become_messages_and_a_few_have_lost_their_author(made: Made) -> None:
    results = [message(each, "ct", "replay") for each in made.posts]
    refused = {each.reason for each in results if not isinstance(each, Message)}
    assert refused <= {"its author is not among the includes"}
    assert sum(isinstance(each, Message) for each in results) > 0.98 * POSTS


def test_a_kind_is_told_as_x_tells_it(made: Made) -> None:
    references = {"reply": "replied_to", "quote": "quoted", "retweet": "retweeted"}
    posts = {each["data"]["id"]: each["data"] for each in made.posts}
    for each in made.truth.values():
        data = posts[each.id]
        if each.kind == "original":
            assert "referenced_tweets" not in data
            assert each.of is None
            continue
        assert each.of in posts
        if each.kind in references and "referenced_tweets" in data:
            assert data["referenced_tweets"] == [{"type": references[each.kind], "id": each.of}]
        if each.kind == "retweet":
            assert data["text"].startswith("RT @")
            assert not ("referenced_tweets" in data and "geo" in data)  # X tells no place of these
        if each.kind == "edit":
            assert data["edit_history_tweet_ids"][-2:] == [each.of, each.id]
        if each.kind in ("edit", "duplicate"):
            assert data["author_id"] == posts[each.of]["author_id"]


def test_a_long_post_has_its_beginning_and_the_whole_apart(made: Made) -> None:
    long = [each for each in made.posts if "note_tweet" in each["data"]]
    assert 0 < len(long) < 0.04 * POSTS
    for each in long:
        begun, whole = (
            html.unescape(part["text"]) for part in (each["data"], each["data"]["note_tweet"])
        )
        assert len(begun) == 280 < len(whole)
        assert whole.startswith(begun[:-1])
    texts = [html.unescape(each["data"]["text"]) for each in made.posts]
    assert max(map(len, texts)) == 280


def test_the_truth_of_what_is_repeated_is_that_of_the_first(made: Made) -> None:
    for each in made.truth.values():
        if each.of and each.kind in ("retweet", "duplicate", "edit"):
            first = made.truth[each.of]
            assert (each.feeling, each.topics, each.lang) == (
                first.feeling,
                first.topics,
                first.lang,
            )


def test_positions_in_the_state_lie_there_and_the_others_do_not(made: Made) -> None:
    for each in made.posts:
        point = each["data"].get("geo", {}).get("coordinates", {}).get("coordinates")
        if point:
            inside = -73.8 < point[0] < -71.7 and 40.93 < point[1] < 42.1
            assert inside is made.truth[each["data"]["id"]].in_state


def test_the_producer_finds_most_that_is_about_money_and_here_and_nothing_else(made: Made) -> None:
    text = (Path(__file__).parents[2] / "pythonapp" / "ct.yaml").read_text(encoding="utf-8")
    whole = settings(text, "ct")
    asked = [parse(rule.value) for rule in rules(whole, 1024)]
    found = {
        each["data"]["id"]
        for each in made.posts
        if quadrant_of(each, [whole]) and any(rule.matches(facts(each)) for rule in asked)
    }
    told = made.truth.values()
    near = ("point", "poi", "neighborhood", "city")
    money = {each.id for each in told if each.about_money}
    here = {each.id for each in told if each.in_state and each.position in near}
    assert len(found & money & here) > 0.6 * len(money & here)
    assert len(found & money) > 0.98 * len(found)
    assert found <= here


def test_x_sends_them_when_it_is_asked(made: Made) -> None:
    query = {"tweet.fields": "author_id,geo,entities,referenced_tweets", "expansions": "author_id"}
    data, includes = chosen(made.posts, wanted(query))
    assert len(data) == POSTS
    assert len(includes["users"]) > 100


def test_sentences_of_a_long_text_end_before_the_next_one_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = tuple(map(texts.parse, ("no fees", "why?", "wow!", "so it goes.")))
    real = texts.read("en")
    short = replace(real, sections=dict.fromkeys(real.sections, lines))
    monkeypatch.setattr(texts, "read", lambda _: short)
    long = texts.say("en", about_money=True, chance=random.Random(1), length=4).text
    *ended, last = re.split(r"(?<=[.?!]) ", long)
    assert sorted([*ended, "no fees." if last == "no fees" else last]) == [
        "no fees.",
        "so it goes.",
        "why?",
        "wow!",
    ]


def test_of_what_is_not_about_money_no_sign_is_about_it(made: Made) -> None:
    for each in made.posts:
        if not made.truth[each["data"]["id"]].about_money:
            assert not set(each["data"]["text"]) & set("🚀💚💸📊🏦")


# -- people ----------------------------------------------------------------------------------------


def test_all_addresses_are_read_and_the_rows_that_are_none_are_refused(made: Made) -> None:
    assert len(made.homes) == ADDRESSES
    assert len(made.rejects) == ADDRESSES // 2_500


def test_the_crm_is_read_but_for_the_rows_that_are_no_good(made: Made) -> None:
    bad = Counter[str]()
    for kind in KINDS:
        for row in table(made.folder, kind.source):
            try:
                checked(kind, row)
            except BadRowError:
                bad[kind.source] += 1
    assert bad == {CUSTOMERS.source: 1, PORTFOLIOS.source: 3}
    assert HOUSEHOLDS.source not in bad


def test_a_customer_lives_at_an_address_of_the_file_or_deliberately_not(made: Made) -> None:
    keys = {each.key for each in made.homes}
    parts = ("number", "street", "unit", "city", "postcode")
    nowhere = 0
    for each in made.customers.values():
        if each["street"] and address_key(*(each[part] for part in parts)) not in keys:
            nowhere += 1
            assert each["street"].startswith("PO Box") or int(each["number"]) > 5_000
    assert 0.01 < nowhere / len(made.customers) < 0.1


def test_addresses_of_the_crm_are_often_written_otherwise(made: Made) -> None:
    written = {(each.number, each.street, each.unit, each.city) for each in made.homes}
    parts = ("number", "street", "unit", "city")
    same = sum(tuple(each[part] for part in parts) in written for each in made.customers.values())
    assert 0.5 < same / len(made.customers) < 0.8


def test_a_household_has_one_address_unless_somebody_has_moved(made: Made) -> None:
    parts = ("number", "street", "unit", "city", "postcode")
    homes: dict[str, list[str]] = {}
    for each in made.customers.values():
        if each["household_id"]:
            key = address_key(*(each[part] for part in parts))
            homes.setdefault(each["household_id"], []).append(key)
    several = [found for found in homes.values() if len(found) > 1]
    together = [found for found in several if len(set(found)) == 1]
    assert len(several) > 20
    assert 0.6 < len(together) / len(several) < 1
    families = {each["household_id"]: each["last_name"] for each in made.customers.values()}
    assert any(
        each["household_id"] and families[each["household_id"]] != each["last_name"]
        for each in made.customers.values()
    )


def test_some_are_called_alike_and_some_have_left(made: Made) -> None:
    names = Counter((each["first_name"], each["last_name"]) for each in made.customers.values())
    assert 0 < sum(count > 1 for count in names.values()) < 0.1 * len(names)
    left = [each for each in made.customers.values() if each["deleted"]]
    assert 0.01 < len(left) / len(made.customers) < 0.1
    handles = [each["handle"] for each in made.customers.values() if each["handle"]]
    assert 0.03 < len(handles) / len(made.customers) < 0.3


def test_the_truth_names_customers_of_the_crm_and_only_those_who_are_still_there(
    made: Made,
) -> None:
    for each in made.truth.values():
        named = (each.customer_id, *each.lives_with)
        assert all(not made.customers[who]["deleted"] for who in named if who)
        match each.category:
            case "customer":
                assert each.customer_id
            case "household_member":
                assert each.customer_id == each.lives_with[0]
            case _:
                assert named == (None,)


def test_a_handle_is_evidence_only_where_the_crm_has_it(made: Made) -> None:
    users = {each["data"]["id"]: each["includes"]["users"] for each in made.posts}
    for each in made.truth.values():
        if each.clue == "handle" and users[each.id] and each.customer_id:
            known = made.customers[each.customer_id]["handle"]
            assert known.lstrip("@").lower() == users[each.id][0]["username"].lower()


def test_user_names_are_what_x_takes_and_are_nobody_elses(made: Made) -> None:
    owners: dict[str, str] = {}
    for each in made.posts:
        for user in each["includes"]["users"]:
            assert 1 <= len(user["username"]) <= 15
            assert owners.setdefault(user["username"].lower(), user["id"]) == user["id"]


def test_a_line_of_truth_reads_as_what_was_written(made: Made) -> None:
    for each in list(made.truth.values())[:100]:
        assert read(line(each)) == each
