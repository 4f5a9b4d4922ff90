"""The embedded broker serves the real client, ends with its starter, and fails when asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer

from misc.engines import kafka
from misc.engines.process import EngineError
from tests.engines.waiting import free_port, gone, until

METADATA, PRODUCE = 3, 0


@pytest.fixture
def broker() -> Iterator[kafka.Broker]:
    with kafka.broker({"tweets": 4}, session_timeout_ms=2_000) as running:
        yield running


def producer(broker: kafka.Broker, **more: Any) -> Producer:
    servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
    return Producer({"bootstrap.servers": servers, "log_level": 0, "linger.ms": 0, **more})


def consumer(broker: kafka.Broker, group: str = "group") -> Consumer:
    properties = dict(pair.split("=") for pair in broker.settings["KAFKA_PROPERTIES"].split())
    return Consumer(
        {
            "bootstrap.servers": broker.settings["KAFKA_BOOTSTRAP_SERVERS"],
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
            **properties,
        }
    )


def send(broker: kafka.Broker, count: int) -> None:
    client = producer(broker, **{"enable.idempotence": True, "compression.type": "zstd"})
    for number in range(count):
        client.produce("tweets", key=str(number), value=str(number), headers={"n": str(number)})
    assert client.flush(30) == 0


def read(client: Consumer, count: int) -> list[Message]:
    messages: list[Message] = []

    def enough() -> bool:
        messages.extend(client.consume(500, 0.2))
        return len(messages) >= count

    until(enough)
    return messages


def test_what_is_produced_is_consumed_once_and_in_order_of_its_partition(
    broker: kafka.Broker,
) -> None:
    send(broker, 1000)
    client = consumer(broker)
    client.subscribe(["tweets"])
    messages = read(client, 1000)
    client.close()
    assert sorted(int(each.value()) for each in messages) == list(range(1000))
    assert {each.partition() for each in messages} == {0, 1, 2, 3}
    for partition in range(4):
        of_it = [int(each.value()) for each in messages if each.partition() == partition]
        assert of_it == sorted(of_it)
    assert messages[0].headers() == [("n", messages[0].value())]


def test_a_group_goes_on_where_it_committed_after_its_last_member_left(
    broker: kafka.Broker,
) -> None:
    send(broker, 100)
    first = consumer(broker)
    first.subscribe(["tweets"])
    read(first, 100)
    first.commit(asynchronous=False)
    first.close()
    send(broker, 10)
    second = consumer(broker)
    second.subscribe(["tweets"])
    assert len(read(second, 10)) == 10
    second.close()


READ_AND_HANG = """
import sys, time
from confluent_kafka import Consumer
client = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "group", "log_level": 0,
                   "group.protocol": "consumer", "auto.offset.reset": "earliest"})
client.subscribe(["tweets"])
while not client.consume(100, 0.2): pass
print("reading", flush=True)
time.sleep(600)
"""


def test_the_partitions_of_a_killed_consumer_come_back(broker: kafka.Broker) -> None:
    send(broker, 100)
    servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
    with subprocess.Popen(
        [sys.executable, "-c", READ_AND_HANG, servers], stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"reading\n"
        victim.kill()
    heir = consumer(broker)
    heir.subscribe(["tweets"])
    assert len(read(heir, 100)) == 100
    heir.close()


def test_a_broker_that_is_down_delivers_when_it_is_up_again(broker: kafka.Broker) -> None:
    broker.down()
    client = producer(broker)
    client.produce("tweets", value=b"late")
    assert client.flush(0.5) == 1
    broker.up()
    assert client.flush(30) == 0


def test_a_refused_request_reaches_the_delivery_report(broker: kafka.Broker) -> None:
    broker.refuse(PRODUCE, [KafkaError.TOPIC_AUTHORIZATION_FAILED])
    reports: list[KafkaError | None] = []
    client = producer(broker)
    client.produce("tweets", value=b"no", on_delivery=lambda error, _: reports.append(error))
    client.produce("tweets", value=b"yes", on_delivery=lambda error, _: reports.append(error))
    client.flush(30)
    assert any(
        each is not None and each.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
        for each in reports
    )


def test_a_topic_can_be_missing(broker: kafka.Broker) -> None:
    broker.refuse_topic("tweets", KafkaError.UNKNOWN_TOPIC_OR_PART)
    topic = producer(broker).list_topics("tweets", timeout=10).topics["tweets"]
    assert topic.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_slow_broker_outlasts_a_client_in_a_hurry(broker: kafka.Broker) -> None:
    broker.delay(3_000)
    reports: list[KafkaError | None] = []
    client = producer(broker, **{"message.timeout.ms": 1_000})
    client.produce("tweets", value=b"late", on_delivery=lambda error, _: reports.append(error))
    assert client.flush(30) == 0
    assert [each.code() for each in reports if each] == [KafkaError._MSG_TIMED_OUT]


def test_topics_can_come_later(broker: kafka.Broker) -> None:
    broker.create("more", 7)
    assert len(producer(broker).list_topics("more", timeout=10).topics["more"].partitions) == 7
    with pytest.raises(EngineError, match="refuses topic_create"):
        broker.create("more", 7)


def test_a_wanted_port_is_the_one_that_clients_are_told() -> None:
    port = free_port()
    with kafka.broker({"tweets": 1}, port=port) as broker:
        assert broker.settings["KAFKA_BOOTSTRAP_SERVERS"] == f"127.0.0.1:{port}"
        metadata = producer(broker).list_topics(timeout=10)
        assert [each.port for each in metadata.brokers.values()] == [port]
        send(broker, 10)


def test_a_taken_port_is_refused_in_one_line() -> None:
    with (
        kafka.broker({"tweets": 1}, port=(port := free_port())),
        pytest.raises(EngineError, match=f"port {port}"),
        kafka.broker({"tweets": 1}, port=port),
    ):
        pass


STARTER = """
import time
from misc.engines import kafka
with kafka.broker({"tweets": 1}) as broker:
    print(broker.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_broker_ends_with_its_starter(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.send_signal(how)
    until(lambda: gone(pid))
