"""Images: what a name stands for on this machine, and how pulling it can go wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

# Where a name without a host is looked for; it stands in the messages of container runtimes.
DEFAULT_REGISTRY = "docker.io"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:\d))(?::\d+)?/)?{_PART}(?:/{_PART})*"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)

# The text of application/run_app.sh: the embedded cluster runs without the application.
COUNTER = r"""#!/bin/sh
# The counting sample: counts to LOOPCTR (10), sleeps STIME (5) seconds after each number and ends
# with XCODE (0). SIGTERM ends it at once with 143; a number that is none ends it with 2.
LOOPCTR=${LOOPCTR:-10} STIME=${STIME:-5} XCODE=${XCODE:-0}

refuse() {
    echo "run_app.sh: error: $1 is '$2', and must be $3" >&2
    exit 2
}

# Nine digits are what every shell can count to.
case $LOOPCTR in *[!0-9]* | ??????????*) refuse LOOPCTR "$LOOPCTR" "at most nine digits" ;; esac
case $STIME in *[!0-9.]* | *.*.* | .) refuse STIME "$STIME" "seconds such as 5 or 0.5" ;; esac
case $XCODE in *[!0-9]* | ????*) refuse XCODE "$XCODE" "an exit code from 0 to 255" ;; esac
[ "$XCODE" -le 255 ] || refuse XCODE "$XCODE" "an exit code from 0 to 255"

# A shell puts a trap off until its command has ended, but not while it waits for one. A sleep that
# is just being started can miss any signal but the ninth.
trap 'kill -9 $! 2>/dev/null; exit 143' TERM
count=1
while [ "$count" -le "$LOOPCTR" ]; do
    echo "Iteration $count of $LOOPCTR"
    sleep "$STIME" &
    wait $!
    count=$((count + 1))
done
exit "$XCODE"
"""


@dataclass(frozen=True)
class Image:
    """An image: the command it runs, and how its pull behaves.

    A pod's ``command`` replaces ``command`` and ``args``, its ``args`` only ``args``. A pull
    takes ``pull_seconds`` and then fails with ``pull_error``, if there is one, the first
    ``pull_failures`` times (None: for ever).
    """

    name: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    pull_seconds: float = 0.0
    pull_error: str | None = None
    pull_failures: int | None = None


KNOWN = (
    Image("busybox:1", args=("sh",)),
    Image("busybox", args=("sh",)),
    Image("python:3", args=(sys.executable,), environment={"PYTHONUNBUFFERED": "1"}),
    Image("joegoldberg/controlm:appimage", ("sh", "-c", COUNTER)),
)


def missing(name: str) -> Image:
    """Make the image that every name outside the table stands for."""
    error = _unresolved(name, f"{resolved(name)}: not found")
    return Image(name, pull_error=f"rpc error: code = NotFound desc = {error}")


def denied(name: str) -> Image:
    """Make an image that the registry does not hand out."""
    why = (
        "pull access denied, repository does not exist or may require authorization: server "
        "message: insufficient_scope: authorization failed"
    )
    return Image(name, pull_error=_unresolved(name, why))


def unavailable(image: Image, failures: int | None = 1, answer: str = "502 Bad Gateway") -> Image:
    """Copy an image so that its registry answers some pulls with a server error."""
    host, _, path = resolved(image.name).partition("/")
    repository, _, tag = path.rpartition(":")
    where = f"https://{host}/v2/{repository}/manifests/{tag}"
    error = _unresolved(image.name, f"unexpected status from HEAD request to {where}: {answer}")
    return replace(image, pull_error=error, pull_failures=failures)


def over_quota(image: Image, failures: int | None = 1) -> Image:
    """Copy an image so that the kubelet's own quota holds up some pulls."""
    return replace(image, pull_error="pull QPS exceeded", pull_failures=failures)


def _unresolved(name: str, why: str) -> str:
    where = resolved(name)
    return f'failed to pull and unpack image "{where}": failed to resolve image: {why}'


def why_invalid(name: str) -> str | None:
    """Word the kubelet's refusal of a name that is no image reference; None when it is one."""
    if _REFERENCE.fullmatch(name):
        return None
    why = "invalid reference format"
    if name != name.lower():
        path = name.partition(":")[0]
        path = path if "/" in path else f"library/{path}"
        why = f"{why}: repository name ({path}) must be lowercase"
    return f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": {why}'


def resolved(name: str) -> str:
    """Write out an image name in full, as the container runtime does."""
    host, slash, rest = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = DEFAULT_REGISTRY, name if slash else f"library/{name}"
    last = rest.rpartition("/")[2]
    return f"{host}/{rest}" + ("" if ":" in last or "@" in last else ":latest")


class Images:
    """The image table of the node, with what was pulled so far."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._table = {resolved(image.name): image for image in (*KNOWN, *images)}
        self._tried: dict[str, int] = {}
        # The node has the images of its own at hand, as -p Never asks.
        self._present = {
            resolved(image.name) for image in KNOWN if not image.name.startswith("127.0.0.1")
        }

    def add(self, image: Image) -> None:
        """Put an image in the table, in place of one of that name."""
        where = resolved(image.name)
        self._table[where] = image
        self._tried.pop(where, None)
        self._present.discard(where)

    def find(self, name: str) -> Image:
        return self._table.get(resolved(name)) or missing(name)

    def present(self, name: str) -> bool:
        return resolved(name) in self._present

    def pull(self, name: str) -> str | None:
        """Finish one pull; return the error it fails with, None when it succeeds."""
        image, where = self.find(name), resolved(name)
        tried = self._tried[where] = self._tried.get(where, 0) + 1
        limit = image.pull_failures
        if image.pull_error is not None and (limit is None or tried <= limit):
            return image.pull_error
        self._present.add(where)
        return None
