"""A finalizer of another party's holds what a launch has removed: it is said, on both clusters."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
import yaml

from runjob import cli
from runjob.launcher import Launch
from runjob.observed import KILLED
from runjob.scene import Patience
from tests.contract.api import Json, RefusedError
from tests.contract.launches import FOREVER, Launcher, Starter, own_handlers
from tests.contract.leftovers import body, ended
from tests.contract.manifests import config_map, job_of, write
from tests.contract.targets import Target

MINE = "tests.runjob/held"
THEIRS = "kubernetes.io/pvc-protection"
PATCH = "application/strategic-merge-patch+json"
RUN = ("--run-id", "r.1")
GRACE = ("--set", "spec.template.spec.terminationGracePeriodSeconds=1")
FORCE = re.compile(r"by force, .*: (kubectl .* patch .* --type=strategic .*)\Z", re.DOTALL)


@pytest.fixture
def take_off(target: Target, name: str) -> Iterator[Callable[..., None]]:
    """Give what takes the finalizers off an object; what a test leaves held goes too."""

    def take(plural: str = "jobs", patch: Json | None = None) -> None:
        patch = patch or {"metadata": {"finalizers": None}}
        target.api.call("PATCH", target.api.path(plural, name), patch, PATCH)

    yield take
    for plural in ("jobs", "configmaps"):
        if target.api.find(plural, name) is not None:
            take(plural)


@pytest.fixture
def manifest(name: str, tmp_path: Path) -> Callable[..., str]:
    """Give what writes a Job and a ConfigMap, of which kinds are held."""

    def written(script: str, *kinds: str, finalizers: Sequence[str] = (MINE,)) -> str:
        parts = [config_map(name, GREETING="hello"), job_of(name, script)]
        for part in parts:
            if part["kind"] in kinds:
                part["metadata"]["finalizers"] = [*finalizers]
        return write(tmp_path / "job.yaml", *parts)

    return written


@pytest.fixture(autouse=True)
def _short(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what does not go given up sooner than after 15 s; a real node takes some to end pods."""
    seconds = 10.0 if target.real else 3.0
    patience = Patience(removal=seconds)
    monkeypatch.setattr("runjob.launcher.Launch", partial(Launch, patience=patience))
    monkeypatch.setattr("runjob.kill.REMOVAL", seconds)
    monkeypatch.setattr("runjob.creator.REMOVAL", seconds)
    monkeypatch.setattr("runjob.provisions.REMOVAL", seconds)


def is_leaving(target: Target, plural: str, name: str) -> bool:
    found = target.api.find(plural, name)
    return found is not None and "deletionTimestamp" in found["metadata"]


def by_force(words: str) -> Json:
    """Return the patch in the command that takes finalizers off."""
    found = FORCE.search(words.strip().rstrip("."))
    assert found is not None, words
    patch: Json = yaml.safe_load(shlex.split(found[1])[-1])
    return patch


@pytest.mark.parametrize(
    ("kind", "plural"), [("Job", "jobs"), ("ConfigMap", "configmaps")], ids=["Job", "ConfigMap"]
)
def test_what_a_finalizer_holds_is_said_with_the_command_that_takes_it_off(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
    kind: str,
    plural: str,
) -> None:
    """A naive launcher takes the 200 for done, and the object stays for ever."""
    run = launch("-y", manifest("echo one", kind))
    assert (run.code, run.log) == (0, b"one\n")
    assert f"NOT removed yet: {kind} {name} is being deleted, but stays" in run.verdict
    assert MINE in run.verdict
    assert is_leaving(target, plural, name)
    take_off(plural, by_force(run.verdict))
    target.api.until(lambda: target.api.find(plural, name) is None, "it gone")


