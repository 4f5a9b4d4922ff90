"""One run of one job: its properties, its output, its processes, and how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ctm.rehearse.engines import Stage
from ctm.rehearse.profile import ROOT, mapped

OUTPUT_KEPT = 1 << 16  # bytes at its end that Ifs can look at


@dataclass(frozen=True)
class Result:
    """What a run came to; code is the process's, or 0 or 1; values are variables that it sets."""

    code: int
    ok: bool = True
    submitted: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


OK = Result(0)
FAILED = Result(1, ok=False)


def of_code(code: int) -> Result:
    """Return the result of a process: 0 is OK."""
    return Result(code, ok=code == 0)


class Task:
    """A run under way, in a thread of its own."""

    def __init__(
        self,
        name: str,
        kind: str,
        properties: Mapping[str, Any],
        stage: Stage,
        log: Path,
        profiles: Mapping[str, Mapping[str, Any]],
        variables: Mapping[str, str],
    ) -> None:
        self.name = name
        self.kind = kind
        self.properties = properties
        self.stage = stage
        self.profiles = profiles
        self.variables = variables
        # What the job type runs to end it, by a shell, instead of a signal.
        self.farewell = ""
        self.log = log
        self.stopped = threading.Event()
        self._begin = log.stat().st_size if log.exists() else 0
        self._lock = threading.Lock()
        self._groups: list[int] = []

    def text(self, name: str, default: str = "") -> str:
        """Return a property as text, with the agent's folders replaced by ours."""
        return mapped(str(self.properties.get(name) or default), self.stage.paths)

    def say(self, text: str) -> None:
        """Write a line to the job's output."""
        with self.log.open("ab") as log:
            log.write(f"{text}\n".encode())

    def output(self) -> str:
        """Return what this run has said, its last 64 KiB."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            log.seek(max(self._begin, size - OUTPUT_KEPT))
            return log.read().decode(errors="replace")

    def process(self, command: Sequence[str]) -> int:
        """Run a process in a group of its own; return its code, -n after signal n.

        127 where it cannot be started, as a shell does.
        """
        with self.log.open("ab") as log, self._lock:
            if self.stopped.is_set():
                return -signal.SIGTERM
            process = self._start(command, log)
        code = process.wait() if process else 127
        self.forget_ended()
        return code

    def shell(self, line: str) -> int:
        """Run a line as the agent does, by a shell."""
        return self.process(["/bin/sh", "-c", line])

    def stop(self) -> None:
        """Ask the run to end as its job type does, else by a signal."""
        self.stopped.set()
        if self.farewell:
            with self.log.open("ab") as log, self._lock:
                ending = self._start(["/bin/sh", "-c", self.farewell], log)
            if ending:
                # Waited for, so that it does not count as left once it has ended.
                threading.Thread(target=ending.wait, daemon=True).start()
        else:
            self.terminate()

    def terminate(self) -> None:
        """Send SIGTERM to the run, and to what it has left running."""
        self.stopped.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self.stopped.set()
        self._signal(signal.SIGKILL)

    def forget_ended(self) -> bool:
        """Forget groups without a process, whose number may be given away; tell if any is left."""
        with self._lock:
            return bool(self._alive())

    def _start(self, command: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes] | None:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=ROOT,
                env=self.stage.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            log.write(f"{command[0]}: {error.strerror}\n".encode())
            return None
        self._groups.append(process.pid)
        return process

    def _signal(self, number: int) -> None:
        with self._lock:
            for group in self._alive():
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, number)

    def _alive(self) -> list[int]:
        alive = []
        for group in self._groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, 0)
                alive.append(group)
        self._groups = alive
        return alive
