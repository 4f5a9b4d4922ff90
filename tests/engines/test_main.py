"""One command starts every engine and ends them all, whatever ends it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from misc.engines import __main__ as command
from misc.engines import sample
from misc.engines.process import EngineError, start
from tests.engines.waiting import gone, until

ENGINES = [sys.executable, "-m", "misc.engines"]
NEEDED = {
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_PROPERTIES",
    "SNOWFLAKE_ACCOUNT",
    "SNOWFLAKE_PASSWORD",
    "AWS_ENDPOINT_URL_S3",
    "GEO_BUCKET",
    "X_BEARER_TOKEN",
    "X_API_URL",
}


def children(pid: int) -> list[int]:
    # A child belongs to the thread that started it, for as long as that lives.
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text(encoding="utf-8").split()]


@pytest.mark.embedded_snowflake
def test_a_command_runs_with_the_settings_and_gives_its_exit_code(tmp_path: Path) -> None:
    program = "import json, os, sys; print(json.dumps(dict(os.environ))); sys.exit(7)"
    done = subprocess.run(
        [*ENGINES, "--folder", str(tmp_path), "--", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert done.stderr == ""
    assert all(f'"{name}"' in done.stdout for name in NEEDED)
    assert (tmp_path / "warehouse" / "CUST360.db").exists()


@pytest.mark.embedded_snowflake
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_serves_until_it_is_ended_and_takes_its_engines_along(how: signal.Signals) -> None:
    with subprocess.Popen(
        ENGINES, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert re.search(r"ready in \d+\.\d s, until Ctrl-C", running.stderr.readline())
        engines = children(running.pid)
        assert len(engines) == 4
        running.send_signal(how)
        lines = running.stdout.read().splitlines()
        assert running.wait(30) == (-how if how == signal.SIGKILL else 0)
    words = [shlex.split(line) for line in lines]
    assert all(len(each) == 2 and each[0] == "export" for each in words)
    assert {each[1].partition("=")[0] for each in words} >= NEEDED
    until(lambda: all(map(gone, engines)))


@pytest.mark.embedded_snowflake
def test_a_signal_for_the_command_ends_it_first() -> None:
    program = "import time; print('running', flush=True); time.sleep(600)"
    with subprocess.Popen(
        [*ENGINES, "--", sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "running\n"
        running.terminate()
        assert running.wait(30) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--posts", "nowhere.jsonl"], 2, "--posts nowhere.jsonl: there is no such file"),
        (["--", "no-such-program"], 127, "no-such-program: there is no such program"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == code
    assert capsys.readouterr().err == f"python -m misc.engines: error: {words}\n"


def test_a_missing_package_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "starlette.py").write_text(
        "raise ModuleNotFoundError('gone', name='starlette')", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    options: dict[str, object] = {
        "file": None,
        "posts": [],
        "token": "t",
        "rate": None,
        "limits": {},
        "port": 0,
    }
    with (
        pytest.raises(EngineError, match=r"^starlette is missing; pip install -e '\.\[engines\]'"),
        start("misc.engines.x_server", options),
    ):
        pass


def test_the_sample_is_the_same_for_the_same_seed() -> None:
    first, again = (list(sample.posts(50, seed=5)) for _ in range(2))
    assert [each["data"]["text"] for each in first] == [each["data"]["text"] for each in again]
    assert [each["includes"] for each in first] == [each["includes"] for each in again]


def test_the_sample_has_every_language_and_kind_of_position() -> None:
    posts = list(sample.posts(500, seed=1))
    ids = [int(each["data"]["id"]) for each in posts]
    assert ids == sorted(set(ids))
    assert {each["data"]["lang"] for each in posts} == {"en", "es", "fr"}
    kinds = {tuple(sorted(each["data"].get("geo", {}))) for each in posts}
    assert kinds == {(), ("place_id",), ("coordinates", "place_id")}
    for each in posts:
        if "coordinates" in each["data"].get("geo", {}):
            longitude, latitude = each["data"]["geo"]["coordinates"]["coordinates"]
            assert -73.73 <= longitude <= -71.78
            assert 40.98 <= latitude <= 42.06
