"""Lists in parts: the parameters limit and continue."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from .refusals import Refusal
from .resources import Json, key_of


def part(items: Sequence[Json], parameters: Mapping[str, str]) -> tuple[list[Json], Json]:
    """Return the part of the sorted items that a request asks for, and what its metadata tell.

    A list goes on after the last name of the part before. A real server shows the state at the
    first request to the end; here later parts show the present one.
    """
    token = parameters.get("continue", "")
    rest = [item for item in items if list(key_of(item)) > _start(token)] if token else list(items)
    limit = _limit(parameters.get("limit", ""))
    if not limit or len(rest) <= limit:
        return rest, {}
    some = rest[:limit]
    more: Json = {"continue": _token(some[-1])}
    if not (parameters.get("labelSelector") or parameters.get("fieldSelector")):
        more["remainingItemCount"] = len(rest) - limit
    return some, more


def _limit(text: str) -> int:
    try:
        return max(0, int(text or "0"))
    except ValueError:
        raise Refusal(400, f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _token(item: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(key_of(item)).encode()).decode()


def _start(token: str) -> list[str]:
    try:
        namespace, name = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError) as error:
        raise Refusal(400, f"continue key is not valid: {error}") from None
    return [namespace, name]
