"""The command line of the test cluster: up, down, status, and what tests do to it."""

from __future__ import annotations

import argparse
import os
import sys

from tests.cluster import controls, node, scale
from tests.cluster.daemons import alive, api_ready
from tests.cluster.errors import ClusterError, last_lines
from tests.cluster.layout import Layout, layout_from

_COMMANDS = {
    "up": "build what is missing and bring the cluster up",
    "down": "end all of it; builds, images and logs stay",
    "status": "tell which daemons run; exit 0 when all do",
    "kill-api": "kill the API server, as a crash would",
    "start-api": "start the API server again",
    "restart-kubelet": "kill the kubelet and start it anew",
    "kwok": "add five fake nodes, for thousands of pods that do nothing",
    "kwok-down": "take the fake nodes away",
}


def main(arguments: list[str]) -> int:
    """Do what the first argument says; return the exit code."""
    epilog = "\n".join(f"{name:16} {what}" for name, what in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=list(_COMMANDS))
    layout = layout_from(os.environ)
    command = parser.parse_args(arguments).command
    try:
        if os.geteuid() != 0 and command != "status":
            raise ClusterError("only root may make the namespaces of a node; run this as root")
        return _run(command, layout)
    except KeyboardInterrupt:
        print("interrupted; the next 'up' or 'down' cleans up", file=sys.stderr)
        return 130
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.log is not None:
            print(last_lines(error.log), file=sys.stderr)
        return 1


def _run(command: str, layout: Layout) -> int:
    if command == "up":
        node.up(layout)
        print(f"export KUBECONFIG={layout.kubeconfig}")
    elif command == "down":
        node.down(layout)
    elif command == "status":
        return _status(layout)
    elif command == "kill-api":
        controls.kill_api_server()
    elif command == "start-api":
        controls.start_api_server()
    elif command == "restart-kubelet":
        controls.restart_kubelet()
    elif command == "kwok-down":
        scale.stop_kwok(layout)
    else:
        scale.start_kwok(layout)
    return 0


def _status(layout: Layout) -> int:
    daemons = alive(layout)
    for name, runs in daemons.items():
        print(f"{name:24} {'runs' if runs else 'ended'}")
    up = node.is_up(layout)
    print("up" if up else "down" if not any(daemons.values()) else "not complete")
    if daemons.get("kube-apiserver") and not api_ready(layout):
        print("the API server runs, but is not ready")
    return 0 if up else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
