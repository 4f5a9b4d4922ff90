"""The changes of one watch, as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from runjob.errors import ApiError
from runjob.request import Body
from runjob.stream import Stream


@dataclass(frozen=True)
class Change:
    """One step of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the version to go on from."""

    type: str
    body: Body
    version: str


class Watch:
    """The changes of one watch as they come; `close` ends it, from any thread."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Change]:
        rest = b""
        for chunk in self._stream:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _change(line)

    def close(self) -> None:
        self._stream.close()


def _change(line: bytes) -> Change:
    try:
        step = json.loads(line)
        body = step["object"]
        if step["type"] == "ERROR":
            raise ApiError(
                body.get("code") or 500, body.get("message") or "", reason=body.get("reason") or ""
            )
        return Change(step["type"], body, body["metadata"]["resourceVersion"])
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(0, "a watch brought something that is no change") from error
