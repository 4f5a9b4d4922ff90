"""The file watcher: waits until a local file is there and has stopped growing."""

from __future__ import annotations

import glob
import math
import os
import re
import time
from collections.abc import Mapping
from typing import Any

from ctm.rehearse.task import FAILED, OK, Result, Task

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
# A watcher looks this often at least, in seconds, whatever a minute lasts.
QUICKEST = 0.2
_STABLE_LOOKS = 2
DEFAULT_MINUTES = 60


def check(told: Mapping[str, Any]) -> None:
    """Raise ValueError for a time that is no number; one by a variable is known later."""
    for name in ("SearchInterval", "TimeLimit"):
        text = str(told.get(name) or 0)
        if "%%" not in text and not re.fullmatch(r"\d{1,9}", text):
            raise ValueError(f"its {name} is {text!r}, and must be a whole number")


def created(task: Task) -> Result:
    """Wait for a file of the least size that does not change between two looks."""
    pattern = task.text("Path")
    wild = str(task.properties.get("Wildcard", "")).lower() == "true" or "*" in pattern
    least = size_of(str(task.properties.get("MinimumSize") or "0"))
    # SearchInterval is in seconds, TimeLimit in minutes; 0 is without a limit.
    pause = float(task.properties.get("SearchInterval") or 60) / 60 * task.stage.minute
    minutes = float(str(task.properties.get("TimeLimit", "")) or DEFAULT_MINUTES)
    deadline = time.monotonic() + minutes * task.stage.minute if minutes else math.inf
    seen: dict[str, tuple[int, int]] = {}
    while True:
        for path in glob.glob(pattern) if wild else [pattern]:
            try:
                found = os.stat(path)
            except OSError:
                continue
            size, looks = seen.get(path, (-1, 0))
            looks = looks + 1 if found.st_size == size else 1
            seen[path] = (found.st_size, looks)
            if found.st_size >= least and looks >= _STABLE_LOOKS:
                task.say(f"{path}: {found.st_size} bytes")
                return OK
        if time.monotonic() >= deadline:
            task.say(f"{pattern}: it did not come within {minutes:g} minutes of the rehearsal")
            return FAILED
        if task.stopped.wait(max(QUICKEST, pause)):
            return FAILED


def size_of(text: str) -> int:
    """Read a size such as 100 or 10 KB; what is none is 0."""
    found = re.fullmatch(r"(\d+)\s*([KMG]?B)?", text.strip().upper())
    return int(found[1]) * _UNITS[found[2] or "B"] if found else 0
