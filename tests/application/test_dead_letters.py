"""Dead letters: each on the topic at the start is in the lake once, whatever happens on the way."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from application.dead_letters import BATCH, HEADER, HEADERS, RECORD, batches, bring, main, row, text
from application.errors import RefusedError, UnreachableError
from application.kafka_message import Message, Partition, letter, shortened
from application.records import Origin
from application.source import DeadLetters
from misc.engines import kafka
from tests.application.conftest import Lake, Topics
from tests.application.loading import Faulty, Twice, assert_one_clear_line, called
from tests.engines.waiting import free_port

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
ZERO: Partition = ("dead", 0)
COLUMNS = "TOPIC, PARTITION, KAFKA_OFFSET, PUBLISHED_AT, REASON, ORIGIN, RECORD, LOADED_AT"


def message(offset: int, value: bytes | None = b"x", at: datetime | None = NOON) -> Message:
    return Message(Origin(*ZERO, offset, at), value, headers=(("reason", b"why"),))


@dataclass
class Letters:
    """A topic with one partition, its group, and what a run does to it."""

    kept: list[Message] = field(default_factory=list)
    committed: int = 0
    silent: bool = False
    come_later: deque[Message] = field(default_factory=deque)
    end: str = ""
    _next: int = 0

    def open_alone(self) -> None:
        self._next = self.committed

    def ends(self) -> dict[Partition, int]:
        return {ZERO: len(self.kept)}

    def waiting(self, until: Mapping[Partition, int]) -> int:
        return max(0, until[ZERO] - self.committed)

    def poll(self, most: int, _timeout: float) -> list[Message]:
        self.kept += self.come_later
        self.come_later.clear()
        found = [] if self.silent else self.kept[self._next : self._next + most]
        self._next += len(found)
        return found

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.committed = offsets[ZERO]

    def close(self) -> None:
        self.end = "closed"

    def leave(self) -> None:
        self.end = "left"


@dataclass
class Rows:
    """A lake that keeps the batches that it is told to merge."""

    batches: list[list[dict[str, Any]]] = field(default_factory=list)

    def run(self, _sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        [batch] = values
        self.batches.append([row for part in json.loads(str(batch)) for row in part])
        return []

    @property
    def offsets(self) -> list[int]:
        return [row["offset"] for batch in self.batches for row in batch]


# The story


def test_all_that_was_there_at_the_start_is_brought_in_batches_and_committed() -> None:
    letters, lake = Letters([message(number) for number in range(2 * BATCH + 1)], 1), Rows()
    assert bring(letters, lake, 9) == 2 * BATCH
    assert lake.offsets == list(range(1, 2 * BATCH + 1))
    assert [len(batch) for batch in lake.batches] == [BATCH, BATCH]
    assert (letters.committed, letters.end) == (2 * BATCH + 1, "closed")


def test_what_comes_while_it_runs_is_left_to_the_next_run() -> None:
    letters, lake = Letters([message(0)], come_later=deque([message(1)])), Rows()
    assert bring(letters, lake, 9) == 1
    assert (lake.offsets, letters.committed) == ([0], 1)
    assert bring(letters, lake, 9) == 1
    assert (lake.offsets, letters.committed) == ([0, 1], 2)


def test_where_nothing_is_left_nothing_is_asked_of_the_lake() -> None:
    letters, lake = Letters([message(0)], committed=1), Rows()
    assert bring(letters, lake, 9) == 0
    assert (lake.batches, letters.end) == ([], "closed")


def test_nothing_is_committed_that_the_lake_refused_and_the_group_is_left() -> None:
    letters = Letters([message(0)])
    with pytest.raises(RefusedError):
        bring(letters, Faulty(Rows(), 1), 9)
    assert (letters.committed, letters.end) == (0, "left")


def test_a_topic_that_gives_nothing_of_what_waits_is_given_up() -> None:
    letters = Letters([message(0)], silent=True)
    with pytest.raises(UnreachableError, match=r"no dead letter for .* and 1 wait"):
        bring(letters, Rows(), 0)
    assert letters.end == "left"


def test_a_stop_ends_it_between_two_batches_and_keeps_what_was_brought() -> None:
    letters, lake = Letters([message(number) for number in range(BATCH + 1)]), Rows()
    assert bring(letters, lake, 9, stop=lambda: bool(lake.batches)) == BATCH
    assert (letters.committed, letters.end) == (BATCH, "closed")


# What is kept of a letter


def test_a_letter_of_the_consumer_tells_where_the_message_itself_was() -> None:
    source = Message(Origin("tweets", 2, 7), b"rubbish", b"key", (("id", b"5"), ("reason", b"old")))
    made = letter(source, "no JSON")
    kept = row(Message(Origin("dead", 0, 3, NOON), made.value, made.key, made.headers))
    time = kept["origin"].pop("time")
    assert datetime.fromisoformat(time).tzinfo is not None
    assert kept == {
        "topic": "dead",
        "partition": 0,
        "offset": 3,
        "published_at": "2026-03-01 12:00:00.000000",
        "reason": "no JSON",
        "origin": {"id": "5", "topic": "tweets", "partition": "2", "offset": "7"},
        "record": "rubbish",
    }


def test_a_letter_of_the_producer_tells_its_stage_and_source() -> None:
    headers = (("reason", b"no id"), ("stage", b"producer"), ("source", b"replay"), ("none", None))
    kept = row(Message(Origin("dead", 0, 3), b"", None, headers))
    assert kept["origin"] == {"stage": "producer", "source": "replay", "none": None}
    assert (kept["reason"], kept["record"], kept["published_at"]) == ("no id", "", None)


def test_a_shortened_letter_says_how_large_the_value_was() -> None:
    made = shortened(Message(Origin("tweets", 2, 7), b"x" * 900_000), "too large")
    kept = row(made)
    assert (kept["origin"]["truncated"], kept["origin"]["size"]) == ("true", "900000")
    assert kept["record"] == "x" * RECORD


def test_letters_that_are_as_large_as_anybody_can_write_them_are_merged_by_few() -> None:
    wild = tuple((f"{number}{'n' * 9_000}", "😀".encode() * 9_000) for number in range(HEADERS))
    kept = row(Message(Origin(*ZERO, 0), "😀".encode() * 9_000, headers=wild))
    assert len(kept["origin"]) == HEADERS
    assert {len(name) for name in kept["origin"]} == {HEADER}
    texts = list(batches([kept] * BATCH))
    assert all(len(each) <= 8_000_000 for each in texts)  # half of what Snowflake takes
    assert sum(len(some) for each in texts for some in json.loads(each)) == BATCH


@given(st.lists(st.text("ab", max_size=9).map(lambda text: {"record": text})), st.integers(1, 99))
def test_every_letter_is_in_one_text_and_in_its_order(
    rows: list[dict[str, str]], most: int
) -> None:
    texts = [json.loads(each) for each in batches(rows, most)]
    assert [each for some in texts for each in itertools.chain(*some)] == rows


def test_of_many_headers_the_last_are_kept() -> None:
    many = tuple((f"h{number}", b"x" * 9_000) for number in range(1_000))
    kept = row(letter(Message(Origin("tweets", 2, 7), b"x", None, many), "why"))
    assert (kept["reason"], kept["origin"]["offset"]) == ("why", "7")
    assert len(kept["origin"]) < HEADERS
    assert "h999" in kept["origin"]
    assert len(json.dumps(kept)) < 50_000


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"\xff\xfe{}", "\ufffd\ufffd{}", id="no UTF-8"),
        pytest.param(b"a\0b", "a\ufffdb", id="NUL, which Snowflake cannot read"),
        pytest.param("é😀".encode() * 9, "é😀é😀é", id="cut between two characters"),
        pytest.param("😀".encode() * 9, "😀" * 5, id="cut where all are long"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_a_value_is_kept_as_text_whatever_it_is(content: bytes, found: str) -> None:
    assert text(content, 5) == found


# On the embedded engines


@pytest.fixture
def empty(lake: Lake) -> None:
    lake.warehouse.run("delete from DEAD_LETTERS")


@pytest.fixture
def letters(topics: Topics) -> DeadLetters:
    return DeadLetters(topics.settings, 20)


def poison(topics: Topics, *values: bytes | None) -> list[tuple[Message, str]]:
    return [
        (Message(Origin(topics.topic, 2, number), value, b"key"), f"reason {number}")
        for number, value in enumerate(values)
    ]


def run(lake: Lake, topics: Topics, *options: str, **changes: str) -> tuple[int, str]:
    environment = lake.environment | topics.environment | changes
    ended = called(main, *options, environment=environment)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def in_the_lake(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.warehouse.run(f"select {COLUMNS} from DEAD_LETTERS order by KAFKA_OFFSET")


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_the_command_brings_each_letter_once_and_goes_on_where_it_ended(
    lake: Lake, topics: Topics, letters: DeadLetters, protocol: str
) -> None:
    topic = f"{topics.topic}-dead"
    properties = {"KAFKA_PROPERTIES": f"group.protocol={protocol}"}
    letters.send(poison(topics, b"\xff\x00", None, b'{"id": 1}'))
    told = f"dead letters of {topic} brought to DEAD_LETTERS\n"
    assert run(lake, topics, **properties) == (0, f"dead_letters: 3 {told}")
    first, second, third = in_the_lake(lake)
    assert first[:3] == (topic, 0, 0)
    assert (first[4], first[6]) == ("reason 0", "\ufffd\ufffd")
    assert (second[4], second[6]) == ("reason 1", None)
    assert third[6] == '{"id": 1}'
    assert json.loads(third[5])["topic"] == topics.topic
    assert json.loads(third[5])["offset"] == "2"
    # Kafka's time and the lake's are of the same minute: the test's own.
    assert all(abs(each[7] - each[3]) < timedelta(minutes=5) for each in (first, second, third))
    if protocol == "consumer":  # the embedded broker forgets a classic group with its last member
        assert run(lake, topics, **properties) == (0, f"dead_letters: 0 {told}")
        letters.send(poison(topics, b"later"))
        assert run(lake, topics, **properties) == (0, f"dead_letters: 1 {told}")
    assert len(in_the_lake(lake)) == 3 + (protocol == "consumer")


@pytest.mark.usefixtures("empty")
def test_what_is_read_again_or_merged_twice_is_one_row(
    lake: Lake, topics: Topics, letters: DeadLetters
) -> None:
    letters.send(poison(topics, b"a", b"b"))
    for group in ("one", "two"):
        assert run(lake, topics, KAFKA_GROUP=f"{topics.topic}-{group}")[0] == 0
    assert len(in_the_lake(lake)) == 2
    bring(Letters([message(0), message(1, at=None)]), Twice(lake.warehouse), 9)
    assert len(in_the_lake(lake)) == 4


@pytest.mark.usefixtures("empty")
def test_a_letter_of_a_topic_that_was_made_anew_is_another_one(lake: Lake) -> None:
    for at in (NOON, NOON + timedelta(hours=1), NOON):
        bring(Letters([message(0, at=at)]), lake.warehouse, 9)
    assert [(each[2], each[3].hour) for each in in_the_lake(lake)] in (
        [(0, 12), (0, 13)],
        [(0, 13), (0, 12)],
    )


@pytest.mark.usefixtures("empty")
def test_a_topic_that_ends_before_what_is_committed_is_read_from_its_beginning(
    lake: Lake, topics: Topics, letters: DeadLetters
) -> None:
    letters.send(poison(topics, b"a", b"b"))
    group = {
        "bootstrap.servers": topics.settings.bootstrap_servers,
        "group.id": f"{topics.settings.group}-dead_letters",
        "log_level": 0,
    }
    stale = TopicPartition(f"{topics.topic}-dead", 0, 9)
    with Consumer(group) as client:
        client.commit(offsets=[stale], asynchronous=False)
    assert run(lake, topics)[0] == 0
    assert len(in_the_lake(lake)) == 2


@pytest.mark.usefixtures("empty")
def test_a_time_that_no_calendar_has_is_left_out(lake: Lake, topics: Topics) -> None:
    producer = Producer({"bootstrap.servers": topics.settings.bootstrap_servers, "log_level": 0})
    producer.produce(f"{topics.topic}-dead", value=b"x", timestamp=300_000_000_000_000)
    assert producer.flush(20) == 0
    assert run(lake, topics)[0] == 0
    # Asked there: the embedded warehouse hands out a time for none.
    assert lake.warehouse.run("select PUBLISHED_AT is null from DEAD_LETTERS") == [(True,)]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        pytest.param({"KAFKA_BOOTSTRAP_SERVERS": ""}, 2, "KAFKA_BOOTSTRAP_SERVERS", id="setting"),
        pytest.param({"KAFKA_DEAD_LETTER_TOPIC": "nowhere"}, 4, "topic nowhere", id="no topic"),
        pytest.param({"SNOWFLAKE_PASSWORD": "wrong"}, 4, "Snowflake", id="wrong password"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    lake: Lake, topics: Topics, changes: dict[str, str], code: int, words: str
) -> None:
    ended = called(main, environment=lake.environment | topics.environment | changes)
    assert_one_clear_line(ended, "dead_letters: error: ", words)
    assert ended.returncode == code


@pytest.mark.parametrize(
    ("api_key", "error", "words"),
    [
        pytest.param(1, KafkaError.TOPIC_AUTHORIZATION_FAILED, "Topic authorization", id="read"),
        pytest.param(9, KafkaError.GROUP_AUTHORIZATION_FAILED, "Group authorization", id="group"),
    ],
)
def test_a_user_who_may_not_is_told_at_once_however_patient_it_is(
    lake: Lake, api_key: int, error: int, words: str
) -> None:
    with kafka.broker({"t": 1, "t-dead": 1}) as broker:
        refused = Topics(broker, "t")
        DeadLetters(refused.settings, 20).send(poison(refused, b"x"))
        broker.refuse(api_key, [error] * 200)
        code, told = run(lake, refused, "--patience", "600")
    assert code == 4
    assert words in told
    assert told.count("\n") == 1


def test_an_engine_that_is_away_is_waited_for_as_long_as_it_is_told(
    lake: Lake, topics: Topics
) -> None:
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    ended = called(
        main, "--patience", "1", environment=lake.environment | topics.environment | away
    )
    assert_one_clear_line(ended, "no answer within 1 s")
    assert ended.returncode == 3


@pytest.mark.parametrize("words", [("--patience", "0"), ("--patience", "x"), ("--nonsense",)])
def test_an_option_that_is_none_is_bad_input(words: tuple[str, ...]) -> None:
    ended = called(main, *words, environment={})
    assert_one_clear_line(ended, "dead_letters: error: ")
    assert ended.returncode == 2
