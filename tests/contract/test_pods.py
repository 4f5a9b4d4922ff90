"""Jobs of more than one pod, container or run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.contract.launches import FOREVER, Launcher, Run, Starter, result_of, sh
from tests.contract.targets import Target

POD = "spec.template.spec"


def by_source(run: Run) -> dict[tuple[str, str], list[str]]:
    """Sort the log's lines by pod and container; each must carry its prefix."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in run.lines:
        match = re.fullmatch(r"\[([^/\]]+)/([^\]]+)\] (.*)", line)
        assert match is not None, f"no prefix: {line!r}"
        found.setdefault((match[1], match[2]), []).append(match[3])
    return found


def texts(run: Run) -> list[str]:
    """Return the log's lines without the prefixes that some of them carry."""
    return [re.sub(r"^\[[^\]]+/[^\]]+\] ", "", line) for line in run.lines]


def without(words: str, lines: Iterable[str]) -> list[str]:
    return [line for line in lines if words not in line]


def test_the_logs_of_all_attempts_are_shown(target: Target, launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("echo attempt of $HOSTNAME; exit 1"), "-b", "2")
    assert (run.code, run.pods) == (1, (0, 0, 3))
    assert len(texts(run)) == 3
    assert all(line.startswith("attempt of") for line in texts(run))
    assert len(run.failures) == 3
    assert len(set(run.failures)) == 3
    target.api.wait_gone(name)


