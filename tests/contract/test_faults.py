"""An API in trouble: what a launch rides out, what it gives up at, and what it never does."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.options import Connection
from runjob.request import JOB
from runjob.retry import REFUSALS
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Effect, Gone, Refuse, Reset, Slow
from tests.contract.launches import FOREVER, Launcher, Starter, sh, wait_until
from tests.contract.targets import EmbeddedTarget, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")

# Prints at once, then now and then, then at once again.
TALKS = (
    "seq 1 300; i=301; while [ $i -le 310 ]; do echo $i; i=$((i+1)); sleep 0.1; done; seq 311 600"
)
TALK = b"".join(b"%d\n" % number for number in range(1, 601))


@pytest.fixture
def target() -> Iterator[EmbeddedTarget]:
    """Give the test a cluster of its own, which it may break."""
    with Sandbox() as sandbox:
        yield EmbeddedTarget(sandbox)


@pytest.fixture
def sandbox(target: EmbeddedTarget) -> Sandbox:
    return target.sandbox


def created(sandbox: Sandbox) -> int:
    """Count the Jobs that were made."""
    return sum(
        each.method == "POST" and each.path.endswith("/jobs") and each.status == 201
        for each in sandbox.requests
    )


def deleted(sandbox: Sandbox) -> int:
    return sum(each.method == "DELETE" for each in sandbox.requests)


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(429), id="429"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Refuse(403), id="403 of a server that just started"),
        pytest.param(
            Refuse(409, message='Operation cannot be fulfilled on resourcequotas "q"'),
            id="409 of a quota that changes",
        ),
        pytest.param(Reset(), id="reset before it had its effect"),
        pytest.param(Cut(0, "reset"), id="reset after the answer's head"),
        pytest.param(Cut(40, "close"), id="half an answer"),
    ],
)
def test_a_create_is_tried_until_it_is_answered(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hit = sandbox.inject(Fault(effect, verb="create", resource="jobs", times=2))
    run = launch("-j", name, *sh("echo once"))
    assert hit.hits == 2
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_create_whose_answer_is_lost_adopts_its_own_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, times: int
) -> None:
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs", times=times))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


def test_a_create_whose_answer_is_lost_and_that_is_then_refused_adopts_its_own_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """As by a quota that the Job itself has used up: a naive launcher leaves it to itself."""
    used = f'jobs.batch "{name}" is forbidden: exceeded quota: one'
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs"))
    sandbox.inject(Fault(Refuse(403, message=used), verb="create", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


def test_a_job_that_exists_for_a_create_and_not_for_a_read_is_not_tried_for_ever(
    sandbox: Sandbox, launch: Launcher, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runjob.creator.REMOVAL", 1.0)

    def exists(*_: object, **__: object) -> None:
        raise ApiError(409, "it exists", reason="AlreadyExists")

    monkeypatch.setattr(Cluster, "create", exists)
    run = launch("-j", name, *sh("echo never"))
    assert run.code == 15
    assert "find out who makes and deletes it, with: kubectl -n controlm " in run.verdict
    assert f" get job {name}" in run.verdict
    assert created(sandbox) == 0


def test_after_a_lost_answer_another_launchs_job_is_not_adopted(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "busybox:1", "command": ["sh", "-c", FOREVER]}]}}  # fmt: skip
    body = {
        "metadata": {"name": name, "annotations": {"runjob/launch": "another"}},
        "spec": {"template": template},
    }
    there = target.api.create("jobs", body)
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs"))
    run = launch("-j", name, *sh("echo never"))
    assert run.code == 15
    now = target.api.job(name)
    assert now is not None
    assert now["metadata"]["uid"] == there["metadata"]["uid"]


@pytest.mark.parametrize(
    ("code", "times"), [(400, 1), (403, REFUSALS), (404, 1), (405, 1), (413, 1), (422, 1)]
)
def test_a_create_that_is_refused_for_good_ends_with_3(
    sandbox: Sandbox, launch: Launcher, name: str, code: int, times: int
) -> None:
    hit = sandbox.inject(Fault(Refuse(code), verb="create", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo never"))
    assert (run.code, run.status, hit.hits) == (3, 3, times)
    assert created(sandbox) == 0


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Refuse(410), id="410 as status"),
        pytest.param(Gone(0), id="410 inside the watch, at once"),
        pytest.param(Gone(1), id="410 inside the watch, after an event"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Cut(0, "close"), id="closed at once"),
        pytest.param(Cut(300, "close"), id="closed within an event"),
        pytest.param(Cut(300, "reset"), id="reset within an event"),
    ],
)
def test_watches_go_on_after(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hits = [
        sandbox.inject(Fault(effect, verb="watch", resource=resource, times=2))
        for resource in ("jobs", "pods")
    ]
    run = launch("-j", name, *sh("echo one; sleep 1; echo two"))
    assert [hit.hits for hit in hits] == [2, 2]
    assert (run.code, run.log, run.pods) == (0, b"one\ntwo\n", (0, 1, 0))
    target.api.wait_gone(name)


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_watch_that_is_not_answered_is_asked_for_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    resource: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A naive launcher waits for the answer as long as for the next change: for minutes."""
    monkeypatch.setattr("runjob.cluster.READ_TIMEOUT", 0.5)
    sandbox.inject(Fault(Slow(999), verb="watch", resource=resource))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log) == (0, b"once\n")
    assert f"trouble watching {resource}: no answer in time" in run.err
    target.api.wait_gone(name)


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_watch_that_goes_mute_is_opened_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    resource: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is broken when not even a bookmark comes, and costs no launch."""
    monkeypatch.setattr("runjob.cluster.WATCH_TIMEOUT", 1.5)
    hit = sandbox.inject(Fault(Cut(how="mute"), verb="watch", resource=resource))
    run = launch("-j", name, *sh("echo once"), "--api-timeout", "5")
    assert hit.hits == 1
    assert (run.code, run.log) == (0, b"once\n")
    target.api.wait_gone(name)


def test_an_api_that_hangs_ends_the_launch_and_not_the_job(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its watches are open and bring nothing, and no other can be had."""
    monkeypatch.setattr("runjob.cluster.WATCH_TIMEOUT", 1.5)
    monkeypatch.setattr("runjob.cluster.READ_TIMEOUT", 1.0)
    sandbox.inject(Fault(Cut(how="mute"), verb="watch", resource="jobs"))
    sandbox.inject(Fault(Slow(999), verb="watch", resource="jobs", times=None))
    run = launch("-j", name, *sh(FOREVER), "--api-timeout", "2")
    assert (run.code, run.status) == (6, 6)
    assert "trouble watching jobs: no answer in time; trying on" in run.err
    assert "the API gave no answer for" in run.verdict
    assert deleted(sandbox) == 0
    assert target.api.running_pods(name)


