"""A log that goes to a file is exact to the byte, however often its launcher was killed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.adoption.killed import CODE, DOUBT, RUN
from tests.contract.launches import SCRIPT, sh, wait_until
from tests.contract.targets import Target


@pytest.fixture
def append(
    common: tuple[str, ...], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start launchers whose stdout goes to one file, at its end."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*options: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "sysout").open("ab") as out, (tmp_path / "err").open("ab") as err:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), *common, *options], stdout=out, stderr=err
            )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.parametrize("size", [0, 3_000, 30_000, 300_000, 600_000])
def test_a_log_that_was_killed_while_it_was_printed_is_whole_in_its_file(
    target: Target,
    append: Callable[..., subprocess.Popen[bytes]],
    name: str,
    kept: tuple[str, str],
    tmp_path: Path,
    size: int,
) -> None:
    """Killed in the midst of a busy log, wherever that is: each line stands there once."""
    busy = (
        "-j", name, *sh("seq 1 60000; sleep 1; seq 60001 120000; sleep 2; exit 3"),
        *RUN, *CODE, *kept,
    )  # fmt: skip
    sysout = tmp_path / "sysout"
    first = append(*busy)
    wait_until(
        lambda: sysout.exists() and sysout.stat().st_size > size + 200, "some of the log", 60
    )
    first.kill()
    first.wait()
    assert append(*busy).wait(90) == 3
    assert numbers_in(sysout) == list(range(1, 120_001))
    target.api.wait_gone(name)


def numbers_in(sysout: Path) -> list[int]:
    """Read the numbered lines of a file; a line that a kill cut in two is there once more."""
    text = sysout.read_bytes()
    assert not DOUBT.search(text)
    whole = re.sub(rb"[0-9]*(?=Options in effect)", b"", text)
    return [int(line) for line in whole.splitlines() if line.isdigit()]


@pytest.mark.parametrize("seed", range(3))
def test_a_launcher_that_is_killed_again_and_again_prints_each_line_once(
    target: Target,
    append: Callable[..., subprocess.Popen[bytes]],
    name: str,
    kept: tuple[str, str],
    tmp_path: Path,
    seed: int,
) -> None:
    places = random.Random(seed)
    script = (
        "i=0; while [ $i -lt 60 ]; do i=$((i+1)); seq $((i*500-499)) $((i*500)); sleep 0.1; done"
    )
    busy = ("-j", name, *sh(f"{script}; exit 3"), *RUN, *CODE, *kept)
    sysout = tmp_path / "sysout"
    for _ in range(5):
        process = append(*busy)
        grown = (sysout.stat().st_size if sysout.exists() else 0) + places.randrange(1, 20_000)
        wait_until(
            lambda process=process, grown=grown: (
                sysout.stat().st_size > grown  # type: ignore[misc]
                or process.poll() is not None
            ),
            "some more of the log",
            60,
        )
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
    else:
        process = append(*busy)
    assert process.wait(90) == 3
    assert numbers_in(sysout) == list(range(1, 30_001))
    target.api.wait_gone(name)
