"""Jars from Maven Central, fetched once a machine."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from misc.engines.process import EngineError

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>engines</groupId><artifactId>jars</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>{}</dependencies>
</project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


def cache_folder() -> Path:
    """Return the folder of RUNJOB_CACHE, or `runjob` in the user's cache folder."""
    if named := os.environ.get("RUNJOB_CACHE"):
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home).absolute() / "runjob"


def jars(folder: Path, artifacts: Sequence[str]) -> Path:
    """Return the folder, after it holds the jars of `group:artifact:version` and all they need.

    Whoever comes second waits for the first. EngineError when Maven is missing or fails.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder, ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            began = time.monotonic()
            print(f"fetching {', '.join(artifacts)} by Maven", file=sys.stderr, flush=True)
            _fetch(folder, artifacts)
            seconds = time.monotonic() - began
            print(f"{seconds:7.1f} s  fetched into {folder}", file=sys.stderr, flush=True)
    return folder


def pom(artifacts: Sequence[str]) -> str:
    """Return a project that needs these artifacts and is nothing else."""
    return _POM.format(
        "".join(_DEPENDENCY.format(*map(escape, each.split(":"))) for each in artifacts)
    )


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(folder.name + suffix)


def _fetch(folder: Path, artifacts: Sequence[str]) -> None:
    fresh = _beside(folder, ".part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    project = fresh / "pom.xml"
    project.write_text(pom(artifacts), encoding="utf-8")
    command = ["mvn", "-B", "-q", "-f", str(project), _COPY, f"-DoutputDirectory={fresh}"]
    try:
        ended = subprocess.run(
            [*command, "-DincludeScope=runtime"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise EngineError("mvn is missing; install Maven (Debian: apt install maven)") from error
    if ended.returncode:
        said = next((line for line in ended.stdout.splitlines() if "ERROR" in line), "no reason")
        raise EngineError(f"mvn could not fetch {', '.join(artifacts)}: {said[:300]}")
    fresh.replace(folder)
