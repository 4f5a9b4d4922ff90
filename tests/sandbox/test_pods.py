"""Pods from create to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .talk import (
    CORE,
    JOBS,
    PODS,
    Json,
    Talk,
    held,
    job,
    phase_is,
    shell,
    state,
    waits_for,
)

Fresh = Callable[[], str]


def ended(talk: Talk, body: Json) -> Json:
    """Run a Job and return its first pod after its end."""
    talk.job(body)
    return talk.pod(body["metadata"]["name"], phase_is("Succeeded", "Failed"))


def output(talk: Talk, body: Json) -> str:
    pod = ended(talk, body)
    return talk.log(pod["metadata"]["name"]).decode()


def steps(talk: Talk, name: str, version: str) -> Iterator[tuple[str, str]]:
    """Yield phase and container state at each change of a Job's pod, up to its end."""
    query = {"labelSelector": f"job-name={name}", "resourceVersion": version}
    for event in talk.watch(PODS, timeoutSeconds=20, **query):
        pod = event["object"]
        yield pod["status"]["phase"], next(iter(state(pod)), "")
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            return


def test_a_pod_goes_through_every_step_in_order(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    version = talk.get(PODS)["metadata"]["resourceVersion"]
    talk.job(shell(name, "true"))
    assert list(steps(talk, name, version)) == [
        ("Pending", ""),
        ("Pending", ""),
        ("Pending", "waiting"),
        ("Running", "running"),
        ("Running", "terminated"),
        ("Succeeded", "terminated"),
    ]


def test_a_pod_that_succeeded_says_so_everywhere(talk: Talk, fresh: Fresh) -> None:
    pod = ended(talk, shell(fresh(), "true"))
    status = pod["status"]["containerStatuses"][0]
    end = status["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (0, "Completed")
    assert end["containerID"].startswith("containerd://")
    assert held(pod) == {"PodScheduled": "", "Initialized": "PodCompleted"}
    events = [reason for reason, _ in talk.events(pod)]
    assert events[-3:] == ["Pulled", "Created", "Started"]
    assert events[0] == "Scheduled"


# A doubled $ is a single one by the time the shell sees it, as in every cluster.
@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [("exit 3", 3, "Error"), ("kill -9 $$$$", 137, "Error"), ("kill -15 $$$$", 143, "Error")],
)
def test_an_exit_code_is_reported(
    talk: Talk, fresh: Fresh, script: str, code: int, reason: str
) -> None:
    end = state(ended(talk, shell(fresh(), script)))["terminated"]
    assert (end["exitCode"], end["reason"]) == (code, reason)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("nosuch", 'exec: "nosuch": executable file not found in $PATH'),
        ("/bin/nosuch", 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'),
        ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
    ],
)
def test_a_command_that_cannot_run_is_a_start_error(
    talk: Talk, fresh: Fresh, command: str, why: str
) -> None:
    pod = ended(talk, job(fresh(), command))
    end = state(pod)["terminated"]
    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert end["message"].endswith(why)
    assert end["startedAt"] == "1970-01-01T00:00:00Z"
    assert ("Failed", f"Error: {end['message']}") in talk.events(pod)


def test_the_message_of_an_end_falls_back_to_the_log(talk: Talk, fresh: Fresh) -> None:
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    pod = ended(talk, shell(fresh(), "echo why; exit 1", container=fallback))
    assert state(pod)["terminated"]["message"] == "why\n"
    pod = ended(talk, shell(fresh(), "echo why", container=fallback))
    assert "message" not in state(pod)["terminated"]


def test_a_container_sees_its_pod_its_settings_and_nothing_of_the_host(
    talk: Talk, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "yes")
    name = fresh()
    talk.create(f"{CORE}/configmaps", {"metadata": {"name": name}, "data": {"key": "set"}})
    env = [
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": name, "key": "key"}}},
    ]
    script = 'echo "$POD|$HOSTNAME|$KEY|$LEAKED|$(KEY)"; pwd'
    pod = ended(talk, shell(name, script, container={"env": env}))
    lines = talk.log(pod["metadata"]["name"]).decode().splitlines()
    own = pod["metadata"]["name"]
    assert lines[0] == f"{own}|{own}|set||set"
    assert lines[1].endswith("/main")


