"""Whether each runJob.py line means something to the launcher, and each named file is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Any

from ctm.definition import Path
from ctm.lint.finding import Finding
from ctm.lint.tree import Item, Tree, is_a
from misc.jobtype import JobType, JobTypeError, expand
from runjob import flags, form, subcommands
from runjob.errors import LaunchError, UsageError
from runjob.options import Options
from runjob.plan import plan

_LAUNCHER = "runJob.py"
_END = re.compile(r"[;&|<>()]+")
_VARIABLE = re.compile(r"%%[\w$\\.-]*")
# A here-document: the form of our job type.
_HANDED = re.compile(r"<<(['\"])([^\n]+?)\1\n(.*?)^\2$", re.S | re.M)
# Tried where a word begins and nowhere within, or a long one takes the square of its length.
_NAMED = re.compile(r"(?<![\w./-])[\w./-]+\.(?:ya?ml|sql|sh|py)")


@dataclass(frozen=True)
class Agent:
    """Where the folders of the agent are in this project."""

    folders: Mapping[str, FilePath]

    def local(self, name: str) -> FilePath | None:
        """Return where a file of the agent would be here; None for a folder that is not known."""
        inside = [start for start in self.folders if name.startswith(start)]
        if not inside:
            return None
        start = max(inside, key=len)
        return self.folders[start] / name.removeprefix(start).lstrip("/")

    def missing(self, name: str) -> str | None:
        """Say what is wrong with a file's name on the agent; None where all is well, or unknown."""
        local = self.local(name)
        if local is not None:
            if local.is_file():
                return None
            return f"{name} would come from {local.parent}, where it is missing; correct the name"
        base = PurePosixPath(name).name
        for start, folder in self.folders.items():
            if base and (folder / base).is_file():
                return f"{name} is in no folder of the agent; is it {start.rstrip('/')}/{base}?"
        return None


def launches(
    trees: Sequence[Tree],
    agent: Agent,
    ours: Mapping[str, JobType],
    known: Sequence[Finding] = (),
) -> Iterator[Finding]:
    """Check every command line that can be told before the job runs.

    ours are our own job types by their Type; a job or a profile of theirs about which something is
    known already is passed over, for it would only be told again.
    """
    faulty = {(each.file, each.path[:depth]) for each in known for depth in range(1, 9)}
    profiles = {
        item.name: item
        for tree in trees
        for item in tree.of("ConnectionProfile")
        if (tree.definition.name, item.path) not in faulty
    }
    for tree in trees:
        for job in tree.of("Job"):
            if job.is_default and len(job.path) == 2:
                continue
            for path, line in _lines(job):
                yield from _line(tree, path, line, agent)
            if job.type in ours and (tree.definition.name, job.path) not in faulty:
                yield from _expanded(tree, job, profiles, ours[job.type], agent)
            for path, name in _files(job):
                wrong = agent.missing(name)
                if wrong:
                    yield tree.finding(path, "file", wrong)


def _lines(job: Item) -> Iterator[tuple[Path, str]]:
    """Yield the shell lines of a job with their places."""
    for name in ("Command", "PreCommand", "PostCommand"):
        if isinstance(job.content.get(name), str):
            yield (*job.path, name), job.content[name]
    script = job.content.get("Script")
    if is_a(job.type, "Job:EmbeddedScript") and isinstance(script, str):
        # Control-M wants the newlines of a script as backslash and n; a line may go on in the next.
        lines = script.replace("\\n", "\n").replace("\\\n", " ").split("\n")
        yield from (((*job.path, "Script"), line) for line in lines)
    arguments = job.content.get("Arguments", [])
    if is_a(job.type, "Job:Script") and job.content.get("FileName") == _LAUNCHER:
        words = arguments if isinstance(arguments, list) else []
        yield (*job.path, "Arguments"), shlex.join([_LAUNCHER, *map(str, words)])