def test_a_retry_that_succeeds_is_a_success(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    """The second attempt finds what the first one left, by the number of pods before it."""
    path = tmp_path / "result.json"

    def end_the_first() -> None:
        first = target.api.running_pods(name)[0]["metadata"]["name"]
        target.api.delete("pods", first)

    # It takes its time to end, so that its log is open before it is gone.
    script = "trap 'sleep 2; exit 1' TERM; echo up; "
    script += "i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 0.1; done"
    run = launch("-j", name, *sh(script), "-b", "1", "--result-file", str(path),
                 meanwhile=end_the_first)  # fmt: skip
    assert run.code == 0
    assert texts(run) == ["up", "up"]
    assert result_of(path)["pods"]["succeeded"] == 1


def test_init_and_several_containers_are_told_apart(launch: Launcher, name: str) -> None:
    def container(label: str) -> str:
        return (
            f"{{name: {label}, image: 'busybox:1', imagePullPolicy: IfNotPresent, "
            f"command: [sh, -c, 'echo {label} 1; echo {label} 2']}}"
        )

    run = launch(
        "-j", name, *sh("echo main 1; echo main 2"),
        "--set", f"{POD}.initContainers[0]={container('before')}",
        "--set", f"{POD}.containers[1]={container('beside')}",
    )  # fmt: skip
    assert run.code == 0
    sources = by_source(run)
    assert {container for _, container in sources} == {"before", "main", "beside"}
    assert len({pod for pod, _ in sources}) == 1
    for (_, label), lines in sources.items():
        assert lines == [f"{label} 1", f"{label} 2"]


def test_a_failed_init_container_is_named(launch: Launcher, name: str) -> None:
    init = ("{name: before, image: 'busybox:1', imagePullPolicy: IfNotPresent, "
            "command: [sh, -c, 'echo no; exit 9']}")  # fmt: skip
    run = launch("-j", name, *sh("echo never"), "--set", f"{POD}.initContainers[0]={init}")
    assert run.code == 1
    assert "container before" in run.verdict
    assert "exit code 9" in run.verdict
    assert texts(run) == ["no"]


def test_a_sidecar_does_not_keep_the_job_alive(launch: Launcher, name: str) -> None:
    beside = ("{name: beside, image: 'busybox:1', imagePullPolicy: IfNotPresent, "
              "restartPolicy: Always, command: [sh, -c, \""
              "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done\"]}")  # fmt: skip
    run = launch("-j", name, *sh("echo done"), "--set", f"{POD}.initContainers[0]={beside}")
    assert run.code == 0
    assert sorted(texts(run)) == ["done", "up"]


def test_pods_side_by_side_are_all_followed(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("for i in 1 2 3; do echo line $i; done"),
                 "--completions", "3", "--parallelism", "3")  # fmt: skip
    assert (run.code, run.pods) == (0, (0, 3, 0))
    sources = by_source(run)
    assert len(sources) == 3
    assert all(lines == ["line 1", "line 2", "line 3"] for lines in sources.values())


def test_one_pod_of_three_that_fails_for_good_fails_the_job(
    target: Target, launch: Launcher, name: str
) -> None:
    script = (
        "echo index $JOB_COMPLETION_INDEX; [ $JOB_COMPLETION_INDEX != 1 ] || { sleep 2; exit 1; }"
    )
    run = launch("-j", name, *sh(script), "--completions", "3", "--parallelism", "3", "--indexed")
    assert (run.code, run.status, run.pods) == (1, 1, (0, 2, 1))
    assert sorted(texts(run)) == ["index 0", "index 1", "index 2"]
    assert f"{name}-1-" in run.verdict
    target.api.wait_gone(name)


def test_an_indexed_job_runs_each_index_once(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("echo index $JOB_COMPLETION_INDEX"),
                 "--completions", "4", "--parallelism", "2", "--indexed")  # fmt: skip
    assert (run.code, run.pods) == (0, (0, 4, 0))
    assert sorted(texts(run)) == [f"index {number}" for number in range(4)]


def test_every_run_of_a_container_that_restarts_is_shown(
    target: Target, launch: Launcher, name: str
) -> None:
    """OnFailure restarts in place: one pod, and the kubelet keeps two logs at a time.

    The Job controller deletes the pod at its last restart, often before anybody could read that
    run: then this one and no other is told to be missing.
    """
    run = launch("-j", name, *sh("echo one run; sleep 1; exit 1"), "-r", "OnFailure", "-b", "2")
    assert run.code == 1
    lines = texts(run)
    assert 2 <= lines.count("one run") <= 3
    missing = [line for line in lines if line != "one run"]
    assert missing == lines[2 : 2 + len(missing)]
    assert all("wrote in its run 3, if anything, could not be read: " in line for line in missing)
    assert len(missing) <= 1
    target.api.wait_gone(name)


def test_a_pod_that_is_deleted_is_replaced_and_the_replacement_followed(
    target: Target, start: Starter, name: str
) -> None:
    script = "trap 'exit 1' TERM; echo up; i=0; while [ $i -lt 60 ]; do i=$((i+1)); sleep 0.1; done"
    started = start("-j", name, *sh(script + "; echo whole"), "-b", "3")
    # What a pod wrote that goes before its log was opened is lost, and told.
    started.until(b"\nup\n")
    target.api.delete("pods", target.api.running_pods(name)[0]["metadata"]["name"])
    run = started.end()
    assert (run.code, run.pods[1]) == (0, 1)
    assert texts(run).count("whole") == 1
    assert set(without("whole", texts(run))) == {"up"}


def test_a_pod_that_only_bears_the_label_is_nobodys_business(
    target: Target, launch: Launcher, name: str
) -> None:
    """Pods are known by their owner; this one has none."""
    container = {"name": "main", "image": "busybox:1", "imagePullPolicy": "IfNotPresent",
                 "command": ["sh", "-c", FOREVER]}  # fmt: skip
    stranger = target.api.create(
        "pods",
        {
            "metadata": {"name": f"{name}-stranger", "labels": {"job-name": name}},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        },
    )
    try:
        run = launch("-j", name, *sh("echo mine"))
        assert (run.code, run.log, run.pods) == (0, b"mine\n", (0, 1, 0))
        left = target.api.find("pods", f"{name}-stranger")
        assert left is not None
        assert left["metadata"]["uid"] == stranger["metadata"]["uid"]
        assert "deletionTimestamp" not in left["metadata"]
    finally:
        target.api.delete("pods", f"{name}-stranger", 0)
