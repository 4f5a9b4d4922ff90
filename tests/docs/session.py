"""A reader's shell: the checkout as current directory, our programs on the PATH, a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runjob.sandbox import Sandbox
from tests.docs.pages import ROOT, is_a_shell_within

# What a launch of the pages means by its cluster is the embedded one, unless it says otherwise.
_LAUNCHER = """#!/bin/sh
for word in "$@"; do
  case "$word" in
    --sandbox | --kubeconfig | client | help | completion | --help | --version)
      exec "{python}" "{root}/runjob/runJob.py" "$@" ;;
  esac
done
exec "{python}" "{root}/runjob/runJob.py" "$@" --kubeconfig "$KUBECONFIG"
"""
_PYTHON = """#!/bin/sh
if [ "$1" = runjob/runJob.py ]; then
  shift
  exec runjob "$@"
fi
exec "{python}" "$@"
"""
# What the pages take for granted: a manifest of the reader's.
_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: told, namespace: controlm}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:1", command: [echo, "tag ${{TAG}}"]}]
"""


def typed(commands: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Type the commands of one block into one shell, which ends at the first that fails."""
    _lay_out(folder)
    with Sandbox() as sandbox:
        env = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(sandbox.kubeconfig),
        }
        return subprocess.run(
            ["sh", "-e", "-c", _script(commands)],
            cwd=folder / "checkout",
            env=env,
            capture_output=True,
            text=True,
            timeout=110,
        )


def _script(commands: Sequence[str]) -> str:
    for number, command in enumerate(commands):
        if is_a_shell_within(command):
            inside = "\n".join(commands[number + 1 :])
            return "\n".join([*commands[:number], f"{command} -e <<'INSIDE'", inside, "INSIDE", ""])
    return "\n".join(commands)


def _lay_out(folder: Path) -> None:
    """Have the checkout's files, and a place beside them for what commands write."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for path in ROOT.iterdir():
        if path.name not in ("build", "dist", ".git"):
            (checkout / path.name).symlink_to(path)
    (checkout / "build").mkdir()
    (checkout / "job.yaml").write_text(_JOB)
    programs = folder / "bin"
    programs.mkdir()
    words = {"python": sys.executable, "root": ROOT}
    for name, text in (("runjob", _LAUNCHER), ("python", _PYTHON), ("python3", _PYTHON)):
        (programs / name).write_text(text.format(**words))
        (programs / name).chmod(0o755)
