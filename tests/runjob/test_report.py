"""The lines around a log keep the form that callers read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.diagnosis import Failure
from runjob.endings import Ending
from runjob.errors import MEANINGS, Exit
from runjob.flags import parse
from runjob.logs import clean
from runjob.options import Options
from runjob.plan import in_effect, plan
from runjob.report import report
from runjob.result import as_json
from runjob.verdict import Verdict


def told(*argv: str, manifest: str = "") -> str:
    options = parse(argv)
    assert isinstance(options, Options)
    request, _ = plan(options, lambda name: name, lambda _: manifest)
    return in_effect(request, options)


def test_the_options_in_effect_are_told_for_flags() -> None:
    argv = "-j hello -n ns -i busybox -p Never -s none -k sh -a x -H /srv -t /data -e A -v 1"
    assert told(*argv.split()) == (
        "Options in effect: jobname=hello namespace=ns image=busybox imagepullpolicy=Never "
        "imagesecret=none restartpolicy=Never backofflimit=0 command='sh x' volume=/srv:/data A=1"
    )


@pytest.mark.parametrize(
    ("argv", "command"), [("-k sh", "'sh'"), ("-a x", "'x'"), ("-k sh -a x", "'sh x'")]
)
def test_a_command_or_its_arguments_are_told(argv: str, command: str) -> None:
    assert f" command={command}" in told("-j", "hello", "-i", "busybox", *argv.split())


def test_what_was_not_asked_for_is_not_told() -> None:
    line = told("-j", "hello", "-i", "busybox", "-c", "claim", "-t", "/data")
    assert line.endswith(
        "imagesecret=regcred restartpolicy=Never backofflimit=0 volume=claim:/data"
    )


JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello}\nx: ['${{day}}', '${{token}}']\n"


@pytest.mark.parametrize("argv", [["-y", "hello.yaml"], ["-j", "hello"]])
def test_the_options_in_effect_are_told_for_a_manifest(argv: list[str]) -> None:
    line = told(*argv, "--param", "day=1", "--param", "token=abc", manifest=JOB)
    assert line == (
        "Options in effect: jobname=hello namespace=default manifest=hello.yaml day=1 token=****"
    )


@pytest.mark.parametrize(
    "name", ["PASSWORD", "db_pass", "MY_SECRET", "ApiToken", "AWS_ACCESS_KEY_ID", "CREDENTIALS"]
)
def test_what_looks_like_a_secret_is_masked(name: str) -> None:
    line = told("-j", "hello", "-i", "busybox", "-e", name, "-v", "sesame")
    assert f"{name}=****" in line
    assert "sesame" not in line


@given(st.text())
def test_a_text_from_outside_stays_on_one_line(text: str) -> None:
    unseen = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    assert not re.search(f"[{unseen}]", clean(text))
    assert clean(text).replace(" ", "") == re.sub(f"[{unseen} ]", "", text)
    assert len(clean(text).splitlines()) <= 1


FAILURE = Failure(
    pod="p", container="main", node="n", attempt=1, exit_code=4, reason="Error", text="it failed"
)


def verdict(code: int = 0, **more: Any) -> Verdict:
    ending = Ending(code=Exit.FAILED if code else Exit.SUCCEEDED, text="ended", hint="look")
    return Verdict(job="hello", namespace="ns", exit_code=code, ending=ending, **more)


def test_success_is_three_lines() -> None:
    assert report(verdict(succeeded=1, warnings=("Slow: it took long",))) == (
        "Pods Statuses: 0 Running / 1 Succeeded / 0 Failed",
        "Job Completion status: 0",
        "Verdict: Job ns/hello ended. Look.",
    )


def test_failure_tells_why_before_the_lines_that_callers_read() -> None:
    lines = report(verdict(4, failed=1, failures=(FAILURE,), warnings=("Bad: it was bad",)))
    assert lines == (
        "Failed: it failed",
        "Event: Bad: it was bad",
        "Pods Statuses: 0 Running / 0 Succeeded / 1 Failed",
        "Job Completion status: 4",
        "Verdict: Job ns/hello ended. Look.",
    )


def test_an_event_that_the_verdict_tells_is_not_told_twice() -> None:
    lines = report(verdict(1, warnings=("FailedMount: x: ended",)))
    assert [line for line in lines if line.startswith("Event")] == []


def test_of_many_failures_the_last_five_are_told() -> None:
    assert (
        sum(line.startswith("Failed") for line in report(verdict(1, failures=(FAILURE,) * 9))) == 5
    )


@given(st.integers(0, 255), st.integers(0), st.integers(0), st.integers(0))
def test_the_lines_that_callers_read_keep_their_form(
    code: int, running: int, succeeded: int, failed: int
) -> None:
    lines = report(verdict(code, running=running, succeeded=succeeded, failed=failed))
    assert f"Pods Statuses: {running} Running / {succeeded} Succeeded / {failed} Failed" in lines
    assert f"Job Completion status: {code}" in lines


@pytest.mark.parametrize(("code", "words"), [(None, "none"), (0, "0"), (4, "4")])
def test_the_containers_exit_code_is_told_when_asked_for(code: int | None, words: str) -> None:
    ended = verdict(1, failed=1, failures=(FAILURE,), container_code=code)
    lines = report(ended, ("exit-code",))
    assert lines[1] == f"Container exit code: {words}"
    assert (lines[0], *lines[2:]) == report(ended), "what callers read stays, and stays last"


def test_the_result_is_one_line_of_json_when_asked_for() -> None:
    ended = verdict(1, failed=1)
    lines = report(ended, ("result", "exit-code", "result"))
    assert [line.partition(": ")[0] for line in lines] == [
        "Result", "Container exit code", "Pods Statuses", "Job Completion status", "Verdict",
    ]  # fmt: skip
    assert json.loads(lines[0].removeprefix("Result: ")) == as_json(ended)


def test_every_exit_code_is_explained() -> None:
    assert MEANINGS.keys() == set(Exit)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SUCCEEDED", 0), ("FAILED", 1), ("REFUSED", 3), ("MANIFEST", 5), ("UNREADABLE", 6),
        ("KILLED", 8), ("NAME_MISMATCH", 16), ("NAMESPACE_MISMATCH", 18), ("INTERRUPTED", 130),
    ],
)  # fmt: skip
def test_the_exit_codes_of_the_contract_stay(name: str, code: int) -> None:
    assert Exit[name] == code
