"""Quantities as Kubernetes writes them: 500m, 1Gi, 2e3."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import Any

_POWERS = {
    "": Fraction(1),
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("num", -3)},
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_FORM = re.compile(
    r"([+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40}))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?",
    re.ASCII,
)


def quantity(value: Any) -> Fraction | None:
    """Read a quantity exactly; None when it is none, which the API's own dry run tells better."""
    found = None if isinstance(value, bool) else _FORM.fullmatch(str(value))
    if found is None:
        return None
    number, suffix, exponent = found.groups()
    if exponent:
        return Fraction(number) * Fraction(10) ** int(exponent)
    return Fraction(number) * _POWERS[suffix or ""]


def written(amount: Fraction) -> str:
    """Write a quantity for people: thousandths, rounded up, or a whole, in units of memory."""
    if amount.denominator != 1:
        return f"{ceil(amount * 1000)}m"
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        if amount and amount % _POWERS[suffix] == 0:
            return f"{amount / _POWERS[suffix]}{suffix}"
    return str(amount)