def test_a_working_folder_of_this_machine_is_used(talk: Talk, fresh: Fresh, tmp_path: Path) -> None:
    there = {"workingDir": str(tmp_path)}
    assert output(talk, shell(fresh(), "pwd", container=there)) == f"{tmp_path}\n"
    lost = {"workingDir": str(tmp_path / "lost")}
    assert output(talk, shell(fresh(), "pwd", container=lost)).endswith("/main\n")


def test_what_a_container_leaves_running_ends_with_it(
    talk: Talk, fresh: Fresh, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    pod = ended(talk, shell(fresh(), f"sleep 60 & echo $! > {mark}; echo done"))
    assert talk.log(pod["metadata"]["name"]) == b"done\n"
    group = int(mark.read_text())
    until = time.monotonic() + 10
    while Path(f"/proc/{group}/cmdline").exists() and time.monotonic() < until:
        if not Path(f"/proc/{group}/cmdline").read_bytes():
            break
    assert not Path(f"/proc/{group}").exists() or not Path(f"/proc/{group}/cmdline").read_bytes()


def test_init_containers_run_first_and_in_order(talk: Talk, fresh: Fresh) -> None:
    first = [
        {"name": name, "image": "busybox:1", "command": ["sh", "-c", f"echo {name}"]}
        for name in ("one", "two")
    ]
    pod = ended(talk, shell(fresh(), "echo main", pod={"initContainers": first}))
    name = pod["metadata"]["name"]
    logs = [talk.log(name, container=each) for each in ("one", "two", "main")]
    assert logs == [b"one\n", b"two\n", b"main\n"]
    assert [each["ready"] for each in pod["status"]["initContainerStatuses"]] == [True, True]


def test_an_init_container_that_fails_ends_the_pod(talk: Talk, fresh: Fresh) -> None:
    first = {"name": "first", "image": "busybox:1", "command": ["sh", "-c", "exit 4"]}
    pod = ended(talk, shell(fresh(), "true", pod={"initContainers": [first]}))
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
    assert state(pod) == {"waiting": {"reason": "PodInitializing"}}


def test_a_pod_deleted_during_its_init_containers_is_gone(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    first = {"name": "first", "image": "busybox:1", "command": ["sleep", "60"]}
    talk.job(shell(name, "true", pod={"initContainers": [first]}))
    pod = talk.pod(name, lambda p: "running" in str(p["status"].get("initContainerStatuses")))
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


def test_a_sidecar_runs_beside_and_ends_after_the_main_container(talk: Talk, fresh: Fresh) -> None:
    script = 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.02; done'
    sidecar = {
        "name": "side", "image": "busybox:1", "command": ["sh", "-c", script],
        "restartPolicy": "Always",
    }  # fmt: skip
    pod = ended(talk, shell(fresh(), "sleep 0.2", pod={"initContainers": [sidecar]}))
    assert pod["status"]["phase"] == "Succeeded"
    assert talk.log(pod["metadata"]["name"], container="side") == b"up\nbye\n"


def test_several_containers_run_side_by_side(talk: Talk, fresh: Fresh) -> None:
    other = {"name": "other", "image": "busybox:1", "command": ["sh", "-c", "exit 5"]}
    body = shell(fresh(), "true")
    body["spec"]["template"]["spec"]["containers"].append(other)
    pod = ended(talk, body)
    assert pod["status"]["phase"] == "Failed"
    codes = [each["state"]["terminated"]["exitCode"] for each in pod["status"]["containerStatuses"]]
    assert codes == [0, 5]


def test_a_crashing_container_backs_off_and_starts_again(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    script = 'echo "$HOSTNAME"; exit 1'
    talk.job(shell(name, script, backoffLimit=9, pod={"restartPolicy": "OnFailure"}))
    pod = talk.pod(name, waits_for("CrashLoopBackOff"))
    status = pod["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert "restarting failed container=main" in status["state"]["waiting"]["message"]
    assert pod["status"]["phase"] == "Running"
    later = talk.pod(name, lambda p: p["status"]["containerStatuses"][0]["restartCount"] >= 3)
    own = later["metadata"]["name"]
    assert talk.log(own, previous="true").decode() == f"{own}\n"
    assert any(reason == "BackOff" for reason, _ in talk.events(later))
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, own)


def test_a_pod_of_its_own_is_always_restarted(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    spec = {"containers": [{"name": "m", "image": "busybox:1", "command": ["true"]}]}
    talk.create(PODS, {"metadata": {"name": name}, "spec": spec})
    talk.until(
        PODS,
        lambda pod: (
            "containerStatuses" in pod["status"]
            and pod["status"]["containerStatuses"][0]["restartCount"] >= 1
        ),
        fieldSelector=f"metadata.name={name}",
    )
    talk.call("DELETE", f"{PODS}/{name}", gracePeriodSeconds=0)
    talk.gone(PODS, name)


def test_a_deleted_pod_may_end_its_work(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    script = 'trap "echo saved; exit 0" TERM; echo up; while :; do sleep 0.02; done'
    talk.job(shell(name, script))
    pod = talk.pod(name, phase_is("Running"))
    own = pod["metadata"]["name"]
    with talk.open("GET", f"{PODS}/{own}/log", follow="true") as log:
        assert log.readline() == b"up\n"
        deleted = talk.call("DELETE", f"{PODS}/{own}").json
        assert deleted["metadata"]["deletionGracePeriodSeconds"] == 30
        assert log.read() == b"saved\n"
    talk.gone(PODS, own)
    assert ("Killing", "Stopping container main") in talk.events(pod)


def test_one_that_does_not_end_is_killed_after_its_grace(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    script = 'trap "" TERM; echo up; while :; do sleep 0.02; done'
    body = shell(name, script, pod={"terminationGracePeriodSeconds": 60}, parallelism=1)
    talk.job(body)
    pod = talk.pod(name, phase_is("Running"))
    own = pod["metadata"]["name"]
    with talk.open("GET", f"{PODS}/{own}/log", follow="true") as log:
        log.readline()
        talk.call("DELETE", f"{PODS}/{own}")
        # A second deletion may shorten the grace, never lengthen it.
        longer = talk.call("DELETE", f"{PODS}/{own}", gracePeriodSeconds=90).json
        assert longer["metadata"]["deletionGracePeriodSeconds"] == 60
        talk.call("DELETE", f"{PODS}/{own}", gracePeriodSeconds=1)
        log.read()
    talk.gone(PODS, own)


def test_a_pod_has_a_deadline_of_its_own(talk: Talk, fresh: Fresh) -> None:
    pod = ended(talk, shell(fresh(), "exec sleep 60", pod={"activeDeadlineSeconds": 1}))
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "DeadlineExceeded")


HUNGRY = "x = bytearray(300_000_000); import time; time.sleep(60)"


def test_a_container_above_its_memory_limit_is_killed(talk: Talk, fresh: Fresh) -> None:
    container = {
        "image": "python:3",
        "resources": {"limits": {"memory": "100Mi"}},
        "command": ["python3", "-c", HUNGRY],
    }
    pod = ended(talk, job(fresh(), container=container))
    end = state(pod)["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


def test_a_container_below_its_limit_is_left_alone(talk: Talk, fresh: Fresh) -> None:
    container = {"resources": {"limits": {"memory": "500Mi", "cpu": "1"}}}
    pod = ended(talk, shell(fresh(), "sleep 0.2", container=container))
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["status"]["qosClass"] == "Guaranteed"
