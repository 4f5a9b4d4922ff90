"""The agent as it is shipped, on a real node; the vendor's commands are a stand-in's."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from runjob.login import login
from runjob.options import Connection
from tests.cluster import controls, node
from tests.cluster.certificates import NODE_NAME
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.containers.buildah import built
from tests.containers.recipes import AGENT
from tests.contract.targets import Api, Json, RealTarget, is_running
from tests.k8s.agent_folder import COMMANDS, FIRST, STAND_IN
from tests.k8s.shipped import JOBS, K8S, OVERLAYS, read

# The first build on a machine takes some minutes.
pytestmark = pytest.mark.timeout(900)

LABEL, GROUP, USER = "WorkflowManager", "kubernetes", 65534
IMAGE = "docker.io/runjob/controlm-agent"
PATH = "/opt/stand-in:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Deployed:
    """An overlay in a namespace of its own, and the folder that its stand-in keeps."""

    api: Api
    server: Path

    @property
    def namespace(self) -> str:
        return self.api.namespace

    def known(self) -> Json:
        """Return what the stand-in knows, nothing while it writes."""
        try:
            told: Json = json.loads((self.server / "server.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {"agents": told["agents"], "groups": told["groups"]}

    def calls(self, *words: str) -> list[list[str]]:
        """Return the calls of the vendor's commands that begin so."""
        file = self.server / "calls"
        told = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [each for each in told if each[: len(words)] == list(words)]

    def pods(self) -> list[Json]:
        return self.api.items("pods")

    def pod(self, former: str = "") -> Json:
        """Wait for the agent's pod to run and be ready, another one than the former."""

        def ready() -> Json | None:
            for each in self.pods():
                conditions = each["status"].get("conditions") or ()
                fit = {"type": "Ready", "status": "True"}
                if (
                    is_running(each)
                    and each["metadata"]["uid"] != former
                    and any(fit.items() <= one.items() for one in conditions)
                ):
                    return each
            return None

        return self.api.until(ready, "an agent that is ready")

    def run(self, pod: Json, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the agent's container."""
        layout = controls.here()
        return subprocess.run(
            [
                layout.programs / "kubectl", f"--kubeconfig={layout.kubeconfig}", "exec", "-i",
                "-n", self.namespace, pod["metadata"]["name"], "--", *words,
            ],
            input=given, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def mount(self, secret: Mapping[str, str]) -> None:
        """Put the .secret files into the agent's Secret."""
        data = {f"{name}.secret": text for name, text in secret.items()}
        body = {"metadata": {"name": "controlm-agent"}, "stringData": data}
        if self.api.find("secrets", "controlm-agent") is None:
            self.api.create("secrets", body)
        else:
            path = self.api.path("secrets", "controlm-agent")
            self.api.call("PATCH", path, body, "application/merge-patch+json")


def alias(host: str) -> Json:
    return {"agents": [f"{host}:7006"], "groups": {GROUP: [f"{host}:7006"]}}


NOBODY: Json = {"agents": [], "groups": {}}


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


def stand_in_patch(kind: str, server: Path) -> str:
    """Return what gives the vendor's commands to the shipped pod, and nothing else."""
    container: Json = {
        "name": "agent",
        "readinessProbe": {"periodSeconds": 1},
        "env": [{"name": "PATH", "value": PATH}, {"name": "STAND_IN", "value": "/stand-in"}],
        "volumeMounts": [
            {"name": "commands", "mountPath": "/opt/stand-in"},
            {"name": "server", "mountPath": "/stand-in"},
        ],
    }
    volumes: list[Json] = [
        {"name": "commands", "configMap": {"name": "stand-in", "defaultMode": 0o755}},
        {"name": "server", "hostPath": {"path": str(server), "type": "Directory"}},
    ]
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "controlm-agent"},
            "spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}},
        }
    )


def new_namespace(target: RealTarget) -> Api:
    """Make a namespace with the agent's credentials in it; return the way to it."""
    name = f"agent-{secrets.token_hex(3)}"
    api = Api(login(Connection(kubeconfig=target.admin_kubeconfig)), name, patience=150.0)
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return api


def deploy(overlay: str, kind: str, image: str, api: Api, top: Path) -> Deployed:
    """Apply an overlay as it is shipped, but for namespace, image's tag and the commands."""
    server = top / "server"
    server.mkdir(parents=True)
    # The agent is user 1000 there, and this test is not.
    server.chmod(0o777)
    top.chmod(0o755)
    for name in COMMANDS:
        shutil.copy(STAND_IN, top / name)
    shipped = os.path.relpath(K8S / "overlays" / overlay, top.resolve())
    (top / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "namespace": api.namespace,
                "resources": [shipped],
                "images": [{"name": IMAGE, "newTag": image}],
                "configMapGenerator": [{"name": "stand-in", "files": list(COMMANDS)}],
                "patches": [{"patch": stand_in_patch(kind, server)}],
            }
        )
    )
    deployed = Deployed(api, server)
    deployed.mount(FIRST)
    kubectl(controls.here(), "apply", "--validate=strict", "-k", str(top))
    return deployed


@pytest.fixture(scope="module")
def daemon_set(
    target: RealTarget, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    api = new_namespace(target)
    yield deploy("daemonset", "DaemonSet", image, api, tmp_path_factory.mktemp("daemons"))
    api.call("DELETE", f"/api/v1/namespaces/{api.namespace}", {})


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
    finally:
        controls.add_node_label(LABEL, None)
    api.until(lambda: not daemon_set.pods(), "no agent's pod")
    assert daemon_set.known() == NOBODY


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
    "change a Job": ("PATCH", "/apis/batch/v1/namespaces/{ns}/jobs/x"),
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


def test_the_agent_launches_jobs_and_can_do_nothing_else(daemon_set: Deployed, agent: Json) -> None:
    launched = daemon_set.run(
        agent, "python3", "/opt/runjob/runJob.py", "-n", daemon_set.namespace,
        "-j", "from-an-agent", "-i", "busybox:1", "-p", "IfNotPresent", "-s", "none",
        "--security", "restricted", "--set", f"spec.template.spec.securityContext.runAsUser={USER}",
        "-e", "WHO", "-v", "an agent",
        "-k", "sh", "-k", "-c", "-k", "echo launched by $WHO",
    )  # fmt: skip
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
    # This cluster has no storage class: a folder of the node stands in for a disk.
    disk = top / "disk"
    disk.mkdir()
    disk.chmod(0o777)
    volume = {
        "metadata": {"name": api.namespace},
        "spec": {
            "capacity": {"storage": "4Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": str(disk), "type": "Directory"},
            "claimRef": {"namespace": api.namespace, "name": "state-controlm-agent-0"},
        },
    }
    api.call("POST", "/api/v1/persistentvolumes", volume)
    yield deploy("statefulset", "StatefulSet", image, api, top)
    api.call("DELETE", f"/api/v1/namespaces/{api.namespace}", {})
    api.call("DELETE", f"/api/v1/persistentvolumes/{api.namespace}")


def test_an_agent_with_a_volume_comes_back_as_the_one_it_was(stateful_set: Deployed) -> None:
    pod = stateful_set.pod()
    assert stateful_set.known() == alias("controlm-agent-0")
    stateful_set.api.delete("pods", pod["metadata"]["name"])
    stateful_set.pod(former=pod["metadata"]["uid"])
    assert stateful_set.known() == alias("controlm-agent-0")
    assert len(stateful_set.calls("ctm", "provision", "agent::setup")) == 1
    assert stateful_set.calls("ctm", "config", "server:agent::delete") == []
    assert len(stateful_set.calls("start-ag")) == 1
