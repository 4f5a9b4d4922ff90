"""A broker for the tests of one module."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from misc.engines import kafka


@pytest.fixture(scope="module")
def broker() -> Iterator[kafka.Broker]:
    with kafka.broker({"tweets-dead-letters": 1}) as running:
        yield running


@pytest.fixture(scope="module")
def new_topic(broker: kafka.Broker) -> Callable[[], str]:
    """Make topics of four partitions, each of its own."""
    numbers = itertools.count(1)

    def make() -> str:
        topic = f"tweets-{next(numbers)}"
        broker.create(topic, 4)
        return topic

    return make
