"""The shells that can complete the launcher's line."""

from __future__ import annotations

from collections.abc import Callable

from runjob.guide import bash, fish, zsh

SHELLS: dict[str, Callable[[], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
}
