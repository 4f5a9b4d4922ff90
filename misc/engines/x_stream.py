"""The open connection of the filtered stream, with everything that can happen to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from misc.engines.x_fields import ParameterError, Wanted, chosen, wanted
from misc.engines.x_world import Post, World

# backfill_minutes is for other contracts with X.
PARAMETERS = frozenset(
    {"tweet.fields", "user.fields", "place.fields", "media.fields", "poll.fields", "expansions"}
)
NEWLINE = b"\r\n"
_CHUNK = 1 << 16
_DISCONNECT = {
    "errors": [
        {
            "title": "operational-disconnect",
            "disconnect_type": "UpstreamOperationalDisconnect",
            "detail": "This stream has been disconnected upstream for operational reasons.",
            "type": "https://api.twitter.com/2/problems/operational-disconnect",
        }
    ]
}
_MALFORMED = '{"data":{"id":"1","text":"cut'
FAULTS = ("close", "cut", "silence", "malformed", "disconnect")


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Read the parameters of a connect; ParameterError for one that X does not know."""
    for name in query:
        if name not in PARAMETERS:
            known = ",".join(sorted(PARAMETERS))
            raise ParameterError(
                name, query[name], f"The query parameter [{name}] is not one of [{known}]"
            )
    return wanted(query)


class Stream(Response):
    """One connection: posts that match a rule as JSON lines, an empty line where there are none.

    Faults are taken in their order, each once, when so many posts (`after`) were sent here:
    `close` ends cleanly, `cut` breaks off within the next post's line (which is sent again to the
    next connection), `silence` sends nothing any more, `malformed` sends a `line` that is no JSON,
    `disconnect` says so and closes.
    """

    def __init__(
        self, world: World, fields: Wanted, news: asyncio.Event, headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers=headers, media_type="application/json")
        del self.headers["content-length"]
        self._world = world
        self._fields = fields
        self._news = news
        self._sent = 0
        # From now on, not from the first byte: two that ask at once are not both served.
        world.streaming = True
        world.counts["connected"] += 1

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        async def leaves() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        async def write(data: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        gone = asyncio.create_task(leaves())
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            await self._pour(write, gone)
        finally:
            self._world.streaming = False
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _pour(self, write: Any, gone: asyncio.Task[None]) -> None:
        quiet_since = time.monotonic()
        while not gone.done():
            if fault := self._world.take_fault("stream", FAULTS, self._sent):
                if await self._fail(fault, write, gone):
                    return
                continue
            if chunk := self._due():
                await write(chunk)
                quiet_since = time.monotonic()
                continue
            quiet = self._world.limits.keep_alive_seconds - (time.monotonic() - quiet_since)
            if quiet <= 0:
                await write(NEWLINE)
                self._world.counts["keep_alives"] += 1
                quiet_since = time.monotonic()
                continue
            next_post = self._world.seconds_to_next()
            await self._wait(gone, quiet if next_post is None else min(quiet, next_post))

    async def _fail(self, fault: Mapping[str, Any], write: Any, gone: asyncio.Task[None]) -> bool:
        """Do what a fault says and tell whether the connection is over."""
        match fault["do"]:
            case "close":
                await write(b"", more=False)
            case "disconnect":
                await write(json.dumps(_DISCONNECT).encode() + NEWLINE)
                await write(b"", more=False)
            case "malformed":
                await write(fault.get("line", _MALFORMED).encode() + NEWLINE)
                return False
            case "silence":
                await gone
            case "cut":
                while not (found := self._next()):
                    if gone.done():
                        return True
                    await self._wait(gone, self._world.seconds_to_next())
                post, line = found
                self._world.again.appendleft(post)
                # Without the last chunk the server breaks the connection off.
                await write(line[: len(line) // 2])
        return True

    async def _wait(self, gone: asyncio.Task[None], seconds: float | None) -> None:
        self._news.clear()
        news = asyncio.create_task(self._news.wait())
        await asyncio.wait({gone, news}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()

    def _due(self) -> bytes:
        """Return the lines that can be sent now, up to the next fault."""
        fault = self._world.first_fault("stream")
        stop = fault.get("after", 0) if fault and fault["do"] in FAULTS else math.inf
        chunk = bytearray()
        while len(chunk) < _CHUNK and self._sent < stop:
            if not (found := self._next()):
                break
            chunk += found[1]
            self._sent += 1
            self._world.counts["delivered"] += 1
        return bytes(chunk)

    def _next(self) -> tuple[Post, bytes] | None:
        """Return the next post that matches a rule, with its line."""
        while (post := self._world.next_for_stream()) is not None:
            if rules := self._world.matching(post):
                (data,), includes = chosen([post], self._fields)
                line = {
                    "data": data,
                    **({"includes": includes} if includes else {}),
                    "matching_rules": [
                        {"id": rule.id, **({"tag": rule.tag} if rule.tag is not None else {})}
                        for rule in rules
                    ],
                }
                return post, json.dumps(line, ensure_ascii=False).encode() + NEWLINE
        return None
