"""What has a Type of its own in a definition, and what is told where something has no shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ctm.rehearse.errors import PlanError

LINT = "python -m ctm.lint says"
# Former names of the vendor's, which its server still takes.
_FORMER = {
    "If": "If:CompletionStatus",
    "Mail": "Action:Mail",
    "Rerun": "Action:Rerun",
    "Run": "Action:Run",
    "Action:SetToNotOk": "Action:SetToNotOK",
    "Resource:Semaphore": "Resource:Pool",
    "Resource:Mutex": "Resource:Lock",
}


def members(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what has a Type of its own, with a former Type by its name of today."""
    for name, value in content.items():
        if isinstance(value, dict) and (kind := value.get("Type")) is not None:
            if not isinstance(kind, str):
                raise PlanError(f"{name}: its Type {kind!r:.60} is no text; {LINT} where")
            yield name, {**value, "Type": _FORMER.get(kind, kind)}


@contextmanager
def shaped(name: str) -> Iterator[None]:
    """Tell whose value is a number where a list should be, or the like."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        raise PlanError(f"{name}: a value has the wrong shape ({error}); {LINT} where") from error


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)
