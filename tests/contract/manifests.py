"""Manifests as tests of the contract write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.contract.api import Json


def job_of(name: str, script: str, **container: Any) -> Json:
    """Describe a Job of one container that runs a line of shell."""
    main = {
        "name": "main",
        "image": "busybox:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        **container,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [main]}},
        },
    }


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def write(path: Path, *documents: Json) -> str:
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)
