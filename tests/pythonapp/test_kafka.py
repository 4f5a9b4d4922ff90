"""Every message ends delivered or failed, on a real client and an embedded broker."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError

from misc.engines import kafka as engine
from pythonapp.clock import SystemClock
from pythonapp.environment import KafkaSettings
from pythonapp.errors import BadInputError, RefusedError, UnreachableError
from pythonapp.kafka import Bookmarks, Broker
from pythonapp.message import Message
from pythonapp.posts import Bookmark
from tests.engines.waiting import free_port, until
from tests.pythonapp.engines import topic_of

PRODUCE, OFFSET_COMMIT, OFFSET_FETCH = 0, 8, 9
NewTopic = Callable[[], str]


def settings(broker: engine.Broker) -> KafkaSettings:
    properties = dict(pair.split("=") for pair in broker.settings["KAFKA_PROPERTIES"].split())
    return KafkaSettings(servers(broker), properties=properties)


def servers(broker: engine.Broker) -> str:
    return broker.settings["KAFKA_BOOTSTRAP_SERVERS"]


def send(client: Broker, topic: str, count: int) -> list[int]:
    """Send so many messages; the list fills with those that were delivered."""
    delivered: list[int] = []
    for number in range(count):
        message = Message(str(number % 50).encode(), b"%d" % number, {"id": str(number)})
        client.send(topic, message, functools.partial(delivered.append, number))
    return delivered


def test_every_message_is_delivered_with_key_and_headers(
    broker: engine.Broker, new_topic: NewTopic
) -> None:
    topic = new_topic()
    client = Broker(settings(broker), SystemClock(), 30)
    client.check([topic])
    delivered = send(client, topic, 1000)
    client.flush()
    assert sorted(delivered) == list(range(1000))
    assert (client.sent, client.delivered, client.undelivered) == (1000, 1000, 0)
    messages = topic_of(servers(broker), topic)
    assert sorted(int(each.value()) for each in messages) == list(range(1000))
    for each in messages:
        assert each.headers() == [("id", each.value())]
        assert int(each.key()) == int(each.value()) % 50


def test_one_author_stays_in_one_partition_and_in_order(
    broker: engine.Broker, new_topic: NewTopic
) -> None:
    topic = new_topic()
    client = Broker(settings(broker), SystemClock(), 30)
    send(client, topic, 1000)
    client.flush()
    by_author: dict[bytes, list[int]] = {}
    for each in topic_of(servers(broker), topic):
        by_author.setdefault(each.key(), []).append(int(each.value()))
    assert len(by_author) == 50
    assert all(numbers == sorted(numbers) for numbers in by_author.values())


def test_a_full_queue_makes_the_sender_wait_and_drops_nothing(
    broker: engine.Broker, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pythonapp.kafka.MAX_WAITING", 10)
    topic = new_topic()
    client = Broker(settings(broker), SystemClock(), 30)
    send(client, topic, 500)
    client.flush()
    assert len(topic_of(servers(broker), topic)) == 500


def test_a_broker_that_comes_back_within_the_budget_loses_nothing() -> None:
    with engine.broker({"tweets": 4}) as own:
        client = Broker(settings(own), SystemClock(), 60)
        send(client, "tweets", 100)
        client.flush()
        own.down()
        delivered = send(client, "tweets", 100)
        threading.Timer(0.3, own.up).start()
        client.flush()
        assert sorted(delivered) == list(range(100))
        assert sorted(int(each.value()) for each in topic_of(servers(own), "tweets")) == sorted(
            [*range(100), *range(100)]
        )


def test_a_broker_that_stays_away_ends_it_with_the_count() -> None:
    with engine.broker({"tweets": 4}) as own:
        client = Broker(settings(own), SystemClock(), 2)
        send(client, "tweets", 3)
        client.flush()
        own.down()
        send(client, "tweets", 5)
        with pytest.raises(UnreachableError, match=r"5 of 8 messages were not delivered") as told:
            client.flush()
        assert "\n" not in str(told.value)
        assert client.sent == client.delivered + sum(client.failed.values())


def test_after_a_stop_the_flush_is_short() -> None:
    with engine.broker({"tweets": 4}) as own:
        clock = SystemClock()
        client = Broker(settings(own), clock, 600, after_stop=0.2)
        own.down()
        send(client, "tweets", 5)
        clock.stop()
        with pytest.raises(UnreachableError, match="5 of 5 messages"):
            client.flush()
        client.discard()


def test_after_a_stop_a_full_queue_is_given_up_with_the_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pythonapp.kafka.MAX_WAITING", 5)
    with engine.broker({"tweets": 4}) as own:
        clock = SystemClock()
        client = Broker(settings(own), clock, 600, after_stop=0.2)
        own.down()
        threading.Timer(0.2, clock.stop).start()
        with pytest.raises(UnreachableError, match="6 of 6 messages"):
            send(client, "tweets", 100)
        client.discard()


def test_a_message_that_the_broker_refuses_ends_it(
    broker: engine.Broker, new_topic: NewTopic
) -> None:
    topic = new_topic()
    client = Broker(settings(broker), SystemClock(), 30)
    broker.refuse(PRODUCE, [KafkaError.TOPIC_AUTHORIZATION_FAILED])
    send(client, topic, 1)
    with pytest.raises(RefusedError, match=r"1 of 1 messages .*Topic authorization failed"):
        client.flush()


def test_a_message_that_is_too_large_ends_it(broker: engine.Broker, new_topic: NewTopic) -> None:
    client = Broker(settings(broker), SystemClock(), 30)
    with pytest.raises(RefusedError, match="Message size too large"):
        client.send(new_topic(), Message(b"1", b"x" * 2_000_000, {}), lambda: None)


def test_a_missing_topic_is_one_line_and_is_not_made(broker: engine.Broker) -> None:
    client = Broker(settings(broker), SystemClock(), 30)
    for _ in range(2):
        with pytest.raises(RefusedError, match="there is no topic 'nowhere'"):
            client.check(["tweets-dead-letters", "nowhere"])


def test_a_broker_that_is_not_there_is_one_line_after_the_budget() -> None:
    nowhere = KafkaSettings(f"127.0.0.1:{free_port()}")
    with pytest.raises(UnreachableError, match=r"gave no answer for 0.3 seconds; nothing was read"):
        Broker(nowhere, SystemClock(), 0.3).check(["tweets"])


def test_a_login_that_the_broker_refuses_is_told_at_once_without_the_password(
    broker: engine.Broker,
) -> None:
    properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    login = KafkaSettings(servers(broker), None, "dead", properties, "user", "hidden")
    with pytest.raises(RefusedError, match="refuses the login") as told:
        Broker(login, SystemClock(), 600).check(["tweets-dead-letters"])
    assert "KAFKA_PASSWORD" in str(told.value)
    assert "hidden" not in str(told.value)


def test_a_login_goes_encrypted_unless_the_properties_say_otherwise(broker: engine.Broker) -> None:
    login = KafkaSettings(servers(broker), None, "dead", {}, "user", "hidden")
    # librdkafka tells a reset at this point in either of two ways.
    with pytest.raises(UnreachableError, match=r"SSL handshake failed|state SSL_HANDSHAKE") as told:
        Broker(login, SystemClock(), 0.3).check(["tweets-dead-letters"])
    assert "hidden" not in str(told.value)


def test_a_stop_ends_the_wait_for_a_broker() -> None:
    clock = SystemClock()
    clock.stop()
    with pytest.raises(UnreachableError):
        Broker(KafkaSettings(f"127.0.0.1:{free_port()}"), clock, 600).check(["tweets"])


def test_a_property_that_the_client_does_not_know_is_refused() -> None:
    wrong = KafkaSettings("127.0.0.1:1", properties={"linger.mss": "5"})
    with pytest.raises(
        BadInputError, match='KAFKA_PROPERTIES: No such configuration property: "li'
    ):
        Broker(wrong, SystemClock(), 1)


def test_properties_cannot_weaken_what_is_promised(broker: engine.Broker) -> None:
    weak = KafkaSettings(servers(broker), properties={"acks": "0", "enable.idempotence": "false"})
    client = Broker(weak, SystemClock(), 30)
    client.check(["tweets-dead-letters"])
    client.flush()


# -- bookmarks -----------------------------------------------------------------------------------


def test_a_bookmark_is_found_by_the_next_process(
    broker: engine.Broker, new_topic: NewTopic
) -> None:
    topic = new_topic()
    first = Bookmarks(settings(broker), topic, 30)
    assert first.read(["ctne-search", "ctnw-search"]) == {}
    for position in ("17", "18", "19"):
        first.save(Bookmark("ctne-search", position))
    first.close()
    again = Bookmarks(settings(broker), topic, 30)
    assert again.read(["ctne-search", "ctnw-search"]) == {"ctne-search": "19"}
    again.close()


def test_a_bookmark_is_of_its_topic(broker: engine.Broker, new_topic: NewTopic) -> None:
    first = Bookmarks(settings(broker), new_topic(), 30)
    first.save(Bookmark("ctse-search", "17"))
    first.close()
    other = Bookmarks(settings(broker), new_topic(), 30)
    assert other.read(["ctse-search"]) == {}
    other.close()


RIGHTS = pytest.mark.parametrize(
    ("error", "words"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "Topic authorization failed"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "Group authorization failed"),
    ],
)


@RIGHTS
def test_a_bookmark_that_may_not_be_saved_is_told(
    broker: engine.Broker, new_topic: NewTopic, error: int, words: str
) -> None:
    marks = Bookmarks(settings(broker), topic := new_topic(), 30)
    broker.refuse(OFFSET_COMMIT, [error])
    marks.save(Bookmark("ctnw-search", "17"))
    marks.close()
    with pytest.raises(RefusedError, match=rf"cannot be saved: .*{words}") as told:
        marks.check()
    assert f"grant this user READ on topic '{topic}' and the groups bmctwitter-*" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_bookmark_that_was_refused_ends_it_with_the_next(
    broker: engine.Broker, new_topic: NewTopic
) -> None:
    marks = Bookmarks(settings(broker), new_topic(), 30)
    broker.refuse(OFFSET_COMMIT, [KafkaError.GROUP_AUTHORIZATION_FAILED])

    def refused() -> bool:
        try:
            marks.save(Bookmark("ctnw-search", "17"))
        except RefusedError:
            return True
        return False

    until(refused)
    marks.close()


@RIGHTS
def test_a_bookmark_that_may_not_be_read_is_told(
    broker: engine.Broker, new_topic: NewTopic, error: int, words: str
) -> None:
    marks = Bookmarks(settings(broker), new_topic(), 30)
    broker.refuse(OFFSET_FETCH, [error])
    with pytest.raises(RefusedError, match=rf"cannot be read: .*{words}.*grant this user READ"):
        marks.read(["ctnw-search"])
    marks.close()


def test_a_bookmark_that_is_not_answered_is_no_refusal() -> None:
    marks = Bookmarks(KafkaSettings(f"127.0.0.1:{free_port()}"), "tweets", 0.3)
    with pytest.raises(UnreachableError, match=r"cannot be read: .*KAFKA_BOOTSTRAP_SERVERS"):
        marks.read(["ctnw-search"])
    marks.close()
