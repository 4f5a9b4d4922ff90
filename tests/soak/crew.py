"""A Job's launchers: the first one, and those that are run after one was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runjob import cli
from tests.soak.errands import Errand
from tests.soak.judge import Attempt

SCRIPT = Path(cli.__file__).with_name("runJob.py")
# From here on a signal is the launcher's to handle, and there is a Job to end.
_UNDER_WAY = (b"Job created\n", b"Job adopted")


class Hand:
    """Runs one errand, as an agent would: killed, it is run again by the same line.

    Times are in seconds after the start; folder gets each launcher's whole output.
    """

    def __init__(self, errand: Errand, line: Sequence[str], folder: Path) -> None:
        self.errand = errand
        self.line = [sys.executable, str(SCRIPT), *line]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._codes: list[int] = []
        self._starts: list[int] = []  # where each launcher's stdout begins in its file
        self._begins: float | None = None  # when the next launcher is to begin
        self._under_way: float | None = None
        self._killed = self._told = False
        self.kills = 0
        self.began = self.ended = 0.0

    @property
    def done(self) -> bool:
        """Whether the last launcher came to its own end."""
        return self._process is None and self._begins is None and bool(self._codes)

    @property
    def can_be_killed(self) -> bool:
        """Whether a launcher runs that was not told to end; what it has to do then is its last."""
        return self._process is not None and not self._killed and not self._told

    def start(self, now: float) -> None:
        """Run the first launcher."""
        self._folder.mkdir(parents=True)
        self.began = now
        self._run()

    def kill(self, begins: float) -> None:
        """End the launcher as a crash would, and have another one begin at that time."""
        assert self._process is not None
        self._process.kill()
        self._killed = True
        self._begins = begins
        self.kills += 1

    def look(self, now: float) -> None:
        """Note a launcher's end, run the next one, send the signal that is due."""
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            self._codes.append(code)
            if self._killed and code != -signal.SIGKILL:
                self._begins = None  # it had ended by itself before the kill came
            self._killed, self._under_way = False, None
            self.ended = now
        if self._process is None and self._begins is not None and now >= self._begins:
            self._begins = None
            self._run()
        if self.errand.term_after is not None and not self._told and not self._killed:
            self._tell(now, self.errand.term_after)

    def end(self) -> None:
        """Leave no launcher of it."""
        self._begins = None
        if self._process is not None:
            self._process.kill()
            self._codes.append(self._process.wait())
            self._process = None

    def attempts(self) -> list[Attempt]:
        """Return what each launcher printed, and how it ended."""
        return [
            Attempt(self._out(number), self._file(number, "err").read_bytes(), code)
            for number, code in enumerate(self._codes, 1)
        ]

    def _out(self, number: int) -> bytes:
        """Return what one launcher printed to stdout."""
        start, *more = self._starts[number - 1 :]
        whole = self._file(number, "out").read_bytes()
        return whole[start : more[0] if more and self.errand.appends else None]

    def _run(self) -> None:
        number = len(self._codes) + 1
        files = (self._file(number, stream) for stream in ("out", "err"))
        with next(files).open("ab") as out, next(files).open("ab") as err:
            self._starts.append(out.tell())
            self._process = subprocess.Popen(
                self.line, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )

    def _tell(self, now: float, after: float) -> None:
        if self._process is None:
            return
        if self._under_way is None:
            printed = self._out(len(self._codes) + 1)
            if any(words in printed for words in _UNDER_WAY):
                self._under_way = now
        if self._under_way is not None and now >= self._under_way + after:
            self._process.send_signal(signal.SIGTERM)
            self._told = True

    def _file(self, number: int, stream: str) -> Path:
        one = stream == "out" and self.errand.appends
        return self._folder / f"{1 if one else number}.{stream}"
