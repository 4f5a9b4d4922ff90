"""The daemons of a node and how each is started, as a table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.cluster.certificates import NODE_NAME
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.network import (
    API_PORT,
    DNS_ADDRESS,
    NODE_ADDRESS,
    NODE_LOGS_PORT,
    POD_RANGE,
    REGISTRY,
    SERVICE_ADDRESS,
    SERVICE_RANGE,
)


@dataclass(frozen=True)
class Service:
    """A daemon, its command line, and what to set in its environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def services(layout: Layout) -> dict[str, Service]:
    """Return the daemons in the order in which they start."""
    table = (
        _etcd(layout),
        _api_server(layout),
        _containerd(layout),
        _controller_manager(layout),
        _scheduler(layout),
        _kubelet(layout),
        _proxy(layout),
        _dns(),
        _registry(layout),
    )
    return {service.name: service for service in table}


def scale_services(layout: Layout) -> dict[str, Service]:
    """Return kwok, which plays nodes and pods that do nothing, and what serves their logs.

    They are started on request only.
    """
    table = (_kwok(layout), _ours("nodelogs", str(layout.certificates)))
    return {service.name: service for service in table}


def _kwok(layout: Layout) -> Service:
    keys = layout.certificates
    return Service(
        "kwok",
        (
            str(layout.programs / "kwok"),
            f"--kubeconfig={keys}/admin.kubeconfig",
            f"--config={layout.configuration}/kwok.yaml",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            # Where the API server finds the nodes' kubelets, which kwok shall not play.
            f"--node-ip={NODE_ADDRESS}",
            f"--node-port={NODE_LOGS_PORT}",
            "--server-address=127.0.0.1:10246",
        ),
    )


def _etcd(layout: Layout) -> Service:
    return Service(
        "etcd",
        (
            str(layout.programs / "etcd"),
            f"--data-dir={layout.etcd}",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            # A cluster for tests may lose its data when the machine loses power.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def _api_server(layout: Layout) -> Service:
    keys = layout.certificates
    return Service(
        "kube-apiserver",
        (
            str(layout.programs / "kube-apiserver"),
            "--etcd-servers=http://127.0.0.1:2379",
            f"--bind-address={NODE_ADDRESS}",
            f"--advertise-address={NODE_ADDRESS}",
            f"--secure-port={API_PORT}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=true",
            f"--client-ca-file={keys}/ca.crt",
            f"--tls-cert-file={keys}/apiserver.crt",
            f"--tls-private-key-file={keys}/apiserver.key",
            f"--kubelet-client-certificate={keys}/apiserver-kubelet.crt",
            f"--kubelet-client-key={keys}/apiserver-kubelet.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={keys}/tokens.pub",
            f"--service-account-signing-key-file={keys}/tokens.key",
            f"--audit-policy-file={layout.configuration}/audit-policy.yaml",
            f"--audit-log-path={layout.audit_log}",
            "--audit-log-maxsize=4096",
            # A killed API server that comes back must be served soon, not after a minute.
            "--shutdown-delay-duration=0s",
        ),
    )


def _containerd(layout: Layout) -> Service:
    # The shim is looked for on the PATH, beside runc.
    path = f"{layout.programs}:/usr/sbin:/usr/bin:/sbin:/bin"
    return Service(
        "containerd",
        (
            str(layout.programs / "containerd"),
            "--config",
            f"{layout.configuration}/containerd.toml",
        ),
        {"PATH": path},
    )


def _controller_manager(layout: Layout) -> Service:
    keys = layout.certificates
    config = f"{keys}/kube-controller-manager.kubeconfig"
    return Service(
        "kube-controller-manager",
        (
            str(layout.programs / "kube-controller-manager"),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--root-ca-file={keys}/ca.crt",
            f"--service-account-private-key-file={keys}/tokens.key",
            f"--cluster-signing-cert-file={keys}/ca.crt",
            f"--cluster-signing-key-file={keys}/ca.key",
            f"--cluster-cidr={POD_RANGE}",
            # As in large clusters: at the usual 20 a thousand Jobs would wait for this alone.
            "--kube-api-qps=300",
            "--kube-api-burst=600",
        ),
    )


def _scheduler(layout: Layout) -> Service:
    config = f"{layout.certificates}/kube-scheduler.kubeconfig"
    return Service(
        "kube-scheduler",
        (
            str(layout.programs / "kube-scheduler"),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ),
    )


def _kubelet(layout: Layout) -> Service:
    return Service(
        "kubelet",
        (
            str(layout.programs / "kubelet"),
            f"--config={layout.configuration}/kubelet.yaml",
            f"--kubeconfig={layout.certificates}/kubelet.kubeconfig",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={NODE_ADDRESS}",
            "--v=2",
        ),
    )


def _proxy(layout: Layout) -> Service:
    return Service(
        "kube-proxy",
        (
            str(layout.programs / "kube-proxy"),
            f"--config={layout.configuration}/kube-proxy.yaml",
        ),
    )


def _dns() -> Service:
    return _ours("dns", DNS_ADDRESS, SERVICE_ADDRESS)


def _registry(layout: Layout) -> Service:
    return _ours("registry", REGISTRY, str(layout.registry))


def _ours(module: str, *arguments: str) -> Service:
    """Return a daemon that is a module of this folder."""
    return Service(
        module,
        (sys.executable, "-m", f"tests.cluster.{module}", *arguments),
        {"PYTHONPATH": str(SOURCES.parent.parent), "PYTHONUNBUFFERED": "1"},
    )
