"""Run one Kubernetes Job: every log line once, the truth about its end, nothing left behind.

import runjob

job = runjob.build_job("hello", "busybox:1", command=["echo", "hello"])
verdict = runjob.run(job, kubeconfig="/path/to/kubeconfig")
print(verdict.ok, verdict.sentence)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runjob.errors import LaunchError
from runjob.version import VERSION

if TYPE_CHECKING:
    from runjob.api import build_job, read_job, run
    from runjob.options import JobOptions, RunOptions
    from runjob.verdict import Verdict

__version__ = VERSION

__all__ = [
    "JobOptions",
    "LaunchError",
    "RunOptions",
    "Verdict",
    "__version__",
    "build_job",
    "read_job",
    "run",
]

_HOMES = {
    "build_job": "runjob.api",
    "read_job": "runjob.api",
    "run": "runjob.api",
    "JobOptions": "runjob.options",
    "RunOptions": "runjob.options",
    "Verdict": "runjob.verdict",
}


def __getattr__(name: str) -> Any:
    # Loaded at first use: `runjob --help` needs none of it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
