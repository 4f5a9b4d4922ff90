"""A text for people, in blocks that each medium sets in its own way."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

WIDTH = 80
# The most that the left column of a table may take, in columns.
TERM = 28


@dataclass(frozen=True)
class Heading:
    """A line above what follows."""

    text: str


@dataclass(frozen=True)
class Prose:
    """A paragraph; what stands between backticks is meant to the letter."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines to be shown as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """A table of terms and what they mean."""

    rows: tuple[tuple[str, str], ...]


Block = Heading | Prose | Code | Rows
Tables = Mapping[str, Callable[[], Iterable[Block]]]


def blocks(text: str, tables: Tables) -> tuple[Block, ...]:
    """Read a text: blocks are divided by blank lines.

    A block is code when it is indented, a heading behind `# `, a table when its first line holds
    ` :: ` (a line without continues the one before), and `@name` stands for what tables hold.
    """
    found: list[Block] = []
    for part in re.split(r"\n[ \t]*\n", text.strip("\n")):
        lines = part.split("\n")
        if lines[0].startswith("    "):
            found.append(Code(tuple(line[4:] for line in lines)))
        elif lines[0].startswith("@"):
            found.extend(tables[lines[0][1:]]())
        elif lines[0].startswith("# "):
            found.append(Heading(lines[0][2:]))
        elif " :: " in lines[0]:
            found.append(Rows(tuple(_rows(lines))))
        else:
            found.append(Prose(" ".join(line.strip() for line in lines)))
    return tuple(found)


def _rows(lines: Iterable[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for line in lines:
        term, divided, meaning = line.partition(" :: ")
        if divided:
            rows.append((term.strip(), meaning.strip()))
        else:
            term, meaning = rows.pop()
            rows.append((term, f"{meaning} {line.strip()}"))
    return rows


def plain(found: Iterable[Block]) -> str:
    """Set blocks for a terminal of 80 columns."""
    return "\n\n".join(_plain(block) for block in found)


def _plain(block: Block) -> str:
    if isinstance(block, Code):
        return "\n".join(f"    {line}" for line in block.lines)
    if isinstance(block, Rows):
        return table(block.rows)
    return wrapped(bare(block.text))


def bare(text: str) -> str:
    """Return a text without its backticks."""
    return re.sub(r"`([^`]*)`", r"\1", text)


def wrapped(text: str, indent: str = "") -> str:
    """Break a text into lines; later lines, and those alone, begin with indent."""
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Set rows in two columns; a term that is too long stands on a line of its own."""
    texts = [(bare(term), bare(meaning)) for term, meaning in rows]
    wide = min(max((len(term) for term, _ in texts), default=0), TERM)
    indent = " " * (wide + 4)
    lines = []
    for term, meaning in texts:
        start = f"  {term:<{wide}}  " if len(term) <= wide else f"  {term}\n{indent}"
        # The start is put in front afterwards: a term may hold several blanks.
        body = wrapped(f"{'x' * len(indent)}{meaning}", indent)[len(indent) :]
        lines.append(f"{start}{body}".rstrip())
    return "\n".join(lines)


def markdown(found: Iterable[Block], heading: str = "##") -> str:
    """Set blocks as Markdown."""
    return "\n\n".join(_markdown(block, heading) for block in found) + "\n"


def _markdown(block: Block, heading: str) -> str:
    if isinstance(block, Heading):
        return f"{heading} {block.text}"
    if isinstance(block, Code):
        return "\n".join(("```text", *block.lines, "```"))
    if isinstance(block, Rows):
        rows = (f"| `{cell(bare(term))}` | {cell(meaning)} |" for term, meaning in block.rows)
        return "\n".join(("| | |", "|---|---|", *rows))
    return block.text


def cell(text: str) -> str:
    """Return a text as it may stand in a cell of a Markdown table."""
    return text.replace("|", r"\|")
