"""What a manifest brought along goes with its Job, whoever removes that."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runjob import cli
from runjob.sandbox import Fault
from runjob.sandbox.faults import Injection, Refuse, Slow
from tests.contract.api import Json
from tests.contract.launches import FOREVER, Launcher, Started, Starter, own_handlers, wait_until
from tests.contract.manifests import config_map, job_of, secret, write
from tests.contract.rights import granted, rights_of
from tests.contract.targets import (
    PREREQUISITE_RULE,
    EmbeddedTarget,
    Target,
    launcher_rules,
    wants_real,
)

embedded = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")

RUN = ("--run-id", "r.1")
MERGE = "application/merge-patch+json"
KINDS = ("configmaps", "secrets")


def documents(name: str, script: str = FOREVER) -> list[Json]:
    """Describe a Job with a ConfigMap and a Secret, all of one name."""
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    return [
        config_map(name, GREETING="hello"),
        secret(name, WORD="sesame"),
        job_of(name, script, envFrom=sources),
    ]


@pytest.fixture
def manifest(name: str, tmp_path: Path) -> str:
    return write(tmp_path / "job.yaml", *documents(name))


def owners(target: Target, plural: str, name: str) -> list[str]:
    """Return the uids of those that an object goes with; none where there is no such object."""
    found = target.api.find(plural, name) or {"metadata": {}}
    return [each["uid"] for each in found["metadata"].get("ownerReferences") or ()]


def uid_of(target: Target, name: str) -> str:
    job = target.api.job(name)
    assert job is not None
    return str(job["metadata"]["uid"])


def wait_owned(target: Target, name: str) -> None:
    """Wait until the Job of that name has all that came along with it."""
    for plural in KINDS:
        target.api.until(
            lambda plural=plural: uid_of(target, name) in owners(target, plural, name),  # type: ignore[misc]  # a default argument binds
            f"the Job to own its part of the {plural}",
        )


def wait_nothing_left(target: Target, name: str) -> None:
    target.api.wait_gone(name)
    for plural in KINDS:
        target.api.until(
            lambda plural=plural: target.api.find(plural, name) is None,  # type: ignore[misc]
            f"{plural} gone with their Job",
        )


def patch(target: Target, plural: str, name: str, body: Json) -> None:
    target.api.call("PATCH", target.api.path(plural, name), body, MERGE)


def kill(started: Started) -> None:
    started.signal(signal.SIGKILL)
    assert started.end().code == -signal.SIGKILL


@pytest.fixture
def lost(target: Target, start: Starter, name: str, manifest: str) -> Callable[..., None]:
    """Have a launcher make its Job, and be killed."""

    def lose(*options: str) -> None:
        started = start("-y", manifest, *RUN, *options)
        started.until(b"up\n")
        wait_owned(target, name)
        kill(started)

    return lose


def gc(target: Target, *words: str) -> int:
    where = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
    with own_handlers():
        return cli.main(["gc", *words, *where])


def test_gc_of_a_job_that_lost_its_launcher_leaves_nothing(
    target: Target, lost: Callable[..., None], name: str
) -> None:
    """A naive launcher's ConfigMaps and Secrets stay for ever."""
    lost()
    old = {"runjob/heartbeat": "2020-01-01T00:00:00Z"}
    patch(target, "jobs", name, {"metadata": {"annotations": old}})
    assert gc(target, "--lost", "--delete") == 0
    wait_nothing_left(target, name)


def test_the_ttl_of_a_job_that_lost_its_launcher_leaves_nothing(
    target: Target, lost: Callable[..., None], name: str
) -> None:
    lost("--on-lost", "kill")
    # As if the time were over by which it is to have a sign of life, and the hour after its end.
    over = {"activeDeadlineSeconds": 1, "ttlSecondsAfterFinished": 0}
    patch(target, "jobs", name, {"spec": over})
    wait_nothing_left(target, name)


