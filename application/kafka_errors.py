"""Kafka's errors: those that no later try helps, and the one line that tells any of them."""

from __future__ import annotations

from confluent_kafka import KafkaError

from application.settings import KafkaSettings

REFUSED = frozenset(
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
ABSENT = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})
TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


def advice(error: KafkaError) -> str:
    """Say what to do about an error of REFUSED."""
    code = error.code()
    if code in ABSENT:
        return "create the topic, or mend KAFKA_TOPIC and KAFKA_DEAD_LETTER_TOPIC"
    if code in TOO_LARGE:
        return "give the dead-letter topic a larger max.message.bytes"
    if code in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
        return "check KAFKA_USERNAME, KAFKA_PASSWORD and sasl.mechanism"
    return "check KAFKA_PROPERTIES and what the user may do"


def line(settings: KafkaSettings, what: str, told: str, advice: str) -> str:
    """Say which Kafka, what was attempted, what came back and what to do."""
    told = " ".join(told.split()).rstrip(".")
    return f"Kafka ({settings.bootstrap_servers}), {what}: {told}; {advice}"
