"""Set one field of an object by its path, as --set does."""

from __future__ import annotations

import copy
import re
from typing import Any

from runjob.errors import UsageError
from runjob.request import Body
from runjob.yamltext import BadYamlError, value

_STEP = re.compile(r'\.?(?:"(?P<quoted>[^"]+)"|(?P<name>[^.\[\]"]+)|\[(?P<index>\d{1,4})\])')


def steps(path: str) -> tuple[str | int, ...]:
    """Split `spec.containers[0]."a.b/c"` into its keys and list positions."""
    found: list[str | int] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if not match or (at > 0 and path[at] not in ".[") or (at == 0 and path[0] in ".["):
            raise UsageError(
                f"--set {path}: not a path such as spec.template.spec.containers[0].image or "
                'metadata.labels."example.com/team"'
            )
        index = match["index"]
        found.append(int(index) if index else match["quoted"] or match["name"])
        at = match.end()
    return tuple(found)


def _value(path: str, text: str) -> Any:
    try:
        return value(text) if text else ""
    except BadYamlError as error:
        raise UsageError(
            f"--set {path}: {text[:80]!r} is no YAML value{error}; quote it as in '\"{{x}}\"'"
        ) from error


def with_field(body: Body, path: str, text: str) -> Body:
    """Return a copy of body where the field at path has the value that text spells in YAML.

    Objects and list entries on the way are made where they are missing; a list grows by one entry
    at most. Raises UsageError where the path runs into something that is neither.
    """
    result = copy.deepcopy(dict(body))
    place: Any = result
    keys = steps(path)
    for key, following in zip(keys, (*keys[1:], None), strict=True):
        fits = isinstance(place, list) if isinstance(key, int) else isinstance(place, dict)
        if not fits or (isinstance(key, int) and key > len(place)):
            raise UsageError(f"--set {path}: there is no place for {key!r} in that object")
        if isinstance(key, int) and key == len(place):
            place.append(None)
        if following is None:
            place[key] = _value(path, text)
        else:
            child = place[key] if isinstance(key, int) else place.get(key)
            if child is None:
                place[key] = [] if isinstance(following, int) else {}
            place = place[key]
    return result
