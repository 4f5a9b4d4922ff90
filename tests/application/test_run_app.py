"""The counting sample, in each shell that an image may have."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from runjob.sandbox import images

SCRIPT = Path(__file__).parents[2] / "application" / "run_app.sh"
SHELLS = {"sh": ("sh",), "dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash",)}


@pytest.fixture(params=[name for name in SHELLS if shutil.which(SHELLS[name][0])])
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Give one of the shells of this machine; a shell of POSIX is always there."""
    return SHELLS[request.param]


def run(shell: tuple[str, ...], **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.run(
        [*shell, str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("code", ["0", "3", "143", "255"])
def test_it_counts_and_ends_with_the_code_that_is_asked_for(
    shell: tuple[str, ...], code: str
) -> None:
    done = run(shell, LOOPCTR="3", STIME="0", XCODE=code)
    assert done.stdout == "Iteration 1 of 3\nIteration 2 of 3\nIteration 3 of 3\n"
    assert (done.returncode, done.stderr) == (int(code), "")


def test_what_is_not_set_has_the_published_sample_s_values(shell: tuple[str, ...]) -> None:
    done = run(shell, LOOPCTR="", STIME="0", XCODE="")
    assert (done.stdout.count("\n"), done.returncode) == (10, 0)


@pytest.mark.parametrize(("stime", "count"), [("0.01", "2"), ("0", "010"), ("0", "0")])
def test_odd_numbers_are_numbers(shell: tuple[str, ...], stime: str, count: str) -> None:
    done = run(shell, LOOPCTR=count, STIME=stime)
    assert (done.stdout.count("\n"), done.returncode, done.stderr) == (int(count), 0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOOPCTR", "ten"),
        ("LOOPCTR", "-1"),
        ("LOOPCTR", "1 2"),
        ("LOOPCTR", "9999999999"),
        ("STIME", "5s"),
        ("STIME", "."),
        ("STIME", "1.2.3"),
        ("STIME", "$(id)"),
        ("XCODE", "256"),
        ("XCODE", "0x1"),
        ("XCODE", "*"),
    ],
)
def test_what_is_no_number_is_one_clear_line_and_nothing_is_counted(
    shell: tuple[str, ...], name: str, value: str
) -> None:
    done = run(shell, **{"STIME": "0", name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"run_app.sh: error: {name} is '{value}', and must be ")
    assert done.stderr.count("\n") == 1


def test_sigterm_ends_it_in_the_middle_of_a_sleep(shell: tuple[str, ...]) -> None:
    """Its sleep would outlast the test's time-out, and does not outlive it."""
    environment = {"PATH": os.environ["PATH"], "STIME": "100000"}
    started = subprocess.Popen([*shell, str(SCRIPT)], env=environment, stdout=subprocess.PIPE)
    assert started.stdout is not None
    with started:
        assert started.stdout.readline() == b"Iteration 1 of 10\n"
        started.send_signal(signal.SIGTERM)
        # The sleep holds the pipe open as long as it lives.
        assert started.stdout.read() == b""
    assert started.returncode == 143


def test_the_embedded_cluster_counts_with_the_same_text() -> None:
    assert SCRIPT.read_text() == images.COUNTER
