"""A message of Kafka, as it is read and as it is kept among the dead letters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone

from application.records import Origin

Partition = tuple[str, int]

# Bytes of a key, a value or all headers that a shortened letter has at most.
KEPT = 100_000


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


def letter(message: Message, reason: str) -> Message:
    """Return a message with headers on top: why it is no post, where it is from, and the time."""
    origin = message.origin
    return replace(
        message,
        headers=(
            *message.headers,
            ("reason", reason.encode()),
            ("origin.topic", origin.topic.encode()),
            ("origin.partition", str(origin.partition).encode()),
            ("origin.offset", str(origin.offset).encode()),
            ("time", datetime.now(timezone.utc).isoformat(timespec="seconds").encode()),
        ),
    )


def shortened(message: Message, reason: str) -> Message:
    """Return a letter that fits into any topic; its origin tells where the whole is.

    The header `truncated` says that it is not whole, and `size` how many bytes the value has.
    """
    value, key = message.value or b"", message.key
    told = sum(len(name) + len(content or b"") for name, content in message.headers)
    short = replace(
        message,
        value=value[:KEPT],
        key=key and key[:KEPT],
        headers=message.headers if told <= KEPT else (),
    )
    whole = letter(short, reason)
    return replace(
        whole,
        headers=(*whole.headers, ("truncated", b"true"), ("size", str(len(value)).encode())),
    )
