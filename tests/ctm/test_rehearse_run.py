"""The command on small folders, with real processes: what runs, what is told, what is left."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ctm.rehearsing import ROOT, command, flow, rehearsed, written

PATIENCE = 60.0
BROKEN = ["broken off"] * 2
RUNKJOB = "ApplicationIntegrator:AI runKjob"
NOT_OK = {"Type": "If:CompletionStatus", "CompletionStatus": "NOTOK"}


def test_all_well_is_0_and_told_in_json_picture_and_outputs(tmp_path: Path) -> None:
    told = rehearsed(
        tmp_path,
        Hello=command("echo hello %%WHO of %%JOBNAME", Variables=[{"WHO": "you"}]),
        Then=command("echo then"),
        order=flow("Hello", "Then"),
    )
    assert told.code == 0, told.err
    assert told.record["ok"] is True
    assert told.log("Hello") == "hello you of Hello\n"
    assert told.job("Hello")["runs"][0]["ended"] <= told.job("Then")["runs"][0]["began"]
    picture = (told.folder / "gantt.svg").read_text(encoding="utf-8")
    assert "Day: ended OK" in ET.fromstring(picture)[0].text  # type: ignore[operator]  # a title
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    line = written(tmp_path, "minute: 0", A=command("true"))
    path = tmp_path / "day.json"
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_failure_is_1_and_tells_why_and_who_waits(tmp_path: Path) -> None:
    told = rehearsed(
        tmp_path,
        Bad=command("echo first; echo 'no space on disk' >&2; exit 7"),
        Next=command("echo never"),
        order=flow("Bad", "Next"),
    )
    assert told.code == 1
    assert "Bad ended not OK (code 7); it said last:" in told.out
    assert "no space on disk" in told.out
    assert "Next waits for the event Bad-TO-Next of Bad (ended not OK)" in told.out
    assert told.job("Bad")["runs"][0]["last_words"] == ["first", "no space on disk"]
    assert told.job("Next")["runs"] == []
    assert "waits for the event Bad-TO-Next" in (told.folder / "gantt.svg").read_text()


def test_what_a_job_leaves_running_ends_with_the_rehearsal_without_a_word(tmp_path: Path) -> None:
    left = tmp_path / "left.pid"
    told = rehearsed(tmp_path, Left=command(f"sleep 1000 & echo $! > {left}"))
    assert told.code == 0
    assert gone(int(left.read_text()))
    assert len(told.out.splitlines()) == 4, told.out


def test_what_a_job_said_last_is_shown_without_secrets_escapes_and_endless_lines(
    tmp_path: Path,
) -> None:
    noise = (
        "printf 'a\\033[31mred\\tb\\r%05000d\\n' 7; echo is $LAKE_PASSWORD of $X_TOKEN_FILE; exit 3"
    )
    told = rehearsed(
        tmp_path,
        profile="environment: {LAKE_PASSWORD: hunter22, X_TOKEN_FILE: /run/x}",
        Bad=command(noise),
    )
    words = told.job("Bad")["runs"][0]["last_words"]
    assert words[-1] == "is *** of /run/x"
    assert words[-3:-1] == ["a?[31mred b", f"{'0' * 299}…"]
    assert "hunter22" not in told.out
    assert "\x1b" not in told.out


def test_a_job_is_run_again_until_it_works(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    told = rehearsed(
        tmp_path,
        Try=command(
            f"echo x >> {tries}; test $(wc -l < {tries}) -eq 3",
            RerunLimit={"Times": "5", "Every": "1"},
            again={**NOT_OK, "do": {"Type": "Action:Rerun"}},
        ),
    )
    assert told.code == 0
    assert [run["ok"] for run in told.job("Try")["runs"]] == [False, False, True]


def test_scripts_run_with_their_arguments_and_folders_are_where_the_profile_says(
    tmp_path: Path,
) -> None:
    (tmp_path / "tool.sh").write_text('printf "%s|" "$@"\n', encoding="utf-8")
    (tmp_path / "self").write_text("#!/usr/bin/env python3\nprint('python')\n", encoding="utf-8")
    (tmp_path / "self").chmod(0o755)
    script = {"Type": "Job:Script", "FilePath": "/opt/tools"}
    text = "#!/bin/sh\\necho before /opt/tools; false\\necho after\\n"
    told = rehearsed(
        tmp_path,
        profile=f"paths: {{/opt/tools: {tmp_path}}}",
        Args={**script, "FileName": "tool.sh", "Arguments": ["a b", "$HOME", "/opt/tools/x"]},
        Self={**script, "FileName": "self"},
        Embedded={"Type": "Job:EmbeddedScript", "FileName": "e.sh", "Script": text},
        Missing={**script, "FileName": "none.sh", "lost": {
            "Type": "If:JobNotSubmitted", "JobNotSubmitted": "true",
            "do": {"Type": "Action:SetToOK"}}},
        Around=command("echo middle", PreCommand="echo first", PostCommand="echo last"),
    )  # fmt: skip
    assert told.log("Args") == f"a b|$HOME|{tmp_path}/x|"
    assert told.log("Self") == "python\n"
    assert told.log("Embedded") == f"before {tmp_path}\nafter\n"
    assert told.log("Around") == "first\nmiddle\nlast\n"
    assert told.code == 0, told.out


def test_a_watcher_waits_for_a_file_and_another_gives_up(tmp_path: Path) -> None:
    watcher = {"Type": "Job:FileWatcher:Create", "SearchInterval": 1}
    told = rehearsed(
        tmp_path,
        profile="minute: 1",
        Comes={**watcher, "Path": f"{tmp_path}/*.ready", "MinimumSize": "3 B"},
        Unlimited={**watcher, "Path": f"{tmp_path}/*.ready", "TimeLimit": "0"},
        Number={**watcher, "Path": f"{tmp_path}/*.ready", "TimeLimit": 0},
        Never={**watcher, "Path": f"{tmp_path}/never", "TimeLimit": "1"},
        Writes=command(f"printf 12345 > {tmp_path}/crm.ready"),
    )
    for name in ("Comes", "Unlimited", "Number"):
        assert told.job(name)["status"] == "ended OK"
    assert told.job("Never")["status"] == "ended not OK"
    assert "did not come" in told.log("Never")


def test_what_asks_for_a_confirmation_waits_for_it(tmp_path: Path) -> None:
    ask = command("echo yes", Confirm=True)
    told = rehearsed(tmp_path, Ask=ask)
    assert told.code == 1
    assert "Ask waits for a confirmation" in told.out
    assert rehearsed(tmp_path, "--confirm", Ask=ask).code == 0


@pytest.mark.parametrize(
    ("jobs", "says"),
    [
        pytest.param({"A": {"Type": "Job:Hadoop"}}, "A: a Job:Hadoop cannot be", id="type"),
        pytest.param({"A": {"Type": "Job:Command"}}, "A: a Job:Command needs Co", id="property"),
        pytest.param(
            {"A": command("x", again={**NOT_OK, "do": {"Type": "Action:Rerun"}})},
            "A: Action:Rerun without a RerunLimit", id="endless",
        ),
        pytest.param(
            {"A": command("x", seats={"Type": "Resource:Pool", "Quantity": "3"})},
            "A: it takes 3 of the pool seats, which has 2", id="pool",
        ),
        pytest.param({"A": command("x"), "f": flow("A", "B")}, "there is no B", id="flow"),
        pytest.param(
            {"A": command("x", w={"Type": "WaitForEvents", "Events": ["("]})},
            'A/w: an event is missing', id="events",
        ),
        pytest.param(
            {"A": {"Type": "Job:Kubernetes", "ConnectionProfile": "LAKE", "Job Spec Yaml": "x"}},
            "A: its ConnectionProfile LAKE is in none of the files", id="connection profile",
        ),
        pytest.param(
            {"A": {"Type": "Job:Kubernetes", "ConnectionProfile": ["x"], "Job Spec Yaml": "x"}},
            "A: a value has the wrong shape", id="shape",
        ),
        pytest.param(
            {"A": {"Type": "Job:FileWatcher:Create", "Path": "x", "TimeLimit": "abc"}},
            "A: its TimeLimit is 'abc'", id="time limit",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_rehearsed_is_refused_before_anything_runs(
    tmp_path: Path, jobs: dict[str, Any], says: str
) -> None:
    mark = tmp_path / "ran"
    told = rehearsed(tmp_path, profile="pools: {seats: 2}", First=command(f"touch {mark}"), **jobs)
    assert told.code == 2
    assert re.fullmatch(r"rehearse: error: .*\n", told.err)
    assert says in told.err
    assert not mark.exists()


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        pytest.param("minuet: 1", "there is no minuet", id="misspelt"),
        pytest.param("engines: {kafka: real}", "kafka: real is none", id="engine"),
        pytest.param("pools: {seats: 0}", "pools.seats is 0", id="number"),
        pytest.param("a: [", "profile.yaml:1: not YAML", id="yaml"),
        pytest.param("before: ['echo oops >&2; exit 4']", "ended with 4: oops", id="before"),
    ],
)
def test_a_profile_that_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, profile: str, says: str
) -> None:
    told = rehearsed(tmp_path, profile=profile, A=command("true"))
    assert told.code == 2
    assert re.fullmatch(r"rehearse: error: .*\n", told.err)
    assert says in told.err


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


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
