"""Whether every object is what its type says: place, properties, values, and nothing missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ctm.definition import Path, describe
from ctm.lint.finding import Finding
from ctm.lint.tree import DEFAULTS, Item, Tree, is_a
from ctm.lint.vendor import TOP, Catalogue, ItemType, Property, Shape
from ctm.rehearse.events import WORDS

_TODAY = {"MutexType": "LockType"}
"""Properties of older releases, and their names today."""


def structure(trees: Iterable[Tree], catalogue: Catalogue) -> Iterator[Finding]:
    """Check each object by itself against its type."""
    owners: dict[str, str] = {}
    for tree in trees:
        for path in tree.items:
            if len(path) == 1:
                first = owners.setdefault(str(path[0]), tree.definition.name)
                if first != tree.definition.name:
                    yield tree.finding(
                        path, "duplicate",
                        f"{first} defines it, too, and what is deployed last counts; rename one",
                    )  # fmt: skip
        for twice in tree.definition.repeated:
            name = tree.definition.name
            yield Finding(name, twice.line, twice.path, "duplicate", describe(twice))
        yield from _top(tree, catalogue)
        for item in tree.items.values():
            if len(item.path) == 2 and item.is_default:
                yield from _scope(tree, item, catalogue)
            else:
                yield from _item(tree, item, catalogue)


def _top(tree: Tree, catalogue: Catalogue) -> Iterator[Finding]:
    for key, value in tree.definition.content.items():
        if key == DEFAULTS and isinstance(value, dict):
            known = catalogue.defaults
            for name in value:
                if (DEFAULTS, name) not in tree.items and name not in known:
                    yield tree.finding(
                        (DEFAULTS, name), "property",
                        f"no object has a property of this name{_maybe(name, known)}",
                    )  # fmt: skip
        elif key != "Comment" and (key,) not in tree.items:
            yield tree.finding((key,), "type", 'has no Type; give it one, such as "Type": "Folder"')


def _scope(tree: Tree, scope: Item, catalogue: Catalogue) -> Iterator[Finding]:
    """Check a part of Defaults that is for one family of types."""
    known = catalogue.family(scope.type)
    for name in scope.content:
        path = (*scope.path, name)
        if path not in tree.items and name not in known:
            yield tree.finding(
                path, "property", f"no {scope.type} has this property{_maybe(name, known)}"
            )


def _item(tree: Tree, item: Item, catalogue: Catalogue) -> Iterator[Finding]:
    if item.given != item.type:
        yield tree.finding(
            (*item.path, "Type"), "alias",
            f"{item.given} is the name of an older release; write {item.type}",
        )  # fmt: skip
    described = None if catalogue.abstract(item.type) else catalogue.find(item.type)
    if described is None:
        near = catalogue.near(item.type)
        yield tree.finding(
            (*item.path, "Type"), "type",
            f"{item.type} is no type that Control-M knows"
            + (f"; is it {near}?" if near else "; look it up in the vendor's reference"),
        )  # fmt: skip
        return
    yield from _placement(tree, item, catalogue)
    strange = list(_properties(tree, item, described))
    yield from strange
    # One that is there under a wrong name is told as such, and is not missing besides.
    wrong = {str(each.path[-1]) for each in strange if each.rule in ("alias", "property")}
    meant = {_TODAY.get(name) or _near(name, described.properties) for name in wrong}
    for name, known in described.properties.items():
        if known.required and name not in item.properties() and name not in meant:
            yield tree.finding(item.path, "required", f"a {item.type} needs {name}; add it")


def _placement(tree: Tree, item: Item, catalogue: Catalogue) -> Iterator[Finding]:
    parent = tree.parent(item)
    around = catalogue.find(parent.type) if parent is not None else None
    if parent is not None and around is None:
        return
    kinds = around.children if around is not None else TOP
    where = f"in a {parent.type}" if parent is not None else "at the top of a file"
    if is_a(item.type, *kinds):
        return
    advice = f"it may hold {', '.join(kinds)}" if kinds else "it holds no objects"
    if item.type == "Resource:Pool" and parent is not None:
        advice = "folders take a Resource:Lock only; put the pool into the jobs"
    yield tree.finding(item.path, "place", f"a {item.type} cannot stand {where}: {advice}")


def _properties(tree: Tree, item: Item, described: ItemType) -> Iterator[Finding]:
    for name, (path, value) in item.properties().items():
        known = described.properties.get(name)
        inherited = name in item.inherited
        if path in tree.items or name == "Type":
            continue
        if known is not None:
            yield from _value(tree, path, value, known.shape)
        elif (today := _TODAY.get(name)) in described.properties:
            yield tree.finding(path, "alias", f"is the name of an older release; write {today}")
        elif not inherited and not (described.free and name.startswith(described.free)):
            yield _unknown(tree, path, value, item.type, described.properties)


def _unknown(
    tree: Tree, path: Path, value: Any, type_: str, known: Mapping[str, Property]
) -> Finding:
    name = str(path[-1])
    near = _maybe(name, known)
    if isinstance(value, dict) and not near:
        return tree.finding(path, "type", "has no Type; give it one, or remove it")
    return tree.finding(path, "property", f"a {type_} has no such property{near or '; remove it'}")


def _near(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like this one; names differ in case, too."""
    folded = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    return folded[near[0]] if near else None


