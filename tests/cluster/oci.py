"""Container images as OCI tar files, the same bytes for the same contents."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Image:
    """What an image is made of: links and small files by path, and folders taken over whole."""

    name: str
    command: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    programs: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Packed:
    """An image as a registry serves it: a manifest, and its blobs by digest."""

    name: str
    manifest: bytes
    blobs: Mapping[str, bytes]


def digest(blob: bytes) -> str:
    """Return the name that a blob goes by."""
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def pack(image: Image) -> Packed:
    """Return the image's manifest, configuration and one layer."""
    layer = _layer(image)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {
                "Cmd": list(image.command) or None,
                "Entrypoint": list(image.entrypoint) or None,
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            # Builders ask for an entry a layer.
            "history": [{"created": "1970-01-01T00:00:00Z"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, layer)],
        }
    )
    return Packed(image.name, manifest, {digest(config): config, digest(layer): layer})


def write(packed: Packed, path: Path) -> None:
    """Write the image as a tar file that ``ctr images import`` takes."""
    entry = {
        **_descriptor(MANIFEST, packed.manifest),
        "annotations": {"io.containerd.image.name": packed.name},
    }
    index = _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]})
    blobs = {**packed.blobs, digest(packed.manifest): packed.manifest}
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": index,
        **{f"blobs/{name.replace(':', '/')}": blob for name, blob in blobs.items()},
    }
    fresh = path.with_suffix(".part")
    with tarfile.open(fresh, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, blob in sorted(files.items()):
            _add(tar, name, blob, 0o644)
    fresh.replace(path)


def _layer(image: Image) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, mode in (("tmp", 0o1777), ("etc", 0o755), ("bin", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        for root in image.folders:
            for path in sorted(root.rglob("*")):
                info = tar.gettarinfo(path, arcname=str(path.relative_to(root)))
                if info is not None:
                    _add_found(tar, _plain(info), path)
        for name, content in sorted(image.files.items()):
            _add(tar, name, content, 0o755 if name.startswith("bin/") else 0o644)
        for name, path in sorted(image.programs.items()):
            _add(tar, name, path.read_bytes(), 0o755)
        for name, target in sorted(image.links.items()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, target, 0o777
            tar.addfile(link)
    return out.getvalue()


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return the entry without what differs between machines."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


def _add_found(tar: tarfile.TarFile, info: tarfile.TarInfo, path: Path) -> None:
    if info.isreg():
        with path.open("rb") as content:
            tar.addfile(info, content)
    else:
        tar.addfile(info)


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