def test_a_watch_that_missed_what_happened_lists_anew(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """The first pod is deleted and replaced while no watch can be had, nor resumed after."""

    def disturb() -> None:
        metadata = target.api.running_pods(name)[0]["metadata"]
        pod, job = metadata["name"], metadata["ownerReferences"][0]["uid"]
        wait_until(
            lambda: any("watch=true" in each.query and job in each.query
                        for each in sandbox.requests),
            "the watch of its pods",
        )  # fmt: skip
        held = [
            sandbox.inject(Fault(Refuse(503), verb=verb, resource="pods", times=None))
            for verb in ("watch", "list")
        ]
        sandbox.stop_listening()
        sandbox.start_listening()
        assert held[0].wait()
        target.api.delete("pods", pod)
        held[1].remove()
        target.api.until(
            lambda: pod not in [each["metadata"]["name"] for each in target.api.running_pods(name)],
            "the replacement",
        )
        sandbox.forget_history()
        held[0].remove()

    script = "trap 'exit 1' TERM; echo up; i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 0.1; done"
    run = launch("-j", name, *sh(f"{script}; echo whole"), "-b", "3", meanwhile=disturb)
    assert run.code == 0
    assert run.log.count(b"whole") == 1
    target.api.wait_gone(name)


def test_a_storm_of_closed_watches_is_not_answered_by_one_of_requests(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """A loop without a pause would ask thousands of times in these two seconds."""
    hit = sandbox.inject(Fault(Cut(0, "close"), verb="watch", resource="jobs", times=None))

    def relieve() -> None:
        wait_until(lambda: hit.hits >= 4, "some closed watches")
        hit.remove()

    run = launch("-j", name, *sh("echo one; sleep 2"), meanwhile=relieve)
    assert run.code == 0
    assert hit.hits < 20


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Cut(0, "close"), id="closed at once"),
        pytest.param(Cut(1000, "mute"), id="mute"),
        pytest.param(Cut(0, "mute"), id="mute from the start"),
    ],
)
def test_a_log_goes_on_after(sandbox: Sandbox, launch: Launcher, name: str, effect: Effect) -> None:
    hit = sandbox.inject(Fault(effect, verb="get", resource="pods/log", times=2))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 2
    assert (run.code, run.log) == (0, TALK)


