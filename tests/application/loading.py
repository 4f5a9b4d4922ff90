"""How a loader is run as a command, and how what it says is judged."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from application.errors import RefusedError
from application.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "cust360-geo"


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


class Faulty:
    """A lake whose nth step happens, but whose answer is lost; the steps after are not asked for.

    To who gives up, it is the same as if the step after were refused.
    """

    def __init__(self, lake: Any, fails_at: int) -> None:
        self._lake = lake
        self._left = fails_at
        self.failed = False

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._lake.run(sql, values)
        self._step()
        return found

    def put(self, path: Path, stage: str) -> None:
        self._lake.put(path, stage)
        self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.failed = True
            raise RefusedError("the answer is lost")


class Twice:
    """A lake that is sent every step twice, as the warehouse does where an answer was lost."""

    def __init__(self, lake: Any) -> None:
        self._lake = lake

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self._lake.run(sql, values)
        found: list[tuple[Any, ...]] = self._lake.run(sql, values)
        return found

    def put(self, path: Path, stage: str) -> None:
        self._lake.put(path, stage)
        self._lake.put(path, stage)


def called(
    main: Callable[[Sequence[str], Mapping[str, str]], int],
    *options: str,
    environment: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which is quicker; its signals are left alone."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch("application.stopping.Stop.install"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main(options, {**os.environ})
    return subprocess.CompletedProcess(list(options), code, out.getvalue(), err.getvalue())
