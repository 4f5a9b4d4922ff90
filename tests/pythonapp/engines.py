"""The embedded engines as the tests of the producer use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

import pythonapp
from pythonapp.environment import XSettings

SCRIPT = Path(pythonapp.__file__).with_name("bmctwitter.py")


def topic_of(servers: str, topic: str) -> list[Message]:
    """Return every message that a topic holds now."""
    client = Consumer(
        {"bootstrap.servers": servers, "group.id": "reader", "log_level": 0}
        | {"enable.partition.eof": False, "auto.offset.reset": "earliest"}
    )
    try:
        count, places = 0, []
        for partition in client.list_topics(topic, timeout=10).topics[topic].partitions:
            place = TopicPartition(topic, partition)
            low, high = client.get_watermark_offsets(place, timeout=10)
            count += high - low
            places.append(TopicPartition(topic, partition, low))
        client.assign(places)
        messages: list[Message] = []
        while len(messages) < count:
            messages += client.consume(count - len(messages), 0.5)
        return messages
    finally:
        client.close()


def bodies(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [json.loads(each.value()) for each in messages]


def ids(messages: Sequence[Message]) -> set[str]:
    return {each["id"] for each in bodies(messages)}


def x_of(environment: Mapping[str, str]) -> XSettings:
    return XSettings(environment["X_BEARER_TOKEN"], environment["X_API_URL"])


def stand_in(x: XSettings, path: str, body: object = None) -> Any:
    """Speak to what is not X: posts, faults, counts."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {x.bearer_token}"}
    request = urllib.request.Request(f"{x.url}/stand-in/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def started(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.Popen[str]:
    """Start the producer as a user does, from another folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KAFKA", "X_"))}
    clean.pop("BTCONF", None)
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        env={**clean, "SECRETS": str(folder), **environment},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[int, str, str]:
    """Run the producer to its end; return its exit code and what it printed."""
    with started(arguments, environment, folder) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err
