"""The command: read definitions and profile, rehearse, tell the end, return the exit code."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from ctm.definition import DefinitionError, load
from ctm.rehearse import profile as profiles
from ctm.rehearse.engines import bare, opened, words_of
from ctm.rehearse.errands import Errands
from ctm.rehearse.errors import ProfileError, RehearsalError
from ctm.rehearse.events import Event
from ctm.rehearse.picture import gantt
from ctm.rehearse.plan import Plan
from ctm.rehearse.profile import DEFAULT, ROOT, Profile
from ctm.rehearse.reading import plan_of
from ctm.rehearse.record import Rehearsed, as_json, summary
from ctm.rehearse.run import Interrupt, Rehearsal
from ctm.rehearse.runners import NEEDS, RUNNERS, Runner, check, kubernetes
from ctm.rehearse.table import Lines, Table
from misc import jobtype

NAME = "python -m ctm.rehearse"
DONE, NOT_DONE, BAD_INPUT = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RehearsalError(f"{message}; -h lists the options")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; 0 all jobs ended OK, 1 not all, 2 it could not start."""
    interrupt = Interrupt()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup has had SIGHUP ignored, and means it.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        options = _parser().parse_intermixed_args(sys.argv[1:] if argv is None else argv)
        return _rehearse(options, interrupt)
    except (RehearsalError, DefinitionError, jobtype.JobTypeError) as error:
        print(f"rehearse: error: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=NAME,
        description="Run Control-M folders here and now, by their own events, resources and Ifs.",
        epilog="Exit codes: 0 all jobs ended OK, 1 not all, 2 it could not start.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="folders, as `ctm deploy` takes them")
    add(
        "--profile",
        type=Path,
        action="append",
        metavar="FILE",
        help="by what each engine is played (default: all embedded); a second one changes it",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a name that the profile has under set",
    )
    add("--out", type=Path, metavar="FOLDER", help="keep record, picture and the jobs' outputs")
    add("--confirm", action="store_true", help="confirm each job that asks for it")
    return parser


def _rehearse(options: argparse.Namespace, interrupt: Interrupt) -> int:
    profile = _profile(options)
    runners, needs = _job_types(profile)
    plan = _plan(options.files, profile, needs)
    check(plan)
    if options.out:
        _prepare(options.out)
    write = _writer(interrupt)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        (work / "logs").mkdir()
        for note in plan.notes:
            print(f"rehearse: note: {note}", file=sys.stderr)
        stage = bare(profile, work)
        words = {**words_of(stage), "out": str(options.out and options.out.resolve())}
        Errands(words, interrupt, write).run("prepare", profile.prepare, stage)
        if not interrupt.count:
            if embedded := _embedded(profile):
                write(f"rehearse: {', '.join(embedded)} come up, embedded\n")
            stage = stack.enter_context(opened(profile, work))
        errands = Errands({**words, **words_of(stage)}, interrupt, write)
        errands.run("before", profile.before, stage)
        if interrupt.count:
            print("rehearse: interrupted before the first job", file=sys.stderr)
            return NOT_DONE
        audience = _audience(plan, options, write)
        with errands.beside("meanwhile", profile.meanwhile, stage):
            told = Rehearsal(plan, stage, runners, audience, interrupt).run()
        # What follows the jobs tells of them too.
        last = told.interrupted or not profile.after
        for line in summary(told, plan, words=last):
            write(f"rehearse: {line}\n")
        if options.out:
            _keep(options.out, plan, told, work)
            write(f"rehearse: {options.out}: record.json, gantt.svg, logs/\n")
        try:
            errands.run("after", profile.after, stage, show=True)
        except ProfileError as error:
            print(f"rehearse: error: {error}", file=sys.stderr)
            return NOT_DONE
    return DONE if told.ok and not interrupt.count else NOT_DONE


def _profile(options: argparse.Namespace) -> Profile:
    given = {}
    for each in options.set:
        name, equals, value = each.partition("=")
        if not equals:
            raise RehearsalError(f"--set {each}: it must be NAME=VALUE")
        given[name] = value
    paths = options.profile or [DEFAULT]
    profile = profiles.read({str(path): _text(path) for path in paths}, given)
    if not options.out and any("{out}" in line for line in profile.after):
        raise RehearsalError("what the profile does after the jobs needs --out FOLDER")
    return profile


def _embedded(profile: Profile) -> list[str]:
    engines = [name for name, by in profile.engines.items() if by == "embedded"]
    return [*engines, *(["cluster"] if profile.cluster == "embedded" else [])]


def _writer(interrupt: Interrupt) -> Callable[[str], None]:
    def write(text: str) -> None:
        """Write; where nobody reads any more, end, as a closed pipe or terminal ends others."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            # A second time would kill.
            if not interrupt.count:
                interrupt()

    return write


def _job_types(profile: Profile) -> tuple[dict[str, Runner], dict[str, tuple[str, ...]]]:
    runners, needs = dict(RUNNERS), dict(NEEDS)
    for name in profile.job_types:
        found = jobtype.load(ROOT / name)
        runners[found.type] = kubernetes.runner_of(found)
        needs[found.type] = ("ConnectionProfile",)
    return runners, needs


def _plan(files: Sequence[Path], profile: Profile, needs: Mapping[str, tuple[str, ...]]) -> Plan:
    named = [path.resolve() for path in files]
    further = [ROOT / each for each in profile.definitions]
    paths = [*files, *(each for each in further if each.resolve() not in named)]
    return plan_of(
        [load(_text(path), str(path)) for path in paths],
        needs,
        changes=profile.jobs,
        pools=profile.pools,
        events=[Event(each) for each in profile.events],
        minute=profile.minute,
    )


def _text(path: Path) -> str:
    try:
        # Some editors begin a file with a byte order mark.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RehearsalError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RehearsalError(f"{path}: not UTF-8 at byte {error.start}") from error


def _audience(
    plan: Plan, options: argparse.Namespace, write: Callable[[str], None]
) -> Lines | Table:
    if sys.stdout.isatty():
        return Table(write, plan, confirm=options.confirm, read=_answer)
    return Lines(write, plan, confirm=options.confirm)


def _answer() -> str:
    """Read a line past Python's buffer, whose lock would hold up the end of the process."""
    try:
        return os.read(sys.stdin.fileno(), 1024).decode(errors="replace")
    except OSError:  # the terminal is gone
        return ""


def _prepare(folder: Path) -> None:
    """Make the folder; what an earlier rehearsal left in it must not pass for this one's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("record.json", "gantt.svg"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "logs", ignore_errors=True)
    except OSError as error:
        raise RehearsalError(f"--out {folder}: {error.strerror}") from error


def _keep(folder: Path, plan: Plan, told: Rehearsed, work: Path) -> None:
    record: dict[str, Any] = as_json(plan, told)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (folder / "record.json").write_text(text, encoding="utf-8")
    (folder / "gantt.svg").write_text(gantt(plan, told), encoding="utf-8")
    shutil.copytree(work / "logs", folder / "logs")
