"""A name server for pods, which knows the API server's names."""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import IPv4Address

_ADDRESS, _IN = 1, 1
_ANSWER, _NO_SUCH_NAME = 0x8580, 0x8583


def names_of(service_address: str) -> dict[str, str]:
    """Return the names that are known, with their addresses."""
    name = "kubernetes.default.svc"
    return dict.fromkeys((name, f"{name}.cluster.local"), service_address)


def reply(question: bytes, names: dict[str, str]) -> bytes:
    """Return the answer to a query; short names come with a pod's search domains appended."""
    identity, _, count = struct.unpack(">HHH", question[:6])
    labels, end = _labels(question)
    kind, kind_class = struct.unpack(">HH", question[end : end + 4])
    asked = question[12 : end + 4]
    address = names.get(".".join(labels).lower())
    if count != 1 or address is None:
        return struct.pack(">HHHHHH", identity, _NO_SUCH_NAME, 1, 0, 0, 0) + asked
    if (kind, kind_class) != (_ADDRESS, _IN):
        return struct.pack(">HHHHHH", identity, _ANSWER, 1, 0, 0, 0) + asked
    # The name of the answer is a pointer to that of the question, at byte 12.
    record = struct.pack(">HHHIH", 0xC00C, _ADDRESS, _IN, 5, 4) + IPv4Address(address).packed
    return struct.pack(">HHHHHH", identity, _ANSWER, 1, 1, 0, 0) + asked + record


def _labels(question: bytes) -> tuple[list[str], int]:
    labels: list[str] = []
    at = 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return labels, at + 1


def main(address: str, service_address: str) -> None:
    """Answer queries at ``address``, port 53, for ever."""
    names = names_of(service_address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        while True:
            question, client = server.recvfrom(4096)
            try:
                answer = reply(question, names)
            except (IndexError, struct.error):
                continue
            server.sendto(answer, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
