"""What a container's runtime says of a command that it cannot start."""

from __future__ import annotations

from tests.runjob.scenes import ended

NOT_FOUND = 'exec: "{}": executable file not found in $PATH: unknown'
RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: "
)
STUCK = ended(128, "StartError", message=RUNC + NOT_FOUND.format("nope"))
