"""Rehearsals of small folders, with real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Told:
    """What a rehearsal came to."""

    code: int
    out: str
    err: str
    record: dict[str, Any]
    folder: Path

    def job(self, name: str) -> dict[str, Any]:
        [found] = [job for job in self.record["jobs"] if job["name"] == name]
        return dict(found)

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text(encoding="utf-8")


def written(tmp_path: Path, profile: str, **jobs: Any) -> list[str]:
    """Write a folder of jobs and a profile, and return the command line."""
    (tmp_path / "profile.yaml").write_text(profile, encoding="utf-8")
    folder = {"Type": "Folder", **jobs}
    (tmp_path / "day.json").write_text(json.dumps({"Day": folder}), encoding="utf-8")
    line = [sys.executable, "-m", "ctm.rehearse", str(tmp_path / "day.json")]
    return [*line, "--profile", str(tmp_path / "profile.yaml"), "--out", str(tmp_path / "out")]


def rehearsed(tmp_path: Path, *options: str, profile: str = "minute: 0", **jobs: Any) -> Told:
    line = [*written(tmp_path, profile, **jobs), *options]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    path = tmp_path / "out" / "record.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Told(done.returncode, done.stdout, done.stderr, record, tmp_path / "out")


def command(line: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Job:Command", "Command": line, **more}


def flow(*names: str) -> dict[str, Any]:
    return {"Type": "Flow", "Sequence": list(names)}


def gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
