"""The inbox of a launch, and the clock that it waits by."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from runjob.messages import Message

# By how much a wait is late where this process was stopped meanwhile, or its machine, in seconds.
STANDSTILL = 5.0


class Inbox:
    """Messages in the order in which they came; `put` is safe in a signal handler.

    The clock stands still with this process: what nobody here could hear was no silence. It sees
    that by a wait of `get` that is late, whoever asks for the time first.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        # SimpleQueue is the one queue whose put may interrupt a get of the same thread.
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._due: float | None = None  # when the present wait is to end
        self._stood_still = 0.0

    def put(self, message: Message) -> None:
        self._queue.put(message)

    def get(self, seconds: float | None) -> Message | None:
        self._due = None if seconds is None else self._monotonic() + seconds
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None
        finally:
            self.now()
            self._due = None

    def now(self) -> float:
        with self._lock:
            now, due = self._monotonic(), self._due
            if due is not None and now - due > STANDSTILL:
                self._stood_still += now - due
                self._due = now
            return now - self._stood_still