def _maybe(name: str, known: Iterable[str]) -> str:
    near = _near(name, known)
    return f"; is it {near}?" if near else ""


def _value(tree: Tree, path: Path, value: Any, shape: Shape) -> Iterator[Finding]:
    if shape.kind == "any":
        return
    if isinstance(value, str) and "%%" in value and shape.kind != "list":
        return
    if shape.kind == "record" and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                yield from _value(tree, (*path, name), inner, shape.members[name].shape)
            else:
                near = _maybe(name, shape.members)
                yield tree.finding(
                    (*path, name), "property",
                    f"{path[-1]} has no such property{near or '; remove it'}",
                )  # fmt: skip
        for name, member in shape.members.items():
            if member.required and name not in value:
                yield tree.finding(path, "required", f"{path[-1]} needs {name}; add it")
    elif shape.kind == "list" and isinstance(value, list):
        assert shape.item is not None
        for position, inner in enumerate(value):
            if not (path[-1] == "Events" and inner in WORDS):
                yield from _value(tree, (*path, position), inner, shape.item)
    elif not _fits(value, shape):
        yield tree.finding(path, "value", f"takes {_wanted(shape)}, not {_shown(value)}")


def _fits(value: Any, shape: Shape) -> bool:
    match shape.kind:
        case "text":
            secret = isinstance(value, dict) and set(value) == {"Secret"}
            return secret or isinstance(value, str | int | float)
        case "number":
            digits = isinstance(value, str) and value.strip().lstrip("-").isdigit()
            return digits or (isinstance(value, int) and not isinstance(value, bool))
        case "flag":
            return isinstance(value, bool)
        case "choice":
            # The client writes the blanks in words such as Very Low as underscores.
            words = {word.replace("_", " ") for word in shape.words}
            return isinstance(value, str) and value.replace("_", " ") in words
        case "pairs":
            return isinstance(value, dict) and all(
                isinstance(inner, str | int | float) for inner in value.values()
            )
        case _:
            return False


def _wanted(shape: Shape) -> str:
    if shape.kind == "choice":
        return " or ".join(word.replace("_", " ") for word in shape.words)
    return {
        "text": "a text",
        "number": "a whole number",
        "flag": "true or false",
        "pairs": 'a name and its value, as in {"NAME": "value"}',
        "list": "a list",
        "record": "an object of properties",
    }[shape.kind]


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return {None: "null", True: "true", False: "false"}.get(value, repr(value))