def test_a_log_goes_on_after_it_broke_off_and_was_forbidden_for_a_while(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """So does an API server that was killed and started anew, until it knows the roles again."""
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    hit = sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=3))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 3
    assert (run.code, run.log) == (0, TALK)


def test_a_log_goes_on_after_a_kubelet_that_started_anew_did_not_know_the_pod_yet(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    hit = sandbox.inject(Fault(Refuse(404), verb="get", resource="pods/log", times=3))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 3
    assert (run.code, run.log) == (0, TALK)


def test_a_log_that_is_forbidden_after_it_broke_off_is_told_of(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=None))
    run = launch("-j", name, *sh("i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo line $i; done"))
    assert run.code == 0
    *lines, gap = run.lines
    assert 0 < len(lines) < 99
    assert gap.startswith("--- runjob: a gap: what [")
    assert "wrote after 20" in gap
    assert "not everything of" in run.err


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_log_stream_reads_like_a_whole_one(
    sandbox: Sandbox, launch: Launcher, name: str, seed: int
) -> None:
    """The stream is cut at random places: within lines, time stamps and many lines of a second."""
    places = random.Random(seed)
    for _ in range(6):
        effect = Cut(places.randrange(9000), places.choice(["close", "reset"]))
        sandbox.inject(Fault(effect, verb="get", resource="pods/log"))
    run = launch("-j", name, *sh(TALKS))
    assert (run.code, run.log) == (0, TALK)


def test_equal_lines_are_printed_as_often_as_they_were_written(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    for place in (100, 900, 5000):
        sandbox.inject(Fault(Cut(place, "reset"), verb="get", resource="pods/log"))
    script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo same; done; sleep 1; echo same"
    run = launch("-j", name, *sh(script))
    assert (run.code, run.log) == (0, b"same\n" * 401)


def test_a_log_that_may_not_be_read_does_not_change_the_verdict(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=None))
    run = launch("-j", name, *sh("echo unseen"))
    assert run.code == 0
    (line,) = run.lines
    assert line.startswith(f"--- runjob: a gap: what [{name}-")
    assert "/main] wrote could not be read: pods is forbidden" in line
    assert "forbidden" in run.err


