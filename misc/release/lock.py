"""The lock: each package that a release holds or asks for, as it was tested."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("lock.json")


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package: sha256 is that of its wheel, where a release takes one.

    licence is an SPDX expression, or words where the package gives none. extras names what of ours
    asks for it, "" for the launcher itself; needs names packages by their normal names.
    """

    name: str
    version: str
    licence: str = ""
    sha256: str = ""
    extras: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """packages are what the project asks for; bundle names those in runjob.pyz; tools build."""

    packages: Mapping[str, Package]
    bundle: tuple[str, ...]
    tools: tuple[Package, ...]

    @property
    def bundled(self) -> tuple[Package, ...]:
        return tuple(self.packages[name] for name in self.bundle)


def normal(name: str) -> str:
    """Return a package's name as https://peps.python.org/pep-0503/ normalizes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> Lock:
    """Read a lock's text."""
    found = json.loads(text)
    packages = [_package(each) for each in found["packages"]]
    return Lock(
        {package.name: package for package in packages},
        tuple(found["bundle"]),
        tuple(_package(each) for each in found["tools"]),
    )


def text(lock: Lock) -> str:
    """Write a lock, the same for the same lock."""
    return (
        json.dumps(
            {
                "bundle": sorted(lock.bundle),
                "tools": [_row(each) for each in lock.tools],
                "packages": [_row(lock.packages[name]) for name in sorted(lock.packages)],
            },
            indent=1,
        )
        + "\n"
    )


def requirements(packages: Iterable[Package]) -> str:
    """Write a requirements file that takes these wheels and no other."""
    return "".join(
        f"{each.name}=={each.version} --hash=sha256:{each.sha256}\n" for each in packages
    )


def _row(package: Package) -> dict[str, Any]:
    return {key: value for key, value in asdict(package).items() if value}


def _package(row: Mapping[str, Any]) -> Package:
    values = dict(row)
    for key in ("extras", "needs"):
        values[key] = tuple(values.get(key, ()))
    return Package(**values)