def test_a_kill_from_elsewhere_leaves_nothing(
    target: Target, lost: Callable[..., None], name: str
) -> None:
    lost()
    where = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
    with own_handlers():
        assert cli.main(["--kill", *RUN, *where]) == 0
    wait_nothing_left(target, name)


def test_a_job_that_was_kept_takes_what_it_needs_along_when_it_goes(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "job.yaml", *documents(name, "echo $GREETING $WORD"))
    run = launch("-y", path, "--keep", "always")
    assert (run.code, run.log) == (0, b"hello sesame\n")
    wait_owned(target, name)
    assert gc(target, "--older-than", "0", "--delete") == 0
    wait_nothing_left(target, name)


def test_what_was_found_is_not_touched(
    target: Target, start: Starter, name: str, manifest: str
) -> None:
    there = target.api.create("configmaps", config_map(name, GREETING="hello"))
    started = start("-y", manifest)
    started.until(b"up\n")
    # The Secret comes after it, so that its turn has passed.
    target.api.until(lambda: owners(target, "secrets", name), "the Job to own the Secret")
    assert target.api.find("configmaps", name) == there
    started.signal(signal.SIGTERM)
    assert started.end().code == 8
    assert target.api.find("configmaps", name) == there


def test_what_came_along_with_a_job_that_was_kept_stays_while_a_later_one_needs_it(
    target: Target, launch: Launcher, start: Starter, name: str, tmp_path: Path
) -> None:
    """A gc of yesterday's Job must not take from today's what both their manifests bring along."""

    def parts(day: str, script: str) -> list[Json]:
        return [config_map(name, GREETING="hello"), job_of(f"{name}-{day}", script)]

    kept = write(tmp_path / "kept.yaml", *parts("1", "exit 0"))
    assert launch("-y", kept, "--run-id", "day.1", "--keep", "always").code == 0
    started = start("-y", write(tmp_path / "job.yaml", *parts("2", FOREVER)), "--run-id", "day.2")
    started.until(b"up\n")
    both = {uid_of(target, f"{name}-1"), uid_of(target, f"{name}-2")}
    target.api.until(lambda: set(owners(target, "configmaps", name)) == both, "both to own it")
    there = target.api.find("configmaps", name)
    assert there is not None
    assert gc(target, "--older-than", "0", "--delete") == 0
    target.api.wait_gone(f"{name}-1")
    rest = target.api.find("configmaps", name)
    assert rest is not None
    assert rest["metadata"]["uid"] == there["metadata"]["uid"]
    started.signal(signal.SIGTERM)
    assert started.end().code == 8
    target.api.until(lambda: target.api.find("configmaps", name) is None, "it to go with the last")


def test_owners_that_were_there_stay(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    holder = target.api.create("configmaps", config_map(f"{name}-holder"))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": f"{name}-holder",
             "uid": holder["metadata"]["uid"]}  # fmt: skip
    parts = documents(name, "exit 0")
    parts[0]["metadata"]["ownerReferences"] = [owner]
    assert launch("-y", write(tmp_path / "job.yaml", *parts), "--keep", "always").code == 0
    wait_owned(target, name)
    assert owner["uid"] in owners(target, "configmaps", name)


def test_a_launch_that_takes_a_job_up_binds_what_the_killed_one_could_not(
    target: Target, lost: Callable[..., None], start: Starter, name: str, manifest: str
) -> None:
    lost()
    patch(target, "secrets", name, {"metadata": {"ownerReferences": None}})
    started = start("-y", manifest, *RUN)
    started.until(b"Job adopted\n")
    wait_owned(target, name)
    started.signal(signal.SIGTERM)
    assert started.end().code == 8
    wait_nothing_left(target, name)


