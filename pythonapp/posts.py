"""What a source of posts yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Bookmark:
    """Where a source goes on after a restart, once this post and all before it are delivered.

    name tells one source of one quadrant from another; position is the source's own words.
    """

    name: str
    position: str


@dataclass(frozen=True)
class Found:
    """One post as X gave it, {"data": …, "includes": …}; bytes where it is no JSON object."""

    payload: Json | bytes
    quadrant: str
    bookmark: Bookmark | None = None


class Quiet(Enum):
    """Why there is no post just now."""

    NOTHING_NEW = auto()
    TROUBLE = auto()
