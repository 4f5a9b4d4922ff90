"""Command lines and what is read of them, as tests put it."""

from __future__ import annotations

from typing import Any

from runjob.flags import FLAGS, parse
from runjob.options import Options

# The options that the launcher's callers have used from the first day on, by their letters.
OLD = {flag.short: flag for flag in FLAGS if flag.legacy}


def options(*argv: str) -> Options:
    found = parse(argv)
    assert isinstance(found, Options)
    return found


def at(found: Options, target: str) -> Any:
    """Return the value at a flag's target."""
    value: Any = found
    for name in target.split("."):
        value = getattr(value, name)
    return value
