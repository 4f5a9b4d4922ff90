"""An embedded one-node Kubernetes, for trying out and for tests.

What differs from a real cluster, so that nobody has to find out:

- Containers are processes of this machine, run as the user of the sandbox, without namespaces or
  cgroups. They see this machine's files and network, and of its environment only PATH.
- Volumes are checked as a kubelet checks them (a missing ConfigMap holds the pod), but not mounted.
  terminationMessagePath has no effect either; FallbackToLogsOnError has. Claims are bound at once.
- A process is not PID 1: SIGTERM ends one that does not handle it, where in a real container it
  would live until SIGKILL. What leaves its process group outlives the container.
- limits.memory is enforced by looking at resident memory every few hundredths of a second.
- Probes, affinities, taints, quotas and access rules are accepted without effect. Known images are
  "pulled" in no time, unless told otherwise; all others are not found.
- Back-offs begin with a fraction of a second and end at ten seconds (see ``node.Timings``).
- backoffLimitPerIndex, successPolicy and server-side apply are not there, nor are bodies in
  protobuf, which ``kubectl create secret`` and its like send; ``kubectl apply -f`` works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .embedded import Sandbox
    from .faults import Fault
    from .images import Image

__all__ = ["Fault", "Image", "Sandbox"]

_HOMES = {"Fault": "faults", "Image": "images", "Sandbox": "embedded"}


def __getattr__(name: str) -> object:
    """Load a part when it is first asked for: importing the package must stay cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
