"""Bills of materials in CycloneDX's JSON: https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from misc.release.lock import Package

ROOT = "runjob"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The file that a bill is about; asks is what it asks for itself, by normal names."""

    file: str
    data: bytes
    version: str
    asks: tuple[str, ...]
    notes: Mapping[str, str]


def bill(subject: Subject, packages: Iterable[Package], epoch: int) -> str:
    """Write the bill of a file that holds or asks for packages."""
    packages = sorted(packages, key=lambda package: package.name)
    known = {package.name for package in packages}
    digest = hashlib.sha256(subject.data).hexdigest()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": ROOT,
                "name": ROOT,
                "version": subject.version,
                "purl": f"pkg:pypi/{ROOT}@{subject.version}",
                "licenses": [{"expression": "Apache-2.0"}],
                "hashes": _hashes(digest),
                "properties": _properties({"file": subject.file, **subject.notes}),
            },
        },
        "components": [_component(package) for package in packages],
        "dependencies": [
            {"ref": ROOT, "dependsOn": sorted(known.intersection(subject.asks))},
            *(
                {"ref": _ref(each), "dependsOn": sorted(known.intersection(each.needs))}
                for each in packages
            ),
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _ref(package: Package) -> str:
    return package.name


def _component(package: Package) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": _ref(package),
        "name": package.name,
        "version": package.version,
        "purl": f"pkg:pypi/{package.name}@{package.version}",
        "scope": "required" if "" in package.extras else "optional",
    }
    if package.licence:
        found["licenses"] = [_licence(package.licence)]
    if package.sha256:
        found["hashes"] = _hashes(package.sha256)
    extras = [extra for extra in package.extras if extra]
    if extras and "" not in package.extras:
        found["properties"] = _properties({"extras": ",".join(extras)})
    return found


def _licence(licence: str) -> dict[str, Any]:
    # Words that are no SPDX expression are in quotes in the lock.
    if licence.startswith('"'):
        return {"license": {"name": licence.strip('"')}}
    return {"expression": licence}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"{ROOT}:{name}", "value": values[name]} for name in sorted(values)]
