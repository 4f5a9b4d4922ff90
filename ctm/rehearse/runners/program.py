"""Operating-system jobs: a command, a script, or a script that the definition holds."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ctm.rehearse.profile import mapped
from ctm.rehearse.task import Result, Task, of_code


def command(task: Task) -> Result:
    """Run a command line by a shell."""
    return _between(task, task.text("Command"))


def script(task: Task) -> Result:
    """Run a script that lies on the agent."""
    path = Path(task.text("FilePath")) / task.text("FileName")
    if not path.is_file():
        task.say(f"{path}: no such script")
        return Result(127, ok=False, submitted=False)
    return _between(task, _line(path, task))


def embedded_script(task: Task) -> Result:
    """Write the definition's script to a file, with line ends for its backslash n; run that."""
    folder = task.stage.work / "scripts" / task.log.stem
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / Path(task.text("FileName")).name
    path.write_text(task.text("Script").replace("\\n", "\n"), encoding="utf-8")
    path.chmod(0o700)
    return _between(task, _line(path, task))


def _line(path: Path, task: Task) -> str:
    with path.open("rb") as file:
        runs_itself = file.read(2) == b"#!" and os.access(path, os.X_OK)
    arguments = [mapped(str(each), task.stage.paths) for each in _arguments(task)]
    return shlex.join([*([] if runs_itself else ["/bin/sh"]), str(path), *arguments])


def _arguments(task: Task) -> list[object]:
    given = task.properties.get("Arguments") or []
    return list(given) if isinstance(given, list) else [given]


def _between(task: Task, line: str) -> Result:
    """Run what the job wants to have run before, the line, and what after it."""
    if before := task.text("PreCommand"):
        code = task.shell(before)
        if code:
            return of_code(code)
    code = task.shell(line)
    if after := task.text("PostCommand"):
        later = task.shell(after)
        code = code or later
    return Result(code, ok=code == 0, submitted=code != 127)
