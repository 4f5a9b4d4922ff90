"""The cluster as a whole: up, down, and how it is."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.cluster import cgroups, mounts, network
from tests.cluster.access import LAUNCHER_NAMESPACE, grant_access
from tests.cluster.build import build_all
from tests.cluster.certificates import NODE_NAME, make_certificates
from tests.cluster.daemons import API_SERVER, HOLDER, alive, api_ready, start_daemon, wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.images import image_files
from tests.cluster.kubectl import kubectl
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.packages import install_packages
from tests.cluster.processes import kill, read_record
from tests.cluster.programs import KUBERNETES_VERSION
from tests.cluster.progress import step
from tests.cluster.services import services

_CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Let one caller at a time change the cluster; a second one waits."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_up(layout: Layout) -> bool:
    """Tell whether every daemon runs and the API server answers."""
    daemons = alive(layout)
    expected = {HOLDER, *services(layout)}
    complete = expected <= daemons.keys() and all(daemons[name] for name in expected)
    return complete and layout.description.exists() and api_ready(layout)


def up(layout: Layout) -> None:
    """Bring the cluster up from nothing, unless it is up; a half-dead one is ended first."""
    with locked(layout):
        if is_up(layout):
            print(f"already up: Kubernetes {KUBERNETES_VERSION} on {NODE_NAME}")
            return
        install_packages(layout)
        build_all(layout)
        images = image_files(layout)
        _end(layout)
        shutil.rmtree(layout.cluster, ignore_errors=True)
        with step("prepare the node: network, control groups, mounts, certificates"):
            _prepare(layout)
        with step("start etcd and the API server"):
            start_daemon(layout, "etcd")
            start_daemon(layout, API_SERVER)
            start_daemon(layout, "containerd")
            wait_until(layout, API_SERVER, "ready API server", lambda: api_ready(layout))
        with step("import the images"):
            # containerd makes its socket some time before it answers on it.
            wait_until(
                layout, "containerd", "containerd", lambda: _ctr(layout, "version").returncode == 0
            )
            for image in images:
                import_image(layout, image)
        with step("start the other daemons"):
            for name in services(layout):
                start_daemon(layout, name)
        with step("make the namespaces, and who may do what"):
            grant_access(layout)
        with step("wait for the node"):
            wait_until(layout, "kubelet", "ready node", lambda: _node_ready(layout))
            for namespace in ("default", LAUNCHER_NAMESPACE):
                wait_until(
                    layout,
                    "kube-controller-manager",
                    f"service account in {namespace}",
                    partial(_has_account, layout, namespace),
                )
        describe(layout)


def down(layout: Layout) -> None:
    """End what ``up`` started; the logs stay until the next one."""
    with locked(layout), step("end the daemons and the pods, remove mounts and network"):
        _end(layout)


def import_image(layout: Layout, file: Path) -> None:
    """Give the node an image from a tar file, under the name that the file says."""
    imported = _ctr(layout, "images", "import", "--local", str(file))
    if imported.returncode != 0:
        complaint = imported.stderr.strip().replace("\n", "; ")
        raise ClusterError(f"the import of {file} failed: {complaint}")


def tag_image(layout: Layout, name: str, other: str) -> None:
    """Give an image of the node another name too, whatever had that name before."""
    tagged = _ctr(layout, "images", "tag", "--force", name, other)
    if tagged.returncode != 0:
        raise ClusterError(f"the node cannot call {name} {other}: {tagged.stderr.strip()}")


def has_image(layout: Layout, name: str) -> bool:
    """Tell whether the node has an image of this full name."""
    return name in _ctr(layout, "images", "list", "--quiet").stdout.splitlines()


def describe(layout: Layout) -> None:
    """Write down for other programs where everything is."""
    description = {
        "kubeconfig": str(layout.kubeconfig),
        "launcher_kubeconfig": str(layout.launcher_kubeconfig),
        "audit_log": str(layout.audit_log),
        "node": NODE_NAME,
        "api_server": network.API_SERVER,
        "network_namespace": network.NAMESPACE,
        "registry": network.REGISTRY,
        "pod_log_dir": str(layout.pod_logs),
        "logs": str(layout.logs),
        "kubectl": str(layout.programs / "kubectl"),
        "version": KUBERNETES_VERSION,
        "pids": {name: process.pid for name, process in read_record(layout.record).items()},
    }
    fresh = layout.description.with_suffix(".part")
    fresh.write_text(json.dumps(description, indent=1) + "\n")
    fresh.replace(layout.description)


def _prepare(layout: Layout) -> None:
    for folder in (layout.logs, layout.configuration, layout.registry):
        folder.mkdir(parents=True, exist_ok=True)
    mounts.prepare_places(layout)
    cni = layout.node / "cni-config" / "10-pods.conflist"
    shutil.copy(SOURCES / "config" / "cni.conflist", cni)
    for name in ("audit-policy.yaml", "containerd.toml", "kubelet.yaml", "kube-proxy.yaml"):
        text = (SOURCES / "config" / name).read_text()
        text = text.replace("@certificates@", str(layout.certificates))
        text = text.replace("@registries@", str(layout.configuration / "registries"))
        (layout.configuration / name).write_text(text)
    # containerd tries TLS with every registry that it is not told about, on loopback too.
    registry = layout.configuration / "registries" / network.REGISTRY
    registry.mkdir(parents=True)
    (registry / "hosts.toml").write_text(f'server = "http://{network.REGISTRY}"\n')
    make_certificates(layout.certificates)
    shutil.copy(layout.certificates / "admin.kubeconfig", layout.kubeconfig)
    network.create_network()
    start_daemon(layout, HOLDER)
    wait_until(layout, HOLDER, "mounted node", layout.mounted.exists)


def _end(layout: Layout) -> None:
    """End the daemons that were written down, then what they started, and clear the rest away."""
    for process in reversed(read_record(layout.record).values()):
        kill(process)
    # The shims and the containers: the control group knows them, since nothing leaves it.
    cgroups.end_members()
    network.remove_network()
    cgroups.remove_groups()
    mounts.remove_places()
    layout.record.unlink(missing_ok=True)
    layout.description.unlink(missing_ok=True)


def _ctr(layout: Layout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run containerd's own client in the node's mounts."""
    holder = read_record(layout.record)[HOLDER]
    return subprocess.run(
        [
            "nsenter",
            "--target",
            str(holder.pid),
            "--mount",
            "--net",
            "--",
            str(layout.programs / "ctr"),
            "--address",
            _CONTAINERD_SOCKET,
            "--namespace",
            "k8s.io",
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _node_ready(layout: Layout) -> bool:
    condition = '{.status.conditions[?(@.type=="Ready")].status}'
    asked = kubectl(
        layout, "get", "nodes", NODE_NAME, "--ignore-not-found", "-o", f"jsonpath={condition}"
    )
    return asked.strip() == "True"


def _has_account(layout: Layout, namespace: str) -> bool:
    asked = kubectl(
        layout,
        "get",
        "serviceaccounts",
        "default",
        "--ignore-not-found",
        "--namespace",
        namespace,
        "-o",
        "name",
    )
    return bool(asked.strip())
