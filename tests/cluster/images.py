"""The images that tests run: busybox, the sample application, a Python one, and pause."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster import oci
from tests.cluster.errors import ClusterError
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.packages import apt
from tests.cluster.progress import step

BUSYBOX = "docker.io/library/busybox:1"
SAMPLE = "docker.io/joegoldberg/controlm:appimage"
AGENT = "docker.io/runjob/agent:1"
PAUSE = "docker.io/runjob/pause:1"
_BUSYBOX = Path("/bin/busybox")

# Debian 12's python3.11 and what its standard library loads, in the order of unpacking.
_PYTHON_PACKAGES = (
    "base-files",
    "netbase",
    "tzdata",
    "media-types",
    "libc6",
    "libgcc-s1",
    "libcrypt1",
    "zlib1g",
    "libexpat1",
    "libssl3",
    "libbz2-1.0",
    "liblzma5",
    "libffi8",
    "libsqlite3-0",
    "libuuid1",
    "libtinfo6",
    "libncursesw6",
    "libreadline8",
    "libdb5.3",
    "libtirpc3",
    "libnsl2",
    "libkrb5-3",
    "libgssapi-krb5-2",
    "libk5crypto3",
    "libkrb5support0",
    "libcom-err2",
    "libkeyutils1",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "python3.11-minimal",
    "python3.11",
)
_PYTHON_LIBRARIES = ("kubernetes>=36,<37", "PyYAML>=6")


def image_files(layout: Layout) -> list[Path]:
    """Return the tar files of all images, made now where the cache has none.

    A file's name carries a hash of what it is made from, so that a change here makes a new one.
    """
    layout.images.mkdir(parents=True, exist_ok=True)
    made = [
        _made(layout, busybox_image()),
        _made(layout, _sample_image()),
        _made(layout, _pause_image(layout)),
    ]
    recipe = hashlib.sha256(repr((_PYTHON_PACKAGES, _PYTHON_LIBRARIES)).encode()).hexdigest()
    agent = layout.images / f"agent-{recipe[:12]}.tar"
    if not agent.exists():
        with step(f"make the image {AGENT} (once per machine)"):
            root = layout.images / "agent-root"
            shutil.rmtree(root, ignore_errors=True)
            _unpack_python(layout, root)
            oci.write(oci.pack(_agent_image(root)), agent)
            shutil.rmtree(root)
    return [*made, agent]


def busybox_image() -> oci.Image:
    """Return busybox with a link for each of its applets."""
    return _with_busybox(oci.Image(name=BUSYBOX, command=("sh",)))


def _sample_image() -> oci.Image:
    script = SOURCES.parents[1] / "application" / "run_app.sh"
    image = oci.Image(
        name=SAMPLE,
        command=(),
        entrypoint=("/bin/sh", "/app/run_app.sh"),
        files={"app/run_app.sh": script.read_bytes()},
    )
    return _with_busybox(image)


def _pause_image(layout: Layout) -> oci.Image:
    return oci.Image(
        name=PAUSE,
        command=(),
        entrypoint=("/pause",),
        programs={"pause": layout.programs / "pause"},
    )


def _agent_image(root: Path) -> oci.Image:
    image = oci.Image(
        name=AGENT,
        command=("python3",),
        environment={"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
        links={"usr/bin/python3": "python3.11"},
        folders=(root,),
    )
    return _with_busybox(image)


def _with_busybox(image: oci.Image) -> oci.Image:
    """Return the image with a shell and its tools, and users root and nobody."""
    applets = subprocess.run(
        [_BUSYBOX, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    files = {
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
        "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    }
    return dataclasses.replace(
        image,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", **image.environment},
        files={**files, **image.files},
        programs={"bin/busybox": _BUSYBOX, **image.programs},
        links={
            **{f"bin/{name}": "busybox" for name in applets if name != "busybox"},
            **image.links,
        },
    )


def _made(layout: Layout, image: oci.Image) -> Path:
    packed = oci.pack(image)
    short = image.name.rsplit("/", 1)[-1].replace(":", "-")
    path = layout.images / f"{short}-{oci.digest(packed.manifest)[7:19]}.tar"
    if not path.exists():
        with step(f"make the image {image.name}"):
            oci.write(packed, path)
    return path


def _unpack_python(layout: Layout, root: Path) -> None:
    """Unpack Python and the client library; no package's script is run, no mount is made."""
    packages = layout.images / "debian"
    packages.mkdir(exist_ok=True)
    root.mkdir()
    apt(layout, ["download", *_PYTHON_PACKAGES], packages)
    for name in _PYTHON_PACKAGES:
        # A package that an update replaced may lie beside the newer one.
        newest = max(packages.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
        _run(layout, ["dpkg-deb", "-x", str(newest), str(root)])
    for unused in ("usr/share/doc", "usr/share/man", "usr/share/lintian", "etc/passwd"):
        shutil.rmtree(root / unused, ignore_errors=True)
    libraries = root / "usr" / "local" / "lib" / "python3.11" / "dist-packages"
    only = ["--only-binary=:all:", "--python-version", "3.11", "--no-compile"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _run(layout, [*pip, "install", "-q", *only, "--target", str(libraries), *_PYTHON_LIBRARIES])
    shutil.rmtree(packages)


def _run(layout: Layout, command: list[str]) -> None:
    log = layout.images / "agent.log"
    with log.open("a") as out:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    if ended.returncode != 0:
        raise ClusterError(f"making {AGENT} failed at {command[0]}; its log is {log}", log)
