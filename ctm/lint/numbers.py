"""Whether numbers are numbers where the vendor's client takes any text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ctm.lint.finding import Finding
from ctm.lint.tree import Tree

_WHOLE = re.compile(r"\d+")
_ABOVE_0 = re.compile(r"0*[1-9]\d*")
_TIME = re.compile(r"\d{1,2}:[0-5]\d")

_RULES: Sequence[tuple[str, str, str, re.Pattern[str], str]] = (
    # Type, property, member of the property or "", what it must be, and that in words.
    ("Job", "Rerun", "Every", _WHOLE, "a whole number, such as 5"),
    ("Job", "Rerun", "Times", _ABOVE_0, "a whole number above 0; leave it out to run on"),
    ("Job:FileWatcher", "TimeLimit", "", _WHOLE, "a whole number of minutes; 0 is no limit"),
    ("Job:SLAManagement", "CompleteIn", "Time", _TIME, "hours and minutes, such as 00:30"),
)


def numbers(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find numbers and lengths of time that are none."""
    for tree in trees:
        for kind, name, member, form, wanted in _RULES:
            for job in tree.of(kind):
                path, value = job.properties().get(name, ((), None))
                if member:
                    path = (*path, member)
                    value = value.get(member) if isinstance(value, Mapping) else None
                # What is neither text nor number is told as such elsewhere.
                if not isinstance(value, str | int) or "%%" in str(value):
                    continue
                if not form.fullmatch(str(value).strip()):
                    yield tree.finding(path, "value", f"is {value!r}, and must be {wanted}")
