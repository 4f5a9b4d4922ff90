"""Kafka: where posts are read, and where what is none is kept aside.

Offsets are committed by hand, after the lake has what they stand for. A partition's messages come
in order and, within one ownership, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

from confluent_kafka import (
    OFFSET_STORED,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)

from application.errors import BadInputError, RefusedError, UnreachableError
from application.kafka_errors import ABSENT, REFUSED, TOO_LARGE, advice, line
from application.kafka_message import Message, Partition, letter, shortened
from application.leaving import leave
from application.properties import for_consumer, for_producer
from application.records import Origin
from application.settings import KafkaSettings
from application.stopping import Patience

# Seconds to give a broker that does not answer, and one that does not know a topic yet.
BUDGET = 60.0
NEW_TOPIC = 3.0
# Seconds between two tries to commit, and those that counting what waits may take.
AGAIN = 1.0
COUNTING = 5.0
# Seconds that giving back the partitions may take: it asks nobody but librdkafka.
SETTLING = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NEVER = 253_402_300_800_000  # the year 10000, in milliseconds


class Source:
    """A member of the consumer group.

    Raise RefusedError and UnreachableError, each in one line.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        budget: float = BUDGET,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._stop = stop
        self._assigned: Callable[[frozenset[Partition]], None] = lambda _: None
        self._revoked: Callable[[frozenset[Partition]], None] = lambda _: None
        self._joined = False
        self._owned: set[Partition] = set()
        self._next: dict[Partition, int] = {}
        self._due: dict[Partition, int] = {}
        self._tried = 0.0
        self._strays: list[Message] = []
        self._paused: set[Partition] = set()
        self._trouble: KafkaError | None = None
        self._silent_since: float | None = None
        self._consumer = _client(Consumer, for_consumer(settings) | {"error_cb": self._note})

    def open(
        self,
        assigned: Callable[[frozenset[Partition]], None],
        revoked: Callable[[frozenset[Partition]], None],
    ) -> None:
        """Join the group, once the broker is known to have both topics.

        revoked is called before partitions go to another consumer, which may still commit, and
        with those that were lost without asking, for which it is too late. Both are called from
        within poll, rest, close and leave.
        """
        for topic in (self._settings.topic, self._settings.dead_letter_topic):
            self._check_topic(topic)
        self._assigned, self._revoked, self._joined = assigned, revoked, True
        self._consumer.subscribe(
            [self._settings.topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def open_alone(self) -> None:
        """Read all partitions from the group's commits on, as its only reader, without joining it.

        There is nobody to share with or to wait for, and nothing to leave: librdkafka may hang
        where a member leaves that has just joined.
        """
        self._check_topic(self._settings.topic)
        partitions = [TopicPartition(*each, OFFSET_STORED) for each in sorted(self.ends())]
        self._on_assign(None, partitions)
        self._consumer.assign(partitions)

    def poll(self, most: int, timeout: float) -> list[Message]:
        """Return what came within timeout seconds, at most so many messages."""
        if time.monotonic() - self._tried >= AGAIN:
            self._commit()
        self._resume(self._paused)
        strays, self._strays = self._strays[:most], self._strays[most:]
        if len(strays) < most:
            strays += self._read(most - len(strays), timeout)
        return [each for each in strays if each.partition in self._owned]

    def rest(self, timeout: float) -> None:
        """Stay in the group for timeout seconds without taking messages.

        A member that does not ask for messages for max.poll.interval.ms is shut out. What was
        assigned and has not sent anything yet is not paused: librdkafka can lose an assignment
        that a pause follows at once (its issues 2190 and 5591).
        """
        flowing = self._owned.intersection(self._next) - self._paused
        if flowing:
            self._consumer.pause(_topic_partitions(flowing))
            self._paused |= flowing
        self._strays += self._read(1, timeout)

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit what comes next in each partition that is still ours.

        What the broker does not take is tried again from poll, and by close.
        """
        self._due.update({each: offsets[each] for each in offsets if each in self._owned})
        self._commit()

    def close(self) -> None:
        """Commit what is due, within the budget, and leave the group."""
        patience = Patience(self._budget, self._stop)
        try:
            while not self._commit():
                if patience.left() < 0:
                    self._unreachable("committing what the lake has", patience.waited())
                # Here it is heard when a partition, and with it its commit, went to another.
                self.rest(0.5)
        finally:
            self._depart()

    def leave(self) -> None:
        """Leave the group without committing."""
        self._due.clear()
        self._depart()

    def _depart(self) -> None:
        """Give back what was assigned, then close.

        An assignment that arrives while librdkafka closes is one that it waits for, for ever (its
        issue 4884): so none may be on its way by then.
        """
        try:
            if self._joined:
                self._consumer.unsubscribe()
                patience = Patience(SETTLING, lambda: False)
                still = 0
                while still < 2 and patience.left() > 0:
                    self._consumer.poll(0.05)
                    still = 0 if self._consumer.assignment() else still + 1
        finally:
            leave(self._consumer.close)

    def waiting(self, until: Mapping[Partition, int] | None = None) -> int | None:
        """Count the messages of the topic behind the group's commits, None if unknown.

        They count to the ends that are given, else to those of the topic. Those of partitions that
        others own count: their owner may be gone, and it takes the session's timeout until the
        group knows.
        """
        patience = Patience(COUNTING, lambda: False)
        total = 0
        try:
            asked = self._partitions(COUNTING)
            if not asked:
                return None
            for each in self._consumer.committed(asked, timeout=max(0.1, patience.left())):
                if each.error is not None:
                    return None
                low, high = self._consumer.get_watermark_offsets(
                    each, timeout=max(0.1, patience.left())
                )
                # What is not committed is below zero, and of a topic that was made anew beyond it.
                begin = each.offset if low <= each.offset <= high else low
                end = high if until is None else until.get((each.topic, each.partition), 0)
                total += max(0, end - begin)
        except KafkaException:
            return None
        return total

    def ends(self) -> dict[Partition, int]:
        """Return the offset after the last message of each partition, as it is now."""
        what = f"looking for the end of topic {self._settings.topic}"
        patience = Patience(self._budget, self._stop)
        while True:
            try:
                return {
                    (each.topic, each.partition): self._consumer.get_watermark_offsets(
                        each, timeout=2.0
                    )[1]
                    for each in self._partitions(2.0)
                }
            except KafkaException as failure:
                error = failure.args[0]
            if error.code() in REFUSED:
                self._refused(what, error)
            if patience.left() < 0:
                self._unreachable(what, patience.waited())
            time.sleep(0.1)

    def _partitions(self, timeout: float) -> list[TopicPartition]:
        topic = self._settings.topic
        found = self._consumer.list_topics(topic, timeout=timeout).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return [TopicPartition(topic, number) for number in found.partitions]

    def _read(self, most: int, timeout: float) -> list[Message]:
        found = []
        for each in self._consumer.consume(most, timeout):
            if each.error() is not None:
                self._judge(each.error())
                continue
            message = _message(each)
            # A rebalance can begin in the middle of one call: what was read before it comes again.
            if message.origin.offset >= self._next.get(message.partition, 0):
                self._next[message.partition] = message.origin.offset + 1
                found.append(message)
        if found:
            self._silent_since = self._trouble = None
        else:
            self._check_broker()
        return found

    def _judge(self, error: KafkaError) -> None:
        if error.code() in REFUSED or error.fatal():
            self._refused(f"reading topic {self._settings.topic}", error)
        self._note(error)

    def _note(self, error: KafkaError) -> None:
        """Remember a trouble; librdkafka tells the last broker's loss once and reconnects."""
        if error.code() in REFUSED or error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._silent_since = self._silent_since or time.monotonic()
        if self._trouble is None or self._trouble.code() not in REFUSED:
            self._trouble = error

    def _check_broker(self) -> None:
        """Give up a broker that was lost and did not come back within the budget."""
        if self._silent_since and time.monotonic() - self._silent_since > self._budget:
            try:
                self._consumer.list_topics(self._settings.topic, timeout=5)
                self._silent_since = self._trouble = None
            except KafkaException:
                self._unreachable(f"reading topic {self._settings.topic}", self._budget)

    def _check_topic(self, topic: str) -> None:
        what = f"looking for topic {topic}"
        patience = Patience(self._budget, self._stop)
        while True:
            error = self._ask_for(topic)
            if error is None:
                return
            grace = min(NEW_TOPIC, self._budget) if error.code() in ABSENT else 0
            if error.code() in REFUSED and patience.waited() >= grace:
                self._refused(what, error)
            if patience.left() < 0:
                self._unreachable(what, patience.waited())
            time.sleep(0.1)

    def _ask_for(self, topic: str) -> KafkaError | None:
        """Return what is wrong with a topic or with the way to it, None when it is there."""
        try:
            found = self._consumer.list_topics(topic, timeout=min(self._budget, 2.0))
        except KafkaException as failure:
            # What librdkafka told in between says more than that the time is over.
            told = self._trouble
            return told if told and told.code() in REFUSED else failure.args[0]
        error: KafkaError | None = found.topics[topic].error
        return error

    def _commit(self) -> bool:
        """Commit what is due; False where that has to be tried again.

        A commit is refused also where a rebalance came in between, whether it takes anything from
        us or not; what it takes is due no more.
        """
        if not self._due:
            return True
        self._tried = time.monotonic()
        offsets = [TopicPartition(*each, offset) for each, offset in sorted(self._due.items())]
        try:
            answered = self._consumer.commit(offsets=offsets, asynchronous=False)
            errors = [each.error for each in answered if each.error is not None]
        except KafkaException as failure:
            errors = [failure.args[0]]
        for error in errors:
            if error.code() in REFUSED or error.fatal():
                self._refused(f"committing as group {self._settings.group}", error)
            self._note(error)
        if errors:
            return False
        self._due = {}
        return True

    def _on_assign(self, _: Any, partitions: Iterable[TopicPartition]) -> None:
        new = _names(partitions)
        self._owned |= new
        for each in new:
            self._next.pop(each, None)
        self._assigned(new)

    def _on_revoke(self, _: Any, partitions: Iterable[TopicPartition]) -> None:
        gone = _names(partitions)
        self._revoked(gone)
        self._commit()
        self._give_up(gone)

    def _on_lost(self, _: Any, partitions: Iterable[TopicPartition]) -> None:
        gone = _names(partitions)
        self._give_up(gone)
        self._revoked(gone)

    def _resume(self, partitions: Collection[Partition]) -> None:
        if partitions:
            self._consumer.resume(_topic_partitions(partitions))
            self._paused -= set(partitions)

    def _give_up(self, gone: frozenset[Partition]) -> None:
        # A partition stays paused over a rebalance, and would be when it comes back.
        self._resume(gone & self._paused)
        self._owned -= gone
        self._due = {each: offset for each, offset in self._due.items() if each not in gone}

    def _refused(self, what: str, error: KafkaError) -> NoReturn:
        raise RefusedError(line(self._settings, what, error.str(), advice(error)))

    def _unreachable(self, what: str, seconds: float) -> NoReturn:
        told = f" ({self._trouble.str()})" if self._trouble else ""
        raise UnreachableError(
            line(self._settings, what, f"no answer within {seconds:.0f} s{told}",
                  "check KAFKA_BOOTSTRAP_SERVERS, security.protocol and the network")
        )  # fmt: skip


class DeadLetters:
    """Keeps messages that are no posts, as they came, with the reason and the origin as headers.

    After a crash a message can be kept twice; its origin tells that it is the same.
    """

    def __init__(self, settings: KafkaSettings, budget: float = BUDGET) -> None:
        self._settings = settings
        self._budget = budget
        silent = {"error_cb": lambda _: None}
        self._producer = _client(Producer, for_producer(settings, budget) | silent)

    def send(self, letters: Sequence[tuple[Message, str]]) -> None:
        """Deliver messages, each with its reason; return when the broker has all of them.

        A message may be as large as its topic allows, and the headers come on top: what is too
        large with them is shortened.
        """
        refused = self._deliver([letter(*each) for each in letters])
        for number, error in refused.items():
            if error.code() not in TOO_LARGE:
                self._refuse(error)
            # By itself: a broker refuses a whole batch, and so what is small as well.
            for again in self._deliver([shortened(*letters[number])]).values():
                self._refuse(again)

    def _deliver(self, letters: Sequence[Message]) -> dict[int, KafkaError]:
        """Deliver letters; return what no later try helps by their places among them."""
        errors: dict[int, KafkaError] = {}
        for number, each in enumerate(letters):

            def receive(error: KafkaError | None, _: Any, number: int = number) -> None:
                if error is not None:
                    errors[number] = error

            self._produce(each, receive)
        left = self._producer.flush(self._budget + 1) if letters else 0
        if left or any(each.code() not in REFUSED for each in errors.values()):
            told = f"no receipt within {self._budget:.0f} s"
            raise UnreachableError(line(self._settings, self._what(), told, "check the broker"))
        return errors

    def _produce(self, message: Message, receive: Callable[[KafkaError | None, Any], None]) -> None:
        while True:
            try:
                self._producer.produce(
                    self._settings.dead_letter_topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    on_delivery=receive,
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as failure:
                return receive(failure.args[0], None)
            else:
                return None

    def _what(self) -> str:
        return f"keeping what is no post in topic {self._settings.dead_letter_topic}"

    def _refuse(self, error: KafkaError) -> NoReturn:
        raise RefusedError(line(self._settings, self._what(), error.str(), advice(error)))


def _client(kind: Any, configuration: dict[str, Any]) -> Any:
    try:
        return kind(configuration)
    except KafkaException as failure:
        raise BadInputError(f"KAFKA_PROPERTIES: {failure.args[0].str()}") from failure


def _message(each: Any) -> Message:
    return Message(
        Origin(each.topic(), each.partition(), each.offset(), _published(*each.timestamp())),
        each.value(),
        each.key(),
        tuple(each.headers() or ()),
    )


def _published(kind: int, milliseconds: int) -> datetime | None:
    # A client may have written any number there.
    if kind == TIMESTAMP_NOT_AVAILABLE or not 0 <= milliseconds < _NEVER:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _topic_partitions(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*each) for each in sorted(partitions)]


def _names(partitions: Iterable[TopicPartition]) -> frozenset[Partition]:
    return frozenset((each.topic, each.partition) for each in partitions)
