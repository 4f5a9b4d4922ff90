"""Kafka's side: what is read, what is committed, what is kept aside, and what is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import pytest
from confluent_kafka import KafkaError

from application.errors import BadInputError, RefusedError, UnreachableError
from application.kafka_message import Message, Partition, shortened
from application.records import Origin
from application.settings import KafkaSettings, kafka_settings
from application.source import DeadLetters, Source
from misc.engines import kafka
from tests.application.conftest import PARTITIONS, Topics
from tests.engines.waiting import free_port, until

PRODUCE, OFFSET_COMMIT = 0, 8
MESSAGE_TOO_LARGE, NOT_COORDINATOR = 10, 16


class Member:
    """A source that is read until it has what is wanted."""

    def __init__(self, settings: KafkaSettings, budget: float = 20) -> None:
        self.source = Source(settings, budget)
        self.owned: set[Partition] = set()
        self.read: list[Message] = []
        self.source.open(self._assigned, self._revoked)

    def _assigned(self, partitions: Iterable[Partition]) -> None:
        self.owned |= set(partitions)

    def _revoked(self, partitions: Iterable[Partition]) -> None:
        self.owned -= set(partitions)

    def look(self) -> None:
        self.read += self.source.poll(100, 0.1)

    def until_read(self, count: int) -> None:
        look_until(lambda: len(self.read) >= count, self)

    def next(self) -> dict[Partition, int]:
        return {each.partition: each.origin.offset + 1 for each in self.read}


def look_until(happened: Callable[[], object], *members: Member) -> None:
    def look() -> object:
        for member in members:
            member.look()
        return happened()

    until(look)


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_a_message_is_read_once_in_order_and_again_until_it_is_committed(
    topics: Topics, protocol: str
) -> None:
    settings = dataclasses.replace(topics.settings, properties={"group.protocol": protocol})
    topics.send((str(number).encode() for number in range(20)), key=b"k")
    first = Member(settings)
    first.until_read(20)
    assert [int(each.value or b"") for each in first.read] == list(range(20))
    assert {each.key for each in first.read} == {b"k"}
    assert first.read[0].headers == (("source", b"test"),)
    assert first.source.waiting() == 20
    [(partition, _)] = first.next().items()
    first.source.commit({partition: 15})
    assert first.source.waiting() == 5
    first.source.close()
    assert topics.committed() == 15


def test_what_was_not_committed_goes_to_the_next_member(topics: Topics) -> None:
    topics.send(b"x" for _ in range(40))
    first = Member(topics.settings)
    first.until_read(40)
    first.source.commit(dict.fromkeys(sorted(first.owned)[:1], 3))
    first.source.leave()
    second = Member(topics.settings)
    second.until_read(37)
    second.look()
    assert len(second.read) == 37
    second.source.close()


def test_partitions_move_to_a_member_that_joins_and_nothing_is_read_past(topics: Topics) -> None:
    first = Member(topics.settings)
    look_until(lambda: len(first.owned) == PARTITIONS, first)
    second = Member(topics.settings)
    look_until(lambda: len(second.owned) == PARTITIONS // 2, first, second)
    topics.send(str(number).encode() for number in range(40))
    look_until(lambda: len(first.read) + len(second.read) >= 40, first, second)
    assert not first.owned & second.owned
    values = [int(each.value or b"") for each in first.read + second.read]
    assert sorted(values) == list(range(40))
    first.source.commit(dict.fromkeys(first.owned | second.owned, 10))
    assert topics.committed() == 20, "of partitions that are not ours nothing is committed"
    first.source.close()
    second.source.close()


def test_a_member_that_rests_takes_nothing_and_goes_on_afterwards(topics: Topics) -> None:
    topics.send(b"x" for _ in range(8))
    member = Member(topics.settings)
    member.until_read(8)
    member.source.rest(0.1)
    topics.send(b"y" for _ in range(8))
    member.source.rest(0.5)
    member.until_read(16)
    assert sorted(each.value or b"" for each in member.read) == [b"x"] * 8 + [b"y"] * 8
    member.source.close()


def test_a_partition_that_went_while_the_member_rested_is_read_when_it_is_back(
    topics: Topics,
) -> None:
    """Whoever pauses has to resume: a partition stays paused over a rebalance."""
    stays = Member(topics.settings)
    topics.send(str(number).encode() for number in range(40))
    stays.until_read(40)
    stays.source.commit(stays.next())
    comes = Member(topics.settings)

    def rested_while_the_other_has_its_part() -> bool:
        stays.source.rest(0.1)
        comes.look()
        return len(comes.owned) > 0 and len(stays.owned | comes.owned) == PARTITIONS

    until(rested_while_the_other_has_its_part)
    stays.look()
    comes.source.leave()
    look_until(lambda: len(stays.owned) == PARTITIONS, stays)
    topics.send(str(number).encode() for number in range(40, 80))
    stays.until_read(80)
    stays.source.leave()


def test_a_commit_that_the_broker_did_not_take_goes_with_the_last(topics: Topics) -> None:
    topics.send(b"x" for _ in range(4))
    member = Member(topics.settings)
    member.until_read(4)
    topics.broker.refuse(OFFSET_COMMIT, [NOT_COORDINATOR])
    member.source.commit(member.next())
    member.source.close()
    assert topics.committed() == 4


@pytest.mark.parametrize(
    "error",
    [
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
    ],
)
def test_a_commit_that_was_refused_is_tried_again_while_the_partition_is_ours(
    topics: Topics, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    monkeypatch.setattr("application.source.AGAIN", 0)
    topics.send(b"x" for _ in range(4))
    member = Member(topics.settings)
    member.until_read(4)
    topics.broker.refuse(OFFSET_COMMIT, [error])
    member.source.commit(member.next())
    look_until(lambda: member.source.waiting() == 0, member)
    member.source.close()
    assert topics.committed() == 4


def test_what_waits_in_partitions_of_others_counts(topics: Topics) -> None:
    topics.send(b"x" for _ in range(40))
    other = Member(topics.settings)
    other.until_read(40)
    other.source.commit(dict.fromkeys(other.owned, 3))
    member = Member(topics.settings)
    assert not member.owned
    assert member.source.waiting() == 40 - 3 * PARTITIONS
    member.source.leave()
    other.source.leave()


def test_what_waits_is_unknown_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.source.COUNTING", 0.2)
    assert Source(KafkaSettings(f"127.0.0.1:{free_port()}")).waiting() is None


def test_dead_letters_come_as_they_were_with_reason_and_origin(topics: Topics) -> None:
    letters = DeadLetters(topics.settings, 20)
    letters.send([])
    origin = Origin(topics.topic, 2, 7)
    letters.send(
        [
            (
                Message(origin, b"\xff\x00", b"key", (("id", b"5"), ("none", None))),
                "not UTF-8: é",
            ),
            (Message(origin, None), "the message is empty"),
        ]
    )
    first, second = topics.dead_letters(2)
    assert (first.value(), first.key()) == (b"\xff\x00", b"key")
    headers = first.headers()
    assert headers[:2] == [("id", b"5"), ("none", None)]
    told = dict(headers[2:])
    assert told.pop("time").endswith(b"+00:00")
    assert told == {
        "reason": "not UTF-8: é".encode(),
        "origin.topic": topics.topic.encode(),
        "origin.partition": b"2",
        "origin.offset": b"7",
    }
    assert (second.value(), second.key()) == (None, None)


def test_dead_letters_that_nobody_took_are_an_error() -> None:
    settings = KafkaSettings(f"127.0.0.1:{free_port()}")
    with pytest.raises(UnreachableError, match="keeping what is no post"):
        DeadLetters(settings, 1).send([(Message(Origin("tweets", 0, 0), b"x"), "why")])


def test_a_dead_letter_that_is_too_large_for_its_topic_is_shortened(topics: Topics) -> None:
    topics.broker.refuse(PRODUCE, [MESSAGE_TOO_LARGE])
    origin = Origin(topics.topic, 2, 7)
    large = Message(origin, b"x" * 900_000, b"key", (("id", b"5"),))
    DeadLetters(topics.settings, 20).send([(large, "why")])
    [kept] = topics.dead_letters(1)
    assert (kept.value(), kept.key()) == (b"x" * 100_000, b"key")
    told = dict(kept.headers())
    assert (told["truncated"], told["size"]) == (b"true", b"900000")
    assert (told["id"], told["reason"], told["origin.offset"]) == (b"5", b"why", b"7")


def test_headers_that_are_too_large_are_left_out_of_a_shortened_letter() -> None:
    short = shortened(Message(Origin("t", 0, 0), None, None, (("id", b"x" * 900_000),)), "why")
    assert (short.value, short.key) == (b"", None)
    assert "id" not in dict(short.headers)


def test_a_dead_letter_that_is_too_large_even_then_is_refused(topics: Topics) -> None:
    topics.broker.refuse(PRODUCE, [MESSAGE_TOO_LARGE] * 2)
    with pytest.raises(RefusedError, match=r"max\.message\.bytes"):
        DeadLetters(topics.settings, 20).send([(Message(Origin("t", 0, 0), b"x"), "why")])


@pytest.mark.parametrize("missing", ["KAFKA_TOPIC", "KAFKA_DEAD_LETTER_TOPIC"])
def test_a_missing_topic_is_refused(topics: Topics, missing: str) -> None:
    settings = kafka_settings(topics.environment | {missing: "nowhere"})
    with pytest.raises(RefusedError, match=r"looking for topic nowhere.*create the topic"):
        Member(settings)


def test_a_broker_that_is_not_there_is_given_up_after_the_budget() -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1\).*no answer within 1 s"):
        Member(KafkaSettings("127.0.0.1:1"), budget=1)


def test_a_broker_that_went_away_is_given_up_after_the_budget() -> None:
    with kafka.broker({"tweets": 1, "tweets-dead-letters": 1}) as broker:
        bootstrap = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
        member = Member(KafkaSettings(bootstrap, properties={"group.protocol": "consumer"}), 1)
        look_until(lambda: member.owned, member)
        broker.down()
        with pytest.raises(UnreachableError, match="reading topic tweets: no answer"):
            look_until(lambda: False, member)


def test_a_broker_that_comes_back_in_time_is_read_on() -> None:
    with kafka.broker({"tweets": PARTITIONS, "tweets-dead-letters": 1}) as broker:
        topics = Topics(broker, "tweets")
        settings = dataclasses.replace(topics.settings, dead_letter_topic="tweets-dead-letters")
        member = Member(settings, 60)
        look_until(lambda: member.owned, member)
        broker.down()
        member.look()
        broker.up()
        topics.send([b"x"])
        member.until_read(1)
        member.source.close()


def test_a_property_that_is_none_is_told(topics: Topics) -> None:
    settings = dataclasses.replace(topics.settings, properties={"group.protocoll": "x"})
    with pytest.raises(BadInputError, match=r"KAFKA_PROPERTIES: .*group\.protocoll"):
        Source(settings)
