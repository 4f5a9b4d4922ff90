"""A log goes on where it was, whenever its launcher was killed."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runjob import state
from runjob.console import Console
from runjob.logs import LogCursor, prefixed
from runjob.positions import Place
from runjob.state import Journal, Position
from tests.runjob.journals import JOB, RUN

# What a journal returns of a log: its prefix, where to go on, and what takes the chunks.
Account = tuple[bytes, Position | None, Callable[[Position, bytes], None]]


class KilledError(Exception):
    """The launcher is dead."""


def stamped(lines: int, seed: int) -> list[bytes]:
    """Return a log as the kubelet gives it, some lines to a second."""
    places = random.Random(seed)
    at, found = 0.0, []
    for number in range(lines):
        at += places.choice([0.0, 0.001, 0.3, 1.1])
        text = f"line {number} " + "x" * places.randrange(30)
        found.append(f"2026-01-31T12:{int(at) // 60:02d}:{at % 60:09.6f}Z {text}\n".encode())
    return found


def text_of(log: list[bytes]) -> bytes:
    return b"".join(line.partition(b" ")[2] for line in log)


class Life:
    """One launcher that prints a log until its step number `steps`, and is dead then.

    Steps are the writes of records and of the log; a write of the log may be cut to a part.
    """

    def __init__(
        self,
        folder: Path,
        out: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        pipe: bool,
        prefix: bytes = b"",
        steps: int = 10**9,
        part: float = 1.0,
    ) -> None:
        self.folder, self.out, self.prefix = folder, out, prefix
        self._pipe = pipe
        self._left = steps
        self._part = part
        self._patch = monkeypatch
        monkeypatch.setattr(state, "stdout_place", self._place)
        monkeypatch.setattr(state, "standing_at", self._standing_at)

    def _place(self) -> Place | None:
        if self._pipe:
            return None
        status = self.out.stat() if self.out.exists() else None
        return Place(1, 2, status.st_size if status else 0)

    def _standing_at(self, place: Place | None, size: int) -> bytes | None:
        if place is None:
            return None
        return self.out.read_bytes()[place.size :][:size] if self.out.exists() else b""

    def _step(self) -> None:
        if self._left == 0:
            raise KilledError
        self._left -= 1

    def write(self, data: bytes) -> None:
        if self._left == 0:
            data = data[: int(len(data) * self._part)]
        with self.out.open("ab") as file:
            file.write(data)
        self._step()

    def flush(self) -> None: ...

    def run(self, log: list[bytes], chunks: Iterator[int], side: Sequence[bytes] = ()) -> None:
        """Print the log from where an earlier life stopped, after that of a container beside it."""
        journal = Journal(str(self.folder), RUN, "c", "host/1", Console(self, None))
        real = os.pwrite

        def pwrite(file: int, data: bytes, offset: int) -> int:
            self._step()
            return real(file, data, offset)

        self._patch.setattr(os, "pwrite", pwrite)
        try:
            journal.begin(JOB, ())
            if side:
                self._print(journal.account("p1", "side", b"[p/side] ", "[p/side]"), side, chunks)
            self._print(journal.account("p1", "main", self.prefix, "[p/main]"), log, chunks)
        finally:
            self._patch.setattr(os, "pwrite", real)
            for file in (*journal._files, journal._lock):
                os.close(file)

    def _print(self, account: Account, log: Sequence[bytes], chunks: Iterator[int]) -> None:
        _, position, record = account
        cursor = LogCursor() if position is None else LogCursor.restored(position[1])
        since = cursor.resume()
        text = b"".join(line for line in log if since is None or line[:20] >= since[:19].encode())
        while text:
            size = next(chunks)
            fresh = cursor.feed(text[:size])
            text = text[size:]
            if fresh:
                record((0, cursor.snapshot()), fresh)
        record((0, cursor.snapshot()), cursor.finish())


CUT = re.compile(rb"[^\n]*--- runjob: of the next line a part stands above already ---\n")
DOUBT = re.compile(rb"--- runjob: up to (\d+) bytes of \[p/main\] may stand above already ---\n")


def sizes(seed: int) -> Iterator[int]:
    places = random.Random(seed)
    while True:
        yield places.randrange(1, 300)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=1, max_size=4),
    st.integers(0, 2**16),
    st.sampled_from([b"", b"[p/main] "]),
    st.sampled_from([b"", b"# starting once more\n"]),
)
@settings(deadline=None)
def test_in_a_file_each_line_stands_once_however_often_its_launcher_was_killed(
    tmp_path_factory: pytest.TempPathFactory,
    deaths: list[tuple[int, float]],
    seed: int,
    prefix: bytes,
    between: bytes,
) -> None:
    """Only of a line that the kill cut in two a part stands there besides, and is marked."""
    folder = tmp_path_factory.mktemp("life")
    log, out = stamped(40, seed), folder / "out"
    with pytest.MonkeyPatch.context() as patch:
        for steps, part in deaths:
            life = Life(
                folder / "state", out, patch, pipe=False, prefix=prefix, steps=steps, part=part
            )
            with suppress(KilledError):
                life.run(log, sizes(seed + steps))
            with out.open("ab") as file:
                file.write(between)
        Life(folder / "state", out, patch, pipe=False, prefix=prefix).run(log, sizes(seed + 1))
    text = out.read_bytes()
    if between:  # written by whoever starts launchers, after half a line perhaps
        text = re.sub(rb"[^\n]*" + between, b"", text)
    text = CUT.sub(b"", text)
    assert text == prefixed(text_of(log), prefix)


@given(st.integers(0, 60), st.floats(0, 1), st.integers(0, 2**16))
@settings(deadline=None)
def test_in_a_pipe_one_chunk_at_most_is_printed_twice_and_marked_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: int, part: float, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("life")
    log, out = stamped(30, seed), folder / "out"
    whole = text_of(log)
    with pytest.MonkeyPatch.context() as patch:
        with suppress(KilledError):
            Life(folder / "state", out, patch, pipe=True, steps=steps, part=part).run(
                log, sizes(seed)
            )
        first = out.read_bytes() if out.exists() else b""
        Life(folder / "state", out, patch, pipe=True).run(log, sizes(seed + 1))
    assert whole.startswith(first)
    rest = out.read_bytes()[len(first) :]
    marker = DOUBT.match(rest)
    rest = rest[marker.end() :] if marker else rest
    again = len(first) + len(rest) - len(whole)
    assert whole.endswith(rest)
    assert 0 <= again <= (int(marker[1]) if marker else 0)


def test_every_step_of_a_short_log_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law above, at each step there is: none is left to chance."""
    log = stamped(6, 1)
    deaths = 0
    for steps in range(100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        life = Life(folder / "state", folder / "out", monkeypatch, pipe=False, steps=steps)
        try:
            life.run(log, iter(lambda: 60, None))
        except KilledError:
            deaths += 1
        Life(folder / "state", folder / "out", monkeypatch, pipe=False).run(
            log, iter(lambda: 60, None)
        )
        assert (folder / "out").read_bytes() == text_of(log)
    assert 10 < deaths < 100


@pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(b"", b"[p/main] ", id="it stood alone"),
        pytest.param(b"[p/main] ", b"", id="it stood among others"),
    ],
)
def test_a_log_keeps_its_prefix_whatever_the_next_launcher_would_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bytes, second: bytes, pipe: bool
) -> None:
    """What stands above under one prefix is not found under another, and is printed again."""
    log = stamped(6, 1)
    deaths = 0
    for steps in range(100):
        place = (tmp_path / f"state{steps}", tmp_path / f"out{steps}")
        life = Life(*place, monkeypatch, pipe=pipe, prefix=first, steps=steps)
        try:
            life.run(log, iter(lambda: 60, None))
        except KilledError:
            deaths += 1
        Life(*place, monkeypatch, pipe=pipe, prefix=second).run(log, iter(lambda: 60, None))
        text = place[1].read_bytes()
        begun = first if steps else second  # nothing was written down before the first step
        if not DOUBT.search(text):
            assert text == prefixed(text_of(log), begun), steps
        lines = DOUBT.sub(b"", text).splitlines()
        assert {line.startswith(b"[p/main] ") for line in lines} == {bool(begun)}, steps
    assert 10 < deaths < 100


def test_a_log_without_an_end_of_line_moves_no_other_log_from_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line end that it gets before another log's prefix is no part of what is compared."""
    log, side = stamped(6, 1), [b"2026-01-31T12:00:00.000000Z no end"]
    deaths = 0
    for steps in range(100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        place, prefix = (folder / "state", folder / "out"), b"[p/main] "
        life = Life(*place, monkeypatch, pipe=False, prefix=prefix, steps=steps)
        try:
            life.run(log, iter(lambda: 60, None), side)
        except KilledError:
            deaths += 1
        life = Life(*place, monkeypatch, pipe=False, prefix=prefix)
        life.run(log, iter(lambda: 60, None), side)
        lines = re.findall(rb"\[p/main\] .*\n", (folder / "out").read_bytes())
        assert b"".join(lines) == prefixed(text_of(log), prefix), steps
    assert 10 < deaths < 100
