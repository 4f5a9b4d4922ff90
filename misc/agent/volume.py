"""What an agent must find again after a restart, kept on a volume."""

from __future__ import annotations

import shutil
from pathlib import Path

# What the vendor's documentation and samples keep: jobs' states, outputs, logs, configuration.
FOLDERS = (
    "backup", "capdef", "dailylog", "data", "measure", "onstmt", "pid", "procid", "proclog",
    "status", "sysout", "temp", "cm/AI/ccp_cache", "cm/AI/CustomerLogs", "cm/AI/data",
)  # fmt: skip


def keep_on_volume(home: Path, volume: Path) -> None:
    """Put links to the volume in place of the agent's folders; may be done any number of times.

    The first time the image's own contents go to the volume; what lies there later is the truth.
    """
    for name in FOLDERS:
        shipped, kept = home / name, volume / name
        if not kept.exists():
            _copy(shipped, kept)
        if shipped.is_symlink():
            shipped.unlink()
        elif shipped.exists():
            shutil.rmtree(shipped)
        shipped.parent.mkdir(parents=True, exist_ok=True)
        shipped.symlink_to(kept)


def _copy(shipped: Path, kept: Path) -> None:
    """Copy under another name first: a copy that was cut off must not look like a whole one."""
    part = kept.with_name(f"{kept.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if shipped.is_dir() and not shipped.is_symlink():
        shutil.copytree(shipped, part, symlinks=True)
    else:
        part.mkdir(parents=True)
    part.rename(kept)
