"""The process of the embedded Kafka: librdkafka's mock cluster, by its C functions.

Their signatures are in rdkafka_mock.h of librdkafka.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Any

from misc.engines.forwarder import forward
from misc.engines.kafka import PROPERTIES
from misc.engines.process import Answer, EngineError, serve

_BROKER = ctypes.c_int32(1)
_LOG_WARNING = 4


class MockCluster:
    """One broker in this process."""

    def __init__(self) -> None:
        from confluent_kafka import cimpl

        # Symbols of the libraries that a library was linked with are found through it.
        self._library = ctypes.CDLL(cimpl.__file__)
        self._handle = self._pointer("rd_kafka_handle_mock_cluster", self._client())

    @property
    def address(self) -> tuple[str, int]:
        text = ctypes.string_at(self._pointer("rd_kafka_mock_cluster_bootstraps", self._handle))
        host, _, port = text.decode().partition(":")
        return host, int(port)

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function that takes the cluster first; EngineError where it returns an error."""
        code = self._library[f"rd_kafka_mock_{function}"](self._handle, *arguments)
        if code:
            raise EngineError(f"librdkafka's mock broker refuses {function}: error {code}")

    def note(self, function: str, *arguments: Any) -> None:
        """Call a function that returns nothing."""
        call = self._library[f"rd_kafka_mock_{function}"]
        call.restype = None
        call(self._handle, *arguments)

    def _client(self) -> ctypes.c_void_p:
        text = ctypes.create_string_buffer(512)
        size = ctypes.c_size_t(len(text))
        configuration = self._pointer("rd_kafka_conf_new")
        for name, value in ((b"test.mock.num.brokers", b"1"), (b"log_level", b"4")):
            if self._library.rd_kafka_conf_set(configuration, name, value, text, size):
                raise EngineError(f"librdkafka refuses {name.decode()}: {text.value.decode()}")
        return self._pointer("rd_kafka_new", 0, configuration, text, size)

    def _pointer(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        call = self._library[function]
        call.restype = ctypes.c_void_p
        if not (address := call(*arguments)):
            raise EngineError(f"librdkafka: {function} gave nothing")
        return ctypes.c_void_p(address)


@contextlib.contextmanager
def run(options: Answer) -> Iterator[tuple[dict[str, str], Any]]:
    """Start the broker; the requests are those of `kafka.Broker`."""
    cluster = MockCluster()
    session = options["session_timeout_ms"]
    cluster.note("set_group_consumer_session_timeout_ms", ctypes.c_int(session))
    cluster.note("set_group_consumer_heartbeat_interval_ms", ctypes.c_int(min(500, session // 4)))
    for topic, partitions in options["topics"].items():
        _create(cluster, topic, partitions)
    host, port = cluster.address
    with contextlib.ExitStack() as stack:
        if wanted := options["port"]:
            # The mock chooses its port; clients are told the wanted one, where a forwarder listens.
            stack.enter_context(forward(wanted, (host, port)))
            cluster.call("broker_set_host_port", _BROKER, host.encode(), ctypes.c_int(wanted))
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": f"{host}:{wanted or port}",
            "KAFKA_PROPERTIES": PROPERTIES,
        }
        yield settings, lambda request: _obey(cluster, request)


def _create(cluster: MockCluster, topic: str, partitions: int) -> None:
    cluster.call("topic_create", topic.encode(), ctypes.c_int(partitions), ctypes.c_int(1))


def _obey(cluster: MockCluster, request: Answer) -> Answer:
    match request["do"]:
        case "create":
            _create(cluster, request["topic"], request["partitions"])
        case "down":
            cluster.call("broker_set_down", _BROKER)
        case "up":
            cluster.call("broker_set_up", _BROKER)
        case "delay":
            cluster.call("broker_set_rtt", _BROKER, ctypes.c_int(request["milliseconds"]))
        case "refuse":
            codes = request["errors"]
            cluster.note(
                "push_request_errors_array",
                ctypes.c_int16(request["api_key"]),
                ctypes.c_size_t(len(codes)),
                (ctypes.c_int * len(codes))(*codes),
            )
        case "refuse_topic":
            cluster.note(
                "topic_set_error", request["topic"].encode(), ctypes.c_int(request["error"])
            )
        case unknown:
            raise EngineError(f"the mock broker knows no {unknown!r}")
    return {}


if __name__ == "__main__":
    serve(run)
