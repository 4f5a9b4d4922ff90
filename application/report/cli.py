"""The command: read the line, the lake and what lies beside it, write the page."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from application.errors import ApplicationError, BadInputError, Exit
from application.report.data import Found, Workflow
from application.settings import SnowflakeSettings, snowflake_settings

if TYPE_CHECKING:
    from application.report.reading import Lake

NAME = "report"
# Seconds to give the lake, for a login and for each query.
PATIENCE = 120.0
# Posts on the map, and actions of each kind in the lists; fewer where the page would be too large.
POSTS_SHOWN, LISTED = 1_500, 200
LARGEST = 2_000_000


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; -h lists the options")


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run one command line and return the exit code."""
    try:
        options = _options(argv)
        settings = snowflake_settings(environment)
        folder = options.out.resolve().parent
        if not folder.is_dir() or options.out.is_dir():
            raise BadInputError(f"--out {options.out}: there is no folder for such a file")
        written = _made(options, settings)
        _write(options.out, written)
    except ApplicationError as error:
        print(f"{NAME}: error: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return 130
    print(options.out)
    return int(Exit.DONE)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m application.report",
        description="Write one HTML page about the lake, which needs no network.",
        epilog="Which lake: the SNOWFLAKE_ environment variables. "
        "Exit codes: 0 done, 2 bad input, 3 the lake gave no answer, 4 it refused.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FILE.html", help="the page to write")
    add("--rehearsal", type=Path, metavar="FOLDER",
        help="what `ctm.rehearse --out` wrote: show how the workflow went")  # fmt: skip
    add("--truth", type=Path, metavar="FOLDER",
        help="who the posts are from, as `application.synth` wrote it: show how right the matches "
        "are")  # fmt: skip
    add("--posts-shown", default=str(POSTS_SHOWN), metavar="N",
        help=f"posts on the map at most (default: {POSTS_SHOWN:,})")  # fmt: skip
    options = parser.parse_args(argv)
    if not re.fullmatch(r"\d{1,6}", options.posts_shown):
        raise BadInputError(f"--posts-shown {options.posts_shown:.50}: it takes 0 to 999999")
    options.posts_shown = int(options.posts_shown)
    return options


def _made(options: argparse.Namespace, settings: SnowflakeSettings) -> bytes:
    from application.report import reading
    from application.report.workflow import workflow

    flow: Workflow | None = None
    if options.rehearsal:
        flow = workflow(*reading.record(options.rehearsal))
    truth = _truth(options.truth) if options.truth else None
    # The connector is slow to load, and what is wrong with a file is told without it.
    from application.warehouse import Warehouse

    with Warehouse(settings, PATIENCE) as lake:
        found = reading.found(lake, settings, options.posts_shown, LISTED)
        accuracy = _accuracy(lake, truth, found.source.as_of) if truth is not None else None
    return fitting(found, flow, accuracy)


def fitting(found: Found, flow: Workflow | None, accuracy: Sequence[Any] | None) -> bytes:
    """Return the page; where it is too large, with half the posts and actions, until it fits."""
    from application.report import shaping

    try:
        from application.report.page import render
    except ModuleNotFoundError as error:
        raise BadInputError(
            f"{error.name} is not installed: pip install 'runjob[report]'"
        ) from error
    made = render(shaping.page(found, flow, accuracy))
    dots, listed = len(found.dots), LISTED
    while len(made) >= LARGEST and (dots or listed):
        dots, listed = dots // 2, listed // 2
        made = render(shaping.page(shaping.fewer(found, dots, listed), flow, accuracy))
    return made


def _truth(folder: Path) -> Any:
    from application.synth.score import read_truth

    try:
        return read_truth(folder)
    except OSError as error:
        raise BadInputError(f"--truth {folder}: no truth.jsonl there ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"--truth {folder}: truth.jsonl is no truth: {error!r}") from error


def _accuracy(lake: Lake, truth: Any, as_of: Any) -> Sequence[Any]:
    from application.report.reading import told
    from application.synth.score import score

    return tuple(score(truth, told(lake, as_of)))


def _write(path: Path, text: bytes) -> None:
    """Write whole or not at all; only its owner may read it, since it tells of people."""
    try:
        number, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
        try:
            with open(number, "wb") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise BadInputError(f"--out {path}: {error.strerror}") from error
