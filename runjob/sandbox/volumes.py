"""Volumes: checked as the kubelet checks them before a pod starts, but not mounted.

Without mount namespaces a path in a container cannot be made different from the same path of
this machine. So emptyDir, hostPath, configMap, secret and claim volumes are accepted and checked,
and have no effect on what the processes see.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from .resources import CONFIGMAPS, SECRETS, Json, Resource

SOURCES = (("configMap", "name", CONFIGMAPS), ("secret", "secretName", SECRETS))


def why_not_mounted(pod: Json, find: Callable[[Resource, str], Json | None]) -> str | None:
    """Word the kubelet's complaint about the first volume that cannot be mounted."""
    for volume in pod["spec"].get("volumes") or ():
        why = _why_not(volume, find)
        if why is not None:
            return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
    return None


def _why_not(volume: Json, find: Callable[[Resource, str], Json | None]) -> str | None:
    for field, key, resource in SOURCES:
        source = volume.get(field) or {}
        name = source.get(key)
        if name and not source.get("optional") and find(resource, name) is None:
            return f'{resource.plural.removesuffix("s")} "{name}" not found'
    host = volume.get("hostPath") or {}
    path = host.get("path", "")
    if host.get("type") == "Directory" and not os.path.isdir(path):
        return f"hostPath type check failed: {path} is not a directory"
    if host.get("type") == "File" and not os.path.isfile(path):
        return f"hostPath type check failed: {path} is not a file"
    return None
