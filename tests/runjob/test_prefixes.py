"""What stands before a log's lines stays the same over a kill, whatever is seen first then."""

from __future__ import annotations

import io
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runjob.console import Console
from runjob.logprinter import LogPrinter
from runjob.messages import LogRead, Message
from runjob.observed import PodView
from runjob.readings import Readings
from runjob.retry import Backoff
from runjob.state import Journal
from runjob.workshop import Workshop
from tests.runjob.scenes import container, ended, pod

BODY: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "hello", "namespace": "here", "uid": "u1", "resourceVersion": "7"},
}
FIRST = pod(container(terminated=ended(1)), uid="p1", name="hello-1", phase="Failed")
SECOND = pod(container(terminated=ended(0)), uid="p2", name="hello-2", phase="Succeeded")


class Node:
    """Keeps a line of each pod, which is its name; nothing else of an API is asked."""

    def log(self, _namespace: str, name: str, _container: str, **_: Any) -> Any:
        return Whole(f"2026-01-31T12:00:00.000000Z {name}\n".encode())

    watch = list = patch = delete = None


class Whole:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data

    def close(self) -> None: ...


def printed(folder: Path, prefix: str, *seen: PodView) -> bytes:
    """Print the logs of pods as a launcher that sees them one by one, and is killed then."""
    out, told = io.BytesIO(), queue.Queue[Message]()
    logs = LogPrinter(Console(out, None))
    with Journal(str(folder), "here/hello/r.1", "c", "host/1", logs) as journal:
        journal.begin(BODY, ())
        node: Any = Node()
        workshop = Workshop(node, "here", logs, lambda: 0.0, prefix=prefix,
                            journal=journal, backoff=Backoff(first=0))  # fmt: skip
        readings = Readings(
            lambda view, name, alone: workshop.follow(view, name, told.put, alone=alone)
        )
        for view in seen:
            readings.look([view], 0.0, begin=True)
            while not isinstance(told.get(timeout=20), LogRead):
                pass
    return out.getvalue()


@pytest.mark.parametrize(
    ("prefix", "first", "second"),
    [
        pytest.param("auto", b"hello-1\n", b"[hello-2/main] hello-2\n", id="auto"),
        pytest.param("never", b"hello-1\n", b"hello-2\n", id="never"),
        pytest.param("always", b"[hello-1/main] hello-1\n", b"[hello-2/main] hello-2\n",
                     id="always"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)], ids=["in order", "turned"])
def test_of_a_jobs_logs_the_first_stands_alone_and_no_other_after_a_kill(
    tmp_path: Path, prefix: str, first: bytes, second: bytes, order: tuple[PodView, PodView]
) -> None:
    """An API lists pods by their names, which tell nothing of who came first."""
    assert printed(tmp_path, prefix, FIRST) == first
    assert printed(tmp_path, prefix, *order) == second
