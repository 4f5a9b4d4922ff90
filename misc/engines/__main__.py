"""The command: every embedded engine at once, until Ctrl-C or for one command."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from misc.engines import kafka, s3, sample, snowflake, x
from misc.engines.process import EngineError

NAME = "python -m misc.engines"
TOPICS = {"tweets": 4, "tweets-dead-letters": 1}
POSTS = 2_000
# In 15 minutes: the larger of X's two documented limits, so that a try-out can be repeated.
SEARCHES = 450
# Python runs a signal's handler in the main thread, but a thread of the start-up that is just
# ending may be the one that the system tells: so the main thread wakes up to look.
_LOOK_SECONDS = 0.5
BAD_INPUT, NOT_STARTED, NOT_FOUND = 2, 3, 127


def main(argv: Sequence[str] | None = None) -> int:
    """Start the engines, serve, and return the exit code: the command's, where there is one."""
    given = list(sys.argv[1:] if argv is None else argv)
    split = given.index("--") if "--" in given else len(given)
    arguments = _parser().parse_args(given[:split])
    command = given[split + 1 :]
    if arguments.posts and not arguments.posts.is_file():
        return _fail(f"--posts {arguments.posts}: there is no such file", BAD_INPUT)
    if command and not shutil.which(command[0]):
        return _fail(f"{command[0]}: there is no such program", NOT_FOUND)
    try:
        began = time.monotonic()
        with everything(arguments.folder, arguments.posts, arguments.rate) as settings:
            if command:
                return _run(command, settings)
            ended = threading.Event()
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, lambda *_: ended.set())
            for name, value in settings.items():
                print(f"export {name}={shlex.quote(value)}")
            sys.stdout.flush()
            seconds = time.monotonic() - began
            print(f"{NAME}: ready in {seconds:.1f} s, until Ctrl-C", file=sys.stderr, flush=True)
            while not ended.wait(_LOOK_SECONDS):
                pass
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except EngineError as error:
        return _fail(str(error), NOT_STARTED)
    return 0


@contextmanager
def everything(
    folder: Path | None = None, posts: Path | None = None, rate: float | None = None
) -> Iterator[dict[str, str]]:
    """Run all engines, started at the same time, and yield their settings together.

    The tables of the warehouse outlast this in the folder, where one is given.
    """
    engines = (
        kafka.embedded(TOPICS),
        snowflake.embedded(folder / "warehouse" if folder else None),
        s3.embedded(),
        x.embedded(posts or sample.posts(POSTS), rate=rate, limits={"searches": SEARCHES}),
    )
    with ExitStack() as stack:
        with ThreadPoolExecutor(len(engines)) as pool:
            started = [pool.submit(stack.enter_context, engine) for engine in engines]
        settings: dict[str, str] = {}
        for each in started:
            settings |= each.result()
        yield settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        usage="%(prog)s [--folder DIR] [--posts FILE] [--rate N] [-- COMMAND…]",
        description="Kafka, Snowflake, S3 and X for try-outs: prints their settings and serves "
        "until Ctrl-C, or runs COMMAND with them and ends with its exit code.",
    )
    parser.add_argument("--folder", type=Path, help="keep the warehouse's tables in this folder")
    parser.add_argument("--posts", type=Path, help="what X sends: JSON lines (default: a sample)")
    parser.add_argument(
        "--rate", type=float, help="posts that X gets a second (default: it has them all)"
    )
    return parser


def _run(command: Sequence[str], settings: Mapping[str, str]) -> int:
    child = subprocess.Popen(command, env={**os.environ, **settings})
    # A terminal sends Ctrl-C to the command too; its engines stay until it has ended.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while (code := child.poll()) is None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_SECONDS)
    return code if code >= 0 else 128 - code


def _fail(reason: str, code: int) -> int:
    print(f"{NAME}: error: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
