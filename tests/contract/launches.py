"""Launches as tests make them: in this process, or as a process of their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from runjob import cli
from runjob.interrupts import NUMBERS

SCRIPT = Path(cli.__file__).with_name("runJob.py")
RUNJOB = (sys.executable, str(SCRIPT))

# A shell on both clusters; the pull secret that is the default exists on neither.
SHELL = ("-i", "busybox:1", "-p", "IfNotPresent", "-s", "none")

_END = re.compile(
    rb"(?:Failed: [^\n]*\n)*(?:Event: [^\n]*\n)*"
    rb"(?:Container exit code: [^\n]*\n)?(?:Result: [^\n]*\n)?"
    rb"Pods Statuses: (\d+) Running / (\d+) Succeeded / (\d+) Failed\n"
    rb"Job Completion status: (\d+)\n"
    rb"Verdict: ([^\n]*)\n\Z"
)


def sh(script: str) -> tuple[str, ...]:
    """Return the options that run a line of shell."""
    return (*SHELL, "-k", "sh", "-k", "-c", "-k", script)


def with_option(options: tuple[str, ...], option: str, value: str) -> tuple[str, ...]:
    """Return the options with another value of one."""
    at = options.index(option) + 1
    return (*options[:at], value, *options[at + 1 :])


# Runs until somebody ends it. A container's first process ignores SIGTERM unless it has a handler.
FOREVER = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"


@dataclass(frozen=True)
class Run:
    """What a launch printed and returned."""

    code: int
    out: bytes
    err: str

    @property
    def end(self) -> re.Match[bytes]:
        """The closing lines: they must be there, in their order, at the very end."""
        found = _END.search(self.out)
        assert found is not None, f"no closing lines in {self.out[-2000:]!r}, {self.err[-2000:]}"
        at = found.start()
        assert at == 0 or self.out[at - 1 : at] == b"\n"
        return found

    @property
    def status(self) -> int:
        """The N of `Job Completion status: N`."""
        return int(self.end[4])

    @property
    def pods(self) -> tuple[int, int, int]:
        """Running, succeeded and failed pods."""
        return int(self.end[1]), int(self.end[2]), int(self.end[3])

    @property
    def verdict(self) -> str:
        return self.end[5].decode()

    @property
    def failures(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("Failed: ")]

    @property
    def text(self) -> str:
        return self.out.decode(errors="replace")

    @property
    def log(self) -> bytes:
        """What stands between `Job created` and the closing lines."""
        _, created, rest = self.out.partition(b"Job created\n")
        assert created, f"no Job was created: {self.text} {self.err}"
        return rest[: self.end.start() - len(self.out) + len(rest)]

    @property
    def lines(self) -> list[str]:
        """The log's lines."""
        return self.log.decode(errors="replace").splitlines()


def result_of(path: Path) -> Any:
    """Read what --result-file wrote."""
    return json.loads(path.read_bytes())


class Launcher:
    """Runs the launcher in this process, so that its coverage counts."""

    def __init__(self, common: tuple[str, ...], captured: pytest.CaptureFixture[bytes]) -> None:
        self.common = common
        self._captured = captured

    def __call__(
        self, *options: str, meanwhile: Callable[[], object] | None = None, at: str | None = None
    ) -> Run:
        """Run one command line to its end.

        meanwhile runs in another thread; when it fails, the launch is ended and so is the test.
        at is the script beside which manifests lie.
        """
        trouble: list[BaseException] = []
        over = threading.Event()

        def other() -> None:
            assert meanwhile is not None
            try:
                meanwhile()
            except BaseException as error:  # noqa: BLE001  # handed to the test
                trouble.append(error)
                if not over.is_set():
                    os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=other, name="meanwhile", daemon=True)
        self._captured.readouterr()
        with own_handlers():
            if meanwhile is not None:
                thread.start()
            try:
                code = cli.main([*self.common, *options], at)
            finally:
                over.set()
        if meanwhile is not None:
            thread.join(60)
        out, err = self._captured.readouterr()
        if trouble:
            raise AssertionError(
                f"{out.decode(errors='replace')}\n{err.decode(errors='replace')}"
            ) from trouble[0]
        return Run(code, out, err.decode(errors="replace"))


@contextlib.contextmanager
def own_handlers() -> Iterator[None]:
    """Give the signals that the launcher takes over back to whoever had them."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Started:
    """A launcher in a process of its own."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        patience: float,
        program: Sequence[str] = RUNJOB,
        **more: Any,
    ) -> None:
        self._patience = patience
        self._out, self._err = bytearray(), bytearray()
        self._news = threading.Condition()
        self._deaf = threading.Event()
        command = [*program, *arguments]
        # A session of its own, so that a signal reaches it and nothing else.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **more,
        )
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._out), (self.process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[bytes], into: bytearray) -> None:
        with stream:
            while (data := os.read(stream.fileno(), 1 << 16)) and not self._deaf.is_set():
                with self._news:
                    into += data
                    self._news.notify_all()

    def until(self, words: bytes, times: int = 1) -> None:
        """Wait until it has printed these words so often, on stdout or stderr."""
        with self._news:
            met = self._news.wait_for(
                lambda: self._has_said(words, times) or self.process.poll() is not None,
                self._patience,
            )
        assert met, f"{words!r} did not come: {bytes(self._out)!r} {bytes(self._err)!r}"
        assert self._has_said(words, times), (
            f"it ended without {words!r}: {bytes(self._out)!r} {bytes(self._err)!r}"
        )

    def has_said(self, words: bytes) -> bool:
        """Tell whether it has printed these words by now."""
        with self._news:
            return self._has_said(words, 1)

    def _has_said(self, words: bytes, times: int) -> bool:
        return self._out.count(words) >= times or self._err.count(words) >= times

    def stop_reading(self) -> None:
        """Close the pipe that its output goes to."""
        self._deaf.set()
        self._readers[0].join(10)

    def say(self, data: bytes, *, close: bool = True) -> None:
        """Give it standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()
        if close:
            self.process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, patience: float | None = None) -> Run:
        """Wait for its end and return what it printed."""
        try:
            code = self.process.wait(patience or self._patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"it did not end: {bytes(self._out)!r} {bytes(self._err)!r}"
            ) from None
        for reader in self._readers:
            reader.join(10)
        return Run(code, bytes(self._out), self._err.decode(errors="replace"))

    def close(self) -> None:
        """End it in any case."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        for reader in self._readers:
            reader.join(10)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


class Starter:
    """Starts launchers in processes of their own, and ends those that a test leaves."""

    def __init__(self, common: tuple[str, ...], patience: float) -> None:
        self.common = common
        self._patience = patience
        self._started: list[Started] = []

    def __call__(self, *options: str, **more: Any) -> Started:
        started = Started((*self.common, *options), self._patience, **more)
        self._started.append(started)
        return started

    def close(self) -> None:
        for each in self._started:
            each.close()


def wait_until(happened: Callable[[], object], what: str, patience: float = 20.0) -> None:
    """Wait for something in this process."""
    until = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < until, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.01)
