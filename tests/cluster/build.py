"""Kubernetes, etcd and containerd, built once per machine through the Go module proxy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.programs import CONTAINERD, KUBERNETES, Source
from tests.cluster.progress import step

_STAGED = re.compile(r"^\s*(?:replace\s+)?(\S+) => \./staging/", re.MULTILINE)
_GO_LINES = re.compile(r"^(?:go|godebug) .*$", re.MULTILINE)


def build_all(layout: Layout) -> None:
    """Build what a node needs and is not there yet."""
    if shutil.which("go") is None:
        raise ClusterError("the go command is needed to build Kubernetes; it is not on the PATH")
    for source in (KUBERNETES, CONTAINERD):
        build(layout, source)
    pause = layout.programs / "pause"
    if not pause.exists():
        with step("build pause"):
            _go(
                layout,
                "pause",
                ["build", *_flags(()), "-o", str(pause), "main.go"],
                SOURCES / "pause",
            )


def build(layout: Layout, source: Source) -> None:
    """Build one source, unless its stamp says that just this was built before."""
    stamp = layout.builds / f"{source.name}.stamp"
    wanted = repr(source)
    there = all((layout.programs / name).exists() for name, _ in source.programs)
    if there and stamp.exists() and stamp.read_text() == wanted:
        return
    with step(f"build {source.name} {source.version} (once per machine, minutes)"):
        folder = layout.builds / source.name
        folder.mkdir(parents=True, exist_ok=True)
        layout.programs.mkdir(parents=True, exist_ok=True)
        (folder / "go.mod").write_text(_wrapper(layout, source))
        fresh = folder / "programs"
        fresh.mkdir(exist_ok=True)
        packages = [package for _, package in source.programs]
        flags = _flags(source.variables, source.tags)
        _go(layout, source.name, ["build", *flags, "-o", f"{fresh}/", *packages], folder)
        for name, package in source.programs:
            # A program that runs cannot be written over, but its name can be given away.
            (fresh / built_as(package)).replace(layout.programs / name)
        stamp.write_text(wanted)


def _wrapper(layout: Layout, source: Source) -> str:
    """Return the go.mod of a module that does nothing but require ``source`` at its version."""
    original = _go_mod_of(layout, source)
    lines = [f"module runjob.test/{source.name}", *_GO_LINES.findall(original)]
    lines.append(f"require {source.module} {source.version}")
    if source.staged:
        staged = "v0." + source.version.split(".", 1)[1]
        lines += [f"replace {name} => {name} {staged}" for name in _STAGED.findall(original)]
    return "\n".join(lines) + "\n"


def _go_mod_of(layout: Layout, source: Source) -> str:
    asked = f"{source.module}@{source.version}"
    _go(layout, source.name, ["mod", "download", asked], layout.builds)
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True
    ).stdout.strip()
    # The module cache writes an upper-case letter as ! and the lower-case one.
    escaped = re.sub(r"[A-Z]", lambda letter: "!" + letter[0].lower(), source.module)
    path = Path(cache) / "cache" / "download" / escaped / "@v" / f"{source.version}.mod"
    return path.read_text()


def built_as(package: str) -> str:
    """Return the file name that go gives to a program: its folder, but for a major version."""
    *_, folder, last = package.split("/")
    return folder if re.fullmatch(r"v[0-9]+", last) else last


def _flags(variables: tuple[tuple[str, str], ...], tags: str = "") -> list[str]:
    stamped = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in variables)])
    return ["-mod=mod", "-trimpath", "-tags", tags, "-ldflags", stamped]


def _go(layout: Layout, name: str, arguments: list[str], folder: Path) -> None:
    layout.builds.mkdir(parents=True, exist_ok=True)
    log = layout.builds / f"{name}.log"
    # Static programs: they run in any namespace, and all share one set of compiled packages.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    with log.open("a") as out:
        ended = subprocess.run(
            ["nice", "-n", "10", "go", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        )
    if ended.returncode != 0:
        raise ClusterError(f"go {arguments[0]} failed for {name}; its log is {log}", log)
