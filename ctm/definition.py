"""Control-M definitions as text: strict JSON, with the line of everything in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

Path = tuple[str | int, ...]
"""Where a value stands: member names and list positions from the top."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class DefinitionError(Exception):
    """A definition cannot be used; the text is one line: file:line: what, and what to do."""


@dataclass(frozen=True)
class Repeated:
    """A name given twice in one object, where JSON silently keeps the last."""

    path: Path
    line: int
    first: int


@dataclass(frozen=True)
class Definition:
    """A definition's content, with the line on which each member or element begins."""

    name: str
    content: dict[str, Any]
    lines: Mapping[Path, int]
    repeated: tuple[Repeated, ...]

    def line(self, path: Path) -> int:
        """Return the line of what stands at the path, or of the nearest above it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load(text: str, name: str) -> dict[str, Any]:
    """Return the definition in the text; the name, usually the file's, leads every error.

    Raises DefinitionError: not JSON, not an object, or a name given twice in one object.
    """
    definition = read(text, name)
    for twice in definition.repeated:
        raise DefinitionError(f"{name}:{twice.line}: {describe(twice)}")
    return definition.content


def describe(twice: Repeated) -> str:
    """Say what is wrong with a repeated name and what to do."""
    return (
        f'"{twice.path[-1]}" is given twice in one object (first on line {twice.first}), and only '
        "the last counts; rename one, or merge them"
    )


def read(text: str, name: str) -> Definition:
    """Return the definition in the text with its lines; repeated names are told, not refused.

    Raises DefinitionError: not JSON, or not an object.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        lines, repeated = _places(text)
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"{name}:{error.lineno}: not JSON: {error.msg} at column {error.colno}; mend it there"
        ) from error
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise DefinitionError(f"{name}:1: not JSON: {why}; mend it") from error
    if not isinstance(content, dict):
        raise DefinitionError(
            f"{name}:1: not a definition: the text holds a {type(content).__name__}; "
            'write an object of names, as in {"folder": {"Type": "Folder"}}'
        )
    return Definition(name, content, lines, repeated)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is JavaScript, not JSON")


def _places(text: str) -> tuple[dict[Path, int], tuple[Repeated, ...]]:
    """Return the line of every path in a text that is known to be JSON."""
    lines: dict[Path, int] = {(): 1}
    repeated: list[Repeated] = []
    tokens = _tokens(text)

    def value(path: Path, token: str) -> None:
        if token == "{":
            members(path)
        elif token == "[":
            elements(path)

    def members(path: Path) -> None:
        seen: dict[str, int] = {}
        for token, line in tokens:
            if token == "}":
                return
            if token == ",":
                continue
            key: str = json.loads(token)
            here = (*path, key)
            if key in seen:
                repeated.append(Repeated(here, line, seen[key]))
                # What the first one held counts no more.
                for old in [known for known in lines if known[: len(here)] == here]:
                    del lines[old]
            seen[key] = lines[here] = line
            next(tokens)  # the colon
            value(here, next(tokens)[0])

    def elements(path: Path) -> None:
        position = 0
        for token, line in tokens:
            if token == "]":
                return
            if token == ",":
                continue
            here = (*path, position)
            lines[here] = line
            position += 1
            value(here, token)

    value((), next(tokens)[0])
    return lines, tuple(repeated)


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Yield every token of a JSON text with its line, counted from 1."""
    line, end = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        yield token.group(), line
