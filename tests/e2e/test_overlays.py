"""What kustomize makes of k8s/, and what the API server says to it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from misc.agent.settings import settings
from tests.cluster import controls
from tests.cluster.kubectl import kubectl
from tests.containers.recipes import CHECKOUT
from tests.contract.targets import RealTarget
from tests.k8s.shipped import JOBS, OVERLAYS, Json, built, is_restricted, only, read

DOCS = CHECKOUT / "docs" / "agent.md"
CONTROLLERS = {"daemonset": "DaemonSet", "statefulset": "StatefulSet"}


@pytest.fixture(params=OVERLAYS, ids=lambda each: str(each.name))
def overlay(request: pytest.FixtureRequest, breakable: RealTarget) -> Path:
    assert breakable.is_ours
    folder: Path = request.param
    return folder


def pod_of(bodies: list[Json], overlay: Path) -> Json:
    controller = only(bodies, CONTROLLERS[overlay.name])
    spec: Json = controller["spec"]["template"]["spec"]
    return spec


def test_an_overlay_is_one_controller_all_in_one_namespace(overlay: Path) -> None:
    bodies = built(overlay)
    kinds = [each["kind"] for each in bodies]
    assert [each for each in kinds if each in CONTROLLERS.values()] == [CONTROLLERS[overlay.name]]
    assert "PodTemplate" not in kinds
    namespaces = {
        each["metadata"].get("namespace") for each in bodies if each["kind"] != "Namespace"
    }
    assert namespaces == {"controlm"}
    assert is_restricted(pod_of(bodies, overlay))


def test_another_namespace_is_one_line_of_an_overlay(overlay: Path, tmp_path: Path) -> None:
    """The rights go along: a RoleBinding would else name an account of the first namespace."""
    shipped = os.path.relpath(overlay, tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump({"namespace": "other", "resources": [shipped]})
    )
    bodies = built(tmp_path)
    assert only(bodies, "Namespace")["metadata"]["name"] == "other"
    assert {each["metadata"].get("namespace", "other") for each in bodies} == {"other"}
    for text in only(bodies, "ConfigMap", "manifests")["data"].values():
        assert "namespace" not in yaml.safe_load(text)["metadata"]
    (subject,) = only(bodies, "RoleBinding")["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": "controlm-agent", "namespace": "other"}


def test_what_reaches_for_the_node_is_let_in_by_the_documented_line_of_an_overlay(
    overlay: Path, tmp_path: Path
) -> None:
    documented = re.search(r"`(patches: .*enforce: privileged.*)`", DOCS.read_text())
    assert documented is not None
    shipped = os.path.relpath(overlay, tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{shipped}]\n{documented[1]}\n")
    enforced = {
        only(built(folder), "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for folder in (overlay, tmp_path)
    }
    assert enforced == {"baseline", "privileged"}


def test_what_a_pod_names_is_there(overlay: Path) -> None:
    """All but the Secrets, which are not ours to ship."""
    bodies = built(overlay)
    pod = pod_of(bodies, overlay)
    maps = {each["metadata"]["name"] for each in bodies if each["kind"] == "ConfigMap"}
    (container,) = pod["containers"]
    named = {each["configMapRef"]["name"] for each in container["envFrom"]}
    named |= {each["configMap"]["name"] for each in pod["volumes"] if "configMap" in each}
    assert named == maps
    only(bodies, "ServiceAccount", pod["serviceAccountName"])
    claims = only(bodies, CONTROLLERS[overlay.name])["spec"].get("volumeClaimTemplates", [])
    volumes = {each["name"] for each in [*pod["volumes"], *(each["metadata"] for each in claims)]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes


def test_the_agent_gets_every_job_as_a_file(overlay: Path) -> None:
    """By a name that does not tell what they say: another Job must not replace the agents' pods."""
    shipped = only(built(overlay), "ConfigMap", "manifests")
    assert shipped["metadata"]["name"] == "manifests"
    given = shipped["data"]
    assert {name: yaml.safe_load(text) for name, text in given.items()} == {
        each.name: read(each)[0] for each in JOBS
    }


def test_the_agent_s_settings_are_taken_as_they_are_shipped(overlay: Path) -> None:
    bodies = built(overlay)
    (container,) = pod_of(bodies, overlay)["containers"]
    environ: dict[str, Any] = dict(only(bodies, "ConfigMap", "controlm-agent")["data"])
    host = {"spec.nodeName": "node1", "metadata.name": "controlm-agent-0"}
    for each in container["env"]:
        source = each.get("valueFrom")
        environ[each["name"]] = host[source["fieldRef"]["fieldPath"]] if source else each["value"]
    read_back = settings(environ)
    alias, leaves = {
        "daemonset": ("node1:7006", True),
        "statefulset": ("controlm-agent-0:7006", False),
    }[overlay.name]
    assert (read_back.alias, read_back.leaves) == (alias, leaves)
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    assert {str(read_back.secrets), str(read_back.volume)} <= mounts


def test_the_api_server_takes_an_overlay_without_a_warning(overlay: Path) -> None:
    """An unknown field, a doubled one, or one that is on its way out would be a complaint."""
    taken = kubectl(
        controls.here(), "apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors",
        "-k", str(overlay),
    )  # fmt: skip
    assert len(taken.splitlines()) == len(built(overlay))


def test_the_api_server_takes_the_jobs_without_a_warning(breakable: RealTarget) -> None:
    assert breakable.is_ours
    files = [word for each in JOBS for word in ("-f", str(each))]
    taken = kubectl(
        controls.here(), "create", "--dry-run=server", "--validate=strict",
        "--warnings-as-errors", *files,
    )  # fmt: skip
    assert len(taken.splitlines()) == len(JOBS)
