"""Kafka: where posts are read, and where what is none is kept aside.

Offsets are committed by hand, after the lake has what they stand for. A partition's messages come
in order and, within one ownership, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NoReturn

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)

from application.errors import BadInputError, RefusedError, UnreachableError
from application.properties import for_consumer, for_producer
from application.records import Origin
from application.settings import KafkaSettings

# Seconds to give a broker that does not answer, and one that does not know a topic yet.
BUDGET = 60.0
NEW_TOPIC = 3.0

Partition = tuple[str, int]

# What no later try helps.
_REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_CONFIG,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._UNSUPPORTED_FEATURE,
        KafkaError._SSL,
    }
)
_ABSENT = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})
# The partitions went to another consumer, which reads again what was not committed.
_MOVED = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._NO_OFFSET,
    }
)


@dataclass(frozen=True)
class Message:
    """What was read, as bytes; headers come in the order in which they were written."""

    origin: Origin
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def partition(self) -> Partition:
        return self.origin.topic, self.origin.partition


class Source:
    """A member of the consumer group.

    Raise RefusedError and UnreachableError, each in one line.
    """

    def __init__(self, settings: KafkaSettings, budget: float = BUDGET) -> None:
        self._settings = settings
        self._budget = budget
        self._assigned: Callable[[frozenset[Partition]], None] = lambda _: None
        self._revoked: Callable[[frozenset[Partition]], None] = lambda _: None
        self._owned: set[Partition] = set()
        self._next: dict[Partition, int] = {}
        self._due: dict[Partition, int] = {}
        self._strays: list[Message] = []
        self._paused = False
        self._trouble: KafkaError | None = None
        self._silent_since: float | None = None
        self._consumer = _client(
            Consumer,
            for_consumer(settings) | {"error_cb": self._note},
        )

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
        self._assigned, self._revoked = assigned, revoked
        self._consumer.subscribe(
            [self._settings.topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, most: int, timeout: float) -> list[Message]:
        """Return what came within timeout seconds, at most so many messages."""
        if self._paused:
            self._paused = False
            self._consumer.resume(self._consumer.assignment())
        strays, self._strays = self._strays[:most], self._strays[most:]
        if len(strays) < most:
            strays += self._read(most - len(strays), timeout)
        return [each for each in strays if each.partition in self._owned]

    def rest(self, timeout: float) -> None:
        """Stay in the group for timeout seconds without taking messages.

        A member that does not ask for messages for max.poll.interval.ms is shut out.
        """
        self._paused = True
        self._consumer.pause(self._consumer.assignment())
        self._strays += self._read(1, timeout)

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit what comes next in each partition that is still ours.

        What a broker that is away does not take goes with the next commit.
        """
        self._due.update(offsets)
        self._commit()

    def close(self) -> None:
        """Commit what is due, within the budget, and leave the group."""
        deadline = time.monotonic() + self._budget
        try:
            while not self._commit():
                if time.monotonic() > deadline:
                    self._unreachable("committing what the lake has")
                time.sleep(0.5)
        finally:
            self._consumer.close()

    def leave(self) -> None:
        """Leave the group without committing."""
        self._due.clear()
        self._consumer.close()

    def waiting(self) -> int | None:
        """Count the messages behind the committed offsets of our partitions, None if unknown."""
        total = 0
        try:
            partitions = [TopicPartition(*each) for each in sorted(self._owned)]
            for each in self._consumer.committed(partitions, timeout=5) if partitions else ():
                low, high = self._consumer.get_watermark_offsets(each, timeout=5)
                total += high - (low if each.offset == OFFSET_INVALID else max(low, each.offset))
        except KafkaException:
            return None
        return total

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
        if error.code() in _REFUSED or error.fatal():
            self._refused(f"reading topic {self._settings.topic}", error)
        self._note(error)

    def _note(self, error: KafkaError) -> None:
        """Remember a trouble; librdkafka tells the last broker's loss once and reconnects."""
        if error.code() in _REFUSED or error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._silent_since = self._silent_since or time.monotonic()
        if self._trouble is None or self._trouble.code() not in _REFUSED:
            self._trouble = error

    def _check_broker(self) -> None:
        """Give up a broker that was lost and did not come back within the budget."""
        if self._silent_since and time.monotonic() - self._silent_since > self._budget:
            try:
                self._consumer.list_topics(self._settings.topic, timeout=5)
                self._silent_since = self._trouble = None
            except KafkaException:
                self._unreachable(f"reading topic {self._settings.topic}")

    def _check_topic(self, topic: str) -> None:
        what = f"looking for topic {topic}"
        begun = time.monotonic()
        while True:
            error = self._ask_for(topic)
            if error is None:
                return
            waited = time.monotonic() - begun
            grace = min(NEW_TOPIC, self._budget) if error.code() in _ABSENT else 0
            if error.code() in _REFUSED and waited >= grace:
                self._refused(what, error)
            if waited > self._budget:
                self._unreachable(what)
            time.sleep(0.1)

    def _ask_for(self, topic: str) -> KafkaError | None:
        """Return what is wrong with a topic or with the way to it, None when it is there."""
        try:
            found = self._consumer.list_topics(topic, timeout=min(self._budget, 2.0))
        except KafkaException as failure:
            # What librdkafka told in between says more than that the time is over.
            told = self._trouble
            return told if told and told.code() in _REFUSED else failure.args[0]
        error: KafkaError | None = found.topics[topic].error
        return error

    def _commit(self) -> bool:
        """Commit what is due; False where that has to be tried again."""
        due = {each: offset for each, offset in self._due.items() if each in self._owned}
        self._due = due
        if not due:
            return True
        offsets = [TopicPartition(*each, offset) for each, offset in sorted(due.items())]
        try:
            answered = self._consumer.commit(offsets=offsets, asynchronous=False)
            errors = [each.error for each in answered if each.error is not None]
        except KafkaException as failure:
            errors = [failure.args[0]]
        for error in errors:
            if error.code() in _REFUSED or error.fatal():
                self._refused(f"committing as group {self._settings.group}", error)
            if error.code() not in _MOVED:
                self._note(error)
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
        self._owned -= gone

    def _on_lost(self, _: Any, partitions: Iterable[TopicPartition]) -> None:
        gone = _names(partitions)
        self._owned -= gone
        self._revoked(gone)

    def _refused(self, what: str, error: KafkaError) -> NoReturn:
        raise RefusedError(_line(self._settings, what, error.str(), _advice(error)))

    def _unreachable(self, what: str) -> NoReturn:
        told = f" ({self._trouble.str()})" if self._trouble else ""
        raise UnreachableError(
            _line(self._settings, what, f"no answer within {self._budget:.0f} s{told}",
                  "check KAFKA_BOOTSTRAP_SERVERS, security.protocol and the network")
        )  # fmt: skip


