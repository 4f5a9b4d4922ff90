"""The sandbox as a server of its own."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import sys
import threading
from pathlib import Path

from .embedded import Sandbox
from .images import Image, why_invalid

EPILOG = """\
For trying out and testing only: containers are plain processes of this machine, run as you, with
nothing to isolate them. Volumes are accepted without effect. Stop it with Ctrl-C or SIGTERM; then
every process that it started is killed and its files are removed.
"""


def image(text: str) -> Image:
    """Read ``NAME=COMMAND``; the command is split as a shell would."""
    name, equals, command = text.partition("=")
    if not equals or why_invalid(name):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=COMMAND")
    try:
        return Image(name, tuple(shlex.split(command)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"the command in {text!r}: {error}") from error


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python3 -m runjob.sandbox",
        description="Run a Kubernetes of one node on 127.0.0.1.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kubeconfig", type=Path, metavar="PATH", help="write it there as well")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    parser.add_argument(
        "--image",
        type=image,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="let an image of that name run that command; repeatable",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    chosen = options(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Sandbox(images=chosen.image, port=chosen.port) as sandbox:
            path = chosen.kubeconfig or sandbox.kubeconfig
            if chosen.kubeconfig is not None:
                _copy_private(sandbox.kubeconfig, path)
            print(f"export KUBECONFIG={shlex.quote(str(path.absolute()))}")
            print(
                "# A sandbox for trying out and testing only: containers are unisolated processes "
                "of this machine.\n"
                "# The variable is for kubectl; runjob takes that file with --kubeconfig.",
                flush=True,
            )
            ended.wait()
            if chosen.kubeconfig is not None:
                path.unlink(missing_ok=True)
    except OSError as error:
        print(f"The sandbox could not start: {error}", file=sys.stderr)
        return 1
    return 0


def _copy_private(source: Path, target: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as content, os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(content, copy)


if __name__ == "__main__":
    sys.exit(main())
