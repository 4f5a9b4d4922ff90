"""Make the lock anew out of what is installed: `python -m misc.release --relock`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement

from misc.release import index
from misc.release.errors import ReleaseError
from misc.release.lock import Lock, Package, normal

EXTRAS = ("pipeline", "engines", "report", "docs")
TOOLS = ("setuptools",)
# The client asks for it on behalf of the half that is left out of the bundle.
NOT_BUNDLED = ("aiohttp",)


def lock(root: Lock, folder: Path) -> Lock:
    """Return the lock of what is installed; root gives the tools, which are not."""
    packages: dict[str, Package] = {}
    for extra in ("", *EXTRAS):
        for name in _closure(_asked("runjob", (extra,) if extra else ()), ()):
            found = packages.get(name) or _package(name)
            packages[name] = replace(found, extras=(*found.extras, extra))
    bundle = sorted(_closure(_asked("runjob", ()), NOT_BUNDLED))
    for wheel in index.wheels([packages[name] for name in bundle], folder, checked=False):
        name = normal(wheel.name.partition("-")[0])
        packages[name] = replace(
            packages[name], sha256=hashlib.sha256(wheel.read_bytes()).hexdigest()
        )
    return Lock(packages, tuple(bundle), root.tools)


def _closure(first: Iterable[Requirement], without: Iterable[str]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    told = set(without)
    waiting = list(first)
    while waiting:
        asked = waiting.pop(0)
        name = normal(asked.name)
        if name in without:
            continue
        if name not in told:
            told.add(name)
            yield name
        for extra in ("", *asked.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _asked(name, (extra,) if extra else ())


def _asked(name: str, extras: Iterable[str]) -> list[Requirement]:
    """Return what a package asks for here, with the extras."""
    found = [Requirement(line) for line in metadata.requires(name) or ()]
    asked = ("", *extras)
    return [
        each
        for each in found
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in asked)
    ]


def _package(name: str) -> Package:
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise ReleaseError(f"{name} is not installed: make test installs all extras") from error
    return Package(
        name=name,
        version=str(told["Version"]),
        licence=licence(told),
        needs=tuple(sorted({normal(each.name) for each in _asked(name, ())})),
    )


def licence(told: metadata.PackageMetadata) -> str:
    """Return an SPDX expression, else the package's words in quotes, else nothing."""
    fields = ("License-Expression", "License")
    words = [(told.get_all(field) or [""])[0].strip() for field in fields]
    for word in words:
        try:
            if word:
                return str(canonicalize_license_expression(word))
        except InvalidLicenseExpression:
            continue
    start = "License :: "
    kinds = [line for line in told.get_all("Classifier") or () if line.startswith(start)]
    names = sorted({line.rpartition(" :: ")[2] for line in kinds} - {"OSI Approved"})
    if names == ["MIT License"]:  # the one classifier that is one licence
        return "MIT"
    first = " or ".join(names) or (words[1].splitlines() or [""])[0][:80]
    return f'"{first}"' if first else ""
