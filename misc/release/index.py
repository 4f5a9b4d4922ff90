"""The package index, by pip alone: wheels that the lock names, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from misc.release.errors import ReleaseError
from misc.release.lock import Package, requirements

# The same wheels wherever a release is made. All are pure but PyYAML, of which the pure part is
# taken: it has no wheel without its speedups.
_PURE = ("--platform", "any", "--implementation", "py", "--abi", "none")
_LINUX = ("--platform", "manylinux2014_x86_64", "--implementation", "cp")
_OLDEST = ("--python-version", "3.10")
_NATIVE = ("pyyaml",)


def wheels(packages: Iterable[Package], folder: Path, *, checked: bool = True) -> list[Path]:
    """Fetch a wheel of each package into folder; checked, it must be the one that is locked."""
    packages = list(packages)
    folder.mkdir(parents=True, exist_ok=True)
    for platform, native in ((_PURE, False), (_LINUX, True)):
        some = [package for package in packages if (package.name in _NATIVE) is native]
        if some:
            _pip("download", some, checked, folder, "--dest", str(folder), *platform, *_OLDEST)
    return sorted(folder.glob("*.whl"))


def install(packages: Iterable[Package], folder: Path) -> None:
    """Install packages into a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    _pip("install", list(packages), True, folder, "--target", str(folder), "--no-compile")


def _pip(
    command: str, packages: Sequence[Package], checked: bool, folder: Path, *options: str
) -> None:
    asked = folder / "requirements.txt"
    lines = requirements(packages)
    asked.write_text(lines if checked else lines.replace(" --hash=sha256:", " # "))
    line = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"]
    line += ["--no-deps", "--only-binary", ":all:", *(["--require-hashes"] if checked else [])]
    line += [*options, "--requirement", str(asked)]
    # The machine's index and certificates hold; what a shell says of versions does not.
    settings = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    done = subprocess.run(line, env=settings, capture_output=True, text=True, check=False)
    asked.unlink()
    if done.returncode:
        names = ", ".join(package.name for package in packages)
        raise ReleaseError(f"pip {command} of {names}: {_why(done.stderr)}")


def _why(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["no reason"]
    return errors[0].removeprefix("ERROR:").strip()[:300]
