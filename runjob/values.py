"""Turn the texts of a command line into values; ValueError says what is taken instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Convert = Callable[[str], Any]


def number(value: str) -> int:
    """Accept a count."""
    if not re.fullmatch(r"\d{1,9}", value):
        raise ValueError("a whole number, 0 or more")
    return int(value)


def positive(value: str) -> int:
    """Accept a count of at least one."""
    if not re.fullmatch(r"\d{1,9}", value) or int(value) == 0:
        raise ValueError("a whole number, 1 or more")
    return int(value)


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(value: str) -> int:
    """Turn `90`, `90s`, `10m`, `1h30m` into seconds, at least one."""
    parts = re.fullmatch(r"(?:\d{1,6}[smhd])+|\d{1,9}", value)
    total = (
        sum(int(n) * UNITS[u or "s"] for n, u in re.findall(r"(\d+)([smhd]?)", value))
        if parts
        else 0
    )
    if not 0 < total < 2**31:
        raise ValueError("a time such as 90s, 10m or 1h30m")
    return total


# In bytes, as Kubernetes writes them; K is k.
SIZES = {
    "": 1, "k": 1000, "K": 1000, "M": 1000**2, "G": 1000**3,
    "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3,
}  # fmt: skip


def size(value: str) -> int:
    """Turn `500000`, `10M` or `1Gi` into bytes, at least a thousand."""
    parts = re.fullmatch(r"(\d{1,12})([kKMG]|[KMG]i)?", value)
    total = int(parts[1]) * SIZES[parts[2] or ""] if parts else 0
    if total < 1000:
        raise ValueError("a size of at least 1K, such as 500K, 10M or 1Gi")
    return total


def as_size(total: int) -> str:
    """Write a number of bytes as `size` takes it."""
    factor, unit = max((value, unit) for unit, value in SIZES.items() if total % value == 0)
    return f"{total // factor}{unit.upper() if unit == 'k' else unit}"


def heartbeat(value: str) -> int:
    """Accept a time between two signs of life, in seconds; 0 for `off`."""
    if value == "off":
        return 0
    try:
        total = seconds(value)
    except ValueError:
        total = 0
    if total < 60:
        raise ValueError("a time of 60s or more, such as 5m, or off")
    return total


def one_of(*words: str) -> Convert:
    """Accept these words only."""

    def convert(value: str) -> str:
        if value not in words:
            raise ValueError(" or ".join(words))
        return value

    return convert


def pull_policy(value: str) -> str:
    """Accept the policies of Kubernetes, and `Latest`, which is none of them."""
    if value not in ("Always", "Latest", "IfNotPresent", "Never"):
        raise ValueError("Always, IfNotPresent or Never")
    return value


def pairs(value: str) -> tuple[tuple[str, str], ...]:
    """Split `name=value,name=value`."""
    found = []
    for part in value.split(","):
        name, equals, text = part.partition("=")
        if not name or not equals or not text:
            raise ValueError("NAME=VALUE, several divided by commas")
        found.append((name, text))
    return tuple(found)


def pair(value: str) -> tuple[tuple[str, str], ...]:
    """Split one `NAME=VALUE`; the value may hold anything, also nothing."""
    name, equals, text = value.partition("=")
    if not name or not equals:
        raise ValueError("NAME=VALUE")
    return ((name, text),)


def identity(value: str) -> str:
    """Accept what can be the value of a label."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", value):
        raise ValueError("letters, digits, -, _ and . only, at most 63")
    return value


def env_from(value: str) -> tuple[tuple[str, str], ...]:
    """Split `secret/NAME` or `configmap/NAME`."""
    kind, slash, name = value.partition("/")
    if kind not in ("secret", "configmap") or not slash or not name:
        raise ValueError("secret/NAME or configmap/NAME")
    return ((kind, name),)


def toleration(value: str) -> tuple[str, ...]:
    """Accept `KEY[=VALUE][:EFFECT]`."""
    if not re.fullmatch(
        r"(\*|[\w./-]+(=[\w.-]*)?)(:(NoSchedule|PreferNoSchedule|NoExecute))?", value
    ):
        raise ValueError("KEY[=VALUE][:EFFECT], or * for any taint")
    return (value,)


def exit_map(value: str) -> tuple[tuple[int, int], ...]:
    """Split `4=0,5=1` into exit codes."""
    found = []
    for part in value.split(","):
        match = re.fullmatch(r"(\d{1,3})=(\d{1,3})", part)
        if not match or max(int(match[1]), int(match[2])) > 255:
            raise ValueError("CODE=CODE such as 4=0, codes from 0 to 255")
        found.append((int(match[1]), int(match[2])))
    return tuple(found)
