"""A Control-M agent, and the commands that the built job type gives it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from misc.jobtype import Commands, load
from misc.jobtype_source import BUILT

JOB_TYPE = load(BUILT)
Expand = Callable[..., Commands]


@dataclass(frozen=True)
class Agent:
    """Runs lines as a Control-M agent does: a shell, with this Python as its python3."""

    folder: Path

    def start(self, line: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        return subprocess.Popen(
            ["sh", "-c", line], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, line: str) -> tuple[int, str, str]:
        process = self.start(line)
        out, err = process.communicate(timeout=100)
        return process.returncode, out, err
