"""The launcher's options, exit codes and result, as its own code has them."""

from __future__ import annotations

from collections.abc import Iterable

from docs.parts.markdown import code, table
from runjob.errors import MEANINGS
from runjob.flags import FLAGS, Flag
from runjob.subcommands import SUBCOMMANDS


def options() -> str:
    """Tell every option of a launch."""
    return _options(FLAGS)


def options_of(name: str) -> str:
    """Tell every option of a subcommand."""
    return _options(SUBCOMMANDS[name].flags)


def _options(flags: Iterable[Flag]) -> str:
    return table(
        ("option", "meaning"),
        ((f"{_names(flag)} {flag.metavar or ''}", _plain(flag.help)) for flag in flags),
    )


def _names(flag: Flag) -> str:
    short = f"-{flag.short}" if flag.short else ""
    return code(short, *(f"--{name}" for name in flag.names))


def _plain(text: str) -> str:
    """Keep the help's signs from being read as Markdown."""
    return "".join(f"\\{letter}" if letter in "[]<>*_$" else letter for letter in text)


def exits() -> str:
    """Tell every exit code of a launch."""
    return table(
        ("code", "name", "meaning"),
        ((f"{each.value}", code(each.name.lower()), text) for each, text in MEANINGS.items()),
    )
