"""What can stand on the launcher's line, for the shells that complete it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runjob.flags import ASKING, FLAGS, Flag
from runjob.guide.topics import RAW, TOPICS
from runjob.subcommands import SUBCOMMANDS

COMMANDS = ("runjob", "runJob.py", "runjob.pyz")
SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Line:
    """One kind of line: its subcommand (empty for a launch), its options, and its operand.

    words are what the operand can be, where these can be counted.
    """

    name: str
    meaning: str
    flags: tuple[Flag, ...]
    operand: str = ""
    words: tuple[str, ...] = ()


def launch() -> Line:
    """Return the line of a launch."""
    return Line("", "", (*FLAGS, *ASKING))


def subcommands() -> Iterator[Line]:
    """Yield the lines of the subcommands."""
    operands = {
        "show": ("NAME", ()),
        "help": ("TOPIC", (*TOPICS, *RAW)),
        "completion": ("SHELL", SHELLS),
    }
    for name, known in SUBCOMMANDS.items():
        yield Line(name, known.meaning, known.flags, *operands.get(name, ()))


def names_file(flag: Flag) -> bool:
    """Tell whether an option's value is a file of this machine."""
    return flag.metavar == "FILE"


def spellings(flag: Flag) -> tuple[str, ...]:
    """Return an option as it may be written, short first."""
    return (*[f"-{flag.short}"] * bool(flag.short), *(f"--{name}" for name in flag.names))