@pytest.mark.parametrize(
    ("removal", "options"),
    [
        pytest.param(None, ("--if-exists", "replace"), id="replaced"),
        pytest.param("Foreground", (), id="being deleted"),
        pytest.param("Background", (), id="deleted a moment ago"),
    ],
)
def test_what_goes_with_an_earlier_job_is_made_anew(
    target: Target,
    lost: Callable[..., None],
    launch: Launcher,
    name: str,
    tmp_path: Path,
    removal: str | None,
    options: tuple[str, ...],
) -> None:
    """A naive launcher finds them there, and has them vanish under its own Job."""
    lost()
    if removal:
        path = target.api.path("jobs", name)
        target.api.call("DELETE", path, {"propagationPolicy": removal})
    script = "sleep 2; echo $GREETING $WORD"
    path = write(tmp_path / "again.yaml", *documents(name, script))
    run = launch("-y", path, *RUN, *options, "--keep", "always")
    assert (run.code, run.log) == (0, b"hello sesame\n")
    for plural in KINDS:
        assert owners(target, plural, name) == [uid_of(target, name)]


def test_no_more_is_asked_for_than_what_such_a_manifest_needs(
    target: Target, lost: Callable[..., None], start: Starter, manifest: str
) -> None:
    with target.counted() as asked:
        lost()
        again = start("-y", manifest, *RUN)
        again.until(b"Job adopted\n")
        again.signal(signal.SIGTERM)
        assert again.end().code == 8
    assert rights_of(target, asked) - granted(*launcher_rules()) == granted(PREREQUISITE_RULE)


# -- what only the embedded cluster does on demand -------------------------------------------------


@pytest.fixture
def forbidden(target: EmbeddedTarget) -> Iterator[list[Injection]]:
    """Let nobody patch what comes along."""
    made = [
        target.sandbox.inject(Fault(Refuse(403), verb="patch", resource=plural, times=None))
        for plural in KINDS
    ]
    yield made
    for each in made:
        each.remove()


@embedded
@pytest.mark.usefixtures("forbidden")
def test_a_role_without_the_right_is_told_of_once_and_ends_nothing(
    target: Target, start: Starter, name: str, manifest: str
) -> None:
    started = start("-y", manifest)
    words = f"leaves ConfigMap {name}, Secret {name} behind: "
    started.until(words.encode())
    started.signal(signal.SIGTERM)
    run = started.end()
    assert run.code == 8
    assert run.err.count("behind: ") == 1
    assert "needs the verb patch on configmaps, secrets" in run.err
    wait_nothing_left(target, name)


@embedded
def test_an_earlier_job_that_goes_just_before_the_create_takes_nothing_along(
    target: EmbeddedTarget,
    lost: Callable[..., None],
    start: Starter,
    name: str,
    tmp_path: Path,
) -> None:
    """A naive launcher makes its Job, and what that needs goes with the earlier one."""
    lost()
    patch(target, "jobs", name, {"metadata": {"finalizers": ["tests.runjob/held"]}})
    target.api.call("DELETE", target.api.path("jobs", name), {"propagationPolicy": "Foreground"})
    slow = Fault(Slow(1.0), verb="create", resource="jobs", times=1)
    held = target.sandbox.inject(slow)
    path = write(tmp_path / "again.yaml", *documents(name, "echo $GREETING $WORD"))
    before = len(target.sandbox.requests)
    started = start("-y", path, *RUN)
    wait_until(
        lambda: any(
            each.path.endswith(f"/jobs/{name}") for each in target.sandbox.requests[before:]
        ),
        "a look at the earlier Job",
    )
    patch(target, "jobs", name, {"metadata": {"finalizers": None}})
    run = started.end()
    held.remove()
    assert (run.code, run.log) == (0, b"hello sesame\n")
    wait_nothing_left(target, name)


@embedded
def test_each_object_costs_one_request_and_a_launch_without_any_none(
    target: EmbeddedTarget, launch: Launcher, name: str, tmp_path: Path
) -> None:
    def patches(*parts: Json, **more: Any) -> int:
        with target.counted() as asked:
            run = launch("-y", write(tmp_path / "job.yaml", *parts), "--keep", "failed", **more)
            assert run.code == 0
        return sum(each.verb == "PATCH" for each in asked)

    assert patches(job_of(name, "exit 0")) == 0
    assert patches(*documents(name, "sleep 1")) == 2
