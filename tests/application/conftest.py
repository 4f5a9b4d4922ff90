"""Engines that the tests of the application share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from application.lake import apply
from application.settings import (
    KafkaSettings,
    SnowflakeSettings,
    kafka_settings,
    snowflake_settings,
)
from application.warehouse import Warehouse
from misc.engines import kafka, snowflake
from tests.engines.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4


@dataclass(frozen=True)
class Lake:
    """An embedded lake with its tables, and the variables by which a process finds it."""

    warehouse: Warehouse
    environment: dict[str, str] = field(repr=False)

    @property
    def settings(self) -> SnowflakeSettings:
        return snowflake_settings(self.environment)


@pytest.fixture(scope="session")
def _lake() -> Iterator[Lake]:
    with (
        snowflake.embedded() as environment,
        Warehouse(snowflake_settings(environment)) as warehouse,
    ):
        apply(warehouse)
        yield Lake(warehouse, environment)


@pytest.fixture
def lake(_lake: Lake) -> Lake:
    """Return the lake of the session, empty."""
    for table in ("TWEETS", "CUSTOMERS", "ADDRESSES", "HOUSEHOLDS"):
        _lake.warehouse.run(f"delete from {table}")
    return _lake


@dataclass
class Topics:
    """A topic and its dead letters on an embedded broker, for one test and one group."""

    broker: kafka.Broker
    topic: str
    sent: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return self.broker.settings | {
            "KAFKA_TOPIC": self.topic,
            "KAFKA_DEAD_LETTER_TOPIC": f"{self.topic}-dead",
            "KAFKA_GROUP": f"{self.topic}-group",
        }

    @property
    def settings(self) -> KafkaSettings:
        return kafka_settings(self.environment)

    def send(self, values: Iterable[bytes | None], key: bytes | None = None) -> None:
        """Spread messages over the partitions; a key keeps them in one."""
        producer = Producer(
            {"bootstrap.servers": self.settings.bootstrap_servers, "log_level": 0, "linger.ms": 0}
        )
        for value in values:
            where = {} if key else {"partition": self.sent % PARTITIONS}
            producer.produce(self.topic, value=value, key=key, headers={"source": "test"}, **where)
            self.sent += 1
        assert producer.flush(30) == 0

    def committed(self) -> int:
        """Count the messages before the committed offsets."""
        with self._client(self.settings.group) as client:
            asked = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
            return sum(max(each.offset, 0) for each in client.committed(asked, timeout=10))

    def dead_letters(self, count: int) -> list[Any]:
        """Read so many messages of the dead-letter topic, in their order."""
        with self._client("reader") as client:
            client.assign([TopicPartition(f"{self.topic}-dead", 0, OFFSET_BEGINNING)])
            found: list[Any] = []

            def enough() -> bool:
                found.extend(client.consume(count - len(found), 0.2))
                return len(found) == count

            until(enough)
            return found

    def _client(self, group: str) -> Any:
        return Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "group.id": group,
                "log_level": 0,
            }
        )


@pytest.fixture(scope="session")
def broker() -> Iterator[kafka.Broker]:
    with kafka.broker({}, session_timeout_ms=3_000) as running:
        yield running


@pytest.fixture
def topics(broker: kafka.Broker, request: pytest.FixtureRequest) -> Topics:
    """Return topics that no other test has."""
    topic = f"tweets-{crc32(request.node.nodeid.encode())}"
    broker.create(topic, PARTITIONS)
    broker.create(f"{topic}-dead", 1)
    return Topics(broker, topic)
