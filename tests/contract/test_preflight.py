"""A preflight: each finding is made for real, and tells what the launch would end with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runjob.preflight import check
from tests.contract.api import Json
from tests.contract.launches import Launcher, result_of, sh, with_option
from tests.contract.manifests import config_map, job_of, write
from tests.contract.preflights import lines
from tests.contract.targets import RealTarget, Target


@pytest.fixture
def all_rights(
    target: Target, common: tuple[str, ...], capfdbinary: pytest.CaptureFixture[bytes]
) -> Launcher:
    """Launch and look with all rights, so that each object can be looked at."""
    if isinstance(target, RealTarget):
        common = with_option(common, "--kubeconfig", target.admin_kubeconfig)
    return Launcher(common, capfdbinary)


@pytest.fixture
def made(target: Target) -> Iterator[Callable[[str, Json], None]]:
    """Create objects for a test, and remove them after it."""
    created: list[tuple[str, str]] = []

    def create(plural: str, body: Json) -> None:
        created.append((plural, body["metadata"]["name"]))
        target.api.create(plural, body)

    yield create
    for plural, name in created:
        target.api.delete(plural, name)


def pod(job: Json, **fields: Any) -> Json:
    """Return the Job with these fields in its pods."""
    spec = job["spec"]["template"]["spec"]
    template = {"spec": {**spec, **fields}}
    return {**job, "spec": {**job["spec"], "template": template}}


def test_nothing_stands_in_the_way_of_a_job_that_runs(
    all_rights: Launcher, name: str, target: Target
) -> None:
    run = all_rights("-j", name, *sh("echo hello"), "--preflight")
    assert (run.code, run.err) == (0, "")
    assert run.text.splitlines() == [
        f"Preflight of Job {target.namespace}/{name}:",
        "Preflight: nothing stands in the way",
    ]
    assert target.api.job(name) is None


def test_all_findings_come_at_once_in_the_order_in_which_to_mend_them(
    all_rights: Launcher, name: str, tmp_path: Path, target: Target
) -> None:
    variables = [
        {"name": "PW", "valueFrom": {"secretKeyRef": {"name": f"{name}-s", "key": "password"}}},
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": f"{name}-map", "key": "b"}}},
        {
            "name": "B",
            "valueFrom": {"configMapKeyRef": {"name": "no", "key": "b", "optional": True}},
        },
    ]
    job = pod(
        job_of(name, "true", env=variables),
        serviceAccountName=f"{name}-sa",
        imagePullSecrets=[{"name": f"{name}-login"}],
        priorityClassName=f"{name}-high",
        volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": f"{name}-claim"}}],
    )
    manifest = write(tmp_path / "job.yaml", config_map(f"{name}-map", a="1"), job)
    run = all_rights("-y", manifest, "--preflight")
    found = lines(run)
    for line, start in zip(
        found,
        (
            f"error: ServiceAccount {name}-sa does not exist",
            f"warning: the imagePullSecret {name}-login does not exist",
            f"error: Secret {name}-s does not exist in the namespace {target.namespace}; "
            "variable PW of container main needs it with password",
            f"error: ConfigMap {name}-map has no key b, which variable A of container main needs",
            f"error: PersistentVolumeClaim {name}-claim does not exist",
            f"error: PriorityClass {name}-high does not exist",
        ),
        strict=True,
    ):
        assert line.startswith(start)
    assert run.text.splitlines()[-1] == (
        "Preflight: 5 things stand in the way; a launch would end with exit code 12"
    )
    assert run.code == 12
    assert target.api.job(name) is None
    assert target.api.find("configmaps", f"{name}-map") is None


ABSENT = [
    pytest.param({"serviceAccountName": "nobody"}, "ServiceAccount nobody", id="ServiceAccount"),
    pytest.param({"priorityClassName": "gold"}, "PriorityClass gold", id="PriorityClass"),
]
SOURCES = [
    pytest.param(
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "b"}}}]},
        "Secret none does not exist",
        id="Secret",
    ),
    pytest.param(
        {"envFrom": [{"configMapRef": {"name": "none"}}]},
        "ConfigMap none does not exist",
        id="ConfigMap",
    ),
    pytest.param(
        {
            "env": [
                {
                    "name": "A",
                    "valueFrom": {"configMapKeyRef": {"name": "kube-root-ca.crt", "key": "b"}},
                }
            ]
        },
        "ConfigMap kube-root-ca.crt has no key b",
        id="key",
    ),
]


@pytest.mark.parametrize(("fields", "text"), ABSENT)
def test_a_launch_ends_as_told_where_the_pod_refers_to_nothing(
    all_rights: Launcher,
    name: str,
    tmp_path: Path,
    fields: Json,
    text: str,
) -> None:
    manifest = write(tmp_path / "job.yaml", pod(job_of(name, "true"), **fields))
    run = all_rights("-y", manifest, "--preflight")
    assert [line.startswith(f"error: {text} does not exist") for line in lines(run)] == [True]
    ended = all_rights("-y", manifest)
    assert (run.code, ended.code) == (12, 12)


def test_a_claim_that_is_missing_is_told(
    all_rights: Launcher, name: str, tmp_path: Path, target: Target
) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]
    manifest = write(tmp_path / "job.yaml", pod(job_of(name, "true"), volumes=volumes))
    run = all_rights("-y", manifest, "--preflight")
    assert lines(run) == [
        "error: PersistentVolumeClaim none does not exist in the namespace "
        f"{target.namespace}; volume v needs it; create it"
    ]
    assert run.code == 12
    if target.real:  # the embedded cluster mounts nothing
        assert all_rights("-y", manifest, "--start-timeout", target.short).code == 12


@pytest.mark.parametrize(("container", "text"), SOURCES)
def test_a_launch_ends_as_told_where_a_container_refers_to_nothing(
    all_rights: Launcher, name: str, tmp_path: Path, container: Json, text: str
) -> None:
    manifest = write(tmp_path / "job.yaml", job_of(name, "true", **container))
    run = all_rights("-y", manifest, "--preflight")
    assert [line.startswith(f"error: {text}") for line in lines(run)] == [True]
    ended = all_rights("-y", manifest)
    assert (run.code, ended.code) == (12, 12)


def quota(name: str, **hard: str) -> Json:
    return {"metadata": {"name": name}, "spec": {"hard": {k.replace("_", "/"): v
            for k, v in hard.items()}}}  # fmt: skip


def with_status(target: Target, name: str) -> None:
    """Wait until the quota controller has counted."""
    if target.real:
        target.api.until(
            lambda: (target.api.find("resourcequotas", name) or {}).get("status", {}).get("hard"),
            "a quota with a status",
        )


def test_a_quota_of_jobs_is_told_by_a_preflight_and_after_the_refusal(
    all_rights: Launcher, name: str, target: Target, made: Callable[[str, Json], None]
) -> None:
    made("resourcequotas", quota(name, **{"count/jobs.batch": "0"}))
    with_status(target, name)
    run = all_rights("-j", name, *sh("true"), "--preflight")
    assert (run.code, len(lines(run))) == (3, 2)
    assert lines(run)[0].startswith(
        f"error: ResourceQuota {name} has no room: count/jobs.batch 0, of which 0 is free and 1 "
        "needed"
    )
    assert "exceeded quota" in lines(run)[1]
    refused = all_rights("-j", name, *sh("true"))
    assert (refused.code, refused.status) == (3, 3)
    assert f"runjob: preflight: error: ResourceQuota {name} has no room" in refused.err


def test_a_quota_of_pods_is_told(
    all_rights: Launcher, name: str, target: Target, made: Callable[[str, Json], None]
) -> None:
    made("resourcequotas", quota(name, pods="1"))
    with_status(target, name)
    parallel = ("--completions", "3", "--parallelism", "2")
    run = all_rights("-j", name, *sh("true"), *parallel, "--preflight")
    assert [line.partition(":")[0] for line in lines(run)] == ["warning"]
    assert f"ResourceQuota {name} has room for 1 of the 2 pods at once" in lines(run)[0]
    assert run.code == 0
    assert run.text.endswith("Preflight: nothing stands in the way, see the warnings\n")


def test_a_launch_ends_as_told_where_a_limit_range_is_exceeded(
    all_rights: Launcher, name: str, made: Callable[[str, Json], None]
) -> None:
    limits = {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}
    made("limitranges", {"metadata": {"name": name}, "spec": limits})
    options = ("-j", name, *sh("true"), "--limits", "memory=128Mi")
    run = all_rights(*options, "--preflight")
    assert lines(run) == [
        f"error: LimitRange {name}: container main may use at most 64Mi of memory, and wants "
        "128Mi; mend --requests or --limits (in a manifest resources), or have the LimitRange "
        "changed"
    ]
    assert (run.code, all_rights(*options).code) == (12, 12)


def test_a_name_that_is_taken_is_told_as_a_launch_would(
    all_rights: Launcher, name: str, target: Target, tmp_path: Path
) -> None:
    target.api.create("jobs", {**job_of(name, "true"), "spec": {
        **job_of(name, "true")["spec"], "suspend": True}})  # fmt: skip
    options = ("-j", name, *sh("true"))
    run = all_rights(*options, "--preflight")
    (found,) = lines(run)
    text, _, hint = found.partition("; it was not touched; use ")
    assert text.startswith(f"error: Job {target.namespace}/{name} exists already, made by ")
    launch = all_rights(*options, "--result-file", str(tmp_path / "result"))
    assert result_of(tmp_path / "result")["hint"] == f"use {hint}"
    assert f"{text.removeprefix('error: ')}; it was not touched. Use {hint}." in launch.text
    assert (run.code, launch.code) == (15, 15)


def test_a_preflight_looks_at_the_job_as_its_options_make_it(
    all_rights: Launcher, name: str
) -> None:
    options = ("-j", name, *sh("true"), "--main-container", "nobody")
    assert (all_rights(*options, "--preflight").code, all_rights(*options).code) == (1, 1)


def test_an_absent_namespace_is_all_that_is_told(all_rights: Launcher, name: str) -> None:
    all_rights.common = with_option(all_rights.common, "-n", "nowhere")
    run = all_rights("-j", name, *sh("true"), "--preflight")
    if lines(run)[0].startswith("error: the namespace"):
        assert lines(run) == [
            "error: the namespace nowhere does not exist; create it, or name another with -n"
        ]
    assert run.code == 3


def test_a_login_that_is_refused_is_all_that_is_told(
    launch: Launcher,
    name: str,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "PATIENCE", 1.0)
    config = yaml.safe_load(Path(target.kubeconfig).read_text())
    config["users"][0]["user"] = {"token": "not-this-one"}
    path = tmp_path / "wrong.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    launch.common = with_option(launch.common, "--kubeconfig", str(path))
    run = launch("-j", name, *sh("true"), "--preflight")
    assert [line.partition(";")[0] for line in lines(run)] == [
        "error: the API does not accept our credentials: Unauthorized"
    ]
    assert run.code == 9


def test_an_api_that_is_away_is_all_that_is_told(
    launch: Launcher,
    name: str,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "PATIENCE", 1.0)
    config = yaml.safe_load(Path(target.kubeconfig).read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = tmp_path / "away.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    launch.common = with_option(launch.common, "--kubeconfig", str(path))
    run = launch("-j", name, *sh("true"), "--preflight")
    assert len(lines(run)) == 1
    assert lines(run)[0].startswith("error: the API gives no answer: ")
    assert run.code == 6
