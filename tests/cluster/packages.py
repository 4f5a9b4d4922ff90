"""The Debian packages that a node needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.layout import Layout
from tests.cluster.progress import step

# What each package is looked for by: a command, or a path.
NEEDED = {
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "iproute2": "ip",
    "conntrack": "conntrack",
    "socat": "socat",
    "busybox-static": "/bin/busybox",
    "openssl": "openssl",
    "util-linux": "nsenter",
    "mount": "mount",
    "procps": "sysctl",
}


def missing_packages() -> list[str]:
    """Return the packages whose command or file is not on this machine."""
    return [
        package
        for package, mark in NEEDED.items()
        if not (Path(mark).exists() if mark.startswith("/") else shutil.which(mark))
    ]


def install_packages(layout: Layout) -> None:
    """Install what is missing; nothing is asked of apt when nothing is."""
    missing = missing_packages()
    if not missing:
        return
    with step(f"install {' '.join(missing)}"):
        apt(layout, ["install", "-y", "--no-install-recommends", *missing])
        still = missing_packages()
        if still:
            raise ClusterError(f"apt-get installed {' '.join(still)}, but it cannot be found")


def apt(layout: Layout, arguments: list[str], folder: Path | None = None) -> None:
    """Run apt-get; on a machine that never fetched the lists of packages, fetch them and retry."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    log = layout.cache / "apt.log"
    with log.open("a") as out:
        for attempt in (arguments, ["update"], arguments):
            ended = subprocess.run(
                ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *attempt],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
            )
            if ended.returncode == 0 and attempt is not arguments:
                continue
            if ended.returncode == 0:
                return
    raise ClusterError(f"apt-get {arguments[0]} failed; its log is {log}", log)
