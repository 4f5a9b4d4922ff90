"""One command that shows the whole system, from an address file and posts to a page that tells.

It rehearses ctm/cust360.json on engines that need no account, with data made from a seed, and
ends with a summary and a report. The same seed and number of posts give the same matches and
actions. With --fail a producer's Job asks for a Secret that is not there, which shows how that is
told, and that Kafka is stopped all the same: it was asked for, so the demo ends with 0.

With --engines real the Jobs run in the cluster of KUBECONFIG, or else that of `make cluster`, in a
namespace of the demo, and Kafka is Apache's; X, Snowflake and S3 stay embedded. The node must be
this machine: its pods reach them by the loopback.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

from misc.engines import apache, apache_node
from misc.engines.maven import cache_folder, jars
from misc.engines.ports import listen
from misc.engines.process import EngineError

NAME = "demo"
ROOT = Path(__file__).resolve().parents[1]
PROFILES = ROOT / "ctm" / "rehearse"
FOLDER = "ctm/cust360.json"
FAILS = "Produce-CTSE"
USAGE = "make demo [SEED=1] [TWEETS=2000] [ENGINES=real] [FAIL=1]"
OK, NOT_OK, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
MOST_TWEETS = 1_000_000
# A consumer is idle while pods start, and while the producers read a long search to its end.
IDLE_SECONDS, IDLE_SECONDS_OF_PODS, IDLE_PER_1000 = 5, 20, 1.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Engines:
    """What differs with --engines: profiles, names to set, the command's start and environment."""

    profiles: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    idle_seconds: int = IDLE_SECONDS


EMBEDDED = Engines()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{NAME}: error: {message}\n{USAGE}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0 as it should, 1 not, 2 where it cannot start, 130 interrupted."""
    options = _parser().parse_args(argv)
    if refused := why_not(sys.version_info[:2]):
        print(f"{NAME}: error: {refused}", file=sys.stderr)
        return BAD_INPUT
    began = time.monotonic()
    report, kept = options.out / "report.html", options.out / "record.json"
    before, now = _written(report), datetime.now(timezone.utc)
    try:
        with ExitStack() as stack:
            stack.enter_context(_alone(options.out, kept))
            engines = stack.enter_context(_real()) if options.engines == "real" else EMBEDDED
            code = _run(command(options, now, engines), engines.environment)
    except EngineError as error:
        print(f"{NAME}: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        code = INTERRUPTED
    made = _written(report) not in (None, before)
    older = f"; {report} is still that of an earlier demo" if before else ""
    page = f"report: {report if made else f'none was made{older}'}"
    if code == INTERRUPTED:
        print(page)
        print(f"{NAME}: interrupted; nothing of it runs any more", file=sys.stderr)
        return code
    if not kept.exists():
        return code if code > 0 else NOT_OK
    record = json.loads(kept.read_text(encoding="utf-8"))
    # A rehearsal in which a job failed ends with 1, as one does whose report or summary failed.
    ended = code == (NOT_OK if options.fail else OK)
    good = ended and made and as_asked(record, fail=options.fail)
    told = "as it should" if not options.fail else f"with {FAILS} failed, as was asked for"
    how = told if good else "not as it should"
    print(page)
    print(f"{NAME}: ended {how} after {time.monotonic() - began:.0f} s")
    return OK if good else NOT_OK


def why_not(version: tuple[int, ...]) -> str | None:
    """Return why this Python cannot run it, None where it can."""
    if version >= (3, 11):
        return None
    return (
        f"the embedded Snowflake needs Python 3.11, this is {version[0]}.{version[1]}: "
        "make clean demo PYTHON=python3.12, or without the pipeline: make hello"
    )


def command(options: argparse.Namespace, now: datetime, engines: Engines) -> list[str]:
    """Return the rehearsal's command line.

    The last post is of the full hour: so what is made within an hour is the same to the letter, and
    old enough for X's search.
    """
    until = (now - timedelta(minutes=1)).replace(minute=0, second=0, microsecond=0)
    idle = round(engines.idle_seconds + IDLE_PER_1000 * options.tweets / 1000)
    chosen = {"seed": options.seed, "tweets": options.tweets, "idle": idle,
              "until": until.isoformat(), **engines.names}  # fmt: skip
    profiles = ["embedded", "demo", *engines.profiles, *(["demo-fail"] if options.fail else [])]
    return [
        *engines.before, sys.executable, "-m", "ctm.rehearse", FOLDER,
        "--out", str(options.out.resolve()),
        *(word for each in profiles for word in ("--profile", str(PROFILES / f"{each}.yaml"))),
        *(word for name, value in chosen.items() for word in ("--set", f"{name}={value}")),
    ]  # fmt: skip


@contextmanager
def _alone(folder: Path, stale: Path) -> Iterator[None]:
    """Make the folder, hold it against a second demo, and remove what an earlier one recorded."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            opened = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, opened)
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stale.unlink(missing_ok=True)
        except BlockingIOError as error:
            told = "another demo writes there; wait for it, or give this one a folder of its own"
            raise EngineError(f"--out {folder}: {told}") from error
        except OSError as error:
            raise EngineError(f"--out {folder}: {error.strerror}") from error
        yield


