"""The broker, and the only module that speaks to it: messages out, bookmarks out and in.

A bookmark is kept where the messages are, as the metadata of a committed offset of a group of its
own (`bmctwitter-ctne-search`): a fresh pod finds it without a volume, and Kafka keeps it seven days
after the last one, which is as far back as X searches.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from pythonapp.clock import Clock
from pythonapp.environment import KafkaSettings
from pythonapp.errors import BadInputError, ProducerError, RefusedError, UnreachableError
from pythonapp.message import Message
from pythonapp.posts import Bookmark

MAX_WAITING = 50_000  # messages in librdkafka's queue
MAX_WAITING_KB = 64 * 1024
POLL = 0.1
# Seconds; Kubernetes kills 30 seconds after SIGTERM, and the bookmarks need up to six of them.
FLUSH_AFTER_STOP = 20.0
_LOGIN = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})
_RIGHTS = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
_NO_ANSWER = frozenset(
    {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}
    | {KafkaError._WAIT_COORD, KafkaError.REQUEST_TIMED_OUT}
    | {KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
# Properties of consumers that KAFKA_PROPERTIES may carry for the application's sake.
_GROUP = ("group.", "session.", "heartbeat.", "auto.offset.", "max.poll.", "fetch.", "partition.")


class Broker:
    """A producer that loses nothing silently: each message sent ends delivered or failed.

    The broker may give no answer for budget seconds, and once the clock is stopped for after_stop.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        clock: Clock,
        budget: float,
        after_stop: float = FLUSH_AFTER_STOP,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._budget = budget
        self._after_stop = after_stop
        self._give_up_at: float | None = None
        self._trouble: KafkaError | None = None
        self.sent = self.delivered = 0
        self.failed: Counter[str] = Counter()
        self._hard = False
        self._producer = _client(
            confluent_kafka.Producer,
            {
                "linger.ms": 20,
                "queue.buffering.max.messages": MAX_WAITING,
                "queue.buffering.max.kbytes": MAX_WAITING_KB,
                **_properties(settings),
                # Not for KAFKA_PROPERTIES to change: no message is lost or doubled on the way.
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "zstd",
                "message.timeout.ms": max(int(budget * 1000), 1),
                "error_cb": self._on_error,
            },
        )

    @property
    def undelivered(self) -> int:
        return self.sent - self.delivered

    def check(self, topics: Iterable[str]) -> None:
        """Make sure that the broker answers, lets us in and has the topics."""
        until = self._clock.now() + self._budget
        while True:
            left = until - self._clock.now()
            try:
                found = self._producer.list_topics(timeout=max(min(left, 1.0), 0.01)).topics
                break
            except KafkaException as error:
                self._producer.poll(0)
                if self._trouble and self._trouble.code() in _LOGIN:
                    raise self._no_login() from error
                if left <= 0 or self._clock.stopped:
                    raise self._unreachable("nothing was read") from error
        for topic in topics:
            if topic not in found:
                raise RefusedError(
                    f"Kafka at {self._servers}: there is no topic {topic!r} for this user; "
                    "create it, or name another (KafkaTopic, KAFKA_TOPIC, "
                    "KAFKA_DEAD_LETTER_TOPIC)"
                )
            if (problem := found[topic].error) is not None:
                raise RefusedError(f"Kafka at {self._servers}: topic {topic!r}: {problem.str()}")

    def send(self, topic: str, message: Message, delivered: Callable[[], None]) -> None:
        """Send one message; waits while the queue is full, after a stop not for long.

        Raises what `poll` raises.
        """

        def report(error: KafkaError | None, _: object) -> None:
            if error is None:
                self.delivered += 1
                self._trouble = None
                delivered()
            else:
                self.failed[error.str()] += 1
                self._hard |= error.code() != KafkaError._MSG_TIMED_OUT

        self.sent += 1
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=message.key,
                    value=message.value,
                    headers=dict(message.headers),
                    on_delivery=report,
                )
                return
            except BufferError as error:
                self.poll(POLL)
                if self._given_up():
                    raise self.failure() from error
            except KafkaException as error:
                raise RefusedError(
                    f"Kafka at {self._servers}: topic {topic!r} takes no message: {error}"
                ) from error

    def poll(self, seconds: float = 0.0) -> None:
        """Read delivery reports; raises where one message failed, after its budget."""
        self._producer.poll(seconds)
        if self.failed:
            raise self.failure()

    def flush(self) -> None:
        """Wait until every message is delivered; raises where one was not."""
        while self._producer.flush(POLL) and not self.failed and not self._given_up():
            pass
        if self.undelivered:
            raise self.failure()

    def failure(self) -> ProducerError:
        """Return why messages were not delivered, with how many."""
        count = f"{self.undelivered:,} of {self.sent:,} messages were not delivered"
        if self._trouble and self._trouble.code() in _LOGIN:
            return self._no_login()
        if self._hard:
            reasons = ", ".join(self.failed)
            return RefusedError(f"Kafka at {self._servers}: {count}: {reasons}")
        return self._unreachable(count)

    def discard(self) -> None:
        """Forget what is still on its way, so that the process can end."""
        self._producer.purge()
        self._producer.flush(1)

    def _given_up(self) -> bool:
        if self._clock.stopped and self._give_up_at is None:
            self._give_up_at = self._clock.now() + self._after_stop
        return self._give_up_at is not None and self._clock.now() >= self._give_up_at

    @property
    def _servers(self) -> str:
        return self._settings.bootstrap_servers

    def _on_error(self, error: KafkaError) -> None:
        if self._trouble is None or self._trouble.code() not in _LOGIN:
            self._trouble = error

    def _no_login(self) -> RefusedError:
        said = self._trouble.str() if self._trouble else ""
        return RefusedError(
            f"Kafka at {self._servers} refuses the login: {said[:300]}; are KAFKA_USERNAME, "
            "KAFKA_PASSWORD and security.protocol in KAFKA_PROPERTIES right?"
        )

    def _unreachable(self, count: str) -> UnreachableError:
        said = f": {self._trouble.str()[:200]}" if self._trouble else ""
        return UnreachableError(
            f"Kafka at {self._servers} gave no answer for {self._budget:g} seconds; {count}{said}; "
            "is KAFKA_BOOTSTRAP_SERVERS right, and the broker up?"
        )


