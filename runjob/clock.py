"""The inbox of a launch, and the clock that it waits by."""

from __future__ import annotations

import queue
import time

from runjob.messages import Message


class Inbox:
    """Messages in the order in which they came; `put` is safe in a signal handler."""

    def __init__(self) -> None:
        # SimpleQueue is the one queue whose put may interrupt a get of the same thread.
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def put(self, message: Message) -> None:
        self._queue.put(message)

    def get(self, seconds: float | None) -> Message | None:
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None

    def now(self) -> float:
        return time.monotonic()
