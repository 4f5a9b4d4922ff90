"""An agent on this machine: its settings, its Secret as Kubernetes mounts it, and the stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.containers.recipes import CHECKOUT
from tests.contract.launches import wait_until

COMMANDS = ("ctm", "start-ag", "shut-ag", "ag_ping")
STAND_IN = Path(__file__).with_name("stand_in.py")
ALIAS, GROUP = "node1:7006", "kubernetes"
FIRST = {"endpoint": "https://ctm.example:8443/automation-api", "username": "emuser",
         "password": "first-secret"}  # fmt: skip


@dataclass(frozen=True)
class Folder:
    """The folders of one agent."""

    top: Path

    def make(self) -> None:
        """Make the commands, the Secret and the agent as an image has it."""
        commands = self.top / "bin"
        for each in (commands, self.top / "server", self.top / "ctm" / "data"):
            each.mkdir(parents=True)
        for name in COMMANDS:
            (commands / name).write_text(
                STAND_IN.read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable} -IS", 1)
            )
            (commands / name).chmod(0o755)
        (self.top / "ctm" / "data" / "CONFIG.dat").write_text("as shipped")
        self.mount(FIRST)

    def mount(self, secret: Mapping[str, str]) -> None:
        """Exchange the Secret's files as the kubelet does: a new folder, then one link."""
        mounted = self.top / "secrets"
        mounted.mkdir(exist_ok=True)
        data = mounted / f"..{len(list(mounted.iterdir()))}"
        data.mkdir()
        for name, text in secret.items():
            (data / f"{name}.secret").write_text(f"{text}\n")
            link = mounted / f"{name}.secret"
            if not link.is_symlink():
                link.symlink_to(Path("..data") / link.name)
        fresh = mounted / "..fresh"
        fresh.symlink_to(data.name)
        fresh.rename(mounted / "..data")

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}",
            "STAND_IN": str(self.top / "server"),
            "CTM_SERVER": "IN01",
            "CTM_HOSTGROUP": GROUP,
            "AGENT_HOST": "node1",
            "AGENT_SECRETS": str(self.top / "secrets"),
            "CONTROLM": str(self.top / "ctm"),
            "AGENT_VOLUME": str(self.top / "volume"),
            "AGENT_RUN": str(self.top / "run"),
        }

    def calls(self) -> list[list[str]]:
        file = self.top / "server" / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def server(self) -> dict[str, Any]:
        """Return what the server knows, but not while it is being written."""
        file = self.top / "server" / "server.json"
        try:
            known: dict[str, Any] = json.loads(file.read_text())
        except (FileNotFoundError, ValueError):
            return {"agents": [], "groups": {}}
        return known

    def trouble(self, words: str | None) -> None:
        """Let the server refuse everything with these words, or nothing any more."""
        file = self.top / "server" / "trouble"
        if words is None:
            file.unlink()
        else:
            file.write_text(words)

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the agent to its end."""
        return subprocess.run(
            [sys.executable, "-m", "misc.agent", *words],
            cwd=CHECKOUT,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


class Started:
    """An agent that runs; what it tells goes to a file, so that nothing has to be read."""

    def __init__(self, folder: Folder, log: IO[str], settings: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "misc.agent", "start"],
            cwd=CHECKOUT,
            env={**folder.environment, **settings},
            stdout=log,
            stderr=log,
        )
        self._log = Path(log.name)

    @property
    def text(self) -> str:
        return self._log.read_text()

    def until(self, happened: Callable[[], object], what: str) -> None:
        try:
            wait_until(lambda: happened() or self.process.poll() is not None, what)
        finally:
            assert happened(), f"{what}: {self.text}"

    def told(self, words: str) -> None:
        self.until(lambda: words in self.text, f"{words!r}")

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def started(folder: Folder, name: str, settings: Mapping[str, str]) -> Iterator[Started]:
    """Start an agent, and end it in any case."""
    with (folder.top / name).open("w") as log:
        agent = Started(folder, log, settings)
        try:
            yield agent
        finally:
            if agent.process.poll() is None:
                agent.process.kill()
                agent.process.wait()
