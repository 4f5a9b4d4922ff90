"""The agent as it is shipped, on a real node; the vendor's commands are a stand-in's."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import controls, node
from tests.cluster.certificates import NODE_NAME
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.containers.buildah import built
from tests.containers.recipes import AGENT
from tests.contract.api import Json
from tests.contract.targets import RealTarget
from tests.e2e.deployed import (
    NOBODY,
    Deployed,
    alias,
    deploy,
    is_ready,
    launch,
    mount_folder,
    new_namespace,
)
from tests.k8s.agent_folder import FIRST
from tests.k8s.shipped import JOBS, OVERLAYS, read

# The first build on a machine takes some minutes.
pytestmark = pytest.mark.timeout(900)

LABEL = "WorkflowManager"
# A shell that is a container's first process ends at SIGTERM only where it says so.
LONG = "trap exit TERM; sleep 600 & wait"


@pytest.fixture(scope="module")
def image(target: RealTarget) -> str:
    """Build the agent's image and give it to the node; return its tag."""
    if not target.is_ours:
        missing = "this cluster is not the one of tests/cluster, whose node takes images from here"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    layout = controls.here()
    made = built(layout, AGENT)
    if not node.has_image(layout, made.name):
        node.import_image(layout, made.file)
    return made.name.rpartition(":")[2]


