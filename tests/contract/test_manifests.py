"""Jobs by manifest: what comes with them, what is refused, and what is left alone."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml

from tests.contract.api import Json
from tests.contract.launches import Launcher, Starter, sh
from tests.contract.manifests import config_map, job_of, secret, write
from tests.contract.targets import Target


def with_everything(name: str) -> list[Json]:
    """Describe a ConfigMap, a Secret, and a Job that prints a value of each."""
    sources = [
        {"configMapRef": {"name": f"{name}-map"}},
        {"secretRef": {"name": f"{name}-secret"}},
    ]
    return [
        config_map(f"{name}-map", GREETING="hello"),
        secret(f"{name}-secret", WORD="sesame"),
        job_of(name, "echo $GREETING $WORD", envFrom=sources),
    ]


def test_what_a_job_needs_is_created_with_it_and_removed_with_it(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    run = launch("-j", name, "-y", write(folder / "all.yaml", *with_everything(name)))
    assert (run.code, run.log) == (0, b"hello sesame\n")
    target.api.wait_gone(name)
    assert target.api.find("configmaps", f"{name}-map") is None
    assert target.api.find("secrets", f"{name}-secret") is None


def test_what_stood_there_unchanged_is_used_and_stays(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    there = [
        target.api.create("configmaps", config_map(f"{name}-map", GREETING="hello")),
        target.api.create("secrets", secret(f"{name}-secret", WORD="sesame")),
    ]
    run = launch("-y", write(folder / "all.yaml", *with_everything(name)))
    assert (run.code, run.log) == (0, b"hello sesame\n")
    target.api.wait_gone(name)
    left = [
        target.api.find("configmaps", f"{name}-map"),
        target.api.find("secrets", f"{name}-secret"),
    ]
    assert [_uid(each) for each in left] == [_uid(each) for each in there]


def test_what_stood_there_otherwise_is_a_refusal_that_leaves_nothing(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    """The ConfigMap before it was created already, and goes again."""
    encoded = base64.b64encode(b"another").decode()
    there = target.api.create("secrets", {**secret(f"{name}-secret"), "data": {"WORD": encoded}})
    run = launch("-y", write(folder / "all.yaml", *with_everything(name)))
    assert (run.code, run.status) == (15, 15)
    assert f"{name}-secret" in run.verdict
    assert "sesame" not in run.text + run.err
    assert target.api.is_gone(name)
    assert target.api.find("configmaps", f"{name}-map") is None
    left = target.api.find("secrets", f"{name}-secret")
    assert _uid(left) == _uid(there)
    assert left is not None
    assert left["data"] == {"WORD": encoded}


def test_prerequisites_of_a_refused_job_are_removed(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    documents = with_everything(name)
    documents[-1]["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    run = launch("-y", write(folder / "all.yaml", *documents))
    assert (run.code, run.status) == (5, 5)
    assert target.api.find("configmaps", f"{name}-map") is None
    assert target.api.find("secrets", f"{name}-secret") is None


def test_a_kept_job_keeps_what_it_needs(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    path = write(folder / "all.yaml", *with_everything(name))
    run = launch("-y", path, "--keep", "always")
    assert run.code == 0
    assert target.api.job(name) is not None
    assert target.api.find("configmaps", f"{name}-map") is not None


def test_a_manifest_may_come_from_standard_input(target: Target, start: Starter, name: str) -> None:
    started = start("-y", "-")
    started.say(json.dumps(job_of(name, "echo from stdin")).encode())
    run = started.end()
    assert (run.code, run.log) == (0, b"from stdin\n")
    target.api.wait_gone(name)


def test_a_name_alone_finds_its_manifest_in_the_current_directory(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    write(folder / f"{name}.yaml", job_of(name, "echo found"))
    run = launch("-j", name)
    assert (run.code, run.log) == (0, b"found\n")
    target.api.wait_gone(name)


def test_a_name_alone_finds_its_manifest_beside_the_script(
    launch: Launcher, name: str, folder: Path
) -> None:
    (folder / "scripts").mkdir()
    write(folder / "scripts" / f"{name}.yaml", job_of(name, "echo found"))
    run = launch("-j", name, at=str(folder / "scripts" / "runJob.py"))
    assert (run.code, run.log) == (0, b"found\n")


def test_placeholders_take_their_values(launch: Launcher, name: str, folder: Path) -> None:
    path = folder / "job.yaml"
    text = yaml.safe_dump(job_of("${{NAME}}", "echo ${{GREETING}}"))
    path.write_text(text)
    run = launch("-y", str(path), "--param", f"NAME={name}", "--param", "GREETING=hi: [there]")
    assert (run.code, run.log) == (0, b"hi: [there]\n")


@pytest.mark.parametrize(
    ("option", "code"),
    [pytest.param("-j", 16, id="another name"), pytest.param("-n", 18, id="another namespace")],
)
def test_a_manifest_that_contradicts_the_line_is_refused(
    target: Target, launch: Launcher, name: str, folder: Path, option: str, code: int
) -> None:
    body = job_of(name, "echo never")
    body["metadata"]["namespace"] = target.namespace
    path = write(folder / "job.yaml", body)
    launch.common = launch.common[2:]
    run = launch("-y", path, option, "another")
    assert (run.code, run.out) == (code, b"")
    assert run.err.startswith("runjob: error: ")
    assert target.api.is_gone(name)


def test_a_misspelt_field_of_a_manifest_is_refused_by_name(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    body = job_of(name, "echo never")
    body["spec"]["backofLimit"] = 3
    run = launch("-y", write(folder / "job.yaml", body))
    assert (run.code, run.status) == (5, 5)
    assert 'unknown field "spec.backofLimit"' in run.verdict
    assert target.api.is_gone(name)


def test_a_misspelt_field_of_set_is_refused_by_name(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo never"), "--set", "spec.backofLimit=3")
    assert (run.code, run.status) == (3, 3)
    assert 'unknown field "spec.backofLimit"' in run.verdict
    assert target.api.is_gone(name)


def test_a_dry_run_of_the_client_prints_what_would_be_created(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    path = write(folder / "all.yaml", *with_everything(name))
    run = launch("-y", path, "--dry-run", "client")
    assert run.code == 0
    printed = list(yaml.safe_load_all(run.out))
    assert [body["kind"] for body in printed] == ["ConfigMap", "Secret", "Job"]
    assert {body["metadata"]["namespace"] for body in printed} == {target.namespace}
    assert target.api.is_gone(name)
    assert target.api.find("configmaps", f"{name}-map") is None


def test_a_dry_run_of_the_server_prints_what_the_api_makes_of_it(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo never"), "--dry-run", "server")
    assert run.code == 0
    printed = yaml.safe_load(run.out)
    assert printed["metadata"]["name"] == name
    assert printed["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 30
    assert target.api.is_gone(name)


@pytest.mark.parametrize(
    ("manifest", "code"),
    [pytest.param(False, 3, id="flags"), pytest.param(True, 5, id="manifest")],
)
def test_a_dry_run_of_the_server_refuses_a_misspelt_field(
    target: Target, launch: Launcher, name: str, folder: Path, manifest: bool, code: int
) -> None:
    path = write(folder / "job.yaml", job_of(name, "echo never"))
    source = ("-y", path) if manifest else ("-j", name, *sh("echo never"))
    run = launch(*source, "--set", "spec.backofLimit=3", "--dry-run", "server")
    assert (run.code, run.out) == (code, b"")
    assert 'unknown field "spec.backofLimit"' in run.err
    assert target.api.is_gone(name)


def test_what_the_client_prints_can_be_run(launch: Launcher, name: str, folder: Path) -> None:
    printed = launch("-j", name, *sh("echo round trip"), "--dry-run", "client").out
    (folder / "printed.yaml").write_bytes(printed)
    run = launch("-y", "printed.yaml")
    assert (run.code, run.log) == (0, b"round trip\n")


def _uid(body: Json | None) -> str:
    assert body is not None
    return str(body["metadata"]["uid"])
