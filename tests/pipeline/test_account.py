"""The account finds whatever does not add up: a proof is worth what its check would catch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline import posts
from tests.pipeline.account import Books, Shown, faults
from tests.pipeline.topics import Letter

NOON = datetime(2026, 3, 1, 12)
MALFORMED = b'{"data": {"text": "malformed-7'


def letter(key: bytes, value: bytes, **headers: bytes) -> Letter:
    return Letter(key, value, headers, 0, 0)


def origin(offset: int) -> Mapping[str, bytes]:
    return {"origin.topic": b"t", "origin.partition": b"0", "origin.offset": b"%d" % offset}


REFUSED = letter(b"ctne", MALFORMED + b"\n", stage=b"producer", reason=b"no JSON")
KEPT = letter(b"poison-0", b"[", reason=b"no object", **origin(4))
OFFER = Shown("1", 0, "offer", "c1", "bonds", 30, NOON)
BOOKS = Books(
    accepted=frozenset({"1", "2"}),
    malformed=frozenset({b"malformed-7"}),
    poison={b"poison-0": b"["},
    rows=("2", "1"),
    letters=(REFUSED, KEPT),
    actions=(OFFER, replace(OFFER, post="2", posted_at=NOON + timedelta(days=30))),
)


def test_books_that_add_up_have_no_fault() -> None:
    assert faults(BOOKS) == []


def test_a_dead_letter_may_be_kept_again_after_a_crash() -> None:
    assert faults(replace(BOOKS, letters=(REFUSED, KEPT, KEPT, REFUSED))) == []


@pytest.mark.parametrize(
    ("books", "fault"),
    [
        pytest.param(replace(BOOKS, rows=("1",)), "1 posts are lost, such as 2", id="lost"),
        pytest.param(
            replace(BOOKS, rows=("1", "2", "2")), "1 posts are in the lake twice", id="twice"
        ),
        pytest.param(replace(BOOKS, rows=("1", "2", "3")), "1 rows are of no post", id="made up"),
        pytest.param(replace(BOOKS, letters=(REFUSED,)), "1 poison messages are lost", id="gone"),
        pytest.param(replace(BOOKS, letters=(KEPT,)), "1 malformed posts are lost", id="spoilt"),
        pytest.param(
            replace(BOOKS, letters=(REFUSED, replace(KEPT, value=b"{"))),
            "1 dead letters are not as they came, such as poison-0",
            id="changed",
        ),
        pytest.param(
            replace(BOOKS, letters=(REFUSED, replace(KEPT, headers=origin(4)))),
            "1 dead letters have no reason or no origin",
            id="no reason",
        ),
        pytest.param(
            replace(BOOKS, letters=(REFUSED, replace(KEPT, headers={"reason": b"bad"}))),
            "1 dead letters have no reason or no origin",
            id="no origin",
        ),
        pytest.param(
            replace(
                BOOKS,
                letters=(
                    REFUSED,
                    KEPT,
                    replace(KEPT, headers={"reason": b"bad", **origin(5)}),
                ),
            ),
            "1 poison messages have two origins",
            id="two origins",
        ),
        pytest.param(
            replace(BOOKS, letters=(*BOOKS.letters, replace(KEPT, key=b"1"))),
            "1 dead letters are of no poison message, such as 1",
            id="a post among them",
        ),
        pytest.param(
            replace(BOOKS, letters=(*BOOKS.letters, replace(REFUSED, value=b"good"))),
            "1 dead letters of the producers are of nothing that went in",
            id="a good line among them",
        ),
        pytest.param(
            replace(BOOKS, actions=(OFFER, OFFER)), "1 actions are shown twice", id="action twice"
        ),
        pytest.param(
            replace(BOOKS, actions=(OFFER, replace(OFFER, post="2"))),
            "1 actions come before their cap allows",
            id="capped",
        ),
    ],
)
def test_what_does_not_add_up_is_said(books: Books, fault: str) -> None:
    said = faults(books)
    assert any(each.startswith(fault) for each in said), said


@settings(deadline=None)  # how fast it is depends on the machine
@given(st.frozensets(st.sampled_from("123456789"), min_size=1), st.data())
def test_rows_add_up_only_when_each_post_is_there_once(
    accepted: frozenset[str], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.sampled_from("123456789")))
    books = Books(accepted, frozenset(), {}, rows, (), ())
    assert (faults(books) == []) == (sorted(rows) == sorted(accepted))


def test_what_is_written_is_what_is_expected(tmp_path: Path) -> None:
    made = posts.write(tmp_path, 2_000, seed=5)
    lines = [line for path in made.files.values() for line in path.read_bytes().splitlines()]
    spoilt = {line for line in lines if posts.MARK.search(line)}
    good = [json.loads(line)["data"]["id"] for line in lines if line not in spoilt]
    assert len(made.accepted) == 2_000
    assert set(good) == made.accepted
    assert len(good) > 2_000  # some stand in two files
    assert len(spoilt) == len(made.malformed) > 0
    assert len(posts.poison(50, seed=5)) == 50
