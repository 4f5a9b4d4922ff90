"""Ifs: what they ask of a run that has ended, answered by pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ctm.rehearse.errors import PlanError
from ctm.rehearse.plan import If

# 8, "> 8", "!= 8", as the vendor's documentation writes numbers to compare with.
_NUMBER = re.compile(r"(>=|<=|!=|<>|>|<|=|)\s*(-?\d+)")
_WORDS = ("OK", "NOTOK", "ANY", "EVEN", "ODD")
_COUNTS = {
    "If:NumberOfReruns": "NumberOfReruns",
    "If:NumberOfExecutions": "NumberOfExecutions",
    "If:NumberOfFailures": "NumberOfFailures",
}


@dataclass(frozen=True)
class Ending:
    """What a run came to, as Ifs see it; failures, executions and reruns count this run too."""

    ok: bool
    code: int
    output: str = ""
    submitted: bool = True
    executions: int = 1
    failures: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def reruns(self) -> int:
        return self.executions - 1


def check(kind: str, properties: Mapping[str, Any], where: str) -> None:
    """Raise PlanError where an If is of no kind, or has no value, that `holds` can answer."""
    if kind == "If:CompletionStatus":
        told = str(properties.get("CompletionStatus", ""))
        if told.upper() not in _WORDS and not _NUMBER.fullmatch(told.strip()):
            raise PlanError(
                f"{where}: CompletionStatus {told!r} is neither OK, NOTOK, ANY nor a number"
            )
    elif kind in _COUNTS:
        told = str(properties.get(_COUNTS[kind], ""))
        if not _NUMBER.fullmatch(told.strip()):
            raise PlanError(f"{where}: {_COUNTS[kind]} {told!r} is no number such as 3 or >=3")
    elif kind == "If:VariableValue":
        operator = properties.get("Operator", "EqualTo")
        if operator not in _OPERATORS:
            raise PlanError(f"{where}: the Operator {operator!r} cannot be rehearsed")
    elif kind == "If:Output":
        if not properties.get("Code"):
            raise PlanError(f"{where}: Code is missing: the text to look for, such as *error*")
    elif kind not in ("If:JobNotSubmitted", "If:JobOutputNotFound"):
        raise PlanError(f"{where}: a {kind} cannot be rehearsed")


def holds(condition: If, ending: Ending) -> bool:
    """Tell whether an If holds for the run that has just ended."""
    kind, told = condition.kind, condition.properties
    if kind == "If:CompletionStatus":
        return _completion(str(told["CompletionStatus"]), ending)
    if kind in _COUNTS:
        number = getattr(ending, _COUNTS[kind].removeprefix("NumberOf").lower())
        return _compares(str(told[_COUNTS[kind]]), number)
    if kind == "If:Output":
        pattern = f"*{told['Code']}*"
        return any(_like(line, pattern) for line in ending.output.splitlines())
    if kind == "If:JobNotSubmitted":
        return not ending.submitted
    if kind == "If:VariableValue":
        name = str(told.get("VariableName", "")).lstrip("%")
        operator = _OPERATORS[told.get("Operator", "EqualTo")]
        return operator(ending.variables.get(name, ""), str(told.get("VariableValue", "")))
    return not ending.output


def _completion(told: str, ending: Ending) -> bool:
    word = told.upper()
    if word in ("OK", "NOTOK"):
        return ending.ok == (word == "OK")
    if word in ("EVEN", "ODD"):
        return ending.code % 2 == (word == "ODD")
    return word == "ANY" or _compares(told, ending.code)


def _compares(told: str, number: int) -> bool:
    found = _NUMBER.fullmatch(told.strip())
    assert found is not None, told
    other = int(found[2])
    return {
        ">=": number >= other,
        "<=": number <= other,
        "!=": number != other,
        "<>": number != other,
        ">": number > other,
        "<": number < other,
    }.get(found[1], number == other)


def _like(text: str, pattern: str) -> bool:
    """Match * and ?; to Control-M a bracket is a bracket."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "EqualTo": lambda a, b: a == b or _number(a) == _number(b),
    "NotEqualTo": lambda a, b: a != b and _number(a) != _number(b),
    "GreaterThan": lambda a, b: _number(a) > _number(b),
    "GreaterThanOrEqual": lambda a, b: _number(a) >= _number(b),
    "LessThan": lambda a, b: _number(a) < _number(b),
    "LessThanOrEqual": lambda a, b: _number(a) <= _number(b),
    "IsExactly": lambda a, b: a == b,
    "IsNotExactly": lambda a, b: a != b,
    "Like": _like,
    "NotLike": lambda a, b: not _like(a, b),
    "StartsWith": str.startswith,
    "EndWith": str.endswith,
    "Contains": lambda a, b: b in a,
    "DoesNotContain": lambda a, b: b not in a,
    "IsEmpty": lambda a, _: not a,
    "IsNotEmpty": lambda a, _: bool(a),
}
