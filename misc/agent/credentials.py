"""The .secret files by which the agent logs in, as Kubernetes mounts them from a Secret."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from misc.agent.errors import SettingsError

NAMES = ("endpoint", "username", "password", "token")


@dataclass(frozen=True)
class Credentials:
    """An Automation API endpoint, and what opens it: a token, or a user and a password."""

    endpoint: str
    words: tuple[str, ...] = field(repr=False)


def credentials(folder: Path) -> Credentials:
    """Read the files; a token goes before a user. Raises SettingsError that tells none of them."""
    # Kubernetes exchanges all files at once by this link: one look at it, and they belong together.
    data = folder / "..data"
    found = _files(data.resolve() if data.exists() else folder)
    endpoint = found.get("endpoint", "")
    if not endpoint.startswith("https://"):
        raise SettingsError(
            f"{folder}/endpoint.secret must hold the Automation API's address, "
            "https://HOST:8443/automation-api"
        )
    if "token" in found:
        return Credentials(endpoint, (found["token"],))
    if "username" in found and "password" in found:
        return Credentials(endpoint, (found["username"], found["password"]))
    raise SettingsError(f"{folder} must hold token.secret, or username.secret and password.secret")


def identity(folder: Path) -> str:
    """Return a text that differs once one of the files was exchanged; it tells no contents."""
    seen = []
    for name in NAMES:
        try:
            state = os.stat(folder / f"{name}.secret")
        except OSError:
            continue
        seen.append(f"{name} {state.st_ino} {state.st_mtime_ns}")
    return "\n".join(seen)


def _files(folder: Path) -> dict[str, str]:
    found = {}
    for name in NAMES:
        try:
            text = (folder / f"{name}.secret").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise SettingsError(f"{folder}/{name}.secret cannot be read") from error
        if len(text.split()) > 1 and name != "password":
            raise SettingsError(f"{folder}/{name}.secret must hold one word")
        if text:
            found[name] = text
    return found
