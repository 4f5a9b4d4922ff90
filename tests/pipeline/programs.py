"""The producer and the consumer as a user runs them: processes with a line and an environment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """What is run; its output goes to a file of its own."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path = field(repr=False)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the test, which then ends what it started.
                start_new_session=True,
            )

    def run(self, seconds: float = 60) -> str:
        """Run it to its end and return what it said; AssertionError unless it ends with 0."""
        process = self.start()
        code: int | None = None
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(seconds)
        finally:
            process.kill()
            process.wait()
        said = self.log.read_text(encoding="utf-8", errors="replace")
        assert code == 0, f"{self.name} ended with {code}:\n{said[-2_000:]}"
        return said

    def last_words(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        return lines[-1][:300] if lines else "it said nothing"


def producer(
    name: str, quadrant: str, environment: Mapping[str, str], folder: Path, *options: str
) -> Program:
    line = ("pythonapp/bmctwitter.py", f"{quadrant}.yaml", *options)
    return Program(name, line, environment, folder)


def consumer(name: str, environment: Mapping[str, str], folder: Path, *options: str) -> Program:
    line = ("application/KafkaSnowflake.py", *options)
    return Program(name, line, environment, folder)
