"""The pages as their readers take them: blocks of commands, code within a line, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.S | re.M)
SHELL = ("sh", "console")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; number counts the blocks of that page."""

    page: str
    number: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def pages() -> tuple[Path, ...]:
    """Return every page that the site has, and the README."""
    return (ROOT / "README.md", *sorted(DOCS.glob("*.md")))


def blocks() -> tuple[Block, ...]:
    """Return every fenced block of every page."""
    return tuple(
        Block(path.name, number, match[1], match[2])
        for path in pages()
        for number, match in enumerate(_FENCE.finditer(path.read_text("utf-8")))
    )


def spans(text: str) -> list[str]:
    """Return what stands as code within the lines of a page."""
    prose = _FENCE.sub("", text).replace("\\|", "|")
    return [" ".join(found.split()) for found in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose)]


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a block, each with its further lines and its here-document."""
    lines = iter(text.splitlines())
    for line in lines:
        command = re.sub(r"^\$ ", "", line)
        while command.endswith("\\"):
            command = command[:-1].rstrip() + " " + next(lines).strip()
        command = re.sub(r"\s{2,}# .*$|^# .*$", "", command).strip()
        here = re.search(r"<<'?(\w+)'?", command)
        while here and not command.endswith(f"\n{here[1]}"):
            command += "\n" + next(lines)
        if command:
            yield command


def is_a_shell_within(command: str) -> bool:
    """Tell whether what follows in the block is typed into a shell that this command starts."""
    return command.endswith("-- sh")
