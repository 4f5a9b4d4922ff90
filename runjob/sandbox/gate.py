"""The gate in front of the API: token or certificate, request log and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .faults import Injection, Mute, Refuse, Reset, Slow, Target, refuse, spoil
from .http import Reply, Request, refusal_reply
from .refusals import Refusal
from .reviews import REVIEWS, reviewed

Locate = Callable[[Request], Target | None]
Handle = Callable[[Request, Target | None], Awaitable[Reply]]


@dataclass(frozen=True)
class Served:
    """One line of the request log; status 0 when the connection was reset or fell silent."""

    method: str
    path: str
    query: str
    status: int
    user_agent: str


class Gate:
    """Lets requests with the token or the client certificate through, except for faults.

    ``certificate`` is the serial number of the only one that is let in, 0 for none.
    """

    def __init__(self, token: str, locate: Locate, handle: Handle) -> None:
        self.token = token
        self.certificate = 0
        self.served: list[Served] = []
        self.injections: list[Injection] = []
        self._locate = locate
        self._handle = handle

    async def __call__(self, request: Request) -> Reply:
        reply = await self._answer(request)
        untold = reply.ending in ("reset", "mute") and reply.limit is None
        self.served.append(
            Served(
                request.method,
                request.path,
                request.query,
                0 if untold else reply.status,
                request.headers.get("user-agent", ""),
            )
        )
        return reply

    async def _answer(self, request: Request) -> Reply:
        if not self._knows(request):
            return refusal_reply(Refusal(401, "Unauthorized"))
        target = self._locate(request)
        if request.path == REVIEWS:
            return reviewed(request, self.injections)
        struck = next((i for i in list(self.injections) if i.strikes(target)), None)
        if struck is None:
            return await self._handle(request, target)
        effect = struck.fault.effect
        if isinstance(effect, Refuse):
            return refuse(effect, target)
        if isinstance(effect, (Reset, Mute)) and not effect.done:
            return spoil(Reply(200), effect)
        if isinstance(effect, Slow):
            await asyncio.sleep(effect.seconds)
        return spoil(await self._handle(request, target), effect)

    def _knows(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip() == self.token:
            return True
        return request.certificate == self.certificate != 0
