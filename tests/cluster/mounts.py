"""The node's own view of the file system: a mount namespace that one sleeping process holds."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

from tests.cluster.certificates import NODE_NAME
from tests.cluster.layout import Layout
from tests.cluster.network import DNS_ADDRESS, NODE_ADDRESS

# What the node calls /var/log and so on lies in the cache folder, and the machine's own folders
# of these names are not touched. Mounts for pods' volumes and containers are made in the
# namespace only: they end with it, whatever happens to the daemons.
_PLACES = {
    "/var/log": "log",
    "/var/lib/kubelet": "kubelet",
    "/var/lib/containerd": "containerd",
    "/var/lib/cni": "cni",
    "/run/containerd": "run",
    "/run/netns": "netns",
    "/etc/cni/net.d": "cni-config",
}
_FILES = {
    "/etc/hosts": ("hosts", f"127.0.0.1 localhost\n{NODE_ADDRESS} {NODE_NAME}\n"),
    # Node and pods ask our own name server, so that an unknown registry is "no such host".
    "/etc/resolv.conf": ("resolv.conf", f"nameserver {DNS_ADDRESS}\n"),
}


def prepare_places(layout: Layout) -> None:
    """Make the folders, and those of the machine that they are mounted over where it has none."""
    for place, folder in _PLACES.items():
        (layout.node / folder).mkdir(parents=True, exist_ok=True)
        Path(place).mkdir(parents=True, exist_ok=True)
    for place, (name, content) in _FILES.items():
        (layout.node / name).write_text(content)
        Path(place).touch()
    # A container's log gets a link here, and the kubelet does not make the folder.
    (layout.node / "log" / "containers").mkdir(exist_ok=True)


def remove_places() -> None:
    """Remove the machine's folders that are empty: those made here, or of no use to anybody."""
    for place in _PLACES:
        if place.startswith(("/var/lib/", "/run/containerd")):
            with contextlib.suppress(OSError):
                Path(place).rmdir()


def holder_command(layout: Layout) -> list[str]:
    """Return the command whose process holds the namespace for the daemons to enter.

    The kubelet wants its mounts shared with the pods: shared within, private to the outside.
    """
    lines = ["set -e", "mount --make-rshared /"]
    inside = {**_PLACES, **{place: name for place, (name, _) in _FILES.items()}}
    for place, name in inside.items():
        lines.append(f"mount --bind {shlex.quote(str(layout.node / name))} {place}")
    lines += [f"touch {shlex.quote(str(layout.mounted))}", "exec sleep infinity"]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines)]
