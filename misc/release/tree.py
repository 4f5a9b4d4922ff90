"""The tree that a release is made of: what belongs to it, and when it was made."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from misc.release.errors import ReleaseError

# What an sdist lists that was made for it.
_MADE = ("PKG-INFO", "setup.cfg")
_MADE_FOLDERS = ("runjob.egg-info/", "share/")
_LISTED = "runjob.egg-info/SOURCES.txt"


def files(root: Path) -> tuple[str, ...]:
    """Return the names of what belongs to the project: what git tracks, or an sdist lists."""
    if (root / ".git").exists():
        names = _git(root, "ls-files", "-z", "--cached").split("\0")
    else:
        try:
            names = (root / _LISTED).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ReleaseError(
                f"{root} is neither a git checkout nor an unpacked sdist: no .git, no {_LISTED}"
            ) from error
        names = listed(names)
    return tuple(sorted({name for name in names if name and (root / name).is_file()}))


def listed(names: Iterable[str]) -> list[str]:
    """Leave out of an sdist's names what was made for the sdist."""
    return [name for name in names if name not in _MADE and not name.startswith(_MADE_FOLDERS)]


def epoch(root: Path, environ: Mapping[str, str]) -> int:
    """Return the time of the release: SOURCE_DATE_EPOCH, else that of the commit."""
    asked = environ.get("SOURCE_DATE_EPOCH", "")
    if asked:
        if not (asked.isascii() and asked.isdigit()):
            raise ReleaseError(
                f"SOURCE_DATE_EPOCH is {asked!r:.40}, and must be seconds since 1970"
            )
        return int(asked)
    if not (root / ".git").exists():
        raise ReleaseError(
            f"{root} is no git checkout, so its time is not known: set SOURCE_DATE_EPOCH to "
            "seconds since 1970"
        )
    return int(_git(root, "log", "-1", "--format=%ct"))


def changed(root: Path) -> bool:
    """Tell whether tracked files differ from the commit."""
    return (root / ".git").exists() and bool(
        _git(root, "status", "--porcelain", "--untracked-files=no").strip()
    )


def export(root: Path, to: Path, when: int) -> None:
    """Copy what belongs to the project, with modes and times that no umask and no clock chose."""
    for name in files(root):
        source, target = root / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
        os.utime(target, (when, when))


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        )
    except FileNotFoundError as error:
        raise ReleaseError("no git, which tells what belongs to this checkout") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"ended with {error.returncode}"]
        raise ReleaseError(f"git {words[0]} in {root}: {lines[0]}") from error
    return done.stdout
