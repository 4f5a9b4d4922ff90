"""Where everything lies: one folder for what is built, one for what runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Layout:
    """The paths below the cache folder; nothing of the checkout is written to."""

    cache: Path

    @property
    def programs(self) -> Path:
        return self.cache / "programs"

    @property
    def builds(self) -> Path:
        return self.cache / "build"

    @property
    def images(self) -> Path:
        return self.cache / "images"

    @property
    def lock(self) -> Path:
        return self.cache / "cluster.lock"

    @property
    def cluster(self) -> Path:
        return self.cache / "cluster"

    @property
    def logs(self) -> Path:
        return self.cluster / "logs"

    @property
    def certificates(self) -> Path:
        return self.cluster / "pki"

    @property
    def configuration(self) -> Path:
        return self.cluster / "config"

    @property
    def etcd(self) -> Path:
        return self.cluster / "etcd"

    @property
    def node(self) -> Path:
        """Return the folder of what the node sees at /var/log, /var/lib/kubelet and so on."""
        return self.cluster / "node"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def pod_logs(self) -> Path:
        return self.node / "log" / "pods"

    @property
    def kubeconfig(self) -> Path:
        return self.cluster / "kubeconfig"

    @property
    def launcher_kubeconfig(self) -> Path:
        return self.cluster / "launcher.kubeconfig"

    @property
    def description(self) -> Path:
        return self.cluster / "cluster.json"

    @property
    def record(self) -> Path:
        """Return the file that tells which processes were started."""
        return self.cluster / "processes.json"

    @property
    def mounted(self) -> Path:
        """Return the file that appears once the node's mounts are made."""
        return self.node / "mounted"

    @property
    def registry(self) -> Path:
        return self.cluster / "registry"


def layout_from(environment: os._Environ[str] | dict[str, str]) -> Layout:
    """Return the layout that RUNJOB_CACHE, or else the user's cache folder, asks for."""
    named = environment.get("RUNJOB_CACHE")
    if named:
        return Layout(Path(named).absolute())
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Layout(Path(home).absolute() / "runjob")
