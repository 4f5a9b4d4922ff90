"""The process that keeps Apache Kafka: it starts and ends the node as its starter asks."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from misc.engines import apache_node
from misc.engines.apache_node import Node
from misc.engines.process import Answer, EngineError, serve

_STOP_SECONDS = 30.0


class Keeper:
    """A node that is up or down."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = apache_node.launch(self._node)
            apache_node.wait_until_ready(self._node, self._process)

    def end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def obey(self, request: Answer) -> Answer:
        match request["do"]:
            case "start":
                self.start()
            case "stop":
                self.end(signal.SIGTERM)
            case "kill":
                self.end(signal.SIGKILL)
            case "create":
                apache_node.create(self._node, {request["topic"]: request["partitions"]})
            case "pid":
                return {"pid": self._process.pid if self._process else None}
            case unknown:
                raise EngineError(f"the keeper of Apache Kafka knows no {unknown!r}")
        return {}


@contextlib.contextmanager
def run(options: Answer) -> Iterator[tuple[dict[str, str], Any]]:
    """Start the node with its topics; the requests are those of `apache.Broker`."""
    node = Node(
        Path(options["folder"]),
        options["port"],
        options["controller_port"],
        options["session_timeout_ms"],
    )
    keeper = Keeper(node)
    try:
        keeper.start()
        apache_node.create(node, options["topics"])
        yield options["settings"], keeper.obey
    finally:
        # What is in its folder is not read again, or read as after a crash.
        keeper.end(signal.SIGKILL)


if __name__ == "__main__":
    serve(run)
