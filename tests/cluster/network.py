"""The node's own network: a namespace, and one cable between it and the machine."""

from __future__ import annotations

import subprocess

from tests.cluster.errors import ClusterError

NAMESPACE = "runjob"
NODE_ADDRESS = "10.213.7.2"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443
KUBELET_PORT = 10250
NODE_LOGS_PORT = 10247
API_SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"
REGISTRY = "127.0.0.1:5000"
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
POD_RANGE = "10.244.0.0/16"

_OUTSIDE, INSIDE = "runjob0", "node0"
_HOST_ADDRESS = "10.213.7.1"


def create_network() -> None:
    """Make the namespace; from the machine only the node's address can be reached, no pod's."""
    inside = ["ip", "netns", "exec", NAMESPACE]
    for command in (
        ["ip", "netns", "add", NAMESPACE],
        [
            "ip",
            "link",
            "add",
            _OUTSIDE,
            "type",
            "veth",
            "peer",
            "name",
            INSIDE,
            "netns",
            NAMESPACE,
        ],
        ["ip", "address", "add", f"{_HOST_ADDRESS}/30", "dev", _OUTSIDE],
        ["ip", "link", "set", _OUTSIDE, "up"],
        [*inside, "ip", "link", "set", "lo", "up"],
        [*inside, "ip", "address", "add", f"{NODE_ADDRESS}/30", "dev", INSIDE],
        [*inside, "ip", "link", "set", INSIDE, "up"],
        # The name server of the pods answers on the address that a cluster's DNS usually has.
        [*inside, "ip", "address", "add", f"{DNS_ADDRESS}/32", "dev", "lo"],
        [
            *inside,
            "sysctl",
            "-q",
            "-w",
            "net.ipv4.ip_forward=1",
            "net.bridge.bridge-nf-call-iptables=1",
        ],
    ):
        _run(command)


def remove_network() -> None:
    """Remove the namespace and the cable, where they are there."""
    for command in (["ip", "link", "delete", _OUTSIDE], ["ip", "netns", "delete", NAMESPACE]):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _run(command: list[str]) -> None:
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise ClusterError(f"'{' '.join(command)}' failed: {ended.stderr.strip()}")
