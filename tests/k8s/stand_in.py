#!/usr/bin/env python3
"""Stands in for the vendor's commands: records each call, and keeps what a server would know.

It goes by the name that it is called by: ctm, start-ag, shut-ag, ag_ping. Everything lies in the
folder that STAND_IN names: `calls`, a JSON list a line; `callers`, the last word of each caller's
command line; `server.json`; `trouble`, with the words
that the server refuses everything with; `hang`, while which nothing is answered.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

Server = dict[str, Any]
KNOWN = {"agents": [], "groups": {}, "environments": {}, "running": False}


def main(name: str, words: list[str]) -> int:
    """Answer one call; return its exit code."""
    folder = Path(os.environ["STAND_IN"])
    with (folder / "calls").open("a") as calls:
        calls.write(json.dumps([name, *words]) + "\n")
    caller = Path(f"/proc/{os.getppid()}/cmdline").read_text().split("\0")[-2]
    with (folder / "callers").open("a") as callers:
        callers.write(f"{caller}\n")
    while (folder / "hang").exists():
        time.sleep(0.05)
    file = folder / "server.json"
    before = file.read_text() if file.exists() else json.dumps(KNOWN)
    server: Server = json.loads(before)
    trouble = folder / "trouble"
    try:
        if trouble.exists() and (name, words[:1]) not in (("start-ag", ["-u"]), ("ctm", ["env"])):
            raise ValueError(trouble.read_text())
        answer = act(server, name, words)
    except ValueError as error:
        print(f"error: {error} (called with {words})", file=sys.stderr)
        return 1
    # A question writes nothing: it may be asked while another call changes something.
    if json.dumps(server) != before:
        file.write_text(json.dumps(server))
    print(json.dumps(answer))
    return 0


def act(server: Server, name: str, words: list[str]) -> object:
    """Do what is asked; raises ValueError for what a server refuses."""
    match [name, *words]:
        case ["ctm", "env", "delete", environment]:
            if server["environments"].pop(environment, None) is None:
                raise ValueError("no such environment")
        case ["ctm", "env", "add", environment, endpoint, *credentials] if credentials:
            server["environments"][environment] = [endpoint, *credentials]
        case ["ctm", "env", "set", environment] if environment in server["environments"]:
            pass
        case ["ctm", "config", "server:agents::get", _, alias]:
            found = [each for each in server["agents"] if each == alias]
            return {"agents": [{"nodeid": each, "status": "Available"} for each in found]}
        case ["ctm", "provision", "agent::setup", _, alias, _, "-f", configuration]:
            if json.loads(Path(configuration).read_text()) != {
                "connectionInitiator": "AgentToServer"
            }:
                raise ValueError("no persistent connection")
            server["agents"] = sorted({*server["agents"], alias})
            server["running"] = True
        case ["ctm", "config", "server:agent::delete", _, alias]:
            server["agents"].remove(alias)
        case ["ctm", "config", "server:hostgroup:agents::get", _, group]:
            return [{"host": each} for each in server["groups"].get(group, [])]
        case ["ctm", "config", "server:hostgroup:agent::add", _, group, alias]:
            members = server["groups"].setdefault(group, [])
            if alias in members:
                raise ValueError(f"{alias} already exists in hostgroup {group}")
            members.append(alias)
        case ["ctm", "config", "server:hostgroup:agent::delete", _, group, alias]:
            members = server["groups"].get(group, [])
            members.remove(alias)
            if not members:
                del server["groups"][group]
        case ["start-ag" | "shut-ag", "-u", _, "-p", "ALL"]:
            server["running"] = name == "start-ag"
        case ["ag_ping"] if server["running"]:
            pass
        case _:
            raise ValueError("no such command")
    return {}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[0]).name, sys.argv[1:]))
