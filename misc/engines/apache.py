"""A real Apache Kafka of one node, in KRaft mode, from the jars that Maven Central serves.

`broker` runs one for a block; `python -m misc.engines.apache up` leaves one running.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from misc.engines import apache_node
from misc.engines.apache_node import Node
from misc.engines.maven import cache_folder
from misc.engines.ports import listen
from misc.engines.process import Engine, EngineError, start

TOPICS = {"tweets": 4, "tweets-dead-letters": 1}
PROPERTIES = "group.protocol=consumer"
PORT = 9092
_DOWN_SECONDS = 30.0


class Broker:
    """A running broker, and what can be done to it; its messages outlast all of this."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.settings = engine.settings

    @property
    def pid(self) -> int | None:
        """Return the process of Kafka itself, None while it is down."""
        pid: int | None = self._engine.ask({"do": "pid"})["pid"]
        return pid

    def kill(self) -> None:
        """End it as a crash would."""
        self._engine.ask({"do": "kill"})

    def stop(self) -> None:
        """End it as an operator would, and wait for that."""
        self._engine.ask({"do": "stop"})

    def start(self) -> None:
        """Start it again on the same port, and wait until it serves."""
        self._engine.ask({"do": "start"})

    def create(self, topic: str, partitions: int) -> None:
        self._engine.ask({"do": "create", "topic": topic, "partitions": partitions})


@contextlib.contextmanager
def broker(
    folder: Path,
    topics: Mapping[str, int] = TOPICS,
    *,
    port: int = 0,
    session_timeout_ms: int = 6_000,
) -> Iterator[Broker]:
    """Run a broker that keeps its messages in a folder, on a free port unless one is given.

    EngineError, in one line, where Java or Maven is missing. The session timeout is the time
    after which a consumer that was killed gives its partitions back.
    """
    node = _node(folder, port, session_timeout_ms)
    apache_node.prepare(node)
    options = {
        "folder": str(node.folder),
        "port": node.port,
        "controller_port": node.controller_port,
        "session_timeout_ms": node.session_timeout_ms,
        "topics": dict(topics),
        "settings": settings(node),
    }
    with start("misc.engines.apache_broker", options) as engine:
        yield Broker(engine)


def settings(node: Node) -> dict[str, str]:
    """Return the KAFKA_ variables of a client."""
    return {"KAFKA_BOOTSTRAP_SERVERS": node.address, "KAFKA_PROPERTIES": PROPERTIES}


def up(folder: Path, port: int) -> dict[str, str]:
    """Start a broker that outlives this process, unless one runs; return its settings."""
    with _state(folder) as (file, record):
        if record is not None:
            _say(f"Apache Kafka runs already, process {record['pid']}")
            return dict(record["settings"])
        node = _node(folder, port, 6_000)
        apache_node.prepare(node)
        began = time.monotonic()
        process = apache_node.launch(node, pass_fds=[file])
        try:
            apache_node.wait_until_ready(node, process)
            apache_node.create(node, TOPICS)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = 0  # nobody waits for it; its object's end is not to warn about that
        _say(f"{time.monotonic() - began:7.1f} s  Apache Kafka {apache_node.VERSION} is up")
        os.truncate(file, 0)
        os.pwrite(file, json.dumps({"pid": process.pid, "settings": settings(node)}).encode(), 0)
        return settings(node)


def down(folder: Path) -> None:
    """Stop what `up` started; its messages stay in the folder."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + _DOWN_SECONDS
        asked = False
        while time.monotonic() < end:
            record = running(folder)
            if record is None:
                _say("Apache Kafka is down")
                return
            if not asked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(record["pid"], how)
                asked = True
            time.sleep(0.05)
    raise EngineError(f"Apache Kafka does not end; its folder is {folder}")


def running(folder: Path) -> dict[str, Any] | None:
    """Return the process and the settings of what `up` started, None when it does not run."""
    with _state(folder) as (_, record):
        return record


@contextlib.contextmanager
def _state(folder: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Open the record of `up`, and read it if it is true.

    Kafka inherits the open file with a lock on it, so the lock lasts as long as that process,
    however it ends: a number that was given to another process meanwhile is never taken for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / "running.json", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(file, 10_000, 0)
            if not text:
                raise EngineError("Apache Kafka is being started by another") from None
            yield file, json.loads(text)
        else:
            yield file, None
    finally:
        os.close(file)


def _node(folder: Path, port: int, session_timeout_ms: int) -> Node:
    # Both are held until both are known, so that they differ.
    with listen(port) as client, listen(0) as controller:
        ports = client.getsockname()[1], controller.getsockname()[1]
    return Node(folder.resolve(), *ports, session_timeout_ms)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Do what the first argument says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m misc.engines.apache", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument(
        "--port", type=int, default=PORT, help="of 127.0.0.1 (default: %(default)s)"
    )
    parser.add_argument(
        "--folder", type=Path, default=cache_folder() / "kafka" / "node",
        help="where its messages are kept (default: in the cache)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    folder = options.folder
    try:
        if options.command == "down":
            down(folder)
            return 0
        found = up(folder, options.port) if options.command == "up" else None
        if options.command == "status":
            record = running(folder)
            running_as = f"up, process {record['pid']}" if record else "down"
            _say(f"Apache Kafka is {running_as}")
            found = record and record["settings"]
        for name, value in (found or {}).items():
            print(f"export {name}={shlex.quote(value)}")
    except EngineError as error:
        print(f"apache: error: {error}", file=sys.stderr)
        return 3
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
