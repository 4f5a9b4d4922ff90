"""How a loader is run as a command, and how what it says is judged."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from application.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Engines:
    """Settings of both engines, and a connection to the lake."""

    lake: Warehouse
    settings: dict[str, str] = field(repr=False)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        return self.lake.run(sql, values)

    def command(
        self, name: str, *options: str, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the application's commands as a process."""
        return subprocess.run(
            [sys.executable, "-m", f"application.{name}", *options],
            env={**os.environ, **self.settings, **settings},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


def assert_one_clear_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command told its error in one line, with these words in it."""
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert "error: " in lines[0]
    for word in words:
        assert word in lines[0]
