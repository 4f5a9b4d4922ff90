"""The vendor's commands, and the only module that runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from misc.agent.credentials import Credentials
from misc.agent.errors import AgentError
from misc.agent.settings import Settings

# The name of our endpoint in the client's own list, ~/.ctm/env.json.
ENVIRONMENT = "controlm"
# Setting an agent up waits for the server; everything else is one request.
SETUP_SECONDS = 600.0
SECONDS = 90.0
# How long a command may go on once the pod is to end.
ENDING_SECONDS = 20.0
CONNECTION = Path(__file__).with_name("connection.json")


class RefusedError(AgentError):
    """A command ended with another code than 0; `said` is what it printed."""

    def __init__(self, told: str, said: str) -> None:
        super().__init__(f"{told}: {' '.join(said.split())[-400:] or 'no word of why'}")
        self.said = said


class ControlM:
    """Control-M as the agent's own commands reach it.

    `beat` is called about once a second while a command runs; `ending` tells that the pod is to
    end.
    """

    def __init__(
        self, settings: Settings, beat: Callable[[], None], ending: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._beat = beat
        self._ending = ending

    def log_in(self, credentials: Credentials) -> None:
        """Give the client its endpoint and credentials, in place of those it had.

        The client takes them on its command line only. So they stand there for the time of this
        one call, seen by processes of this container alone, and are written nowhere by us.
        """
        with suppress(RefusedError):  # there was none
            self._run("ctm", "env", "delete", ENVIRONMENT)
        self._run("ctm", "env", "add", ENVIRONMENT, credentials.endpoint, secret=credentials.words)
        self._run("ctm", "env", "set", ENVIRONMENT)

    def knows_agent(self) -> bool:
        """Tell whether the server has an agent of our alias."""
        server, alias = self._settings.server, self._settings.alias
        return mentions(self._run("ctm", "config", "server:agents::get", server, alias), alias)

    def set_up(self) -> None:
        """Configure the agent, register it with the server, and start it."""
        self._run(
            "ctm", "provision", "agent::setup", self._settings.server, self._settings.alias,
            str(self._settings.port), "-f", str(CONNECTION), seconds=SETUP_SECONDS,
        )  # fmt: skip

    def join(self) -> None:
        """Put the agent into its host group, which is made where there is none."""
        try:
            self._host_group("add")
        except RefusedError as error:
            if "already exists" not in error.said:
                raise

    def leave(self) -> None:
        """Take the agent out of its host group."""
        try:
            self._host_group("delete")
        except RefusedError:
            members = self._run(
                "ctm", "config", "server:hostgroup:agents::get",
                self._settings.server, self._settings.host_group,
            )  # fmt: skip
            if mentions(members, self._settings.alias):
                raise

    def remove(self) -> None:
        """Take the agent out of the server."""
        server, alias = self._settings.server, self._settings.alias
        try:
            self._run("ctm", "config", "server:agent::delete", server, alias)
        except RefusedError:
            if self.knows_agent():
                raise

    def answers(self) -> bool:
        """Tell whether agent and server hear each other."""
        try:
            self._run("ag_ping")
        except AgentError:
            return False
        return True

    def start(self) -> None:
        """Start the agent's processes."""
        self._run("start-ag", "-u", self._settings.user, "-p", "ALL")

    def stop(self) -> None:
        """Stop the agent's processes."""
        self._run("shut-ag", "-u", self._settings.user, "-p", "ALL")

    def _host_group(self, verb: str) -> None:
        self._run(
            "ctm", "config", f"server:hostgroup:agent::{verb}",
            self._settings.server, self._settings.host_group, self._settings.alias,
        )  # fmt: skip

    def _run(self, *words: str, secret: Sequence[str] = (), seconds: float = SECONDS) -> str:
        """Run a command and return what it prints on stdout; what is secret is never told on."""
        told = " ".join((*words, *("***" for _ in secret)))
        # Files, not pipes: a daemon that a command leaves behind holds its stdout open.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    [*words, *secret],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    # A group of its own, so that all of a command that hangs can be killed.
                    start_new_session=True,
                )
            except OSError as error:
                raise AgentError(
                    f"{words[0]} cannot be run ({error.strerror}): "
                    "is Control-M's agent in this image?"
                ) from error
            self._wait(process, told, seconds)
            printed, complained = _said(out, secret), _said(err, secret)
        if process.returncode != 0:
            raise RefusedError(f"{told} ended with {process.returncode}", f"{printed} {complained}")
        return printed

    def _wait(self, process: subprocess.Popen[bytes], told: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        hurried = False
        while True:
            self._beat()
            try:
                process.wait(timeout=1.0)
                return
            except subprocess.TimeoutExpired:
                if self._ending() and not hurried:
                    hurried = True
                    until = min(until, time.monotonic() + ENDING_SECONDS)
                if time.monotonic() > until:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise AgentError(f"{told} gave no answer in time") from None


def _said(file: IO[bytes], secret: Sequence[str]) -> str:
    """Return what was written to the file, without the secrets, plain or quoted as JSON."""
    file.seek(0)
    text = file.read().decode(errors="replace")
    for each in secret:
        for form in (json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1], each):
            text = text.replace(form, "***")
    return text


def mentions(answer: str, name: str) -> bool:
    """Tell whether a JSON answer holds this text as a value, wherever its release puts it."""
    try:
        return _holds(json.loads(answer), name)
    except ValueError:
        return False


def _holds(value: object, name: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(each, name) for each in value.values())
    if isinstance(value, list):
        return any(_holds(each, name) for each in value)
    return value == name
