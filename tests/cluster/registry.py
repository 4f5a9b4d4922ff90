"""A stand-in image registry whose repositories fail in the ways that real ones do.

``busybox`` serves at once, under any tag. ``slow`` spreads its layer over 20 seconds and
``flaky`` answers 503 for the 25 seconds after a tag is first asked for; ``slow-N`` and
``flaky-N`` do so for N seconds. ``missing``, ``denied``, ``forbidden``, ``quota`` and ``broken``
never serve. Each tag is an image of its own: nothing of it is on the node before, and the kubelet,
which remembers what it pulled by contents, does not take the imported busybox for one of these.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import time
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.cluster import oci
from tests.cluster.images import busybox_image
from tests.cluster.network import REGISTRY

_ASKED = re.compile(r"/v2/(?P<name>[^/]+)/(?P<kind>manifests|blobs)/(?P<what>[^/?]+)")
_TIMED = re.compile(r"(?P<kind>slow|flaky)(?:-(?P<seconds>[0-9]+))?")
_USUAL_SECONDS = {"slow": 20.0, "flaky": 25.0}
_CHUNKS = 40


class Refusal(NamedTuple):
    """How a repository says no: the HTTP status, the registry's code and its sentence."""

    status: int
    code: str
    message: str


_REFUSALS = {
    "denied": Refusal(401, "UNAUTHORIZED", "authentication required"),
    "forbidden": Refusal(403, "DENIED", "requested access to the resource is denied"),
    "quota": Refusal(
        429,
        "TOOMANYREQUESTS",
        "You have reached your unauthenticated pull rate "
        "limit. https://www.docker.com/increase-rate-limit",
    ),
    "broken": Refusal(500, "UNKNOWN", "unknown error"),
}
_MISSING = Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
_UNAVAILABLE = Refusal(503, "UNAVAILABLE", "service unavailable")


def seconds_of(name: str, kind: str) -> float | None:
    """Return for how long a repository is slow or flaky; None when it is not of that kind."""
    found = _TIMED.fullmatch(name)
    if found is None or found["kind"] != kind:
        return None
    return float(found["seconds"]) if found["seconds"] else _USUAL_SECONDS[kind]


@lru_cache(maxsize=64)
def image_of(tag: str) -> oci.Packed:
    """Return the image under a name and tag: busybox, and a file that tells them."""
    image = busybox_image()
    return oci.pack(dataclasses.replace(image, files={**image.files, "etc/tag": tag.encode()}))


class Registry(ThreadingHTTPServer):
    """The server; ``since`` is a folder with one file per flaky tag, as old as its first pull."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], since: Path) -> None:
        super().__init__(address, Answer)
        self.since = since

    def refusal(self, name: str, reference: str) -> Refusal | None:
        """Return why this manifest is not served now, or None."""
        if name in _REFUSALS:
            return _REFUSALS[name]
        seconds = seconds_of(name, "flaky")
        if seconds is not None:
            # A manifest is asked for by its digest only when its tag was served just before.
            if reference.startswith("sha256:"):
                return None
            first = self.since / f"{name}@{reference}"
            if not first.exists():
                first.touch()
            return _UNAVAILABLE if time.time() - first.stat().st_mtime < seconds else None
        known = name == "busybox" or seconds_of(name, "slow") is not None
        return None if known else _MISSING

    def packed(self, name: str, reference: str) -> oci.Packed | None:
        """Return the image that a tag or a digest of its manifest means."""
        if not reference.startswith("sha256:"):
            image = image_of(f"{name}:{reference}")
            (self.since / oci.digest(image.manifest)).write_text(f"{name}:{reference}")
            return image
        tagged = self.since / reference
        return image_of(tagged.read_text()) if tagged.exists() else None

    def blob(self, wanted: str) -> bytes | None:
        """Return a blob of any image that was asked for."""
        for tagged in self.since.glob("sha256:*"):
            blobs = image_of(tagged.read_text()).blobs
            if wanted in blobs:
                return blobs[wanted]
        return None


class Answer(BaseHTTPRequestHandler):
    """The answer to one request."""

    protocol_version = "HTTP/1.1"
    server: Registry

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Serve a manifest, a blob or a token that opens nothing."""
        if self.path.startswith("/token"):
            self._send(200, json.dumps({"token": "anonymous"}).encode(), "application/json")
            return
        asked = _ASKED.match(self.path)
        if asked is None:
            self._send(200, b"{}", "application/json")
            return
        name, what = asked["name"], asked["what"]
        if asked["kind"] == "blobs":
            blob = self.server.blob(what)
            if blob is None:
                self._refuse(name, _MISSING)
            else:
                self._send(200, blob, "application/octet-stream", seconds_of(name, "slow") or 0.0)
            return
        refusal = self.server.refusal(name, what)
        packed = self.server.packed(name, what) if refusal is None else None
        if packed is None:
            self._refuse(name, refusal or _MISSING)
        else:
            self._send(200, packed.manifest, oci.MANIFEST)

    def _refuse(self, name: str, refusal: Refusal) -> None:
        error = {"code": refusal.code, "message": refusal.message, "detail": None}
        self._send(
            refusal.status,
            json.dumps({"errors": [error]}).encode(),
            "application/json",
            challenge=name if refusal.status == 401 else "",
        )

    def _send(
        self, status: int, body: bytes, media_type: str, seconds: float = 0.0, challenge: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if media_type == oci.MANIFEST:
            self.send_header("Docker-Content-Digest", oci.digest(body))
        if challenge:
            # A client that knows nobody gets a token, and learns only then that it is worthless.
            scope = f'scope="repository:{challenge}:pull"'
            failed = ',error="insufficient_scope"' if self.headers.get("Authorization") else ""
            self.send_header(
                "WWW-Authenticate",
                f'Bearer realm="http://{REGISTRY}/token",service="registry",{scope}{failed}',
            )
        self.end_headers()
        if self.command == "HEAD":
            return
        # Small blobs come at once, or a configuration would be as slow as a layer.
        pauses = _CHUNKS if seconds and len(body) > 64 * 1024 else 1
        size = -(-len(body) // pauses) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            time.sleep(seconds / pauses if pauses > 1 else 0.0)


def main(address: str, since: str) -> None:
    """Serve images at ``address`` until killed; ``since`` remembers when a tag was asked for."""
    folder = Path(since)
    folder.mkdir(parents=True, exist_ok=True)
    host, _, port = address.partition(":")
    with Registry((host, int(port)), folder) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
