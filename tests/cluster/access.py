"""The launcher's account in the cluster: its rights, its tokens, its kubeconfig."""

from __future__ import annotations

from tests.cluster.certificates import write_kubeconfig
from tests.cluster.kubectl import kubectl
from tests.cluster.layout import SOURCES, Layout

LAUNCHER = "runjob"
LAUNCHER_NAMESPACE = "controlm"


def grant_access(layout: Layout) -> None:
    """Make the launcher's account with its rights, and write its kubeconfig."""
    shipped = SOURCES.parents[1] / "k8s" / "runjob.yaml"
    for manifest in (SOURCES / "config" / "access.yaml", shipped):
        kubectl(layout, "apply", "-f", str(manifest))
    token = new_launcher_token(layout, seconds=30 * 24 * 3600)
    write_kubeconfig(
        layout.launcher_kubeconfig,
        layout.certificates,
        LAUNCHER,
        {"token": token},
        LAUNCHER_NAMESPACE,
    )


def new_launcher_token(layout: Layout, seconds: int = 3600) -> str:
    """Return a fresh token of the launcher's account; the API refuses less than 600 seconds."""
    return kubectl(
        layout, "create", "token", LAUNCHER, "-n", LAUNCHER_NAMESPACE, f"--duration={seconds}s"
    ).strip()
