"""Memory limits, enforced by looking.

Without cgroups of its own a process group cannot be limited by the kernel: RLIMIT_AS counts
address space, of which interpreters reserve far more than they use. So the resident memory of
each limited group is read from /proc at short intervals, and a group above its limit is killed.
A process that takes the memory and ends between two looks goes unseen.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def resident_by_group(proc: Path = PROC) -> Counter[int]:
    """Add up resident memory, in bytes, by process group."""
    sizes: Counter[int] = Counter()
    for entry in os.scandir(proc):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "stat").read_text(errors="replace")
            except OSError:
                continue
            fields = text.rpartition(")")[2].split()
            sizes[int(fields[2])] += int(fields[21]) * PAGE
    return sizes


class MemoryGuard:
    """Calls back for every process group that outgrows its limit; idle while there is none."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._limits: dict[int, tuple[int, Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, group: int, limit: int, exceeded: Callable[[], None]) -> None:
        self._limits[group] = (limit, exceeded)
        if self._timer is None:
            self._look()

    def forget(self, group: int) -> None:
        self._limits.pop(group, None)

    def _look(self) -> None:
        self._timer = None
        if not self._limits:
            return
        sizes = resident_by_group()
        for group, (limit, exceeded) in list(self._limits.items()):
            if sizes[group] > limit:
                self.forget(group)
                exceeded()
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)
