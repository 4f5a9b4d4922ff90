"""Whether a deploy descriptor's rules say what to change, where, and to what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ctm.definition import Definition, Path, describe
from ctm.lint.finding import Finding

_RULES = "DeployDescriptor"
_MEMBERS = ("ApplyOn", "Assign", "Comment", "Property", "Replace", "Source")


def is_descriptor(definition: Definition) -> bool:
    """Tell a deploy descriptor from definitions of folders and profiles."""
    return _RULES in definition.content


def descriptors(definitions: Iterable[Definition]) -> Iterator[Finding]:
    """Check each rule: one Property, and either Assign or Replace."""
    for definition in definitions:
        for path, what in _faults(definition):
            yield Finding(definition.name, definition.line(path), path, "descriptor", what)


def _faults(definition: Definition) -> Iterator[tuple[Path, str]]:
    for twice in definition.repeated:
        yield twice.path, describe(twice)
    rules = definition.content[_RULES]
    if not isinstance(rules, list):
        yield (_RULES,), "takes a list of rules"
        return
    for position, rule in enumerate(rules):
        here = (_RULES, position)
        if not isinstance(rule, dict):
            yield here, 'is no rule; write {"Property": "Host", "Assign": "production"}'
            continue
        for name in rule:
            if name not in _MEMBERS:
                yield (*here, name), f"is no part of a rule; a rule has {', '.join(_MEMBERS)}"
        if not isinstance(rule.get("Property"), str):
            yield here, "does not say what to change; add Property"
        if ("Assign" in rule) == ("Replace" in rule):
            yield here, "needs either Assign or Replace, to say what to change it to"
        yield from _replace((*here, "Replace"), rule.get("Replace", []))


def _replace(path: Path, pairs: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
        yield path, 'takes a list of patterns and texts, as in [{"Dev(.*)": "Prod$1"}]'
        return
    for position, pair in enumerate(pairs):
        for pattern, text in pair.items():
            here = (*path, position, pattern)
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                yield here, f"is no regular expression: {error}"
                continue
            if not isinstance(text, str):
                yield here, "takes a text to put in place"
            elif max(map(int, re.findall(r"\$(\d)", text)), default=0) > groups:
                yield here, f"has {groups} groups, and {text!r} wants more"
