"""The administrator's kubectl, of the cluster's own version."""

from __future__ import annotations

import subprocess

from tests.cluster.errors import ClusterError
from tests.cluster.layout import Layout


def kubectl(layout: Layout, *arguments: str, given: str | None = None) -> str:
    """Run kubectl and return what it prints; ``given`` is its standard input."""
    ended = subprocess.run(
        [layout.programs / "kubectl", f"--kubeconfig={layout.kubeconfig}", *arguments],
        input=given or "",
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        complaint = ended.stderr.strip().replace("\n", "; ")
        raise ClusterError(f"kubectl {' '.join(arguments)} failed: {complaint}")
    return ended.stdout
