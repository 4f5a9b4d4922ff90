"""How a Job ends, and what the launcher makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.launches import FOREVER, Launcher, result_of, sh
from tests.contract.targets import Target

LIMIT = 7


def test_a_job_that_succeeds_is_told_of_and_removed(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo one; echo two"))
    assert (run.code, run.status, run.pods) == (0, 0, (0, 1, 0))
    assert run.log == b"one\ntwo\n"
    assert run.text.startswith("Options in effect: ")
    assert run.verdict == f"Job {target.namespace}/{name} succeeded."
    target.api.wait_gone(name)


def test_a_job_that_fails_says_which_container_and_how(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo before; exit 3"))
    assert (run.code, run.status, run.pods) == (1, 1, (0, 0, 1))
    assert run.log == b"before\n"
    assert "container main" in run.verdict
    assert "exit code 3" in run.verdict
    target.api.wait_gone(name)


def test_the_last_words_in_the_termination_message_stand_in_the_verdict(
    launch: Launcher, name: str
) -> None:
    run = launch(
        "-j", name, *sh("echo the disk is full >&2; exit 4"),
        "--set", "spec.template.spec.containers[0].terminationMessagePolicy=FallbackToLogsOnError",
    )  # fmt: skip
    assert run.code == 1
    assert "the disk is full" in run.verdict


@pytest.mark.parametrize(
    ("options", "code", "ended"),
    [
        pytest.param(("--exit-code", "container"), 0, 0, id="a success stays a success"),
        pytest.param(("--exit-code", "container"), 4, 4, id="the container's own code"),
        pytest.param(("--map-exit", "4=0"), 4, 0, id="a code that is mapped"),
        pytest.param(("--map-exit", "4=0"), 5, 5, id="a code that is not mapped"),
        pytest.param((), 4, 1, id="without being asked, 1"),
    ],
)
def test_the_containers_code_comes_out_where_asked_for(
    launch: Launcher, name: str, options: tuple[str, ...], code: int, ended: int
) -> None:
    run = launch("-j", name, *sh(f"exit {code}"), *options)
    assert (run.code, run.status) == (ended, ended)
    told = run.verdict.endswith(f" Exit code {code} is mapped to {ended} by --map-exit.")
    assert told == ("--map-exit" in options and code != ended) == ("mapped" in run.verdict)


def test_a_job_past_its_deadline_ends_with_13(target: Target, launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh(FOREVER), "--deadline", "3s")
    assert (run.code, run.status) == (13, 13)
    assert "deadline" in run.verdict
    assert run.lines[0] == "up"
    target.api.wait_gone(name)


def test_memory_beyond_the_limit_is_named_with_the_limit(launch: Launcher, name: str) -> None:
    run = launch(
        "-j", name, *sh("exec tail /dev/zero"), "--limits", "memory=48Mi",
        "--requests", "memory=8Mi",
    )  # fmt: skip
    assert run.code == 1
    assert "OOMKilled" in run.verdict
    assert "48Mi" in run.verdict
    assert "137" in run.verdict


def test_a_job_that_somebody_else_deletes_ends_with_14(
    target: Target, launch: Launcher, name: str
) -> None:
    def delete() -> None:
        target.api.running_pods(name)
        target.api.delete("jobs", name)

    run = launch("-j", name, *sh(FOREVER), meanwhile=delete)
    assert (run.code, run.status) == (14, 14)
    assert "was deleted by somebody else before it ended" in run.verdict
    target.api.wait_gone(name)


def test_a_job_that_exists_is_left_as_it_is(target: Target, launch: Launcher, name: str) -> None:
    container = {"name": "main", "image": "busybox:1", "imagePullPolicy": "IfNotPresent",
                 "command": ["sh", "-c", FOREVER]}  # fmt: skip
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    there = target.api.create("jobs", {"metadata": {"name": name}, "spec": {"template": template}})
    run = launch("-j", name, *sh("echo never"))
    assert (run.code, run.status) == (15, 15)
    assert b"Job created" not in run.out
    assert "exists" in run.verdict
    now = target.api.job(name)
    assert now is not None
    assert now["metadata"]["uid"] == there["metadata"]["uid"]
    assert "deletionTimestamp" not in now["metadata"]
    assert target.api.running_pods(name)


def test_a_namespace_that_is_not_there_is_a_refusal(launch: Launcher, name: str) -> None:
    launch.common = ("-n", "no-such-namespace", *launch.common[2:])
    run = launch("-j", name, *sh("echo never"))
    assert (run.code, run.status) == (3, 3)
    assert "no-such-namespace" in run.verdict


@pytest.mark.parametrize(
    ("keep", "script", "stays"),
    [
        pytest.param("never", "exit 0", False, id="never, success"),
        pytest.param("never", "exit 1", False, id="never, failure"),
        pytest.param("failed", "exit 0", False, id="failed, success"),
        pytest.param("failed", "exit 1", True, id="failed, failure"),
        pytest.param("always", "exit 0", True, id="always, success"),
        pytest.param("always", "exit 1", True, id="always, failure"),
    ],
)
def test_a_job_is_kept_as_asked(
    target: Target, launch: Launcher, name: str, keep: str, script: str, stays: bool
) -> None:
    run = launch("-j", name, *sh(script), "--keep", keep)
    assert run.code == int(script[-1])
    if stays:
        job = target.api.job(name)
        assert job is not None
        assert "deletionTimestamp" not in job["metadata"]
        assert target.api.pods(name)
        assert "kept" in run.verdict
    else:
        target.api.wait_gone(name)


def test_a_job_that_can_yet_start_is_not_kept(target: Target, launch: Launcher, name: str) -> None:
    run = launch(
        "-j", name, *sh("echo never"), "--node-selector", "nowhere=at-all",
        "--start-timeout", target.short, "--keep", "always",
    )  # fmt: skip
    assert run.code == 11
    assert target.api.is_gone(name)


def test_the_result_file_tells_what_the_verdict_tells(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    run = launch("-j", name, *sh("sleep 1; exit 3"), "-b", "1", "--result-file", str(path))
    told = result_of(path)
    assert told["schema"] == 1
    assert (told["job"], told["namespace"]) == (name, target.namespace)
    assert (told["exit_code"], told["ending"]) == (1, "failed")
    assert told["pods"] == {"running": 0, "succeeded": 0, "failed": 2}
    assert told["attempts"] == 2
    assert told["verdict"] in run.verdict
    assert [each["exit_code"] for each in told["containers"]] == [3, 3]
    assert {each["container"] for each in told["failures"]} == {"main"}
    assert [each["attempt"] for each in told["failures"]] == [1, 2]
    seconds = told["seconds"]
    assert seconds["running"] >= 1
    assert seconds["queued"] >= 0
    assert seconds["pulling"] >= 0
    assert all(each["node"] for each in told["containers"])


def test_a_job_of_one_line_costs_few_requests(target: Target, launch: Launcher, name: str) -> None:
    with target.counted() as asked:
        run = launch("-j", name, *sh("echo one line"))
    assert run.log == b"one line\n"
    assert 0 < len(asked) <= LIMIT, asked


def test_a_generated_name_is_new_each_time(target: Target, launch: Launcher, name: str) -> None:
    runs = [launch("--generate-name", f"{name}-", *sh("echo hi")) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0]
    assert runs[0].verdict != runs[1].verdict
    assert all(f"{target.namespace}/{name}-" in run.verdict for run in runs)


def test_whoever_runs_in_the_cluster_needs_no_kubeconfig(
    target: Target, launch: Launcher, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runjob import api
    from runjob.login import login

    for variable, value in target.in_cluster_files(tmp_path / "account").items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(api, "login", lambda asked: login(asked, str(tmp_path / "account")))
    launch.common = ("-n", target.namespace)
    run = launch("-j", name, *sh("echo from within"))
    assert (run.code, run.log) == (0, b"from within\n")
    target.api.wait_gone(name)