class DeadLetters:
    """Keeps messages that are no posts, as they came, with the reason and the origin as headers.

    After a crash a message can be kept twice; its origin tells that it is the same.
    """

    def __init__(self, settings: KafkaSettings, budget: float = BUDGET) -> None:
        self._settings = settings
        self._budget = budget
        self._errors: list[KafkaError] = []
        self._producer = _client(
            Producer,
            for_producer(settings, budget) | {"error_cb": lambda _: None},
        )

    def send(self, letters: Sequence[tuple[Message, str]]) -> None:
        """Deliver messages, each with its reason; return when the broker has all of them."""
        self._errors.clear()
        for message, reason in letters:
            self._produce(message, reason)
        left = self._producer.flush(self._budget + 1) if letters else 0
        if not left and not self._errors:
            return
        what = f"keeping {len(letters)} messages in topic {self._settings.dead_letter_topic}"
        refused = next((each for each in self._errors if each.code() in _REFUSED), None)
        if refused is not None:
            raise RefusedError(_line(self._settings, what, refused.str(), _advice(refused)))
        raise UnreachableError(
            _line(self._settings, what, f"no receipt within {self._budget:.0f} s",
                  "check the broker")
        )  # fmt: skip

    def _produce(self, message: Message, reason: str) -> None:
        origin = message.origin
        headers = [
            *message.headers,
            ("reason", reason.encode()),
            ("origin.topic", origin.topic.encode()),
            ("origin.partition", str(origin.partition).encode()),
            ("origin.offset", str(origin.offset).encode()),
            ("time", datetime.now(timezone.utc).isoformat(timespec="seconds").encode()),
        ]
        while True:
            try:
                self._producer.produce(
                    self._settings.dead_letter_topic,
                    value=message.value,
                    key=message.key,
                    headers=headers,
                    on_delivery=self._receipt,
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as failure:
                self._errors.append(failure.args[0])
                return
            else:
                return

    def _receipt(self, error: KafkaError | None, _: Any) -> None:
        if error is not None:
            self._errors.append(error)


def _client(kind: Any, configuration: dict[str, Any]) -> Any:
    try:
        return kind(configuration)
    except KafkaException as failure:
        raise BadInputError(f"KAFKA_PROPERTIES: {failure.args[0].str()}") from failure


def _message(each: Any) -> Message:
    return Message(
        Origin(each.topic(), each.partition(), each.offset()),
        each.value(),
        each.key(),
        tuple(each.headers() or ()),
    )


def _names(partitions: Iterable[TopicPartition]) -> frozenset[Partition]:
    return frozenset((each.topic, each.partition) for each in partitions)


def _advice(error: KafkaError) -> str:
    code = error.code()
    if code in _ABSENT:
        return "create the topic, or mend KAFKA_TOPIC and KAFKA_DEAD_LETTER_TOPIC"
    if code in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE):
        return "give the dead-letter topic a larger max.message.bytes"
    if code in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
        return "check KAFKA_USERNAME, KAFKA_PASSWORD and sasl.mechanism"
    return "check KAFKA_PROPERTIES and what the user may do"


def _line(settings: KafkaSettings, what: str, told: str, advice: str) -> str:
    told = " ".join(told.split()).rstrip(".")
    return f"Kafka ({settings.bootstrap_servers}), {what}: {told}; {advice}"
