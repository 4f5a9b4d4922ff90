"""Where the parts meet: caps hold from post to post, and the index is renewed beside the work."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.action import Recent
from application.addresses import Index, index
from application.decide import RECENT, Decider, Knowledge, Renewal, learn
from application.errors import UnreachableError
from application.message import Poison, Reading, read
from application.records import Decision, Origin
from tests.application.conftest import Lake
from tests.application.messages import message

COMPLAINT = "Worst service ever: my advisor lost my papers and nobody answers. I am furious!"


class Earlier:
    """A lake that knows these actions."""

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self._rows = list(rows)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        assert sql == RECENT
        return self._rows


def ann() -> Index:
    """Return an index of one customer who is known by her handle."""
    texts = ("CUSTOMER_ID", "FIRST_NAME", "LAST_NAME", "HANDLE", "ADDRESS_KEY", "HOUSEHOLD_ID",
             "CITY", "POSTCODE")  # fmt: skip
    values = ("c1", "Ann", "Smith", "ann", "12|ELM ST||HARTFORD|06103", None, "HARTFORD", "06103")
    return index(
        pa.table(
            {
                "ADDRESS_ID": ["a1"],
                "LON": [-72.68],
                "LAT": [41.76],
                "ADDRESS_KEY": ["12|ELM ST||HARTFORD|06103"],
            }
        ),
        pa.table(
            {
                name: pa.array([value], pa.string())
                for name, value in zip(texts, values, strict=True)
            }
            | {"CONTACT_CONSENT": [True], "MARKETING_CONSENT": [True]}
        ),
        pa.table({"CUSTOMER_ID": ["c1"], "PRODUCT": ["brokerage"]}),
    )


def decider(*earlier: tuple[Any, ...], renewal: Renewal | None = None) -> Decider:
    known = ann()
    never = Renewal(lambda: Knowledge(known, {}), 1e9, print)
    made = Decider(known, renewal or never, Earlier(*earlier))
    made.recall()
    return made


def complaint(number: int, day: int = 1) -> tuple[Reading, Origin]:
    value = message(number, text=COMPLAINT, created_at=f"2026-03-{day:02}T12:00:00Z")
    return read(value), Origin("tweets", 0, number)


def kinds(decisions: Sequence[Decision]) -> list[list[str]]:
    return [[action.kind for action in each.actions] for each in decisions]


def test_a_cap_holds_within_a_batch_and_from_batch_to_batch() -> None:
    decide = decider()
    first, second = kinds(decide([complaint(1), complaint(2)]))
    [third] = kinds(decide([complaint(3)]))
    assert "service_call" in first
    assert "service_call" not in second + third


def test_a_post_that_comes_again_is_decided_on_as_before() -> None:
    decide = decider()
    once = kinds(decide([complaint(1)]))
    assert kinds(decide([complaint(1)])) == once


def test_what_the_lake_knows_counts() -> None:
    [(found, _, _)] = [
        (action.subject, action.product, each)
        for each in decider()([complaint(1)])
        for action in each.actions
        if action.kind == "service_call"
    ]
    earlier = ("service_call", found, None, datetime(2026, 3, 1, 9), "99")
    assert "service_call" not in kinds(decider(earlier)([complaint(1)]))[0]
    by_itself = (*earlier[:4], "1")
    assert "service_call" in kinds(decider(by_itself)([complaint(1)]))[0]


def test_the_lake_tells_the_latest_actions_whose_caps_have_not_run_out(lake: Lake) -> None:
    decide = decider()
    lake.warehouse.merge(decide([complaint(1, day=1), complaint(2, day=20), complaint(3, day=21)]))
    rows = lake.warehouse.run(RECENT)
    calls = [row for row in rows if row[0] == "service_call"]
    assert [(row[3], row[4]) for row in calls] == [(datetime(2026, 3, 20, 12), "2")]


def test_what_a_view_hides_was_decided_on_too(lake: Lake) -> None:
    # Ann is no customer of this lake's, so that her calls are not shown.
    lake.warehouse.merge(decider()([complaint(1)]))
    assert lake.warehouse.run("select * from ACTIONS where KIND = 'service_call'") == []
    assert "service_call" in [row[0] for row in lake.warehouse.run(RECENT)]


class Given(Renewal):
    """Tells these one after the other, then nothing more."""

    def __init__(self, *fresh: Knowledge | None) -> None:
        self._rest = list(fresh)

    def take(self) -> Knowledge | None:
        return self._rest.pop(0) if self._rest else None


def test_two_consumers_learn_from_each_other_without_new_partitions() -> None:
    there: Recent = {
        ("service_call", "c1", None): (datetime(2026, 3, 1, 9, tzinfo=timezone.utc), "99")
    }
    decide = decider(renewal=Given(Knowledge(ann(), there)))
    assert "service_call" not in kinds(decide([complaint(1)]))[0]


def test_what_was_just_decided_on_outlasts_what_the_lake_did_not_know_yet() -> None:
    before: Recent = {
        ("service_call", "c1", None): (datetime(2026, 2, 1, tzinfo=timezone.utc), "99")
    }
    decide = decider(renewal=Given(None, Knowledge(ann(), before)))
    assert "service_call" in kinds(decide([complaint(1)]))[0]
    assert "service_call" not in kinds(decide([complaint(2)]))[0]


def test_index_and_actions_are_learnt_together(lake: Lake) -> None:
    lake.warehouse.merge(decider()([complaint(1)]))
    known = learn(lake.warehouse)
    assert known.recent["service_call", "c1", None][1] == "1"
    assert len(known.index.customers) == 0


def test_a_post_from_the_future_does_not_end_the_caps_of_the_others(lake: Lake) -> None:
    now = datetime.now(timezone.utc)
    today = read(message(1, text=COMPLAINT, created_at=now.strftime("%Y-%m-%dT%H:%M:%SZ")))
    ahead = read(message(2, text="a", created_at="2199-01-01T00:00:00Z"))
    origin = Origin("tweets", 0, 0)
    lake.warehouse.merge(decider()([(today, origin), (ahead, origin)]))
    assert "1" in [row[4] for row in lake.warehouse.run(RECENT)]


def test_the_index_is_swapped_when_a_new_one_has_come() -> None:
    begin, loaded = threading.Event(), Knowledge(ann(), {})
    time = [0.0]

    def load() -> Knowledge:
        assert begin.wait(30)
        return loaded

    renewal = Renewal(load, 900, print, lambda: time[0])
    assert renewal.take() is None
    time[0] = 900
    assert renewal.take() is None, "it is being loaded"
    begin.set()
    taken = None
    while taken is None:
        taken = renewal.take()
    assert taken is loaded
    assert renewal.take() is None


def test_an_index_that_cannot_be_loaded_leaves_the_old_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = threading.Event()

    def load() -> Knowledge:
        raise UnreachableError("no answer")

    def note(text: str) -> None:
        print(text)
        told.set()

    renewal = Renewal(load, 0, note)
    renewal.take()
    assert told.wait(30)
    assert renewal.take() is None
    assert capsys.readouterr().out.startswith("the index stays as it is: no answer\n")


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    [COMPLAINT, "Ann", "ann smith", "Dr. A. Smith-Jones III", "Nos mudamos ¡ya!", "😡😡", "@ann #x"]
)
POSITIONS = st.none() | st.builds(
    lambda lon, lat: {"kind": "point", "lon": lon, "lat": lat},
    st.floats(-180, 180) | st.floats(-72.69, -72.67),
    st.floats(-90, 90) | st.floats(41.75, 41.77),
)


@given(WORDS, st.sampled_from(["en", "es", "fr", "und", "ja"]), WORDS, WORDS, WORDS, POSITIONS)
def test_there_is_a_decision_on_whatever_is_a_post(
    text: str, lang: str, user: str, name: str, home: str, position: dict[str, Any] | None
) -> None:
    author = {"id": "7", "username": user, "name": name, "location": home}
    value = message(1, text=text, lang=lang, author=author, position=position)
    try:
        reading = read(value)
    except Poison:
        return
    [made] = decider()([(reading, Origin("tweets", 0, 1))])
    assert made.post.id == "1"
