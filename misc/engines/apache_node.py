"""One node of Apache Kafka, broker and controller in one process, as files and a command."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from misc.engines.maven import cache_folder, jars
from misc.engines.process import EngineError

VERSION = "4.4.0"
READY_SECONDS = 50.0
# The end of the broker's log is kept on the way; a wrong setting fills it.
_LAST = 2_000

ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # Kafka speaks to slf4j 1.7, and brings nothing that writes
)
# A small heap and the fast compiler only: two cores are shared with those who are tested.
_JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_CLUSTER_ID = "cnVuam9iLWthZmthLW5vZA"  # any 16 bytes, as Kafka writes them


@dataclass(frozen=True)
class Node:
    """Where a node keeps its files, and the two ports of 127.0.0.1 that it listens on."""

    folder: Path
    port: int
    controller_port: int
    session_timeout_ms: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"


def server_properties(node: Node) -> dict[str, str]:
    """Return the node's settings, by the names of Kafka's documentation.

    A client of the classic protocol chooses its session timeout, from a second upwards; of the
    newer one the broker does.
    """
    one = str(1)
    session = node.session_timeout_ms
    heartbeat = str(max(100, session // 6))
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"CLIENT://{node.address},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://{node.address}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{node.controller_port}",
        "log.dirs": str(node.data),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": one,
        "transaction.state.log.replication.factor": one,
        "transaction.state.log.min.isr": one,
        "share.coordinator.state.topic.replication.factor": one,
        "share.coordinator.state.topic.min.isr": one,
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.session.timeout.ms": str(session),
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": heartbeat,
        # A killed node may come back only when its controller has given it up.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


def missing() -> str | None:
    """Say what a node needs and this machine lacks; None when it has all."""
    if not _works(_java()):
        return "java is missing; install Java 17 or later (Debian: apt install default-jre)"
    if not jar_folder().is_dir() and not _works("mvn"):
        return "mvn is missing; install Maven (Debian: apt install maven)"
    return None


def prepare(node: Node) -> None:
    """Fetch the jars, write the settings and format the storage, each unless it is done."""
    if lacking := missing():
        raise EngineError(lacking)
    jars(jar_folder(), ARTIFACTS)
    node.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}={value}\n" for name, value in server_properties(node).items()]
    node.properties.write_text("".join(lines), encoding="utf-8")
    if (node.data / "meta.properties").exists():
        return
    command = ["format", "--cluster-id", _CLUSTER_ID, "--config", str(node.properties)]
    with node.log.open("a") as log:
        process = _jvm(["kafka.tools.StorageTool", *command], log.fileno(), ())
    if process.wait():
        raise EngineError(f"Kafka's storage cannot be formatted: {last_words(node)}")


def launch(node: Node, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start a prepared node; it is in a session of its own and ready somewhat later."""
    with node.log.open("a") as log:
        return _jvm(["kafka.Kafka", str(node.properties)], log.fileno(), pass_fds)


def wait_until_ready(node: Node, process: subprocess.Popen[bytes]) -> None:
    """Wait until a client sees the broker and a leader of every partition; EngineError if not."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient(
        {"bootstrap.servers": node.address, "log_level": 0, "reconnect.backoff.max.ms": 250}
    )
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise EngineError(f"Kafka ended at once: {last_words(node)}")
        with contextlib.suppress(KafkaException):
            seen = client.list_topics(timeout=1)
            topics = seen.topics.values()
            leaders = [each.leader for topic in topics for each in topic.partitions.values()]
            if seen.brokers and min(leaders, default=1) >= 0:
                return
        time.sleep(0.05)
    raise EngineError(f"Kafka gave no answer within {READY_SECONDS:.0f} s: {last_words(node)}")


def create(node: Node, topics: Mapping[str, int]) -> None:
    """Create topics with so many partitions; those that exist stay as they are."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic

    client = AdminClient({"bootstrap.servers": node.address, "log_level": 0})
    wanted = [NewTopic(name, partitions, 1) for name, partitions in topics.items()]
    for name, created in (client.create_topics(wanted) if wanted else {}).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise EngineError(f"Kafka refuses topic {name}: {error.args[0].str()}") from error


def last_words(node: Node) -> str:
    """Return where the log is and its last line."""
    try:
        lines = node.log.read_text(encoding="utf-8", errors="replace")[-_LAST:].splitlines()
    except FileNotFoundError:
        lines = []
    # A stack trace ends with where; what comes before says what.
    said = [line for line in lines if line.strip() and not line.startswith(("\t", "    at "))]
    return f"{said[-1][:300] if said else 'no word'} (all of it is in {node.log})"


def _jvm(arguments: list[str], log: int, pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_java(), *_JVM, _QUIET, "-cp", f"{jar_folder()}/*", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=pass_fds,
    )


def jar_folder() -> Path:
    """Return where the jars of this version lie, once they are fetched."""
    return cache_folder() / "kafka" / f"jars-{VERSION}"


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def _works(program: str) -> bool:
    """Tell whether a program is there; macOS has a java that only tells where to get one."""
    if not shutil.which(program):
        return False
    ended = subprocess.run([program, "-version"], capture_output=True, check=False)
    return ended.returncode == 0
