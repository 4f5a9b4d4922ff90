"""The producer and the consumer as a user runs them: processes with a line and an environment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
        return together([self], seconds)[0]

    def last_words(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        return lines[-1][:300] if lines else "it said nothing"


def together(programs: Sequence[Program], seconds: float = 60) -> list[str]:
    """Run programs at the same time, each to its end, and return what each said."""
    processes = [each.start() for each in programs]
    codes: list[int | None] = []
    try:
        for process in processes:
            codes.append(None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                codes[-1] = process.wait(seconds)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    said = [each.log.read_text(encoding="utf-8", errors="replace") for each in programs]
    for each, code, words in zip(programs, codes, said, strict=True):
        assert code == 0, f"{each.name} ended with {code}:\n{words[-2_000:]}"
    return said


def producer(
    name: str, quadrant: str, environment: Mapping[str, str], folder: Path, *options: str
) -> Program:
    line = ("pythonapp/bmctwitter.py", f"{quadrant}.yaml", *options)
    return Program(name, line, environment, folder)


def consumer(name: str, environment: Mapping[str, str], folder: Path, *options: str) -> Program:
    line = ("application/KafkaSnowflake.py", *options)
    return Program(name, line, environment, folder)
