"""What the pod tells its agent in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from misc.agent.errors import SettingsError

# What Control-M takes as the name of an agent.
LONGEST_ALIAS = 85
LEAVING = ("decommission", "keep")


@dataclass(frozen=True)
class Settings:
    """Where the agent belongs, and where its files lie.

    `leaves` tells whether its end takes it out of Control-M: not where the same name comes back
    with the same volume.
    """

    server: str
    host_group: str
    host: str
    port: int
    user: str
    leaves: bool
    secrets: Path
    home: Path
    volume: Path
    run: Path

    @property
    def alias(self) -> str:
        """The name by which Control-M knows the agent."""
        return f"{self.host}:{self.port}"


def settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError for what is missing or wrong."""
    read = Settings(
        server=_needed(environ, "CTM_SERVER", "the name of the Control-M/Server"),
        host_group=_needed(environ, "CTM_HOSTGROUP", "the host group that jobs name"),
        host=_needed(environ, "AGENT_HOST", "the node's name, or the pod's in a StatefulSet"),
        port=_port(environ.get("AGENT_PORT") or "7006"),
        user=environ.get("AGENT_USER") or "controlm",
        leaves=_leaves(environ.get("AGENT_ON_STOP") or LEAVING[0]),
        secrets=Path(environ.get("AGENT_SECRETS") or "/etc/controlm"),
        home=Path(environ.get("CONTROLM") or "/home/controlm/ctm"),
        volume=Path(environ.get("AGENT_VOLUME") or "/var/lib/controlm"),
        run=Path(environ.get("AGENT_RUN") or "/tmp/controlm-agent"),
    )
    if len(read.alias) > LONGEST_ALIAS:
        raise SettingsError(
            f"AGENT_HOST:AGENT_PORT is {len(read.alias)} characters long, and Control-M takes "
            f"{LONGEST_ALIAS}: {read.alias}"
        )
    return read


def _needed(environ: Mapping[str, str], name: str, meaning: str) -> str:
    value = environ.get(name, "").strip()
    if not value or value.startswith("-") or any(each.isspace() for each in value):
        raise SettingsError(f"{name} is {value!r}, and must be {meaning}")
    return value


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1025 <= int(value) <= 65535:
        raise SettingsError(f"AGENT_PORT is {value!r}, and must be a number from 1025 to 65535")
    return int(value)


def _leaves(value: str) -> bool:
    if value not in LEAVING:
        raise SettingsError(f"AGENT_ON_STOP is {value!r}, and must be {' or '.join(LEAVING)}")
    return value == LEAVING[0]
