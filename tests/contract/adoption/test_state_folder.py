"""The state folder: what one launch leaves in it for the next, and what is refused."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.contract.adoption.killed import CODE, RUN, SCRIPT_LINE, kill
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import Target


def test_a_state_folder_serves_one_launcher_at_a_time(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, *kept)
    started.until(b"one\n")
    second = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *kept)
    assert second.code == 15
    assert "another launcher" in second.err
    run = started.end()
    assert (run.code, run.log) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


def test_a_signal_leaves_no_word_that_would_keep_the_next_launch_from_running(
    start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(FOREVER), *RUN, *kept)
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    assert started.end().code == 8
    run = launch("-j", name, *sh("echo anew"), *RUN, *kept)
    assert (run.code, run.log) == (0, b"anew\n")


def test_a_job_that_vanished_while_nobody_followed_it_is_told_of_once(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    job = ("-j", name, *sh(FOREVER), *RUN, *kept)
    started = start(*job)
    started.until(b"up\n")
    kill(started)
    target.api.delete("jobs", name)
    target.api.wait_gone(name)
    run = launch(*job)
    assert (run.code, run.status) == (14, 14)
    assert "nothing is known about its result" in run.verdict
    anew = launch("-j", name, *sh("echo anew"), *RUN, *kept)
    assert (anew.code, anew.log) == (0, b"anew\n")


def test_a_state_folder_that_cannot_be_written_is_refused_before_anything_is_created(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    run = launch("-j", name, *sh("echo never"), "--state-dir", str(file))
    assert run.code == 1
    assert "--state-dir" in run.err
    assert "cannot be written there" in run.err
    assert target.api.job(name) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("-j", "{}", "--log-limit", "1M"), "--log-limit", id="a log limit"),
        pytest.param(("--generate-name", "{}-"), "needs --run-id", id="a generated name alone"),
    ],
)
def test_a_state_folder_does_not_go_with(
    target: Target,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    options: tuple[str, ...],
    words: str,
) -> None:
    run = launch(*(each.format(name) for each in options), *sh("echo never"), *kept)
    assert run.code == 1
    assert words in run.err
    assert not [each for each in target.api.items("jobs") if name in each["metadata"]["name"]]
