"""How far a log was printed is written down beside it, as far as pipe and disk allow."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from runjob import state
from runjob.console import Console
from runjob.logs import LogCursor
from runjob.positions import Place
from tests.runjob.journals import JOB, VERDICT, opened, other


def test_a_log_stands_alone_only_where_no_other_was_opened_before(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        assert journal.knows_only("p1", "main")
        journal.account("p1", "main", b"", "x")
        assert journal.knows_only("p1", "main")
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        assert journal.knows_only("p1", "main")
        assert not journal.knows_only("p2", "main")
        journal.begin(other("u2"), ())
        assert journal.knows_only("p2", "main")


def test_nothing_is_committed_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader of a pipe may be gone a moment before the launcher is."""
    monkeypatch.setattr(state, "stdout_place", lambda: None)

    class Gone(io.BytesIO):
        def write(self, _: Any) -> int:
            raise BrokenPipeError

    with opened(tmp_path, Console(Gone(), None)) as journal:
        journal.begin(JOB, ())
        _, _, record = journal.account("p1", "main", b"", "[p/main]")
        record((0, LogCursor().snapshot()), b"one\n")
        record((0, LogCursor().snapshot()), b"two\n")
    out = io.BytesIO()
    with opened(tmp_path, Console(out, None)) as journal:
        assert journal.account("p1", "main", b"", "[p/main]")[1] is None
    assert b"up to 4 bytes of [p/main] may stand above already" in out.getvalue()


def test_a_container_that_was_read_whole_is_known_by_its_run(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        _, _, record = journal.account("p1", "main", b"", "[p/main]")
        record((0, LogCursor().snapshot()), b"one\n")
        record((1, LogCursor().snapshot()), b"")
        assert journal.account("p1", "side", b"", "x")[1] is None
    with opened(tmp_path) as journal:
        _, position, _ = journal.account("p1", "main", b"", "[p/main]")
        assert position is not None
        assert position[0] == 1


def test_a_position_of_another_version_is_no_position(tmp_path: Path) -> None:
    out = io.BytesIO()
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        journal.account("p1", "main", b"", "[p/main]")[2]((0, {"x": 1}), b"one\n")
    with opened(tmp_path, Console(out, None)) as journal:
        assert journal.account("p1", "main", b"", "[p/main]")[1] is None
    assert b"all of [p/main] may stand above already" in out.getvalue()


def test_a_disk_that_is_full_costs_the_positions_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = io.BytesIO(), io.StringIO()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with opened(tmp_path, Console(out, err)) as journal:
        monkeypatch.setattr(os, "posix_fallocate", full)
        monkeypatch.setattr(os, "replace", full)
        journal.begin(JOB, ())
        _, position, record = journal.account("p1", "main", b"[p] ", "[p/main]")
        record((0, {}), b"one\n")
        journal.conclude(VERDICT)
    assert position is None
    assert out.getvalue() == b"[p] one\n"
    assert "No space left on device" in err.getvalue()


def test_a_volume_that_goes_away_under_a_launch_costs_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = io.BytesIO(), io.StringIO()

    def stale(*_: Any) -> None:
        raise OSError(116, "Stale file handle")

    with opened(tmp_path, Console(out, err)) as journal:
        journal.begin(JOB, ())
        _, _, record = journal.account("p1", "main", b"", "[p/main]")
        monkeypatch.setattr(os, "pwrite", stale)
        record((0, {}), b"one\n")
        record((0, {}), b"two\n")
        monkeypatch.undo()
    assert out.getvalue() == b"one\ntwo\n"
    assert err.getvalue().count("Stale file handle") == 1


@pytest.mark.parametrize(
    ("out", "err", "size", "shared"),
    [
        pytest.param("file", "other", 3, False, id="a file"),
        pytest.param("file", "file", 3, True, id="a file for both"),
        pytest.param("pipe", "other", None, None, id="a pipe"),
        pytest.param(None, None, None, None, id="closed"),
    ],
)
def test_where_stdout_ends(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    out: str | None,
    err: str | None,
    size: int | None,
    shared: bool | None,
) -> None:
    read, write = os.pipe()
    streams = {
        "file": (tmp_path / "file").open("a"),
        "other": (tmp_path / "other").open("a"),
        "pipe": os.fdopen(write, "w"),
        None: None,
    }
    with (tmp_path / "file").open("a") as file:
        file.write("one")
    monkeypatch.setattr(sys, "stdout", streams[out])
    monkeypatch.setattr(sys, "stderr", streams[err])
    place = state.stdout_place()
    standing = state.standing_at(Place(place.device, place.inode, 1) if place else None, 9)
    other = state.standing_at(Place(0, 0, 1), 9)
    cut = state.standing_at(Place(place.device, place.inode, 9) if place else None, 9)
    monkeypatch.undo()
    for stream in streams.values():
        if stream is not None:
            stream.close()
    os.close(read)
    assert (place.size if place else None, place.shared if place else None) == (size, shared)
    assert standing == (b"ne" if size else None)
    assert (other, cut) == (None, None)
