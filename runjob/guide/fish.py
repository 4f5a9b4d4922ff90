"""The completion script of fish."""

from __future__ import annotations

from collections.abc import Iterator

from runjob.flags import Flag
from runjob.guide.lines import COMMANDS, Line, launch, names_file, subcommands

_SCRIPT = """\
# Completion of runjob for fish, made by: runjob completion fish

function __runjob_first
    test (count (commandline -opc)) -eq 1
end

function __runjob_in
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

function __runjob_second
    __runjob_in $argv; and test (count (commandline -opc)) -eq 2
end

for command in {commands}
    complete -c $command -f
{lines}
end
"""


def script() -> str:
    """Return it."""
    return _SCRIPT.format(commands=" ".join(COMMANDS), lines="\n".join(_lines()))


def _lines() -> Iterator[str]:
    known = list(subcommands())
    for line in known:
        yield _line("__runjob_first", f"-a {line.name} -d {_quoted(line.meaning)}")
    yield from _flags(launch(), f"not __runjob_in {' '.join(line.name for line in known)}")
    for line in known:
        yield from _flags(line, f"__runjob_in {line.name}")
        if line.words:
            words = _quoted(" ".join(line.words))
            yield _line(f"__runjob_second {line.name}", f"-a {words}")


def _flags(line: Line, when: str) -> Iterator[str]:
    for flag in line.flags:
        yield _line(when, _flag(flag))


def _flag(flag: Flag) -> str:
    names = [f"-s {flag.short}"] * bool(flag.short) + [f"-l {name}" for name in flag.names]
    value = []
    if flag.choices:
        value = [f"-x -a {_quoted(' '.join(flag.choices))}"]
    elif names_file(flag):
        value = ["-r -F"]
    elif flag.metavar is not None:
        value = ["-x"]
    return " ".join((*names, *value, f"-d {_quoted(flag.help)}"))


def _line(when: str, rest: str) -> str:
    return f"    complete -c $command -n {_quoted(when)} {rest}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"