def _files(job: Item) -> Iterator[tuple[Path, str]]:
    """Yield the files that a job names by properties of their own."""
    sql = job.content.get("SQLScript")
    if isinstance(sql, str) and "%%" not in sql:
        yield (*job.path, "SQLScript"), sql
    name, folder = job.get("FileName"), job.get("FilePath")
    if is_a(job.type, "Job:Script") and isinstance(name, str) and isinstance(folder, str):
        path = str(PurePosixPath(folder) / name)
        if "%%" not in path:
            yield (*job.path, "FileName"), path


def _line(tree: Tree, path: Path, line: str, agent: Agent) -> Iterator[Finding]:
    told = False
    try:
        commands = list(_commands(line))
    except ValueError as error:
        if _LAUNCHER in line:
            yield tree.finding(path, "launch", f"no shell can read this line: {error}; mend it")
        return
    for words in commands:
        starts = [at for at, word in enumerate(words) if PurePosixPath(word).name == _LAUNCHER]
        if starts:
            told = True
            beside = str(PurePosixPath(words[starts[0]]).parent)
            yield from _launch(tree, path, words[starts[0] + 1 :], beside, agent)
    if told:
        return
    for name in dict.fromkeys(_NAMED.findall(_VARIABLE.sub("", line))):
        wrong = agent.missing(name) if name.startswith("/") else None
        if wrong:
            yield tree.finding(path, "file", wrong)


def _launch(
    tree: Tree, path: Path, words: Sequence[str], beside: str, agent: Agent
) -> Iterator[Finding]:
    """Read a line as the launcher does, up to the Job that it would create."""
    # A variable's value is known at run time only: a number fits most options that check.
    argv = [_VARIABLE.sub("1", word) for word in words]
    try:
        if argv and argv[0] in subcommands.SUBCOMMANDS:
            subcommands.read(argv[0], argv[1:])
            return
        options = flags.parse(argv)
        if not isinstance(options, Options) or options.kill or options.form:
            return
        manifest = options.manifest
        if manifest is not None and manifest in words:
            wrong = agent.missing(manifest)
            if wrong:
                yield tree.finding(path, "file", wrong)
        if manifest is not None and not _readable(agent, manifest):
            return

        def find(name: str) -> str | None:
            there = f"{beside}/{name}"
            return there if _readable(agent, there) else None

        if manifest is None and not options.job.image and agent.local(f"{beside}/x") is None:
            return  # a manifest beside a launcher that is not here
        plan(options, find, lambda name: _text(agent, name))
    except LaunchError as error:
        yield tree.finding(path, "launch", f"runJob.py cannot take this line: {error}")


def _readable(agent: Agent, name: str) -> bool:
    local = agent.local(name)
    return local is not None and local.is_file()


def _text(agent: Agent, name: str) -> str:
    local = agent.local(name)
    return local.read_text(encoding="utf-8", errors="replace") if local is not None else ""


def _commands(line: str) -> Iterator[list[str]]:
    """Split a shell line into its simple commands; raises ValueError for half a quote."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if _END.fullmatch(word):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _expanded(
    tree: Tree, job: Item, profiles: Mapping[str, Item], ours: JobType, agent: Agent
) -> Iterator[Finding]:
    """Check the line that a job of our own type comes to, as the agent would run it."""
    named: Any = job.get("ConnectionProfile")
    profile = profiles.get(named) if isinstance(named, str) else None
    if profile is None:
        return
    filled, given = (
        {k: v for k, (_, v) in item.properties().items() if isinstance(v, str)}
        for item in (job, profile)
    )
    try:
        line = expand(ours, filled, given).execute
    except JobTypeError as error:
        yield tree.finding(job.path, "launch", f"makes no command line: {error}")
        return
    handed = _HANDED.search(line)
    if handed is None:
        yield from _line(tree, job.path, line, agent)
        return
    try:
        words = form.words(handed[3])
    except UsageError as error:
        yield tree.finding(job.path, "launch", f"runJob.py cannot take this form: {error}")
        return
    yield from _launch(tree, job.path, words, given.get("AI-CLIPath", "").rstrip("/"), agent)
