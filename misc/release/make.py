"""Make a release: the story, from a tree to a folder of files and their sums."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from email.parser import Parser
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from misc.release import archives, bundle, index, sbom, tree
from misc.release.errors import ReleaseError
from misc.release.lock import Lock, normal

SUMS = "SHA256SUMS"
LAUNCHER = "runjob.pyz"
# Where the wheel takes them from (pyproject.toml), and the launcher's words that write them.
SHARED: Mapping[str, Sequence[str]] = {
    "share/man/runjob.1": ("help", "man"),
    "share/bash/runjob": ("completion", "bash"),
    "share/fish/runjob.fish": ("completion", "fish"),
    "share/zsh/_runjob": ("completion", "zsh"),
}
# The same for everybody: no umask, clock, language or folder has a say.
_SAME = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def make(root: Path, out: Path, lock: Lock, epoch: int, tell: Callable[[str], None]) -> list[Path]:
    """Write the files of a release into out and return their paths. Raises ReleaseError."""
    with TemporaryDirectory(prefix="release-") as scratch:
        source, tools, built = (Path(scratch) / name for name in ("source", "tools", "built"))
        tree.export(root, source, epoch)
        tell("man page and completions")
        share(source, epoch)
        tell("wheel and sdist")
        index.install(lock.tools, tools)
        wheel, sdist = _build(source, tools, built, epoch)
        tell(f"{LAUNCHER} (compiled for Python {bundle.python()}, for any from 3.10 on)")
        fetched = index.wheels(lock.bundled, Path(scratch) / "wheels")
        files = {
            wheel.name: wheel.read_bytes(),
            sdist.name: archives.tarred(archives.untarred(sdist.read_bytes()), epoch),
        }
        start = (source / "misc/release/start.py").read_bytes()
        files[LAUNCHER] = launcher(
            files[wheel.name], [path.read_bytes() for path in fetched], start, epoch
        )
    tell("bills of materials")
    files |= _bills(files, wheel.name, lock, epoch)
    files[SUMS] = sums(files).encode()
    return written(files, out)


def share(source: Path, epoch: int) -> None:
    """Have the launcher write its manual page and completions where the wheel takes them from."""
    for name, words in SHARED.items():
        line = [sys.executable, "-m", "runjob", *words]
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_run(line, source, {**_SAME, "SOURCE_DATE_EPOCH": str(epoch)}))
        target.chmod(0o644)


def launcher(wheel: bytes, others: Sequence[bytes], start: bytes, epoch: int) -> bytes:
    """Return the one-file launcher, out of our own wheel and those that it needs."""
    parts = [bundle.launcher(archives.unzipped(wheel))]
    parts += [bundle.chosen(archives.unzipped(other)) for other in others]
    return archives.zipped(bundle.archive(parts, start), epoch, bundle.START)


def sums(files: Mapping[str, bytes]) -> str:
    """Return the lines that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))


def version_and_requirements(wheel: Mapping[str, bytes]) -> tuple[str, tuple[Requirement, ...]]:
    """Read a wheel's version, and what it asks for with all its extras."""
    (name,) = (each for each in wheel if each.endswith(".dist-info/METADATA"))
    told = Parser().parsestr(wheel[name].decode("utf-8"), headersonly=True)
    return str(told["Version"]), tuple(
        Requirement(str(line)) for line in told.get_all("Requires-Dist") or ()
    )


def _bills(files: Mapping[str, bytes], wheel: str, lock: Lock, epoch: int) -> dict[str, bytes]:
    version, asked = version_and_requirements(archives.unzipped(files[wheel]))
    # The same sources become the same bytes where these are the same.
    made = {"made-with-python": sys.version.split()[0], "made-with-zlib": zlib.ZLIB_RUNTIME_VERSION}
    core = tuple(normal(each.name) for each in asked if each.marker is None)
    held = sbom.Subject(file=LAUNCHER, data=files[LAUNCHER], version=version, asks=core, notes=made)
    ranges = {f"asks:{each}": normal(each.name) for each in asked if each.name != sbom.ROOT}
    tested = {
        note: lock.packages[name].version for note, name in ranges.items() if name in lock.packages
    }
    whole = sbom.Subject(
        file=wheel,
        data=files[wheel],
        version=version,
        asks=tuple(ranges.values()),
        notes={**tested},
    )
    return {
        f"{LAUNCHER}.cdx.json": sbom.bill(held, lock.bundled, epoch).encode(),
        f"{sbom.ROOT}-{version}.cdx.json": sbom.bill(whole, lock.packages.values(), epoch).encode(),
    }


def _build(source: Path, tools: Path, out: Path, epoch: int) -> tuple[Path, Path]:
    """Build the sdist, and the wheel out of it."""
    line = [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"]
    _run(
        [*line, "--outdir", str(out), str(source)],
        out.parent,
        {**_SAME, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONPATH": str(tools)},
    )
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def _run(line: Sequence[str], folder: Path, settings: Mapping[str, str]) -> bytes:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        line, cwd=folder, env=env | dict(settings), umask=0o022, capture_output=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace").splitlines()
        why = re.sub(r"\x1b\[[\d;]*m", "", said[-1]) if said else f"ended with {done.returncode}"
        raise ReleaseError(f"{' '.join(line[1:4])}: {why.strip()[:300]}")
    return done.stdout


def written(files: Mapping[str, bytes], out: Path) -> list[Path]:
    """Write each file whole or not at all, the sums last."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in sorted(files, key=lambda name: (name == SUMS, name)):
            draft = out / f".{name}"
            draft.write_bytes(files[name])
            draft.chmod(0o755 if name == LAUNCHER else 0o644)
            draft.replace(out / name)
    except OSError as error:
        raise ReleaseError(f"{out} cannot be written: {error.strerror}") from error
    return [out / name for name in sorted(files)]
