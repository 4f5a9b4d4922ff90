"""The programs of a node, as Go modules at pinned versions."""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES_VERSION = "v1.35.4"
CONTAINERD_VERSION = "v2.2.3"
KWOK_VERSION = "v0.8.0"


@dataclass(frozen=True)
class Source:
    """One Go module, the commands to build out of it, and the variables that tell its version.

    ``programs`` pairs the file name that a command gets with the package that it is built from.
    ``staged`` is for Kubernetes: its libraries are published as modules of their own,
    v1.Y.Z as v0.Y.Z, and its go.mod names them by a path that a module zip does not have.
    """

    name: str
    module: str
    version: str
    programs: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...] = ()
    tags: str = ""
    staged: bool = False


def _kubernetes_variables() -> tuple[tuple[str, str], ...]:
    major, minor, _ = KUBERNETES_VERSION.lstrip("v").split(".")
    values = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return tuple(
        (f"{package}.{name}", value) for package in packages for name, value in values.items()
    )


# etcd comes out of Kubernetes' own module graph, which requires its server for tests: that is the
# version it was tested with, and half of it is compiled already. Debian's etcd 3.4 lacks the
# progress requests that the API server wants for watch lists.
KUBERNETES = Source(
    name="kubernetes",
    module="k8s.io/kubernetes",
    version=KUBERNETES_VERSION,
    programs=(
        ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
        ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
        ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
    ),
    variables=_kubernetes_variables(),
    staged=True,
)

# Debian's containerd 1.6 cuts the log of a process that ends right after a burst.
CONTAINERD = Source(
    name="containerd",
    module="github.com/containerd/containerd/v2",
    version=CONTAINERD_VERSION,
    programs=(
        ("containerd", "github.com/containerd/containerd/v2/cmd/containerd"),
        (
            "containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        ),
        ("ctr", "github.com/containerd/containerd/v2/cmd/ctr"),
    ),
    variables=(("github.com/containerd/containerd/v2/version.Version", CONTAINERD_VERSION),),
    tags="no_btrfs no_devmapper no_zfs no_tracing",
)

KWOK = Source(
    name="kwok",
    module="sigs.k8s.io/kwok",
    version=KWOK_VERSION,
    programs=(("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
    variables=(("sigs.k8s.io/kwok/pkg/consts.Version", KWOK_VERSION),),
)
