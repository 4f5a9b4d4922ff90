"""The lake's tables and views, as application/sql has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.parts.graph import Box, Graph, direct, svg
from docs.parts.markdown import code
from docs.parts.markdown import table as written

_TABLE = re.compile(r"create table if not exists (\w+) \((.*?)\n\);", re.S)
_VIEW = re.compile(r"create or replace view (\w+) as\n(.*?);\n", re.S)
_STAGE = re.compile(r"create stage if not exists (\w+);")
_COLUMN = re.compile(r"^ {4}([A-Z]\w*) ", re.M)


@dataclass(frozen=True)
class Relation:
    """A table, a view or a stage: its columns, what a view reads, and what its file says of it."""

    name: str
    kind: str
    columns: tuple[str, ...]
    reads: tuple[str, ...]
    says: str


def relations(folder: Path) -> tuple[Relation, ...]:
    """Read every file of the folder, in its order."""
    return tuple(
        each for path in sorted(folder.glob("*.sql")) for each in _read(path.read_text("utf-8"))
    )


def _read(text: str) -> Iterator[Relation]:
    plain = re.sub(r"^\s*--.*\n", "", text, flags=re.M)
    for match in _TABLE.finditer(plain):
        yield Relation(
            match[1], "table", tuple(_COLUMN.findall(match[2])), (), _says(text, match[0])
        )
    for match in _STAGE.finditer(plain):
        yield Relation(match[1], "stage", (), (), _says(text, match[0]))
    for match in _VIEW.finditer(plain):
        inside = set(re.findall(r"^ *(\w+)(?: \([^)]*\))? as \($", match[2], re.M))
        inside |= set(re.findall(r"^ *(\w+) \(\n", match[2], re.M))
        read = dict.fromkeys(re.findall(r"\b(?:from|join) ([A-Z_0-9]+)\b", match[2]))
        reads = tuple(name for name in read if name not in inside)
        yield Relation(match[1], "view", (), reads, _says(text, match[0]))


def _says(text: str, statement: str) -> str:
    """Return the first sentence of the comment right before a statement."""
    before = text.partition(statement.splitlines()[0])[0].rstrip("\n").splitlines()
    said: list[str] = []
    while before and before[-1].startswith("-- "):
        said.insert(0, before.pop()[3:])
    return re.split(r"(?<=\.) ", " ".join(said))[0]


def table(folder: Path) -> str:
    """Tell each relation, with its columns or with what it reads."""
    return written(
        ("name", "kind", "columns, or what it reads", "in words"),
        (
            (code(each.name), each.kind, code(*each.columns, *each.reads), each.says)
            for each in relations(folder)
        ),
    )


def writers(package: Path) -> Mapping[str, set[str]]:
    """Return which module of the application merges into which table."""
    return _modules(package, r"\bmerge into ([A-Z_]+)\b")


def readers(package: Path) -> Mapping[str, set[str]]:
    """Return which module of the application selects from which table."""
    return _modules(package, r"\b(?:from|join) ([A-Z_]{3,})\b")


def _modules(package: Path, pattern: str) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted(package.glob("*.py")):
        for name in re.findall(pattern, path.read_text("utf-8")):
            found.setdefault(path.stem, set()).add(name)
    return found


def drawn(folder: Path) -> str:
    """Draw which view reads which table and view."""
    known = relations(folder)
    names = {each.name for each in known}
    arrows = {(read, each.name): "" for each in known for read in each.reads if read in names}
    seen = {name for arrow in arrows for name in arrow}
    graph = direct(
        Graph(
            tuple(
                Box(each.name, each.says, "strong" if each.kind == "view" else "store")
                for each in known
                if each.name in seen
            ),
            arrows,
        )
    )
    return svg(
        graph,
        "The lake",
        "Which view reads what. "
        + " ".join(f"{each.name} reads {', '.join(each.reads)}." for each in known if each.reads),
        ("broken line: a table; strong line: a view",),
    )