def test_an_api_that_comes_back_finds_the_launch_waiting(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """What the container said meanwhile is printed, once."""
    away, middle = (target.kubeconfig.with_name(word) for word in ("away", "middle"))

    def restart() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()
        away.touch()
        wait_until(middle.exists, "the middle of the log")
        sandbox.start_listening()

    # It says the most while the API is away, however late that comes, for two seconds at least.
    script = (
        "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.1; "
        f"[ $i != 10 ] || until [ -e {away} ]; do sleep 0.05; done; "
        f"[ $i != 30 ] || touch {middle}; done"
    )
    run = launch("-j", name, *sh(script), meanwhile=restart)
    assert run.code == 0
    assert run.lines == [f"line {number}" for number in range(1, 41)]
    assert "trying on" in run.err
    assert "the API answers again" in run.err
    target.api.wait_gone(name)


def test_a_job_that_ends_before_its_pods_can_be_watched_shows_its_log(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """An API that is overrun has some requests wait in a queue, and answers others at once."""
    slow = sandbox.inject(Fault(Slow(5), verb="watch", resource="pods"))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    assert slow.hits == 1


def test_a_job_that_ends_while_the_api_is_away_is_told_of_afterwards(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    over = target.kubeconfig.with_name("over")

    def restart() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()
        over.touch()
        wait_until(lambda: not over.exists(), "the container's end")
        sandbox.start_listening()

    script = f"echo up; while [ ! -e {over} ]; do sleep 0.05; done; echo down; rm {over}; exit 5"
    run = launch("-j", name, *sh(script), "--exit-code", "container", meanwhile=restart)
    assert (run.code, run.log) == (5, b"up\ndown\n")
    target.api.wait_gone(name)


def test_an_api_that_is_away_at_the_create_is_waited_for(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    sandbox.stop_listening()
    started = start("-j", name, *sh("echo at last"))
    started.until(b"trying on")
    sandbox.start_listening()
    run = started.end()
    assert (run.code, run.log) == (0, b"at last\n")
    assert created(sandbox) == 1


def test_an_api_that_stays_away_ends_the_launch_and_not_the_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    def leave() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()

    run = launch("-j", name, *sh(FOREVER), "--api-timeout", "2", meanwhile=leave)
    assert (run.code, run.status) == (6, 6)
    assert "lives on" in run.verdict
    assert f"end it with: kubectl -n {target.namespace} --kubeconfig " in run.verdict
    assert f" delete job {name} --cascade=foreground" in run.verdict
    assert "take it up again: the same command with --if-exists adopt" in run.verdict
    sandbox.start_listening()
    assert deleted(sandbox) == 0
    job = target.api.job(name)
    assert job is not None
    assert "deletionTimestamp" not in job["metadata"]
    assert target.api.running_pods(name)


def test_after_an_api_that_stayed_away_the_same_command_goes_on_in_the_log(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path
) -> None:
    job = (
        "-j", name, *sh("echo one; sleep 4; echo two; exit 5"), "--exit-code", "container",
        "--run-id", "r", "--state-dir", str(tmp_path / "state"),
    )  # fmt: skip

    def leave() -> None:
        target.api.running_pods(name)
        wait_until(lambda: any(each.path.endswith("/log") for each in sandbox.requests), "its log")
        sandbox.stop_listening()

    first = launch(*job, "--api-timeout", "1", meanwhile=leave)
    assert first.code == 6
    assert "with --run-id r" in first.verdict
    sandbox.start_listening()
    second = launch(*job)
    rest = second.out.partition(b"goes on where the earlier launcher stopped ---\n")[2]
    assert second.code == 5
    assert b"already ---" not in rest
    assert first.log + rest[: rest.index(b"Failed:")] == b"one\ntwo\n"
    target.api.wait_gone(name)
    assert created(sandbox) == 1


def test_an_api_that_is_never_there_ends_with_6(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.stop_listening()
    run = launch("-j", name, *sh("echo never"), "--api-timeout", "1")
    assert (run.code, run.status) == (6, 6)
    sandbox.start_listening()
    assert created(sandbox) == 0


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Reset(), id="reset before it had its effect"),
        pytest.param(Reset(done=True), id="reset after it had its effect"),
    ],
)
def test_a_deletion_is_tried_until_it_is_answered(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hit = sandbox.inject(Fault(effect, verb="delete", resource="jobs", times=2))
    run = launch("-j", name, *sh("echo done"))
    assert run.code == 0
    assert hit.hits >= 1
    target.api.wait_gone(name)


def test_a_deletion_that_is_forbidden_for_a_while_is_tried_again(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """As by an API server that has just started and does not know the roles yet."""
    hit = sandbox.inject(Fault(Refuse(403), verb="delete", resource="jobs", times=3))
    run = launch("-j", name, *sh("echo done"))
    assert (run.code, hit.hits) == (0, 3)
    target.api.wait_gone(name)


def test_what_could_not_be_removed_is_named(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    hit = sandbox.inject(Fault(Refuse(403), verb="delete", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo done"))
    assert run.code == 0
    assert f"delete job {name}" in run.verdict
    assert target.api.job(name) is not None
    hit.remove()


def test_a_token_that_is_replaced_is_read_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a pod: the old token ends before the kubelet has written the new one."""
    from runjob import api

    account = tmp_path / "account"
    for variable, value in target.in_cluster_files(account).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(api, "login", lambda asked: login(asked, str(account)))
    launch.common = ("-n", target.namespace)

    def replace() -> None:
        target.api.running_pods(name)
        sandbox.rotate_token()
        sandbox.stop_listening()
        sandbox.start_listening()
        wait_until(lambda: any(each.status == 401 for each in sandbox.requests), "a refused token")
        sandbox.namespace_files(account)

    run = launch("-j", name, *sh("echo up; sleep 3; echo whole"), meanwhile=replace)
    assert (run.code, run.log) == (0, b"up\nwhole\n")
    assert deleted(sandbox) == 1


def test_a_token_that_comes_after_the_refusal_is_the_next_to_be_used(
    target: EmbeddedTarget, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Tokens may live for seconds: a launcher that keeps the one it read at the refusal is late."""
    account = tmp_path / "account"
    target.in_cluster_files(account)
    config = json.loads(target.kubeconfig.read_text())
    for each in config["users"]:
        each["user"] = {"tokenFile": str(account / "token")}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    cluster = Cluster(login(Connection(kubeconfig=str(kubeconfig))))
    sandbox.rotate_token()
    with pytest.raises(ApiError, match="Unauthorized"):
        cluster.list(JOB, target.namespace, {})
    sandbox.namespace_files(account)
    assert cluster.list(JOB, target.namespace, {})[0] == []


def test_a_kubeconfig_whose_token_is_replaced_is_read_anew(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    def replace() -> None:
        target.api.running_pods(name)
        sandbox.rotate_token()
        sandbox.stop_listening()
        sandbox.start_listening()

    run = launch("-j", name, *sh("echo up; sleep 3; echo whole"), meanwhile=replace)
    assert (run.code, run.log) == (0, b"up\nwhole\n")
    assert deleted(sandbox) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Fault(Slow(1.5), verb="create", resource="jobs"), id="under way"),
        pytest.param(
            Fault(Reset(done=True), verb="create", resource="jobs", times=None),
            id="whose answer is lost",
        ),
        pytest.param(
            Fault(Refuse(503), verb="create", resource="jobs", times=None), id="that is refused"
        ),
        pytest.param(
            Fault(Refuse(429, retry_after=30), verb="create", resource="jobs", times=None),
            id="that is put off",
        ),
    ],
)
def test_a_signal_during_a_create(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, trouble: Fault
) -> None:
    hit = sandbox.inject(trouble)

    def kill() -> None:
        assert hit.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    run = launch("-j", name, *sh(FOREVER), meanwhile=kill)
    assert (run.code, run.status) == (8, 8)
    assert target.api.is_gone(name)


def test_two_signals_during_a_create_do_not_wait_for_its_answer(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    hit = sandbox.inject(Fault(Slow(60), verb="create", resource="jobs"))
    started = start("-j", name, *sh(FOREVER))
    assert hit.wait()
    started.signal(signal.SIGTERM)
    started.until(b"SIGTERM: creating nothing")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert "not known whether the Job was created" in run.verdict


def test_nothing_is_claimed_about_a_create_that_nobody_answered(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    """The API may yet do what it was asked for."""
    hit = sandbox.inject(Fault(Slow(40), verb="create", resource="jobs"))
    started = start("-j", name, *sh(FOREVER))
    assert hit.wait()
    started.signal(signal.SIGTERM)
    run = started.end(60)
    assert (run.code, run.status) == (8, 8)
    assert "not known whether the Job was created" in run.verdict


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 8), (signal.SIGHUP, 8), (signal.SIGINT, 130)]
)
def test_a_signal_after_the_jobs_end_is_not_a_success(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    number: signal.Signals,
    code: int,
) -> None:
    hit = sandbox.inject(Fault(Slow(1.0), verb="delete", resource="jobs"))

    def kill() -> None:
        assert hit.wait()
        os.kill(os.getpid(), number)

    run = launch("-j", name, *sh("echo done"), meanwhile=kill)
    assert (run.code, run.status, run.log) == (code, code, b"done\n")
    target.api.wait_gone(name)


def test_a_signal_while_the_api_is_away_waits_for_it_to_remove_the_job(
    target: EmbeddedTarget, sandbox: Sandbox, start: Starter, name: str
) -> None:
    started = start("-j", name, *sh(FOREVER))
    started.until(b"up\n")
    sandbox.stop_listening()
    started.signal(signal.SIGTERM)
    started.until(b"trouble ")
    sandbox.start_listening()
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert target.api.is_gone(name)


def test_events_that_cannot_be_read_cost_the_diagnosis_and_nothing_else(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    for verb in ("list", "watch"):
        sandbox.inject(Fault(Refuse(403), verb=verb, resource="events", times=None))
    run = launch("-j", name, *sh("exit 3"))
    assert run.code == 1
    assert "exit code 3" in run.verdict
    target.api.wait_gone(name)


def right_of(method: str, path: str, query: str) -> tuple[str, str]:
    """Return the resource and the verb of a request, as a Role names them."""
    plural, *rest = path.partition("/namespaces/")[2].split("/")[1:]
    if method != "GET":
        return plural, {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(method, method)
    if "watch=true" in query:
        return plural, "watch"
    return "/".join([plural, *rest[1:]]), "get" if rest else "list"
