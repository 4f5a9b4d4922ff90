"""Run many launches at once, weigh their processes meanwhile, and show how far it is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Launch:
    """One launch: its Job's name, and the seconds that its pod runs."""

    name: str
    seconds: int


@dataclass(frozen=True)
class Ended:
    """How one launch ended; times are time.monotonic()'s, cpu is in seconds."""

    launch: Launch
    began: float
    ended: float
    cpu: float
    wrong: str


@dataclass(frozen=True)
class Wave:
    """What many launches came to: each one's end, and the most memory that all held at once."""

    ended: tuple[Ended, ...]
    seconds: float
    megabytes: float
    holders: int

    @property
    def wrong(self) -> tuple[Ended, ...]:
        return tuple(each for each in self.ended if each.wrong)

    @property
    def a_minute(self) -> float:
        return len(self.ended) / self.seconds * 60

    @property
    def cpu(self) -> float:
        return sum(each.cpu for each in self.ended) / len(self.ended)


Command = Callable[[Launch], list[str]]
"""What to start for a launch."""
Check = Callable[[Launch, int, str], str]
"""Says in words what is wrong with an exit code and what was printed; "" when nothing is."""


def run(
    launches: Sequence[Launch],
    command: Command,
    check: Check,
    at_once: int,
    folder: Path,
    seconds: float,
) -> Wave:
    """Run all of them, at most so many at a time, and weigh them meanwhile.

    After so many seconds none is started any more, and the wave is those that were.
    """
    ended: list[Ended] = []
    sessions: set[int] = set()
    scales = Scales(sessions)

    def one(launch: Launch) -> None:
        if time.monotonic() - began < seconds:
            ended.append(_one(launch, command(launch), check, folder, sessions))

    began = time.monotonic()
    with (
        every(10.0, scales.weigh),
        ThreadPoolExecutor(at_once) as pool,
        progress(
            lambda: (
                f"{len(ended)} of {len(launches)} done, {len(sessions)} run, "
                f"{sum(bool(each.wrong) for each in ended)} wrong"
            )
        ),
    ):
        try:
            for _ in pool.map(one, launches):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            _end(sessions)
            raise
    most = max(scales.weights, default=(0.0, 0))
    return Wave(tuple(ended), time.monotonic() - began, *most)


def run_in_one(
    launches: Sequence[Launch],
    command: Command,
    check: Check,
    at_once: int,
) -> Wave:
    """Run them in threads of one process, as `tests.bench.one_process` does, and weigh that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.one_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    scales = Scales({process.pid})
    named = {launch.name: launch for launch in launches}
    told: list[dict[str, Any]] = []
    began = time.monotonic()
    lines = [json.dumps([launch.name, command(launch)]) for launch in launches]
    with (
        every(10.0, scales.weigh),
        progress(lambda: f"{len(told)} of {len(launches)} done, in one process"),
    ):
        try:
            process.stdin.write("\n".join([str(at_once), *lines]))
            process.stdin.close()
            told.extend(json.loads(line) for line in process.stdout)
        finally:
            process.kill()
            process.wait()
    if not told or "cpu" not in told[-1]:
        raise SystemExit("bench: the process of all launches broke down")
    cpu = told.pop()["cpu"] / len(launches)
    ended = tuple(
        Ended(
            named[each["name"]],
            each["began"],
            each["ended"],
            cpu,
            check(named[each["name"]], each["code"], each["said"]),
        )
        for each in told
    )
    return Wave(ended, time.monotonic() - began, max(scales.weights)[0], at_once)


def _end(sessions: set[int]) -> None:
    """Have what still runs end, and clean up."""
    for session in set(sessions):
        with suppress(ProcessLookupError):
            os.killpg(session, signal.SIGTERM)


def _one(
    launch: Launch, command: list[str], check: Check, folder: Path, sessions: set[int]
) -> Ended:
    paths = [folder / f"{launch.name}.{end}" for end in ("out", "err")]
    began = time.monotonic()
    with paths[0].open("wb") as out, paths[1].open("wb") as err:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    sessions.add(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    ended = time.monotonic()
    sessions.discard(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    said, remarks = (path.read_text(errors="replace") for path in paths)
    wrong = check(launch, process.returncode, said)
    for path in paths:
        path.unlink()
    return Ended(
        launch, began, ended, used.ru_utime + used.ru_stime, wrong and f"{wrong}: {remarks[-500:]}"
    )


class Scales:
    """Weighs all processes of the sessions: MB (PSS) and how many sessions held them."""

    def __init__(self, sessions: set[int]) -> None:
        self._sessions = sessions
        self.weights: list[tuple[float, int]] = []

    def weigh(self) -> None:
        sessions = set(self._sessions)
        total, seen = 0.0, set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                # Fields after the name, which may hold anything: state, parent, group, session.
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                session = int(fields[3])
                if session in sessions:
                    total += _pss(entry)
                    seen.add(session)
            except (OSError, IndexError):
                continue  # it ended meanwhile
        self.weights.append((total, len(seen)))


def _pss(process: Path) -> float:
    found = re.search(r"^Pss: +(\d+) kB", (process / "smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def every(seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Do the work again and again in a thread, until the end."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(seconds):
            work()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def progress(text: Callable[[], str]) -> Iterator[None]:
    """Show how far it is: one line that changes on a terminal, else a line now and then."""
    began = time.monotonic()
    live = sys.stderr.isatty()

    def show() -> None:
        line = f"bench: {time.monotonic() - began:4.0f} s: {text()}"
        print(f"\r{line}\x1b[K" if live else line, end="" if live else "\n", file=sys.stderr,
              flush=True)  # fmt: skip

    try:
        with every(1.0 if live else 15.0, show):
            yield
    finally:
        if live:
            print(file=sys.stderr)
