"""python -m ctm.lint FILE…: check Control-M definitions that belong together.

Each finding is one line, file:line: path/of/object: what is wrong, and what to do. Ends with 0 when
there is none, 1 when there are findings, 2 when a file cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ctm.definition import Definition, DefinitionError, read
from ctm.lint import Agent, Finding, lint
from ctm.lint.vendor import MissingClientError, catalogue
from misc.jobtype import JobTypeError, load

_PROJECT = Path(__file__).parents[2]
_JOB_TYPE = _PROJECT / "misc" / "runKjob.ctmai"
_FOLDERS = {
    "/opt/cust360/": _PROJECT,
    "/opt/manifests/": _PROJECT / "k8s" / "jobs",
    "/opt/runjob/": _PROJECT / "runjob",
}
"""Where the agent's image and the hosts of OS jobs have the project (docs/pipeline.md)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Check the files and print what was found."""
    asked = _parser().parse_args(argv)
    agent = Agent({**_FOLDERS, **dict(asked.folder)})
    try:
        definitions = [_read(name) for name in asked.files]
        job_types = [load(path) for path in asked.job_type or [_JOB_TYPE]]
        found = lint(definitions, catalogue(), job_types, agent)
    except (DefinitionError, JobTypeError, MissingClientError) as error:
        print(f"lint: error: {error}", file=sys.stderr)
        return 2
    found = [finding for finding in found if finding.rule not in asked.passed_over]
    try:
        _print(found, asked.format)
    except BrokenPipeError:
        # Who reads has read enough; Python would complain of the rest at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if found else 0


def _print(found: Sequence[Finding], form: str) -> None:
    if form == "json":
        print(json.dumps([_record(finding) for finding in found], indent=2, ensure_ascii=False))
    else:
        for finding in found:
            print(finding)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ctm.lint", description="Check Control-M definitions that belong together."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="definitions, all in one go")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--except", action="append", default=[], dest="passed_over", metavar="RULE",
        help="pass over one kind of finding, by the rule's name that --format json tells",
    )  # fmt: skip
    parser.add_argument(
        "--job-type", action="append", type=Path, metavar="CTMAI",
        help="a job type of Application Integrator (default: misc/runKjob.ctmai)",
    )  # fmt: skip
    parser.add_argument(
        "--folder", action="append", type=_folder, default=[], metavar="AGENT=HERE",
        help="where a folder of the agent is here, so that files named in it can be looked up",
    )  # fmt: skip
    return parser


def _folder(text: str) -> tuple[str, Path]:
    there, equals, here = text.partition("=")
    if not equals or not there.startswith("/") or not Path(here).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not /FOLDER/ON/AGENT=FOLDER-HERE")
    return there.rstrip("/") + "/", Path(here)


def _read(name: str) -> Definition:
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError(
            f"{name}: cannot be read: {error.strerror}; correct the name"
        ) from error
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{name}: is not UTF-8 ({error.reason}); convert it") from error
    return read(text, name)


def _record(finding: Finding) -> dict[str, str | int]:
    return {
        "file": finding.file,
        "line": finding.line,
        "object": finding.object,
        "rule": finding.rule,
        "what": finding.what,
    }


if __name__ == "__main__":
    sys.exit(main())
