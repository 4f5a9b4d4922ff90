"""The command on small folders, with real processes: what runs, what is told, what is left."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.ctm.rehearsing import ROOT, command, flow, gone, rehearsed, written

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
