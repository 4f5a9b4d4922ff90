"""The commands of a profile that are no jobs: before them, beside them and after them."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ctm.rehearse.engines import Stage
from ctm.rehearse.errors import ProfileError
from ctm.rehearse.profile import filled
from ctm.rehearse.run import Interrupt
from ctm.rehearse.task import Task
from ctm.rehearse.words import last_words

_LOOK_SECONDS = 0.1
_TERM_SECONDS, _KILL_SECONDS = 5.0, 1.0


class Errands:
    """Runs commands one after the other; a signal ends the one that runs, and the rest is left."""

    def __init__(
        self, words: Mapping[str, str], interrupt: Interrupt, write: Callable[[str], None]
    ) -> None:
        # For the shell: a folder may have a blank in its name.
        self._words = {name: shlex.quote(value) for name, value in words.items()}
        self._interrupt = interrupt
        self._write = write

    def run(self, kind: str, lines: Sequence[str], stage: Stage, *, show: bool = False) -> None:
        """Run all, though one fails; ProfileError tells of the first that did, and what it said.

        Each is told without the folders that the profile leaves open. With show, what they say is
        shown too.
        """
        failed = []
        for number, line in enumerate(lines, 1):
            if self._interrupt.count:
                return
            self._write(f"rehearse: {kind}: {self._short(line)}\n")
            task = self._task(f"{kind}-{number}", line, stage)
            code = self._ended(task, filled(line, self._words))
            if show:
                self._write(task.output())
            if code and not self._interrupt.count:
                failed.append(_failure(kind, self._short(line), code, task, stage))
                if not show:
                    break
        if failed:
            raise ProfileError(failed[0])

    @contextmanager
    def beside(self, kind: str, lines: Sequence[str], stage: Stage) -> Iterator[None]:
        """Run commands at the same time as the block, and end with it those that still run."""
        tasks = [
            self._task(f"{kind}-{number}", line, stage) for number, line in enumerate(lines, 1)
        ]
        ends: dict[str, int] = {}

        def perform(task: Task, line: str) -> None:
            ends[line] = task.shell(filled(line, self._words))

        threads = [
            threading.Thread(target=perform, args=each, daemon=True)
            for each in zip(tasks, lines, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            codes = dict(ends)
            for task in tasks:
                task.terminate()
            for seconds, then in ((_TERM_SECONDS, Task.kill), (_KILL_SECONDS, Task.forget_ended)):
                for task, thread in zip(tasks, threads, strict=True):
                    thread.join(seconds)
                    then(task)
            for task, line in zip(tasks, lines, strict=True):
                if (code := codes.get(line)) and not self._interrupt.count:
                    told = _failure(kind, self._short(line), code, task, stage)
                    self._write(f"rehearse: {told}\n")

    def _short(self, line: str) -> str:
        """Leave out the folders, which are long and say nothing to who reads."""
        return filled(line, dict.fromkeys(self._words, "…"))

    def _task(self, name: str, line: str, stage: Stage) -> Task:
        return Task(name, line, {}, stage, stage.work / f"{name}.log", {}, {})

    def _ended(self, task: Task, line: str) -> int:
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(task.shell(line)), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
            if self._interrupt.count:
                task.terminate()
            if self._interrupt.count > 1:
                task.kill()
        return codes[0]


def _failure(kind: str, line: str, code: int, task: Task, stage: Stage) -> str:
    words = last_words(task.output().strip(), stage.environment) or ("it said nothing",)
    return f"{kind}: {line}: it ended with {code}: {words[-1]}"
