"""A server in a process of its own, that ends when its starter does.

Starter and child talk in JSON lines over the child's standard input and output: first the options
and the settings that came of them, then requests and answers, such as a fault and its receipt.
When the starter ends, however it ends, the pipe closes; the child reads that and ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

ADVICE = "pip install -e '.[engines]' on Python 3.11 or later"
START_SECONDS = 60.0
END_SECONDS = 5.0

Answer = Mapping[str, Any]
Serving = AbstractContextManager[tuple[dict[str, str], Callable[[Answer], Answer]]]

_ROOT = Path(__file__).resolve().parents[2]


class EngineError(Exception):
    """An engine did not start, or refused a request: one line for the user."""


class Engine:
    """The starter's side: settings are environment variables for those who use the server."""

    def __init__(self, child: subprocess.Popen[bytes], options: Mapping[str, object]) -> None:
        self._child = child
        self._lock = threading.Lock()
        self.settings: dict[str, str] = self.ask(options)["settings"]

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, request: Mapping[str, object]) -> Any:
        """Send one request and return its answer; EngineError when the child refuses or is gone."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with self._lock:
            try:
                self._child.stdin.write(json.dumps(request).encode() + b"\n")
                self._child.stdin.flush()
                ready, _, _ = select.select([self._child.stdout], [], [], START_SECONDS)
                line = self._child.stdout.readline() if ready else b""
            except BrokenPipeError:
                line = b""
        if not line:
            raise EngineError(f"{self._child.args!r} gave no answer; its standard error tells why")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer


@contextlib.contextmanager
def start(module: str, options: Mapping[str, object]) -> Iterator[Engine]:
    """Run a module that calls `serve`, and end it with the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C in a terminal is for the starter: what it still does may need its engines.
        start_new_session=True,
    )
    with child:
        try:
            yield Engine(child, options)
        finally:
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            try:
                child.wait(2 * END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def serve(engine: Callable[[Answer], Serving]) -> NoReturn:
    """Be the child: start the engine with the options read, then answer until the pipe closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is for people

    def say(answer: Answer) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    try:
        with engine(json.loads(sys.stdin.readline())) as (settings, handle):
            say({"settings": settings})
            for line in sys.stdin:
                try:
                    say(handle(json.loads(line)))
                except EngineError as error:
                    say({"error": str(error)})
            _end_anyway()
    except ImportError as error:
        say({"error": f"{error.name or error} is missing; {ADVICE}"})
    except (EngineError, OSError) as error:
        say({"error": str(error)})
    # Threads of a server that is still busy must not keep the process.
    os._exit(0)


def _end_anyway() -> None:
    timer = threading.Timer(END_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()
