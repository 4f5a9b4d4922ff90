"""What Kafka's client is told: librdkafka's properties, made of the settings."""

from __future__ import annotations

from typing import Any

from application.errors import BadInputError
from application.settings import KafkaSettings

# What the delivery guarantee stands on.
OURS = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "earliest",
    "acks": "all",
    "enable.idempotence": "true",
}
CONSUMER_ONLY = ("group.", "session.timeout.ms", "heartbeat.", "max.poll.", "partition.assignment",
                  "fetch.", "queued.", "isolation.level", "check.crcs", "auto.offset.")  # fmt: skip


def for_consumer(settings: KafkaSettings) -> dict[str, Any]:
    """Return librdkafka's properties for reading, classic groups and new ones (KIP-848) alike."""
    return {
        # What is fetched ahead counts for memory, whatever the size of a post.
        "queued.max.messages.kbytes": 16_384,
        "fetch.max.bytes": 16_777_216,
        "fetch.wait.max.ms": 100,
        **_common(settings),
        "group.id": settings.group,
        **{name: OURS[name] for name in
           ("enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset")},
    }  # fmt: skip


def for_producer(settings: KafkaSettings, budget: float) -> dict[str, Any]:
    """Return librdkafka's properties for the dead letters."""
    common = _common(settings)
    return {
        # What came as one message goes as one: the topic's own limit decides.
        "message.max.bytes": 100_000_000,
        **{name: common[name] for name in common if not name.startswith(CONSUMER_ONLY)},
        "acks": "all",
        "enable.idempotence": "true",
        "compression.type": "zstd",
        "delivery.timeout.ms": int(budget * 1000),
    }


def _common(settings: KafkaSettings) -> dict[str, Any]:
    for name, ours in OURS.items():
        if settings.properties.get(name, ours).lower() != ours:
            raise BadInputError(f"KAFKA_PROPERTIES: {name} must be {ours}, or posts would be lost")
    login = (
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": settings.username,
            "sasl.password": settings.password or "",
        }
        if settings.username
        else {}
    )
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": "KafkaSnowflake",
        # librdkafka writes to standard error by itself; what matters comes as an error.
        "log_level": 2,
        **login,
        **settings.properties,
    }
