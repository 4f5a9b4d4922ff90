"""Waiting for what must come, with a bound."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path


def until(happened: Callable[[], object], seconds: float = 30) -> None:
    """Poll until it is true; AssertionError when it does not come."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def gone(pid: int) -> bool:
    """Tell whether a process has ended; what waits for its parent's look has."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
