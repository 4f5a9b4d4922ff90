"""A rehearsal that ends early leaves nothing running, and at a terminal a person is asked."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ctm.rehearsing import ROOT, command, gone, written

PATIENCE = 60.0
BROKEN = ["broken off"] * 2
RUNKJOB = "ApplicationIntegrator:AI runKjob"


def awaited(what: str, true: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:.0f} s"
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait()


def heard() -> None:
    """Let a signal be heard that this process may ignore, as under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_that_was_started(
    tmp_path: Path, number: signal.Signals, started: list[subprocess.Popen[bytes]]
) -> None:
    # To Kubernetes $$ is a dollar sign.
    spec = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: long}\nspec:\n  template:\n    spec:\n"
        "      restartPolicy: Never\n      containers:\n      - name: c\n        image: busybox:1\n"
        f"        command: [sh, -c, 'echo $$$$ > {tmp_path}/pod.pid; exec sleep 1000']\n"
    )
    line = written(
        tmp_path,
        "cluster: embedded\njob_types: [misc/runKjob.ctmai]\npaths: {/opt/runjob: '{launcher}'}",
        Child=command(f"sleep 1000 & echo $! > {tmp_path}/child.pid; wait"),
        Left=command(f"sleep 1000 & echo $! > {tmp_path}/left.pid"),
        Pod={"Type": "Job:Kubernetes", "ConnectionProfile": "K8S", "Job Spec Yaml": spec},
        Ours={
            "Type": f"Job:{RUNKJOB}",
            "ConnectionProfile": "OURS",
            "AI-Jobname": "ours",
            "AI-Image Name": "busybox:1",
            "AI-Command": f"sh -c 'echo $$$$ > {tmp_path}/ours.pid; exec sleep 1000'",
        },
    )
    profiles = {
        "K8S": {"Type": "ConnectionProfile:Kubernetes", "Namespace": "controlm"},
        "OURS": {"Type": f"ConnectionProfile:{RUNKJOB}", "AI-CLIPath": "/opt/runjob/"},
    }
    (tmp_path / "profiles.json").write_text(json.dumps(profiles), encoding="utf-8")
    line.append(str(tmp_path / "profiles.json"))
    process = subprocess.Popen(line, cwd=ROOT, preexec_fn=heard)
    started.append(process)
    files = [tmp_path / f"{name}.pid" for name in ("child", "left", "pod", "ours")]
    awaited("all run", lambda: all(file.exists() and file.read_text().strip() for file in files))
    pids = [int(file.read_text()) for file in files]
    process.send_signal(number)
    assert process.wait(PATIENCE) == 1
    for file, pid in zip(files, pids, strict=True):
        assert gone(pid), f"{file.name} still runs"
    record = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))
    assert record["interrupted"] is True
    assert [job["status"] for job in record["jobs"]] == ["broken off", "ended OK", *BROKEN]
    # The launchers have removed their Jobs: they were asked, and not killed.
    for name, told in (("Pod", "Job controlm/long"), ("Ours", "Job default/ours")):
        log = (tmp_path / f"out/logs/{name}.log").read_text(encoding="utf-8")
        assert told in log.splitlines()[-1], log


def test_who_stops_reading_ends_the_rehearsal(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    line = written(
        tmp_path,
        "minute: 1",
        Long=command(f"echo $$ > {tmp_path}/long.pid; sleep 1000"),
        Short=command(f"while ! test -s {tmp_path}/closed; do sleep 0.05; done"),
    )
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started.append(process)
    file = tmp_path / "long.pid"
    awaited("it runs", lambda: file.exists() and file.read_text().strip())
    assert process.stdout is not None
    process.stdout.close()
    (tmp_path / "closed").write_text("now", encoding="ascii")
    assert process.wait(PATIENCE) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert gone(int(file.read_text()))


def test_who_ends_after_a_signal_is_told_while_others_are_awaited(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    end = f"while ! test -e {tmp_path}/go; do sleep 0.05; done; exit 0"
    slow = f"trap '{end}' TERM; echo $$ > {tmp_path}/slow.pid; while :; do sleep 0.1; done"
    quick = f"echo $$ > {tmp_path}/quick.pid; exec sleep 1000"
    line = written(tmp_path, "minute: 1", Slow=command(slow), Quick=command(quick))
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE)
    started.append(process)
    files = [tmp_path / f"{name}.pid" for name in ("slow", "quick")]
    awaited("both run", lambda: all(file.exists() and file.read_text().strip() for file in files))
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    heard_lines: list[bytes] = []
    while not (heard_lines and b"Quick: broken off after" in heard_lines[-1]):
        heard_lines.append(process.stdout.readline())
        assert heard_lines[-1], heard_lines
    assert any(b"  ends Slow, Quick\n" in each for each in heard_lines)
    (tmp_path / "go").touch()
    process.communicate(timeout=PATIENCE)
    record = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))
    ended = [job["runs"][0]["ended"] for job in record["jobs"]]
    assert ended[1] < ended[0]


def test_a_signal_before_the_first_job_is_told(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    line = written(tmp_path, f"before: ['touch {tmp_path}/on; sleep 1000']", A=command("true"))
    process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE)
    started.append(process)
    awaited("it runs", (tmp_path / "on").exists)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[1] == (
        b"rehearse: interrupted before the first job\n"
    )
    assert process.returncode == 1


def test_a_terminal_that_goes_away_ends_the_rehearsal(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    kind = f"trap 'echo kind > {tmp_path}/end; exit' TERM; echo $$ > {tmp_path}/long.pid"
    line = written(tmp_path, "minute: 1", Long=command(f"{kind}; while :; do sleep 0.1; done"))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        line,
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=heard,
    )
    started.append(process)
    os.close(theirs)
    file = tmp_path / "long.pid"
    awaited("it runs", lambda: file.exists() and file.read_text().strip())
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(PATIENCE) == 1
    assert gone(int(file.read_text()))
    assert (tmp_path / "end").read_text() == "kind\n", "it was killed, and not asked"


def test_a_second_signal_kills_who_does_not_hear_the_first(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    deaf = f"trap '' TERM INT; echo $$ > {tmp_path}/deaf.pid; while :; do sleep 0.1; done"
    line = written(tmp_path, "minute: 1", Deaf=command(deaf))
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE)
    started.append(process)
    file = tmp_path / "deaf.pid"
    awaited("it runs", lambda: file.exists() and file.read_text().strip())
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    while (
        b"interrupted: what runs has 80 s to end; once more kills it"
        not in process.stdout.readline()
    ):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert gone(int(file.read_text()))


def test_on_a_terminal_there_is_a_table_and_a_person_is_asked(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    line = written(tmp_path, "minute: 1", Ask=command("echo done", Confirm=True))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(line, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    started.append(process)
    os.close(theirs)
    shown = b""
    answered = False
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
        if b"May Ask start?" in shown and not answered:
            os.write(ours, b"y\n")
            answered = True
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    assert b"\x1b[J" in shown
    assert b"ended OK" in shown
