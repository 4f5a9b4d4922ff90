"""Builds with buildah, in a storage of its own below the cache; as root, on Debian."""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import oci
from tests.cluster.errors import ClusterError
from tests.cluster.images import busybox_image
from tests.cluster.layout import Layout
from tests.cluster.node import locked
from tests.cluster.packages import apt
from tests.cluster.progress import step
from tests.containers.recipes import (
    CHECKOUT,
    PYTHON_PACKAGES,
    SUITE,
    Recipe,
    tag,
)

# Where the Dockerfiles look for the certificates of a package index.
_AUTHORITY = "/run/secrets/authority"
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "cert")
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Built:
    """An image by its full name, and the tar file that it lies in."""

    name: str
    file: Path


def built(layout: Layout, recipe: Recipe) -> Built:
    """Return the image, built now where the cache has none of these contents."""
    contents = tag(recipe)
    image = Built(
        name=f"{recipe.repository}:{contents}",
        file=layout.images / f"{recipe.name}-{contents}.tar",
    )
    with locked(layout):
        if not image.file.exists():
            layout.images.mkdir(parents=True, exist_ok=True)
            _install(layout)
            builder = _Buildah(layout)
            base = builder.python() if recipe.base == "python" else builder.busybox()
            with step(f"build the image {image.name} (once for these contents)"):
                builder.build(recipe, base, image)
    return image


def _install(layout: Layout) -> None:
    missing = [name for name in ("buildah", "mmdebstrap") if not shutil.which(name)]
    if missing:
        with step(f"install {' '.join(missing)}"):
            apt(layout, ["install", "-y", "--no-install-recommends", *missing])


class _Buildah:
    def __init__(self, layout: Layout) -> None:
        self._images = layout.images
        self._log = layout.images / "buildah.log"
        storage = layout.cache / "containers"
        self._command = ["buildah", "--root", str(storage / "storage")]
        self._command += ["--runroot", str(storage / "run"), "--storage-driver", "overlay"]

    def build(self, recipe: Recipe, base: str, image: Built) -> None:
        """Build an image and write it to its file; what there was of older contents goes."""
        older = self._tags(recipe.repository)
        with _secrets() as secrets:
            self._run(
                "build", "--isolation", "chroot", "--layers", *secrets,
                "--build-arg", f"BASE={base}", "--tag", image.name,
                "--file", str(CHECKOUT / recipe.dockerfile), str(CHECKOUT),
            )  # fmt: skip
        fresh = image.file.with_suffix(".part")
        fresh.unlink(missing_ok=True)
        self._run("push", "--quiet", image.name, f"docker-archive:{fresh}:{image.name}")
        for former in self._images.glob(f"{recipe.name}-*.tar"):
            former.unlink()
        fresh.replace(image.file)
        for name in older - {image.name}:
            self._run("rmi", name)

    def python(self) -> str:
        """Return the name of a small Debian with Python, made once per machine."""
        name = f"localhost/runjob/python:{'-'.join((SUITE, *PYTHON_PACKAGES))}"
        if name not in self._tags("localhost/runjob/python"):
            root = self._images / "python-root.tar"
            with step(f"make the base {name} (once per machine)"):
                unread = [f"path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
                options = [f"--dpkgopt={each}" for each in unread]
                options += ["--variant=minbase", f"--include={','.join(PYTHON_PACKAGES)}"]
                self._logged(["mmdebstrap", "--quiet", *options, SUITE, str(root)])
                self._commit(root, name)
                root.unlink()
        return name

    def busybox(self) -> str:
        """Return the name of the cluster's own busybox, here."""
        packed = oci.pack(busybox_image())
        name = f"localhost/runjob/busybox:{oci.digest(packed.manifest)[7:19]}"
        if name not in self._tags("localhost/runjob/busybox"):
            with step(f"make the base {name}"), tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "busybox.tar"
                oci.write(packed, file)
                self._run("tag", self._run("pull", "--quiet", f"oci-archive:{file}"), name)
        return name

    def _commit(self, root: Path, name: str) -> None:
        container = self._run("from", "scratch")
        self._run("add", "--quiet", container, str(root), "/")
        self._run("config", "--env", f"PATH={_SEARCHED}", "--cmd", "python3", container)
        self._run("commit", "--quiet", "--rm", container, name)

    def _tags(self, repository: str) -> set[str]:
        listed = self._run("images", "--format", "{{.Name}}:{{.Tag}}").splitlines()
        return {name for name in listed if name.rpartition(":")[0] == repository}

    def _run(self, *arguments: str) -> str:
        return self._logged([*self._command, *arguments])

    def _logged(self, command: list[str]) -> str:
        """Run a command and return what it prints; all of it is in the log, too."""
        with self._log.open("a") as log:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
            )
            log.write(ended.stdout)
        if ended.returncode != 0:
            raise ClusterError(f"{command[0]} failed; its log is {self._log}", self._log)
        return ended.stdout.strip()


@contextmanager
def _secrets() -> Iterator[list[str]]:
    """Yield the options that let pip reach in a build the package index that it reaches here."""
    settings = pip_settings(
        subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    with tempfile.TemporaryDirectory() as folder:
        options = []
        if authority := settings.get("cert"):
            options = ["--secret", f"id=authority,src={authority}"]
            settings = {**settings, "cert": _AUTHORITY}
        configuration = configparser.RawConfigParser()
        configuration["global"] = settings
        file = Path(folder) / "pip.conf"
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            configuration.write(out)
        yield [*options, "--secret", f"id=pip,src={file}"]


def pip_settings(listed: str) -> Mapping[str, str]:
    """Read from `pip config list` how the index is reached; the environment's word is the last.

    A line is `global.index-url='…'` for what a file says, `:env:.index-url='…'` for a variable.
    """
    found: dict[str, str] = {}
    for section in ("global", ":env:"):
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            name = key.removeprefix(f"{section}.")
            if name != key and name in _PIP_SETTINGS:
                found[name] = str(ast.literal_eval(value))
    return found
