"""What a test does to the topics by itself: read all of one, see who is behind, send poison."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

GROUP = "KafkaSnowflake"
TOPIC = "tweets"
DEAD_LETTERS = "tweets-dead-letters"
_SECONDS = 60.0


@dataclass(frozen=True)
class Letter:
    """A message as it lies on a topic."""

    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes]
    partition: int
    offset: int


class Topics:
    """A client of the broker that the KAFKA_ variables name; it is in no group."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._servers = settings["KAFKA_BOOTSTRAP_SERVERS"]
        self._producer = Producer({**self._basics(), "enable.idempotence": True})
        self.lost: list[str] = []

    def send(self, topic: str, messages: Mapping[bytes, bytes]) -> None:
        """Put messages on their way; `settle` waits for them."""
        for key, value in messages.items():
            self._producer.produce(topic, key=key, value=value, on_delivery=self._report)
        self._producer.poll(0)

    def settle(self, seconds: float = _SECONDS) -> None:
        """Wait until all is delivered; AssertionError when it is not."""
        left = self._producer.flush(seconds)
        assert not left, f"{left} messages of the test were not delivered"
        assert not self.lost, f"{len(self.lost)} messages of the test were lost: {self.lost[0]}"

    def read(self, topic: str) -> list[Letter]:
        """Return all messages that are on a topic now."""
        client = self._reader("reads-all")
        try:
            ends = {each: self._end(client, topic, each) for each in self._partitions(topic)}
            client.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in ends])
            found: list[Letter] = []
            limit = time.monotonic() + _SECONDS
            while any(
                self._position(client, topic, each) < end for each, end in ends.items() if end
            ):
                assert time.monotonic() < limit, f"{topic} cannot be read to its end"
                found += [_letter(each) for each in client.consume(5_000, 0.5) if not each.error()]
            return found
        finally:
            client.close()

    def behind(self, group: str = GROUP, topic: str = TOPIC, timeout: float = 10) -> int:
        """Count the messages that a group has not committed yet.

        KafkaException when the broker does not tell within so many seconds.
        """
        client = self._reader(group)
        try:
            places = [TopicPartition(topic, each) for each in self._partitions(topic, timeout)]
            done = {each.partition: each.offset for each in client.committed(places, timeout)}
            return sum(
                self._end(client, topic, each) - max(0, offset) for each, offset in done.items()
            )
        finally:
            client.close()

    def _partitions(self, topic: str, timeout: float = 10) -> list[int]:
        found = self._producer.list_topics(topic, timeout=timeout).topics[topic]
        return sorted(found.partitions)

    @staticmethod
    def _end(client: Any, topic: str, partition: int) -> int:
        end: int = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
        return end

    @staticmethod
    def _position(client: Any, topic: str, partition: int) -> int:
        position: int = client.position([TopicPartition(topic, partition)])[0].offset
        return position

    def _reader(self, group: str) -> Any:
        return Consumer({**self._basics(), "group.id": group, "enable.auto.commit": False})

    def _basics(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._servers,
            "log_level": 0,
            "reconnect.backoff.max.ms": 500,
        }

    def _report(self, error: Any, _: object) -> None:
        if error is not None:
            self.lost.append(error.str())


def _letter(message: Any) -> Letter:
    headers = {name: value or b"" for name, value in message.headers() or ()}
    return Letter(
        message.key(), message.value() or b"", headers, message.partition(), message.offset()
    )