@pytest.fixture(scope="module")
def daemon_set(
    target: RealTarget, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    api = new_namespace(target)
    top = tmp_path_factory.mktemp("daemons")
    with deploy("daemonset", "DaemonSet", image, api, top) as deployed:
        yield deployed


@pytest.fixture
def agent(daemon_set: Deployed) -> Iterator[Json]:
    """Label the node and wait for its agent; take the label away, and wait for its end."""
    controls.add_node_label(LABEL, "controlm")
    try:
        yield daemon_set.pod()
    finally:
        controls.add_node_label(LABEL, None)
        daemon_set.api.until(lambda: not daemon_set.pods(), "no agent's pod")


def scheduled(deployed: Deployed) -> tuple[int, int]:
    """Return which generation of the DaemonSet was seen, and on how many nodes it is to run."""
    path = f"/apis/apps/v1/namespaces/{deployed.namespace}/daemonsets/controlm-agent"
    status = deployed.api.call("GET", path)["status"]
    return status.get("observedGeneration", 0), status["desiredNumberScheduled"]


def test_the_agent_comes_with_the_label_and_is_decommissioned_when_it_goes(
    daemon_set: Deployed,
) -> None:
    api = daemon_set.api
    api.until(lambda: scheduled(daemon_set)[0] > 0, "a DaemonSet that was looked at")
    for value in (None, "other"):
        controls.add_node_label(LABEL, value)
        assert scheduled(daemon_set)[1] == 0
        assert daemon_set.pods() == []
    controls.add_node_label(LABEL, "controlm")
    try:
        pod = daemon_set.pod()
        assert pod["spec"]["nodeName"] == NODE_NAME
        assert daemon_set.known() == alias(NODE_NAME)
        # As an agent runs it: by a shell, and its end is nobody's.
        script = f"{shlex.join(launch(daemon_set, 'long', LONG))} >/stand-in/long 2>&1 &"
        assert daemon_set.run(pod, "sh", "-c", script).returncode == 0
        api.running_pods("long")
    finally:
        controls.add_node_label(LABEL, None)
    api.until(lambda: not daemon_set.pods(), "no agent's pod")
    assert daemon_set.known() == NOBODY
    removals = daemon_set.callers("ctm", "config", "server:agent::delete")
    assert removals == ["pre-stop"]
    assert "FailedPreStopHook" not in {each["reason"] for each in api.items("events")}
    # Its launcher removed the Job that it ran, before the pod ended.
    assert "SIGTERM: removing the Job" in (daemon_set.server / "long").read_text()
    assert api.job("long") is None


def test_the_agent_follows_its_secret(daemon_set: Deployed, agent: Json) -> None:
    before = len(daemon_set.calls("ctm", "env", "add"))
    daemon_set.mount({**FIRST, "password": "second-secret"})
    # The kubelet looks at a pod's volumes once a minute, and whenever the pod changes.
    path = daemon_set.api.path("pods", agent["metadata"]["name"])
    look = {"metadata": {"annotations": {"look": "now"}}}
    daemon_set.api.call("PATCH", path, look, "application/merge-patch+json")
    added = daemon_set.api.until(
        lambda: daemon_set.calls("ctm", "env", "add")[before:], "another log-in"
    )
    assert [each[-1] for each in added] == ["second-secret"]
    daemon_set.api.until(
        lambda: b"is known\n" in daemon_set.api.text(f"{path}/log"), "the server knows it still"
    )
    assert daemon_set.pod()["metadata"]["uid"] == agent["metadata"]["uid"]
    assert daemon_set.known() == alias(NODE_NAME)
    assert b"-secret" not in daemon_set.api.text(f"{path}/log")


def test_the_api_server_itself_finds_our_pods_restricted(
    daemon_set: Deployed, tmp_path: Path
) -> None:
    """The namespace that we ship asks for a warning of each pod that is not."""
    layout = controls.here()
    strictly = ("--dry-run=server", "--validate=strict", "--warnings-as-errors")
    for overlay in OVERLAYS:
        shipped = os.path.relpath(overlay, tmp_path.resolve())
        (tmp_path / "kustomization.yaml").write_text(
            yaml.safe_dump({"namespace": daemon_set.namespace, "resources": [shipped]})
        )
        assert "/controlm-agent " in kubectl(layout, "apply", *strictly, "-k", str(tmp_path))
    jobs = [read(each)[0] for each in JOBS]
    for each in jobs:
        each["metadata"]["namespace"] = daemon_set.namespace
    taken = kubectl(layout, "create", *strictly, "-f", "-", given=yaml.safe_dump_all(jobs))
    assert len(taken.splitlines()) == 9
    plain = ["run", "plain", "--image=busybox:1", "-n", daemon_set.namespace]
    with pytest.raises(ClusterError, match="violate PodSecurity"):
        kubectl(layout, *plain, "--dry-run=server", "--warnings-as-errors")


ATTEMPTS = {
    "list Secrets": ("GET", "/api/v1/namespaces/{ns}/secrets"),
    "read its own Secret": ("GET", "/api/v1/namespaces/{ns}/secrets/controlm-agent"),
    "read a ConfigMap": ("GET", "/api/v1/namespaces/{ns}/configmaps/kube-root-ca.crt"),
    "create a Secret": ("POST", "/api/v1/namespaces/{ns}/secrets"),
    "create a pod": ("POST", "/api/v1/namespaces/{ns}/pods"),
    "delete a pod": ("DELETE", "/api/v1/namespaces/{ns}/pods/x"),
    "run a command in a pod": ("POST", "/api/v1/namespaces/{ns}/pods/x/exec?command=sh"),
    "create a Deployment": ("POST", "/apis/apps/v1/namespaces/{ns}/deployments"),
    "change its DaemonSet": ("PATCH", "/apis/apps/v1/namespaces/{ns}/daemonsets/controlm-agent"),
    "replace a Job": ("PUT", "/apis/batch/v1/namespaces/{ns}/jobs/x"),
    "tell how a Job stands": ("PATCH", "/apis/batch/v1/namespaces/{ns}/jobs/x/status"),
    "delete all Jobs": ("DELETE", "/apis/batch/v1/namespaces/{ns}/jobs"),
    "create a CronJob": ("POST", "/apis/batch/v1/namespaces/{ns}/cronjobs"),
    "give itself rights": (
        "POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings"
    ),
    "get another's token": ("POST", "/api/v1/namespaces/{ns}/serviceaccounts/cust360/token"),
    "list others' pods": ("GET", "/api/v1/namespaces/kube-system/pods"),
    "list others' Jobs": ("GET", "/apis/batch/v1/namespaces/default/jobs"),
    "create a Job elsewhere": ("POST", "/apis/batch/v1/namespaces/default/jobs"),
    "list all Jobs": ("GET", "/apis/batch/v1/jobs"),
    "list nodes": ("GET", "/api/v1/nodes"),
    "list namespaces": ("GET", "/api/v1/namespaces"),
}  # fmt: skip
ALLOWED = {
    "list Jobs": ("GET", "/apis/batch/v1/namespaces/{ns}/jobs"),
    "list pods": ("GET", "/api/v1/namespaces/{ns}/pods"),
}
TRY = """
import json, os, ssl, sys, urllib.error, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
tls = ssl.create_default_context(cafile=f"{account}/ca.crt")
token = open(f"{account}/token").read()
host = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
kinds = {"PATCH": "application/merge-patch+json", "POST": "application/json"}
answers = {}
for name, (method, path) in json.loads(sys.argv[1]).items():
    asked = urllib.request.Request(
        host + path, method=method, data=b"{}" if method in kinds else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": kinds.get(method, "")},
    )
    try:
        answers[name] = urllib.request.urlopen(asked, context=tls).status
    except urllib.error.HTTPError as error:
        answers[name] = error.code
print(json.dumps(answers))
"""


def test_no_job_of_an_agent_reaches_for_the_node(daemon_set: Deployed, agent: Json) -> None:
    reaching = launch(daemon_set, "reaching", "cat /host/etc/shadow", "-H", "/", "-t", "/host")
    refused = daemon_set.run(agent, *reaching)
    assert refused.returncode == 12, (refused.stdout, refused.stderr)
    assert "violates PodSecurity" in refused.stdout + refused.stderr
    daemon_set.api.wait_gone("reaching")


def test_the_agent_launches_jobs_and_can_do_nothing_else(daemon_set: Deployed, agent: Json) -> None:
    """A login shell, in which a job may run, finds the launcher's Python as well."""
    words = launch(
        daemon_set, "from-an-agent", "echo launched by $WHO", "-e", "WHO", "-v", "an agent"
    )
    launched = daemon_set.run(agent, "sh", "-lc", shlex.join(words))
    assert launched.returncode == 0, (launched.stdout, launched.stderr)
    assert "launched by an agent\n" in launched.stdout
    assert "Job Completion status: 0\n" in launched.stdout
    daemon_set.api.wait_gone("from-an-agent")
    tried = {
        name: (method, path.format(ns=daemon_set.namespace))
        for name, (method, path) in {**ATTEMPTS, **ALLOWED}.items()
    }
    answered = daemon_set.run(agent, "python3", "-", json.dumps(tried), given=TRY)
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout) == {
        **dict.fromkeys(ATTEMPTS, 403),
        **dict.fromkeys(ALLOWED, 200),
    }
    files = daemon_set.run(agent, "ls", "/opt/manifests").stdout.split()
    assert files == [each.name for each in JOBS]


