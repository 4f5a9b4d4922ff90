"""A Chromium for the tests: the system's; root on Debian has it installed where there is none."""

from __future__ import annotations

import os
import shutil

from tests.cluster.errors import ClusterError
from tests.cluster.layout import layout_from
from tests.cluster.packages import apt
from tests.cluster.progress import step

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# No sandbox, as root may have none; nothing that asks a network on its own.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class NoBrowserError(Exception):
    """There is no Chromium; one line says how to get it."""


def chromium() -> str:
    """Return the path of a Chromium."""
    if found := _found():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            with step("install chromium"):
                apt(
                    layout_from(os.environ),
                    ["install", "-y", "--no-install-recommends", "chromium"],
                )
        except ClusterError as error:
            raise NoBrowserError(f"no Chromium: {error}; apt-get install chromium") from error
        if found := _found():
            return found
    raise NoBrowserError("no Chromium on the path; as root: apt-get install chromium")


def _found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
