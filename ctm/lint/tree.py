"""A definition's objects by their path, with their modern type and what Defaults give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctm.definition import Definition, Path
from ctm.lint.finding import Finding

DEFAULTS = "Defaults"

ALIASES: Mapping[str, str] = {
    "Mail": "Action:Mail",
    "Notify": "Action:Notify",
    "Rerun": "Action:Rerun",
    "Run": "Action:Run",
    "Set": "Action:Set",
    "SetToOK": "Action:SetToOK",
    "SetToNotOK": "Action:SetToNotOK",
    "Resource:Semaphore": "Resource:Pool",
    "Resource:Mutex": "Resource:Lock",
}
"""Types of older releases, which Control-M still takes, and their names today."""

_IFS: Mapping[str, str] = {
    "CompletionStatus": "If:CompletionStatus",
    "Statement": "If:Output",
    "Code": "If:Output",
    "Output": "If:Output",
    "NumberOfReruns": "If:NumberOfReruns",
    "NumberOfExecutions": "If:NumberOfExecutions",
    "NumberOfFailures": "If:NumberOfFailures",
    "VariableName": "If:VariableValue",
}
"""The old type `If` is told apart by the condition that it carries."""


def modern(type_: str, content: Mapping[str, Any]) -> str:
    """Return today's name of a type."""
    if type_ == "If":
        return next((new for key, new in _IFS.items() if key in content), "If:CompletionStatus")
    return ALIASES.get(type_, type_)


def is_a(type_: str, *kinds: str) -> bool:
    """Tell whether a type is one of the kinds, or a kind of them: Job:Command is a Job."""
    return any(type_ == kind or type_.startswith(f"{kind}:") for kind in kinds)


@dataclass(frozen=True)
class Item:
    """One object that has a Type; `given` is the type as it stands there.

    inherited holds what Defaults give and the object does not say itself, each with its own path.
    """

    path: Path
    type: str
    given: str
    content: Mapping[str, Any]
    inherited: Mapping[str, tuple[Path, Any]]

    @property
    def name(self) -> str:
        return str(self.path[-1])

    @property
    def is_default(self) -> bool:
        """Tell whether this stands in Defaults, so that it is many objects' and no one's."""
        return self.path[0] == DEFAULTS

    def properties(self) -> dict[str, tuple[Path, Any]]:
        """Return every property with the path where it is written, also in Defaults."""
        own = {key: ((*self.path, key), value) for key, value in self.content.items()}
        return {**self.inherited, **own}

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return a property's value, its own or the default."""
        return self.properties().get(name, ((), otherwise))[1]


@dataclass(frozen=True)
class Tree:
    """One file's objects in the order in which they stand."""

    definition: Definition
    items: Mapping[Path, Item]

    def parent(self, item: Item) -> Item | None:
        return self.items.get(item.path[:-1])

    def ancestors(self, item: Item) -> Iterator[Item]:
        """Yield the objects around this one, from the inside out."""
        path = item.path[:-1]
        while path:
            if path in self.items:
                yield self.items[path]
            path = path[:-1]

    def children(self, item: Item, *kinds: str) -> Iterator[Item]:
        """Yield an object's own children of these kinds, and what Defaults give it."""
        depth = len(item.path) + 1
        for path, other in self.items.items():
            if len(path) == depth and path[:-1] == item.path and is_a(other.type, *kinds):
                yield other
        for path, _ in item.inherited.values():
            if path in self.items and is_a(self.items[path].type, *kinds):
                yield self.items[path]

    def of(self, *kinds: str) -> Iterator[Item]:
        """Yield every object of these kinds."""
        return (item for item in self.items.values() if is_a(item.type, *kinds))

    def finding(self, path: Path, rule: str, what: str) -> Finding:
        """Make a finding at the path."""
        return Finding(self.definition.name, self.definition.line(path), path, rule, what)


def grow(definition: Definition) -> Tree:
    """Find a definition's objects."""
    items: dict[Path, Item] = {}
    defaults = definition.content.get(DEFAULTS)
    given = defaults if isinstance(defaults, dict) else {}

    def visit(path: Path, content: Mapping[str, Any], type_: str, *, inherits: bool) -> None:
        name = modern(type_, content)
        inherited = _inherited(given, name, content) if inherits else {}
        items[path] = Item(path, name, type_, content, inherited)
        for key, value in content.items():
            if isinstance(value, dict) and isinstance(value.get("Type"), str):
                visit((*path, key), value, value["Type"], inherits=inherits)

    for scope in _scopes(given):
        visit((DEFAULTS, scope), given[scope], scope, inherits=False)
    for key, value in definition.content.items():
        if key != DEFAULTS and isinstance(value, dict) and isinstance(value.get("Type"), str):
            visit((key,), value, value["Type"], inherits=True)
    return Tree(definition, items)


def _scopes(defaults: Mapping[str, Any]) -> list[str]:
    """Return the keys of Defaults that name a type or a family of types."""
    families = ("Job", "Folder", "SubFolder", "SimpleFolder", "ConnectionProfile", "Driver")
    return [
        key
        for key, value in defaults.items()
        if isinstance(value, dict) and is_a(key, *families, "Notify", "Resource", "If", "Action")
    ]


def _inherited(
    defaults: Mapping[str, Any], type_: str, own: Mapping[str, Any]
) -> dict[str, tuple[Path, Any]]:
    """Return what Defaults give an object: the scope that fits best wins, its own words first."""
    scopes = _scopes(defaults)
    found: dict[str, tuple[Path, Any]] = {
        key: ((DEFAULTS, key), value) for key, value in defaults.items() if key not in scopes
    }
    for scope in sorted((scope for scope in scopes if is_a(type_, scope)), key=len):
        found |= {key: ((DEFAULTS, scope, key), value) for key, value in defaults[scope].items()}
    return {key: value for key, value in found.items() if key not in own}
