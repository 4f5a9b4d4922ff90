"""The launcher in a pod of the cluster, with the files and the rights that it has there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runjob
from runjob.login import Access
from tests.contract.api import Api, Json, RefusedError
from tests.contract.launches import FOREVER, Run, sh
from tests.contract.targets import RealTarget, launcher_rules

FOLDER = "/opt/ctmDocker"
ACCOUNT = "in-a-pod"


@pytest.fixture(scope="module")
def deployed(target: RealTarget) -> str:
    """Deploy the launcher's folder as a ConfigMap, and an account with the launcher's Role only."""
    sources = Path(runjob.__file__).parent.glob("*.py")
    body = {
        "metadata": {"name": "launcher"},
        "data": {each.name: each.read_text() for each in sources},
    }
    target.api.create("configmaps", body)
    target.api.create("serviceaccounts", {"metadata": {"name": ACCOUNT}})
    target.bind("runjob", ACCOUNT)
    return "launcher"


def pod_that_runs(target: RealTarget, deployed: str, name: str, options: tuple[str, ...]) -> Json:
    """Create a pod that runs the launcher."""
    container = {
        "name": "main",
        "image": "runjob/agent:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", f"{FOLDER}/runJob.py", *options],
        "volumeMounts": [{"name": "launcher", "mountPath": FOLDER}],
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": ACCOUNT,
        "containers": [container],
        "volumes": [{"name": "launcher", "configMap": {"name": deployed}}],
    }
    return target.api.create("pods", {"metadata": {"name": f"{name}-agent"}, "spec": spec})


@pytest.fixture
def agent(target: RealTarget, name: str) -> Iterator[str]:
    """Name the pod that the launcher runs in, and remove it."""
    yield f"{name}-agent"
    target.api.delete("pods", f"{name}-agent", 0)


def ended(target: RealTarget, agent: str) -> Run:
    """Wait until the launcher's pod has ended; return what it printed, and its code."""

    def end() -> Json | None:
        pod = target.api.find("pods", agent)
        assert pod is not None
        states = [each["state"] for each in pod["status"].get("containerStatuses") or ()]
        return states[0].get("terminated") if states else None

    code = target.api.until(end, "the launcher's end")["exitCode"]
    printed = target.api.text(target.api.path("pods", agent) + "/log")
    return Run(code, printed, "")


def test_it_finds_its_way_by_what_is_mounted_there(
    target: RealTarget, deployed: str, name: str, agent: str
) -> None:
    options = ("-n", target.namespace, "-j", name, *sh("echo from a pod"))
    pod_that_runs(target, deployed, name, options)
    run = ended(target, agent)
    text = run.out.decode()
    assert run.code == 0, text
    assert "from a pod\n" in text
    assert "Job Completion status: 0\n" in text
    target.api.wait_gone(name)


def test_it_removes_its_job_when_its_own_pod_is_deleted(
    target: RealTarget, deployed: str, name: str, agent: str
) -> None:
    options = ("-n", target.namespace, "-j", name, *sh(FOREVER))
    pod_that_runs(target, deployed, name, options)
    target.api.running_pods(name)
    target.api.delete("pods", agent)
    target.api.wait_gone(name)
    target.api.until(lambda: target.api.find("pods", agent) is None, "the agent gone")


ALLOWED = {
    (group, resource, verb)
    for rule in launcher_rules()
    for group in rule["apiGroups"]
    for resource in rule["resources"]
    for verb in rule["verbs"]
}


@pytest.fixture(scope="module")
def as_launcher(target: RealTarget, deployed: str) -> Api:
    """Speak to the API with the launcher's rights and no more."""
    assert deployed
    token = target.new_token(ACCOUNT)
    ca_file = str(target.kubeconfig.with_suffix(".crt"))
    access = Access(
        host=target.host, headers=lambda: {"Authorization": f"Bearer {token}"}, ca_file=ca_file
    )
    return Api(lambda: access, target.namespace, patience=5)


def may(api: Api, group: str, resource: str, verb: str, namespace: str) -> bool:
    """Ask the API whether its user may do that."""
    plural, _, subresource = resource.partition("/")
    attributes: dict[str, Any] = {
        "group": group, "resource": plural, "subresource": subresource, "verb": verb,
        "namespace": namespace,
    }  # fmt: skip
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(api.call("POST", path, body)["status"]["allowed"])


def test_its_rights_are_those_of_the_role_and_no_others(
    target: RealTarget, as_launcher: Api
) -> None:
    verbs = ("create", "get", "list", "watch", "update", "patch", "delete", "deletecollection")
    resources = [
        ("batch", "jobs"), ("", "pods"), ("", "pods/log"), ("", "pods/exec"), ("", "events"),
        ("", "secrets"), ("", "configmaps"), ("", "serviceaccounts"), ("", "nodes"),
        ("", "namespaces"), ("apps", "deployments"),
        ("rbac.authorization.k8s.io", "rolebindings"),
    ]  # fmt: skip
    here = {
        (group, resource, verb)
        for group, resource in resources
        for verb in verbs
        if may(as_launcher, group, resource, verb, target.namespace)
    }
    assert here == ALLOWED
    elsewhere = [
        (group, resource)
        for group, resource in resources
        if may(as_launcher, group, resource, "list", "kube-system")
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("DELETE", "/api/v1/namespaces/{}/pods/x", id="delete a pod"),
        pytest.param("POST", "/api/v1/namespaces/{}/pods", id="create a pod"),
        pytest.param("GET", "/api/v1/namespaces/{}/secrets", id="list Secrets"),
        pytest.param("GET", "/api/v1/namespaces/{}/configmaps/launcher", id="read a ConfigMap"),
        pytest.param("GET", "/api/v1/nodes", id="list nodes"),
        pytest.param("GET", "/api/v1/pods", id="list all pods"),
        pytest.param("GET", "/apis/batch/v1/namespaces/kube-system/jobs", id="list others' Jobs"),
        pytest.param("DELETE", "/apis/batch/v1/namespaces/{}/jobs", id="delete all Jobs"),
    ],
)  # fmt: skip
def test_it_cannot(target: RealTarget, as_launcher: Api, method: str, path: str) -> None:
    body = None if method == "GET" else {"metadata": {"name": "x"}}
    with pytest.raises(RefusedError) as refusal:
        as_launcher.call(method, path.format(target.namespace), body)
    assert refusal.value.status == 403
