"""One line per step, with its seconds; a live counter where somebody looks on."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print ``title`` with the seconds that the body took, once it is done or has failed."""
    start = time.monotonic()
    done = threading.Event()
    live = sys.stdout.isatty()

    def count() -> None:
        while not done.wait(1):
            print(f"\r{time.monotonic() - start:7.0f} s  {title} ... ", end="", flush=True)

    counter = threading.Thread(target=count, daemon=True)
    if live:
        counter.start()
    outcome = "failed: "
    try:
        yield
        outcome = ""
    finally:
        done.set()
        if live:
            counter.join()
            print("\r\033[K", end="")
        print(f"{time.monotonic() - start:7.1f} s  {outcome}{title}", flush=True)
