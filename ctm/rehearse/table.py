"""What a person sees meanwhile: a live table on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Sequence

from ctm.rehearse.plan import Node, Plan
from ctm.rehearse.record import Attempt
from ctm.rehearse.state import BROKEN_OFF, Phase, State
from ctm.rehearse.waiting import why_waiting
from ctm.rehearse.words import cut

_COLOURS = {Phase.OK: 32, Phase.NOT_OK: 31, Phase.RUNNING: 36, Phase.PAUSED: 33, Phase.WAITING: 90}
_QUIET_SECONDS = 10.0


class Lines:
    """Prints a line for each change, and where nothing changes, how it stands every ten seconds."""

    def __init__(self, write: Callable[[str], None], plan: Plan, *, confirm: bool) -> None:
        self._write = write
        self._plan = plan
        self._confirm = confirm
        self._last = 0.0

    def show(self, state: State, attempts: tuple[Attempt, ...], seconds: float) -> None:
        if seconds - self._last >= _QUIET_SECONDS:
            runs = [each.job for each in attempts if each.ended is None]
            if runs:
                jobs = [job.name for job in self._plan.jobs]
                over = (Phase.OK, Phase.NOT_OK, Phase.RUNNING)
                ended = sum(state.runs[job].phase in over and job not in runs for job in jobs)
                text = f"{ended} of {len(jobs)} jobs have ended; running: {', '.join(runs)}"
                self.tell(seconds, "", text)

    def tell(self, seconds: float, job: str, text: str) -> None:
        self._last = seconds
        self._write(f"{line(seconds, job, text)}\n")

    def ask(self, _job: str, answer: Callable[[bool], None]) -> bool:
        if self._confirm:
            answer(True)
        return self._confirm


class Table:
    """A table that is drawn over itself; lines scroll by above it."""

    def __init__(
        self, write: Callable[[str], None], plan: Plan, *, confirm: bool, read: Callable[[], str]
    ) -> None:
        self._write = write
        self._plan = plan
        self._confirm = confirm
        self._read = read
        self._drawn = 0
        self._table: list[str] = []
        self._lock = threading.Lock()
        self._questions: queue.SimpleQueue[tuple[str, Callable[[bool], None]]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def show(self, state: State, attempts: tuple[Attempt, ...], seconds: float) -> None:
        size = shutil.get_terminal_size()
        rows = table(self._plan, state, attempts, seconds, size.columns - 1, size.lines - 4)
        with self._lock:
            if rows != self._table:
                self._table = rows
                self._draw("")

    def tell(self, seconds: float, job: str, text: str) -> None:
        with self._lock:
            columns = shutil.get_terminal_size().columns - 1
            self._draw(f"{cut(line(seconds, job, text), columns)}\n")

    def ask(self, job: str, answer: Callable[[bool], None]) -> bool:
        if self._confirm:
            answer(True)
        else:
            self._questions.put((job, answer))
        return True

    def _listen(self) -> None:
        """Ask one question at a time, so that an answer is for the one that is shown last."""
        while True:
            job, answer = self._questions.get()
            with self._lock:
                self._draw(f"May {job} start? Answer y or n.\n")
            answer(self._read().strip().lower() in ("y", "yes"))

    def _draw(self, above: str) -> None:
        """Go up over the last table, clear it, and print what is above it and the table."""
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        rows = "".join(f"{row}\n" for row in self._table)
        self._write(f"{up}\r\x1b[J{above}{rows}")
        self._drawn = len(self._table)


def line(seconds: float, job: str, text: str) -> str:
    """Write a line: when, who, what."""
    return f"{seconds:7.1f}s  {job}: {text}" if job else f"{seconds:7.1f}s  {text}"


def table(
    plan: Plan,
    state: State,
    attempts: tuple[Attempt, ...],
    seconds: float,
    columns: int,
    lines: int,
) -> list[str]:
    """Return a row a job, in the plan's order; where they do not fit, those that matter now."""
    jobs = list(plan.jobs)
    if len(jobs) > lines:
        order = (Phase.RUNNING, Phase.PAUSED, Phase.NOT_OK, Phase.WAITING, Phase.OK)
        jobs.sort(key=lambda job: order.index(state.runs[job.name].phase))
        jobs = jobs[: max(1, lines)]
    width = max(len(job.name) for job in jobs)
    last = {each.job: each for each in attempts}
    # What a signal has ended stays in its phase.
    broken = [
        name
        for name, each in last.items()
        if state.runs[name].phase is Phase.RUNNING and each.ended is not None
    ]
    return [_row(plan, state, job, attempts, broken, seconds, width, columns) for job in jobs]


def _row(
    plan: Plan,
    state: State,
    job: Node,
    attempts: tuple[Attempt, ...],
    broken: Sequence[str],
    seconds: float,
    width: int,
    columns: int,
) -> str:
    phase = state.runs[job.name].phase
    own = [each for each in attempts if each.job == job.name]
    about = ""
    if phase is Phase.WAITING:
        about = why_waiting(plan, state, job.name, broken)
    elif own:
        end = own[-1].ended
        about = f"{(seconds if end is None else end) - own[-1].began:6.1f} s"
        about += f", run {len(own)}" if len(own) > 1 else ""
    colour = _COLOURS[phase]
    head = f"{job.name:{width}}  "
    told = BROKEN_OFF if job.name in broken else phase.value
    text = cut(f"{told:13} {about}".rstrip(), columns - len(head))
    return f"{head}\x1b[{colour}m{text}\x1b[0m"
