"""Read YAML as the Kubernetes API reads it, and refuse what it could not mean.

The API takes JSON: text, numbers, true, false, null, lists and objects with text keys. PyYAML
would also make dates, sets and bytes, reads `12:30` as a number of base 60, and keeps the last of
two equal keys; Go's YAML, which kubectl uses, does none of that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

# A manifest is written by hand; what is larger than this is a mistake or an attack. A node counts
# as often as aliases reach it, so that they cannot multiply unseen.
MAX_CHARACTERS = 1_000_000
MAX_DOCUMENTS = 100
MAX_NODES = 50_000
MAX_DEPTH = 100

_TAG = "tag:yaml.org,2002:"
_PLAIN = {_TAG + name for name in ("str", "int", "float", "bool", "null")}
_KNOWN = {*_PLAIN, *(_TAG + name for name in ("map", "seq", "merge"))}


class BadYamlError(Exception):
    """A text that is no YAML, or YAML that is no JSON; line counts from 1."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line

    def __str__(self) -> str:
        where = f", line {self.line}" if self.line else ""
        return f"{where}: {self.args[0]}"


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of JSON only, refused as soon as it is found to be too much."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._count = 0  # nodes of the text so far, each as often as it is reached
        self._depth = -1  # of the node that is being read
        self._deepest = 0  # depth reached within it
        self._weights: dict[str, tuple[int, int]] = {}  # by anchor: nodes, and levels below it

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read one node with all that is in it; it calls itself for what is in it."""
        compose: Any = super().compose_node  # its stub has no types
        peek: Any = self.peek_event
        event = peek()
        line = int(event.start_mark.line) + 1
        if parent is None:
            self._weights = {}  # each document has anchors of its own
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.anchors and event.anchor not in self._weights:
                raise BadYamlError("an alias of itself", line)
            nodes, levels = self._weights.get(event.anchor or "", (0, 0))
            self._reach(nodes, self._depth + 1 + levels, line)
            return compose(parent, index)
        before, outside = self._count, self._deepest
        self._depth += 1
        self._deepest = self._depth
        self._reach(1, self._depth, line)
        node = compose(parent, index)
        if event.anchor:
            self._weights[event.anchor] = (self._count - before, self._deepest - self._depth)
        self._deepest = max(outside, self._deepest)
        self._depth -= 1
        return node

    def _reach(self, nodes: int, depth: int, line: int) -> None:
        """Count nodes, and the depth that they reach."""
        self._count += nodes
        self._deepest = max(self._deepest, depth)
        if self._count > MAX_NODES:
            raise BadYamlError(f"more than {MAX_NODES:,} values, with those of aliases", line)
        if depth > MAX_DEPTH:
            raise BadYamlError(f"nested too deeply, more than {MAX_DEPTH} levels", line)


_INT = r"[-+]?(0b[01_]*[01]|0[0-7_]*|0o[0-7_]*[0-7]|[1-9][0-9_]*|0x[0-9a-fA-F_]*[0-9a-fA-F])"
_FLOAT = r"[-+]?(\d[\d_]*\.[\d_]*([eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+|\.\d[\d_]*([eE][-+]?\d+)?)"
_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] in (_TAG + "bool", _TAG + "null", _TAG + "merge")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_add: Any = _Loader.add_implicit_resolver  # its stub has no types
_add(_TAG + "int", re.compile(rf"^(?:{_INT})$"), list("-+0123456789"))
_add(_TAG + "float", re.compile(rf"^(?:{_FLOAT})$"), list("-+0123456789."))


def _int(loader: yaml.SafeLoader, node: Any) -> int:
    text = loader.construct_scalar(node).replace("_", "").lower()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
    if re.fullmatch("0[0-7]+", digits):  # 0644, as in defaultMode
        digits = "0o" + digits
    return sign * int(digits, 0)


def _float(loader: yaml.SafeLoader, node: Any) -> float:
    number = float(loader.construct_scalar(node).replace("_", ""))
    if not math.isfinite(number):
        raise ValueError("no number of JSON")
    return number


_Loader.add_constructor(_TAG + "int", _int)
_Loader.add_constructor(_TAG + "float", _float)


class Document:
    """One document of a text, before its values are made; scalars may still be replaced."""

    def __init__(self, loader: _Loader, root: Any) -> None:
        self._loader = loader
        self._root = root
        self.line = _line(root)

    def scalars(self) -> Iterator[Any]:
        """Yield every scalar node once; `fill` gives one another text."""
        return (node for node in _walk(self._root) if isinstance(node, yaml.ScalarNode))

    def fill(self, node: Any, text: str, *, plain: bool) -> None:
        """Give a scalar another text: plain is read as YAML reads it unquoted, else it is text."""
        resolve: Any = self._loader.resolve  # its stub has no types
        tag = resolve(yaml.ScalarNode, text, (True, False)) if plain else None
        node.value = text
        node.tag = tag if tag in _PLAIN and tag != _TAG + "null" else _TAG + "str"

    def value(self) -> Any:
        """Return what the document says, as JSON values. Raises BadYamlError."""
        _check(self._root)
        try:
            return self._loader.construct_document(self._root)
        except yaml.YAMLError as error:
            raise _bad(error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # What an explicit tag (!!int x) makes of a text that does not fit it.
            raise BadYamlError("a value does not fit its type", self.line) from error


def read(text: str) -> Iterator[Document]:
    """Yield the documents of a text. Raises BadYamlError."""
    if len(text) > MAX_CHARACTERS:
        raise BadYamlError(f"larger than {MAX_CHARACTERS:,} characters")
    try:
        loader = _Loader(text)
        for _ in range(MAX_DOCUMENTS):
            if not loader.check_node():
                return
            yield Document(loader, loader.get_node())
        if loader.check_node():
            raise BadYamlError(f"more than {MAX_DOCUMENTS} documents")
    except yaml.YAMLError as error:
        raise _bad(error) from error


def value(text: str) -> Any:
    """Return the one value that a text spells. Raises BadYamlError."""
    found = [document.value() for document in read(text)]
    if len(found) > 1:
        raise BadYamlError("more than one document")
    return found[0] if found else None


def _bad(error: yaml.YAMLError) -> BadYamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    if mark is not None and "${{" in (mark.get_snippet() or ""):
        problem = f"{problem}; inside [ ] and {{ }} a ${{{{placeholder}}}} must be quoted"
    return BadYamlError(" ".join(str(problem).split()), mark.line + 1 if mark else None)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return []


def _walk(root: Any) -> Iterator[Any]:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(_children(node))


def _check(root: Any) -> None:
    for node in _walk(root):
        if node.tag not in _KNOWN:
            raise BadYamlError(f"{node.tag.replace(_TAG, '!!')} is no type of JSON", _line(node))
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadYamlError(
                    "a key must be a word; is a ${{placeholder}} written without its $?",
                    _line(key),
                )
            if key.value in seen and key.tag != _TAG + "merge":
                raise BadYamlError(f"{key.value!r} stands twice", _line(key))
            if key.tag not in (_TAG + "str", _TAG + "merge"):
                key.tag = _TAG + "str"  # `on:` and `8080:` are names where a name is due
            seen.add(key.value)
