"""An embedded Kafka: the mock broker inside librdkafka, which speaks the real protocol.

It keeps the newest 5 MiB or 100,000 messages of a partition, and nothing after its end.
Transactions and classic groups are not to be trusted there: what counts is proven on a real broker.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from misc.engines.process import Engine, start

# The classic protocol loses a group for good with its last member; this one does not.
PROPERTIES = "group.protocol=consumer"


class Broker:
    """A running broker, and the faults that it can be asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.settings = engine.settings
        self.pid = engine.pid

    def create(self, topic: str, partitions: int) -> None:
        self._engine.ask({"do": "create", "topic": topic, "partitions": partitions})

    def down(self) -> None:
        """Close every connection and refuse new ones; the messages stay."""
        self._engine.ask({"do": "down"})

    def up(self) -> None:
        self._engine.ask({"do": "up"})

    def delay(self, milliseconds: int) -> None:
        """Answer every request so much later; 0 ends it."""
        self._engine.ask({"do": "delay", "milliseconds": milliseconds})

    def refuse(self, api_key: int, errors: list[int]) -> None:
        """Answer the next requests of one kind with these errors, one each.

        Both are Kafka's numbers: 0 is Produce, 1 Fetch, 8 OffsetCommit, 68 ConsumerGroupHeartbeat;
        `confluent_kafka.KafkaError` names the errors.
        """
        self._engine.ask({"do": "refuse", "api_key": api_key, "errors": errors})

    def refuse_topic(self, topic: str, error: int) -> None:
        """Answer metadata requests for a topic with an error; 0 ends it."""
        self._engine.ask({"do": "refuse_topic", "topic": topic, "error": error})


@contextlib.contextmanager
def broker(
    topics: Mapping[str, int], *, port: int = 0, session_timeout_ms: int = 6_000
) -> Iterator[Broker]:
    """Run a broker with these topics and partitions, on a free port unless one is given.

    A consumer that was killed gives its partitions back after the session timeout, which in this
    group protocol is the broker's to set.
    """
    options = {"topics": dict(topics), "port": port, "session_timeout_ms": session_timeout_ms}
    with start("misc.engines.mock_broker", options) as engine:
        yield Broker(engine)


@contextlib.contextmanager
def embedded(topics: Mapping[str, int], *, port: int = 0) -> Iterator[dict[str, str]]:
    """Run a broker and yield the KAFKA_ variables of a client."""
    with broker(topics, port=port) as running:
        yield running.settings
