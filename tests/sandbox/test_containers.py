"""Containers as processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from runjob.sandbox.containers import Container
from runjob.sandbox.logfile import LogFile
from runjob.sandbox.memory import resident_by_group


def run(folder: Path, script: str) -> tuple[int, bytes]:
    async def story() -> int:
        log = LogFile(folder / "log")
        environment = {"PATH": os.environ["PATH"]}
        container = Container(["sh", "-c", script], environment, folder, log)
        code = await asyncio.wait_for(container.ended, 20)
        container.signal(9)
        return code

    code = asyncio.run(story())
    records = (folder / "log").read_bytes().splitlines()
    return code, b"".join(record[33:] for record in records)


def test_a_container_ends_with_its_code_and_its_output(tmp_path: Path) -> None:
    assert run(tmp_path, "echo a; exit 3") == (3, b"a")


def test_where_there_is_no_pidfd_a_thread_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert run(tmp_path, "echo a; exit 3") == (3, b"a")


def test_one_that_left_its_group_does_not_hold_the_end_back(tmp_path: Path) -> None:
    code, text = run(
        tmp_path,
        f"setsid sh -c 'echo $$ > {tmp_path}/pid; while :; do echo y; done' & sleep 0.1; exit 4",
    )
    try:
        assert code == 4
        assert text.startswith(b"y")
    finally:
        # It dies of the closed pipe by itself; this is for the case that it does not.
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 9)


def test_memory_is_added_up_by_process_group(tmp_path: Path) -> None:
    sizes = resident_by_group()
    assert sizes[os.getpgid(0)] > 1_000_000
    (tmp_path / "1").mkdir()
    (tmp_path / "self").mkdir()
    assert resident_by_group(tmp_path) == {}
