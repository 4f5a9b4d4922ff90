"""What the fake nodes' kubelets answer when the API server asks for a pod's log.

kwok plays such a kubelet too, but its followed logs never end. Here a container's log is one line,
``a line of POD``, stamped with the container's start, and a follow ends when the container does.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster.network import API_PORT, NODE_ADDRESS, NODE_LOGS_PORT

# A request may be quicker than the watch that tells of its pod, in seconds.
_NEWS = 10.0
_WATCH = "/api/v1/pods?labelSelector=batch.kubernetes.io/job-name&watch=true"


class Pod:
    """When the container started, and whether it is over; both come from the watch."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.over = threading.Event()
        self.stamp = ""


class Pods:
    """The pods of Jobs by namespace and name, as a watch tells of them."""

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], Pod] = {}
        self._lock = threading.Lock()

    def named(self, namespace: str, name: str) -> Pod:
        """Return what is known of a pod, and will be."""
        with self._lock:
            return self._pods.setdefault((namespace, name), Pod())

    def take(self, change: Mapping[str, Any]) -> None:
        """Take in one step of the watch."""
        body = change["object"]
        key = body["metadata"]["namespace"], body["metadata"]["name"]
        pod = self.named(*key)
        containers = body["status"].get("containerStatuses") or [{}]
        state = containers[0].get("state", {})
        started = (state.get("running") or state.get("terminated") or {}).get("startedAt")
        if started:
            pod.stamp = started.replace("Z", ".000000000Z")
            pod.started.set()
        if change["type"] == "DELETED":
            with self._lock:
                self._pods.pop(key, None)
        if change["type"] == "DELETED" or "terminated" in state:
            pod.over.set()

    def keep_watching(self, changes: Mapping[str, Path]) -> None:
        """Watch for ever, over API servers that end."""
        while True:
            try:
                for change in _changes(changes):
                    self.take(change)
            except (OSError, ValueError, LookupError, http.client.HTTPException) as error:
                print(f"watch: {error}", flush=True)
            time.sleep(1)


def _changes(keys: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Yield what there is and then each change, until the watch ends."""
    context = ssl.create_default_context(cafile=str(keys["authority"]))
    context.load_cert_chain(keys["certificate"], keys["key"])
    asked = http.client.HTTPSConnection(NODE_ADDRESS, API_PORT, context=context)
    try:
        asked.request("GET", _WATCH)
        for line in asked.getresponse():
            yield json.loads(line)
    finally:
        asked.close()


def text_of(pod: str, stamp: str, query: Mapping[str, list[str]]) -> bytes:
    """Return the log as it was asked for; ``sinceTime`` leaves out what is older."""
    if query.get("sinceTime", [""])[0][:19] > stamp[:19]:
        return b""
    stamped = query.get("timestamps", ["false"])[0] == "true"
    return f"{f'{stamp} ' if stamped else ''}a line of {pod}\n".encode()


class Answer(BaseHTTPRequestHandler):
    """One connection of the API server: GET /containerLogs/NAMESPACE/POD/CONTAINER."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        parts = asked.path.strip("/").split("/")
        if len(parts) != 4 or parts[0] != "containerLogs":
            self.send_error(404)
            return
        pod = self.server.pods.named(parts[1], parts[2])
        if not pod.started.wait(_NEWS):
            self.send_error(400, "the container waits to start")
            return
        query = parse_qs(asked.query)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(text_of(parts[2], pod.stamp, query))
        if query.get("follow", ["false"])[0] == "true":
            pod.over.wait()
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, text: bytes) -> None:
        if text:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


class Server(ThreadingHTTPServer):
    """The server of all fake nodes: they share the node's address."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], keys: Mapping[str, Path], pods: Pods) -> None:
        super().__init__(address, Answer)
        self.pods = pods
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys["certificate"], keys["key"])
        # The handshake is left to the connection's own thread.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )


def main(certificates: str) -> None:
    """Serve until killed; the folder holds the cluster's certificates."""
    folder = Path(certificates)
    ours = {"authority": folder / "ca.crt"}
    pods = Pods()
    admin = {**ours, "certificate": folder / "admin.crt", "key": folder / "admin.key"}
    threading.Thread(target=pods.keep_watching, args=(admin,), daemon=True).start()
    node = {**ours, "certificate": folder / "apiserver.crt", "key": folder / "apiserver.key"}
    Server((NODE_ADDRESS, NODE_LOGS_PORT), node, pods).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
