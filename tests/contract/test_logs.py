"""Logs: every byte once, in order, whatever it is."""

from __future__ import annotations

import pytest

from tests.cluster import controls
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import Target

LINES = 200_000


@pytest.mark.parametrize(
    ("script", "log"),
    [
        pytest.param(
            r"printf 'caf\351\n\377\376\200\n'", b"caf\xe9\n\xff\xfe\x80\n", id="no UTF-8"
        ),
        pytest.param("printf 'one\\ntwo'", b"one\ntwo", id="no final newline"),
        # A "\r" before the "\n" is lost in some container runtimes.
        pytest.param(
            r"printf 'a\0b\rc\n\033[31mred\n'", b"a\0b\rc\n\x1b[31mred\n", id="control bytes"
        ),
        pytest.param("printf '\\n\\n\\n'", b"\n\n\n", id="empty lines"),
        pytest.param("printf '%s\\n' '{\"a\": \"b\"}'", b'{"a": "b"}\n', id="what looks like JSON"),
        pytest.param("echo 2026-11-23T12:00:00.123456789Z x", b"2026-11-23T12:00:00.123456789Z x\n",
                     id="what looks like a time stamp"),
        pytest.param("echo same; echo same; echo same", b"same\nsame\nsame\n", id="equal lines"),
        # The runtime copies the two apart: what comes at once may change places.
        pytest.param("echo out; sleep 0.3; echo err >&2", b"out\nerr\n", id="stderr"),
    ],
)  # fmt: skip
def test_a_log_comes_byte_for_byte(launch: Launcher, name: str, script: str, log: bytes) -> None:
    run = launch("-j", name, *sh(script))
    assert run.code == 0
    # A log without a final newline gets one before the closing lines, which begin lines.
    assert run.log == log + (b"" if log.endswith(b"\n") else b"\n")


def test_a_job_without_a_log_prints_none(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("true"))
    assert (run.code, run.log) == (0, b"")


def test_contract_lines_in_the_log_are_not_mistaken_for_ours(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("echo 'Job Completion status: 0'; exit 2"))
    assert (run.code, run.status) == (1, 1)
    assert run.log == b"Job Completion status: 0\n"


def test_a_line_of_more_than_a_megabyte_is_whole(launch: Launcher, name: str) -> None:
    script = "head -c 1500000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1"
    run = launch("-j", name, *sh(script))
    first, second = run.log.splitlines()
    assert (len(first), set(first), second) == (1_500_000, {ord("x")}, b"after")


def test_a_long_log_is_complete_and_in_order(target: Target, launch: Launcher, name: str) -> None:
    pod: list[tuple[str, str]] = []

    def look() -> None:
        found = target.api.until(lambda: target.api.pods(name), "a pod")[0]["metadata"]
        pod.append((found["name"], found["uid"]))

    # Some container runtimes lose the end of what is written in a process's last moment.
    run = launch("-j", name, *sh(f"seq 1 {LINES}; sleep 2"), "--keep", "always", meanwhile=look)
    assert run.code == 0
    expected = b"".join(b"%d\n" % number for number in range(1, LINES + 1))
    if run.log != expected and target.real:
        # The node's disk is the truth to be exact against.
        expected = controls.pod_log_bytes(controls.pod_log_file(target.namespace, *pod[0], "main"))
    assert run.log == expected


def test_a_log_is_shown_while_it_is_written(target: Target, start: Starter, name: str) -> None:
    """The pod runs until its first line was seen here."""
    started = start("-j", name, *sh(FOREVER))
    started.until(b"up\n")
    target.api.delete("pods", target.api.running_pods(name)[0]["metadata"]["name"])
    run = started.end()
    assert run.code == 1
    assert run.lines == ["up", "bye"]


@pytest.mark.parametrize(
    ("prefix", "prefixed"),
    [
        pytest.param("auto", False, id="auto, one source"),
        pytest.param("never", False, id="never"),
        pytest.param("always", True, id="always"),
    ],
)
def test_one_source_is_prefixed_only_where_asked_for(
    launch: Launcher, name: str, prefix: str, prefixed: bool
) -> None:
    run = launch("-j", name, *sh("echo one; echo two"), "--prefix", prefix)
    parts = [line.rpartition(" ") for line in run.lines]
    assert [text for _, _, text in parts] == ["one", "two"]
    assert all(bool(before) is prefixed for before, _, _ in parts)
    if prefixed:
        assert all(before.startswith(f"[{name}-") and before.endswith("/main]")
                   for before, _, _ in parts)  # fmt: skip
