"""Turn frozen data into JSON and back."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return a dataclass, and all that it holds, as values that JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def from_json(kind: type[T], value: Any) -> T:
    """Return what `to_json` was given, a dataclass of that kind.

    A field that another version wrote or knew is left out, or has its default. Raises KeyError,
    TypeError or ValueError for what is none.
    """
    made: T = _read(kind, value)
    return made


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        # Only `X | None` is used.
        inner = next(each for each in get_args(kind) if each is not type(None))
        return None if value is None else _read(inner, value)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{value!r:.40} is none of {get_args(kind)}")
        return value
    if get_origin(kind) is tuple:
        inner, *more = get_args(kind)
        if more == [...]:
            return tuple(_read(inner, each) for each in value)
        return tuple(_read(*pair) for pair in zip(get_args(kind), value, strict=True))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(  # type: ignore[operator]  # a class, not an instance
            **{
                each.name: _read(hints[each.name], value[each.name])
                for each in fields(kind)
                if each.name in value or _is_needed(each)
            }
        )
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, (kind, int) if kind is float else kind):
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
