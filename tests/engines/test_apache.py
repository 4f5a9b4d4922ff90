"""Apache Kafka keeps what it was given through crashes, and ends with its starter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer

from misc.engines import apache, apache_node, maven
from misc.engines.process import EngineError
from tests.engines.real_broker import need_apache
from tests.engines.waiting import free_port, gone, until

NEWER = "group.protocol=consumer"
CLASSIC = "group.protocol=classic session.timeout.ms=2000 heartbeat.interval.ms=500"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apache.Broker]:
    need_apache()
    folder = tmp_path_factory.mktemp("kafka")
    with apache.broker(folder, {"tweets": 4}, session_timeout_ms=2_000) as running:
        yield running


def send(broker: apache.Broker, topic: str, count: int) -> None:
    servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
    client = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "compression.type": "zstd"}
    )
    for number in range(count):
        client.produce(topic, key=str(number), value=str(number))
    assert client.flush(30) == 0


def consumer(broker: apache.Broker, topic: str, properties: str = apache.PROPERTIES) -> Consumer:
    client = Consumer(
        {
            "bootstrap.servers": broker.settings["KAFKA_BOOTSTRAP_SERVERS"],
            "group.id": f"reads-{topic}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
            **dict(pair.split("=") for pair in properties.split()),
        }
    )
    client.subscribe([topic])
    return client


def read(client: Consumer, count: int) -> list[Message]:
    messages: list[Message] = []

    def enough() -> bool:
        messages.extend(each for each in client.consume(500, 0.2) if each.error() is None)
        return len(messages) >= count

    until(enough)
    return messages


def test_messages_and_commits_outlast_a_crash_of_the_broker(broker: apache.Broker) -> None:
    broker.create("crash", 4)
    send(broker, "crash", 1000)
    first = consumer(broker, "crash")
    assert sorted(int(each.value()) for each in read(first, 1000)) == list(range(1000))
    first.commit(asynchronous=False)
    first.close()
    send(broker, "crash", 10)
    before = broker.pid
    broker.kill()
    assert broker.pid is None
    broker.start()
    assert broker.pid not in (None, before)
    second = consumer(broker, "crash")
    assert sorted(int(each.value()) for each in read(second, 10)) == list(range(10))
    second.close()


def test_a_producer_waits_for_a_broker_that_is_stopped(broker: apache.Broker) -> None:
    broker.create("stopped", 1)
    servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
    client = Producer(
        {"bootstrap.servers": servers, "log_level": 0, "reconnect.backoff.max.ms": 250}
    )
    broker.stop()
    client.produce("stopped", value=b"late")
    assert client.flush(0.2) == 1
    broker.start()
    assert client.flush(30) == 0


READ_AND_HANG = """
import sys, time
from confluent_kafka import Consumer
pairs = dict(pair.split("=") for pair in sys.argv[3].split())
client = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "reads-" + sys.argv[2],
                   "auto.offset.reset": "earliest", "log_level": 0, **pairs})
client.subscribe([sys.argv[2]])
while not client.consume(100, 0.2): pass
print("reading", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("topic", "properties"),
    [pytest.param("newer", NEWER, id="newer"), pytest.param("classic", CLASSIC, id="classic")],
)
def test_the_partitions_of_a_killed_consumer_come_back(
    broker: apache.Broker, topic: str, properties: str
) -> None:
    broker.create(topic, 4)
    send(broker, topic, 100)
    servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
    command = [sys.executable, "-c", READ_AND_HANG, servers, topic, properties]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"reading\n"
        victim.kill()
    heir = consumer(broker, topic, properties)
    assert len(read(heir, 100)) == 100
    heir.close()


def test_a_taken_port_is_refused_in_one_line(broker: apache.Broker, tmp_path: Path) -> None:
    port = int(broker.settings["KAFKA_BOOTSTRAP_SERVERS"].partition(":")[2])
    with pytest.raises(EngineError, match=f"port {port}"), apache.broker(tmp_path, port=port):
        pass


STARTER = """
import sys, time
from pathlib import Path
from misc.engines import apache
with apache.broker(Path(sys.argv[1]), {}) as broker:
    print(broker.pid, flush=True)
    time.sleep(600)
"""


def test_the_broker_ends_with_its_starter(tmp_path: Path) -> None:
    need_apache()
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
    until(lambda: gone(pid))


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "misc.engines.apache", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_brought_up_serves_until_it_is_brought_down(tmp_path: Path) -> None:
    need_apache()
    fetched = maven.jars(apache_node.jar_folder(), apache_node.ARTIFACTS)
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / fetched.name).symlink_to(fetched)

    def cached(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command(*arguments, RUNJOB_CACHE=str(tmp_path))

    port = str(free_port())
    assert cached("status").returncode == 1
    up = cached("up", "--port", port)
    try:
        assert up.returncode == 0, up.stderr
        assert f"export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{port}\n" in up.stdout
        pid = apache.running(tmp_path / "kafka" / "node")
        again = cached("up")
        assert (again.returncode, again.stdout) == (0, up.stdout)
        assert apache.running(tmp_path / "kafka" / "node") == pid
        assert cached("status").stdout == up.stdout
    finally:
        assert cached("down").returncode == 0
    status = cached("status")
    assert (status.returncode, status.stdout) == (1, "")
    assert status.stderr == "Apache Kafka is down\n"


def programs(folder: Path, **scripts: str) -> dict[str, str]:
    """Return an environment in which only these programs are found."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder), "JAVA_HOME": "", "RUNJOB_CACHE": str(folder / "cache")}


@pytest.mark.parametrize(
    ("scripts", "line"),
    [
        pytest.param({}, "java is missing; install Java 17", id="no java"),
        pytest.param({"java": "exit 1"}, "java is missing", id="a java that only gives advice"),
        pytest.param({"java": "exit 0"}, "mvn is missing; install Maven", id="no mvn"),
        pytest.param(
            {"java": "exit 0", "mvn": 'test "$1" = -version || { echo "[ERROR] no net"; exit 1; }'},
            "mvn could not fetch org.apache.kafka:kafka_2.13:.*: .ERROR. no net",
            id="no network",
        ),
        pytest.param(
            {"java": 'test "$1" = -version || { echo "bad things"; exit 1; }', "mvn": "exit 0"},
            "Kafka's storage cannot be formatted: bad things",
            id="a java that fails",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    tmp_path: Path, scripts: dict[str, str], line: str
) -> None:
    ended = command("up", "--port", str(free_port()), **programs(tmp_path, **scripts))
    assert ended.returncode == 3
    assert ended.stdout == ""
    said = ended.stderr.splitlines()[-1]
    assert re.match(f"apache: error: {line}", said)
    assert "Traceback" not in ended.stderr


def test_a_broker_that_ends_at_once_says_why(tmp_path: Path) -> None:
    need_apache()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\nnode.id=7\n", encoding="utf-8")
    with (
        pytest.raises(EngineError, match=r"Kafka ended at once: .*meta\.properties"),
        apache.broker(tmp_path, {}),
    ):
        pass