@pytest.fixture
def stateful_set(
    target: RealTarget, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    api = new_namespace(target)
    top = tmp_path_factory.mktemp("stateful")
    volume = mount_folder(api, "state-controlm-agent-0", top / "disk")
    with deploy("statefulset", "StatefulSet", image, api, top) as deployed:
        yield deployed
    api.call("DELETE", volume)


def test_an_agent_with_a_volume_comes_back_as_the_one_it_was_until_it_is_removed(
    stateful_set: Deployed,
) -> None:
    pod = stateful_set.pod()
    assert stateful_set.known() == alias("controlm-agent-0")
    stateful_set.api.delete("pods", pod["metadata"]["name"])
    pod = stateful_set.pod(former=pod["metadata"]["uid"])
    assert stateful_set.known() == alias("controlm-agent-0")
    assert len(stateful_set.calls("ctm", "provision", "agent::setup")) == 1
    assert stateful_set.calls("ctm", "config", "server:agent::delete") == []
    assert len(stateful_set.calls("start-ag")) == 1
    removed = stateful_set.run(
        pod, "env", "AGENT_ON_STOP=decommission", "python3", "-m", "misc.agent", "decommission"
    )
    assert removed.returncode == 0, removed.stderr
    assert stateful_set.known() == NOBODY
    stateful_set.api.until(lambda: not is_ready(stateful_set.pods()[0]), "no agent that is ready")
    path = f"/apis/apps/v1/namespaces/{stateful_set.namespace}/statefulsets/controlm-agent"
    scaled = {"spec": {"replicas": 0}}
    (last,) = stateful_set.pods()
    assert last["status"]["containerStatuses"][0]["restartCount"] == 0
    stateful_set.api.call("PATCH", path, scaled, "application/merge-patch+json")
    stateful_set.api.until(lambda: not stateful_set.pods(), "no agent's pod")
    assert stateful_set.known() == NOBODY
    assert len(stateful_set.calls("ctm", "provision", "agent::setup")) == 1