@contextmanager
def _real() -> Iterator[Engines]:
    """Name a namespace, and a folder for a Kafka that is down and gone in the end."""
    named = os.environ.get("KUBECONFIG")
    kubeconfig = Path(named) if named else cache_folder() / "cluster" / "kubeconfig"
    if not kubeconfig.is_file():
        raise EngineError(f"{kubeconfig}: there is no cluster; make cluster brings one up")
    if lacking := apache_node.missing():
        raise EngineError(lacking)
    # By now, since a node's own network leads nowhere else.
    jars(apache_node.jar_folder(), apache_node.ARTIFACTS)
    with listen(0) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        kafka = Path(folder) / "kafka"
        try:
            yield Engines(
                ("demo-real",),
                {"namespace": f"runjob-demo-{secrets.token_hex(3)}", "port": str(port),
                 "kafka": str(kafka)},
                inside(kubeconfig),
                {"KUBECONFIG": str(kubeconfig.absolute())},
                IDLE_SECONDS_OF_PODS,
            )  # fmt: skip
        finally:
            if apache.running(kafka):
                apache.down(kafka)


def inside(kubeconfig: Path) -> tuple[str, ...]:
    """Return what runs a command in the network of the node, where `make cluster` made one."""
    try:
        told = json.loads(kubeconfig.with_name("cluster.json").read_text(encoding="utf-8"))
        return ("ip", "netns", "exec", told["network_namespace"])
    except (OSError, ValueError, KeyError):
        return ()


def as_asked(record: Mapping[str, Any], *, fail: bool) -> bool:
    """Tell whether the jobs that should have failed did, and no others."""
    failed = {job["name"] for job in record["jobs"] if job["status"] != "ended OK"}
    return failed == ({FAILS} if fail else set())


def _written(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from the one that it is replaced by, None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _run(line: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the rehearsal, in a session of its own so that a signal comes once, and pass that on."""
    asked: list[int] = []
    # Before there is a child, so that none is left by a signal that comes meanwhile.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup has had SIGHUP ignored, and means it.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda told, _: asked.append(told))
    child = subprocess.Popen(
        line, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True
    )
    passed_on = 0
    while (code := child.poll()) is None:
        for told in asked[passed_on:]:
            child.send_signal(told)
            passed_on += 1
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_SECONDS)
    return INTERRUPTED if asked else code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m misc.{NAME}", description=__doc__)
    add = parser.add_argument
    add("--seed", type=_number, default=1, help="what everything is made from (default: 1)")
    add("--tweets", type=_number, default=2000, help="how many posts (default: 2000)")
    add(
        "--engines",
        choices=("embedded", "real"),
        default="embedded",
        help="real: a real cluster and a real Kafka (default: embedded)",
    )
    add("--fail", action="store_true", help="let a producer's Job fail, on purpose")
    add("--out", type=Path, default=Path("build/demo"), metavar="FOLDER",
        help="where record, picture, logs and report.html go (default: build/demo)")  # fmt: skip
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_TWEETS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_TWEETS}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
