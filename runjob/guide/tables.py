"""The tables of options, subcommands and exit codes, as rows for any document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runjob.errors import MEANINGS
from runjob.flags import ASKING, FLAGS, Flag
from runjob.guide.schema import fields
from runjob.guide.text import Block, Heading, Rows, cell
from runjob.subcommands import SUBCOMMANDS

# Where an option belongs by the part of the Options that it fills; the rest says which Job it is.
_GROUPS = {
    "job": "What the Job is made of, where no manifest says it",
    "env": "What the Job is made of, where no manifest says it",
    "connection": "Which cluster",
    "run": "How it is run and told",
    "dry_run": "How it is run and told",
    "run_id": "How it is run and told",
    "kill": "How it is run and told",
    "form": "How it is run and told",
}
_REST = "Which Job"


def spelling(flag: Flag) -> str:
    """Write an option as usage texts do: short, long, and what its value is."""
    names = [f"-{flag.short}"] * bool(flag.short) + [f"--{name}" for name in flag.names]
    return ", ".join(names) + (f" {flag.metavar}" if flag.metavar else "")


def rows(flags: Iterable[Flag]) -> Rows:
    """Return a table of options."""
    return Rows(tuple((spelling(flag), meaning(flag)) for flag in flags))


def meaning(flag: Flag) -> str:
    """Return what an option means, and whether it may stand several times."""
    return flag.help + ("; repeatable" if flag.collects and flag.short not in ("e", "v") else "")


def grouped() -> dict[str, tuple[Flag, ...]]:
    """Return the launcher's options by what they are about."""
    groups: dict[str, tuple[Flag, ...]] = {_REST: (), **dict.fromkeys(_GROUPS.values(), ())}
    for flag in FLAGS:
        group = _GROUPS.get(flag.target.partition(".")[0], _REST)
        groups[group] = (*groups[group], flag)
    return {**groups, "Texts": ASKING}


def options() -> Iterator[Block]:
    """Yield the launcher's options, a table a group."""
    for title, flags in grouped().items():
        yield Heading(title)
        yield rows(flags)


def exits() -> Iterator[Block]:
    """Yield the table of exit codes."""
    yield Rows(tuple((str(code.value), meaning) for code, meaning in MEANINGS.items()))


def subcommand(name: str) -> Iterator[Block]:
    """Yield the table of a subcommand's options."""
    yield rows(SUBCOMMANDS[name].flags)


def result() -> Iterator[Block]:
    """Yield the table of the result file's fields."""
    yield Rows(fields())


# -- Markdown, as the README and the documents hold it -------------------------------------------


def option_rows(flags: Iterable[Flag] = FLAGS) -> str:
    """Return the rows of a Markdown table: short, long, meaning."""
    return "".join(
        f"| {f'`-{flag.short}`' if flag.short else ''} "
        f"| {', '.join(f'`--{name}`' for name in flag.names)} | {cell(flag.help)} |\n"
        for flag in flags
    )


def subcommand_rows(name: str) -> str:
    """Return the same of a subcommand's options."""
    return option_rows(SUBCOMMANDS[name].flags)


def subcommands_rows() -> str:
    """Return the rows of a Markdown table: line, meaning."""
    return "".join(
        f"| `runjob {cell(known.line)}` | {cell(known.meaning)} |\n"
        for known in SUBCOMMANDS.values()
    )


def exit_rows() -> str:
    """Return the rows of a Markdown table: code, meaning."""
    return "".join(f"| {code.value} | {cell(meaning)} |\n" for code, meaning in MEANINGS.items())