# A group's coordinator is still being found, or is reading what it knows.
_SOON = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError._WAIT_COORD,
        KafkaError._TRANSPORT,
    }
)


class Bookmarks:
    """Where each source goes on, kept by the broker."""

    def __init__(self, settings: KafkaSettings, topic: str, timeout: float) -> None:
        self._settings = settings
        self._topic = topic
        self._timeout = timeout
        self._clients: dict[str, Any] = {}
        self._refusals: dict[str, KafkaError] = {}

    def read(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the saved positions by their names; a name without one is left out."""
        found = {}
        for name in names:
            try:
                saved = self._saved(name)
            except KafkaException as error:
                raise self._failure(name, "read", error.args[0]) from error
            if saved.error is not None:
                raise self._failure(name, "read", saved.error)
            if saved.metadata:
                found[name] = saved.metadata
        return found

    def _saved(self, name: str) -> Any:
        """Ask until the group has a coordinator: a broker that came up has none at first."""
        until = time.monotonic() + self._timeout
        while True:
            try:
                (saved,) = self._client(name).committed([self._place()], timeout=self._timeout)
                return saved
            except KafkaException as error:
                if error.args[0].code() not in _SOON or time.monotonic() >= until:
                    raise
            time.sleep(POLL)

    def save(self, bookmark: Bookmark) -> None:
        """Send a bookmark on its way; a later one makes up for one that is lost.

        Raises RefusedError where this user may not save an earlier one.
        """
        client = self._client(bookmark.name)
        client.poll(0)
        self.check()
        client.commit(offsets=[self._place(bookmark.position)], asynchronous=True)

    def close(self) -> None:
        """Let what is on its way arrive; `check` then tells what came of it."""
        # At the same time: each waits some seconds for a broker that is gone.
        with ThreadPoolExecutor(max(len(self._clients), 1)) as pool:
            list(pool.map(lambda client: client.close(), self._clients.values()))

    def check(self) -> None:
        """Raise RefusedError where this user may not save a bookmark."""
        for name, error in self._refusals.items():
            raise self._failure(name, "saved", error)

    def _failure(self, name: str, done: str, error: KafkaError) -> ProducerError:
        text = (
            f"Kafka at {self._settings.bootstrap_servers}: the bookmark in group {_group(name)!r} "
            f"cannot be {done}: {error.str()}"
        )
        if error.code() in _NO_ANSWER:
            return UnreachableError(f"{text}; is KAFKA_BOOTSTRAP_SERVERS right, and the broker up?")
        return RefusedError(
            f"{text}; grant this user READ on topic {self._topic!r} and the groups bmctwitter-*"
        )

    def _place(self, metadata: str = "") -> Any:
        return confluent_kafka.TopicPartition(self._topic, 0, 0, metadata)

    def _client(self, name: str) -> Any:
        if name not in self._clients:

            def committed(error: KafkaError | None, places: list[Any]) -> None:
                for each in (error, *(place.error for place in places)):
                    if each is not None and each.code() in _RIGHTS:
                        self._refusals[name] = each

            kept = _properties(self._settings).items()
            self._clients[name] = _client(
                confluent_kafka.Consumer,
                {
                    **{key: value for key, value in kept if not key.startswith(_GROUP)},
                    "group.id": _group(name),
                    "enable.auto.commit": False,
                    "on_commit": committed,
                    # No group is joined; this bounds the wait for a broker that is gone.
                    "session.timeout.ms": 6_000,
                },
            )
        return self._clients[name]


def _group(name: str) -> str:
    return f"bmctwitter-{name}"


def _properties(settings: KafkaSettings) -> dict[str, Any]:
    # As the consumer: a login goes encrypted unless KAFKA_PROPERTIES say otherwise.
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
        "client.id": "bmctwitter",
        **login,
        **settings.properties,
    }


def _client(kind: Any, properties: Mapping[str, Any]) -> Any:
    # librdkafka prints to stderr by itself; what matters of it comes back in errors and reports.
    quiet = logging.getLogger("pythonapp.kafka.librdkafka")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    try:
        return kind(dict(properties), logger=quiet)
    except (KafkaException, ValueError, TypeError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else error
        raise BadInputError(f"KAFKA_PROPERTIES: {said}") from error
