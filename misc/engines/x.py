"""A stand-in for the X API v2: rules, filtered stream and recent search, with their limits."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from misc.engines.process import start


@contextlib.contextmanager
def embedded(
    posts: Path | Iterable[Mapping[str, Any]] = (),
    *,
    token: str | None = None,
    rate: float | None = None,
    limits: Mapping[str, float] | None = None,
    port: int = 0,
) -> Iterator[dict[str, str]]:
    """Run a stand-in and yield the X_ variables of a client.

    posts are what the stream sends, `data` with `includes`, or a file of them in JSON lines; they
    are played at a rate a second, or as fast as they are read. limits overrides X's own, by the
    names of `x_world.Limits`; all who ask share them, as all pods of an app do. Without a token one
    is made up.

    Tests reach what is not X: `POST /stand-in/posts` pushes posts; `GET /stand-in/counts` counts
    requests by path, connections, posts and keep-alives; `POST /stand-in/faults` orders faults,
    one or a list, each an object with `do` and, for the stream's, `after` (so many posts):
    `close`, `cut`, `silence`, `malformed` (`line`), `disconnect`; and `refuse` with `status`,
    `times`, `headers` and `path`: `stream`, `search` or `rules`.
    """
    options = {
        "file": str(posts.resolve()) if isinstance(posts, Path) else None,
        "posts": [] if isinstance(posts, Path) else list(posts),
        "token": token or secrets.token_urlsafe(24),
        "rate": rate,
        "limits": dict(limits or {}),
        "port": port,
    }
    with start("misc.engines.x_server", options) as engine:
        yield engine.settings