def test_the_command_that_uses_force_spares_a_later_object_of_the_name(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    run = launch("-y", manifest("exit 0", "ConfigMap"))
    take_off("configmaps")
    later = config_map(name, GREETING="hello")
    later["metadata"]["finalizers"] = [MINE]
    target.api.create("configmaps", later)
    with pytest.raises(RefusedError) as refused:
        take_off("configmaps", by_force(run.verdict))
    assert refused.value.status in (409, 422)


def test_the_command_that_uses_force_leaves_the_finalizers_of_kubernetes_itself(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    """Without its own a claim would go whose volume a pod writes to."""
    run = launch("-y", manifest("exit 0", "ConfigMap", finalizers=[THEIRS, MINE]))
    take_off("configmaps", by_force(run.verdict))
    held = target.api.find("configmaps", name)
    assert held is not None
    assert held["metadata"]["finalizers"] == [THEIRS]


@pytest.mark.parametrize("plural", ["jobs", "configmaps"])
def test_nothing_is_said_of_what_is_let_go_in_a_moment(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
    plural: str,
) -> None:
    """As by a controller that does what its finalizer is for."""

    def controller() -> None:
        target.api.until(lambda: is_leaving(target, plural, name), "a deletion")
        take_off(plural)

    run = launch("-y", manifest("exit 0", "Job", "ConfigMap"), meanwhile=controller)
    held = {"jobs": "ConfigMap", "configmaps": "Job"}[plural]
    assert re.findall(r"(\w+) \S+ is being deleted", run.verdict) == [held]


def test_a_signal_ends_the_pods_of_a_job_that_is_held_and_says_what_stays(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    def end() -> None:
        target.api.speaking_pod(name)
        os.kill(os.getpid(), signal.SIGTERM)

    run = launch("-y", manifest(FOREVER, "Job"), *GRACE, meanwhile=end)
    assert run.code == 8
    assert f"NOT removed yet: Job {target.namespace}/{name}; Job {name} is being" in run.verdict
    assert "gone" not in run.verdict.partition("NOT removed")[0]
    assert target.api.pods(name) == []
    assert is_leaving(target, "jobs", name)
    take_off(patch=by_force(run.verdict))
    target.api.wait_gone(name)


def test_a_rerun_says_what_holds_the_job_in_its_way_and_does_not_wait_for_ever(
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    job = ("-y", manifest("exit 0", "Job"), *RUN, *GRACE)
    assert launch(*job).code == 0
    again = launch(*job)
    assert again.code == 15
    assert f"(its finalizer {MINE} goes first)" in again.err
    assert f"Job {name} is being deleted, but stays until" in again.verdict
    take_off(patch=by_force(again.verdict))
    assert launch(*job).code == 0


def test_a_rerun_says_what_holds_the_config_map_in_its_way(
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    job = ("-y", manifest("exit 0", "ConfigMap"), *RUN)
    assert launch(*job).code == 0
    again = launch(*job)
    assert again.code == 15
    assert f"ConfigMap {name} is being deleted, but stays until" in again.verdict
    take_off("configmaps", by_force(again.verdict))
    assert launch(*job).code == 0


def test_a_job_that_is_killed_elsewhere_and_held_does_not_keep_its_launcher(
    target: Target,
    start: Starter,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    """Such a Job never goes: a naive launcher follows it until it takes it for one stuck."""
    started = start("-y", manifest(FOREVER, "Job"), *GRACE)
    started.until(b"up\n")
    take_off(patch={"metadata": {"annotations": {KILLED: "true"}}})
    options = {"propagationPolicy": "Foreground"}
    target.api.call("DELETE", target.api.path("jobs", name), options)
    run = started.end()
    assert (run.code, run.lines[0]) == (8, "up")
    assert "was ended by a kill of this run (--kill)" in run.verdict
    assert f"NOT removed yet: Job {name} is being deleted, but stays" in run.verdict
    assert target.api.pods(name) == []


def test_a_job_that_is_deleted_and_held_counts_as_gone_once_its_pods_have_ended(
    target: Target,
    launch: Launcher,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],  # noqa: ARG001  # at the end
) -> None:
    """Its controller counts no pod any more, so that neither Complete nor Failed ever comes."""

    def delete() -> None:
        target.api.speaking_pod(name)
        target.api.delete("jobs", name)

    run = launch("-y", manifest("echo up; sleep 5; echo done", "Job"), meanwhile=delete)
    assert (run.code, run.log) == (14, b"up\ndone\n")
    assert "was deleted by somebody else before it ended" in run.verdict
    assert f"NOT removed yet: Job {name} is being deleted, but stays" in run.verdict


def test_a_kill_says_what_stays(
    target: Target,
    launch: Launcher,
    start: Starter,
    name: str,
    manifest: Callable[..., str],
    take_off: Callable[..., None],
) -> None:
    started = start("-y", manifest(FOREVER, "Job"), *RUN, *GRACE)
    started.until(b"up\n")
    started.signal(signal.SIGKILL)
    started.end()
    killed = launch("--kill", *RUN)
    assert killed.code == 1
    assert f"Job {name} is being deleted, but stays until" in killed.err
    assert target.api.pods(name) == []
    take_off(patch=by_force(killed.err))
    target.api.wait_gone(name)


@pytest.fixture
def said_by_gc(target: Target, name: str, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Give what runs a gc that cannot remove the Job, and returns why."""

    def said(*words: str) -> str:
        capfd.readouterr()
        where = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
        with own_handlers():
            assert cli.main(["gc", "--delete", *words, *where]) == 1
        out, err = capfd.readouterr()
        assert f"NOT removed   {name} " in out
        (line,) = (line for line in err.splitlines() if f"{name} was not removed" in line)
        return line

    return said


def test_gc_says_what_stays(
    target: Target, name: str, take_off: Callable[..., None], said_by_gc: Callable[..., str]
) -> None:
    job = body(name, "exit 0")
    job["metadata"]["finalizers"] = [MINE]
    ended(target, job)
    take_off(patch=by_force(said_by_gc("--older-than", "0")))
    target.api.wait_gone(name)


def test_gc_of_a_job_that_lost_its_launcher_ends_its_pods_though_it_is_held(
    target: Target, name: str, take_off: Callable[..., None], said_by_gc: Callable[..., str]
) -> None:
    """Deleted in the background, its pods would go once it is gone, and so run on."""
    job = body(name, FOREVER)
    signs = {"runjob/heartbeat-seconds": "60", "runjob/heartbeat": "2020-01-01T00:00:00Z"}
    job["metadata"]["annotations"].update(signs)
    job["metadata"]["finalizers"] = [MINE]
    job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    target.api.create("jobs", job)
    target.api.running_pods(name)
    words = said_by_gc("--lost")
    target.api.until(lambda: not target.api.pods(name), "its pods gone")
    assert is_leaving(target, "jobs", name)
    take_off(patch=by_force(words))
    target.api.wait_gone(name)
