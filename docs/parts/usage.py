"""What a command says of itself."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

COLUMNS = 76
"""Wide enough for a page, and narrow enough for a phone that scrolls."""


def told(command: str, python: str, root: Path) -> str:
    """Run a command such as `python -m application.lake --help`; return what it prints."""
    words = shlex.split(command)
    if words[0] != "python":
        raise ValueError(f"{command}: only our own commands are asked, as python …")
    done = subprocess.run(
        [python, *words[1:]],
        cwd=root,
        env={**os.environ, "COLUMNS": str(COLUMNS), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise ValueError(f"{command} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.rstrip()
