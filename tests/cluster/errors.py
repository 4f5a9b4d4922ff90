"""What goes wrong on the way to a running cluster."""

from __future__ import annotations

from pathlib import Path


class ClusterError(Exception):
    """A step that failed; the message is one line, the log's last lines say the rest."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, indented; empty when there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line[:400]}" for line in lines[-count:])
