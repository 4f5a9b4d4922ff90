"""The process of the stand-in for X."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from misc.engines.process import Answer, EngineError, serve
from misc.engines.web import serving
from misc.engines.x_world import Limits, Post, World


@contextlib.contextmanager
def run(options: Answer) -> Iterator[tuple[dict[str, str], Any]]:
    """Start the server; it takes no requests but those over HTTP."""
    from starlette.applications import Starlette

    from misc.engines.x_api import Api

    world = World(_posts(options), options["rate"], Limits(**options["limits"]))
    application = Starlette(routes=Api(world, options["token"]).routes())
    with serving(application, options["port"]) as port:
        yield (
            {"X_BEARER_TOKEN": options["token"], "X_API_URL": f"http://127.0.0.1:{port}"},
            _refuse,
        )


def _posts(options: Answer) -> Iterator[Post]:
    if options["file"] is None:
        yield from options["posts"]
        return
    with Path(options["file"]).open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _refuse(request: Answer) -> Answer:
    raise EngineError(f"the stand-in for X takes no {request.get('do')!r} here")


if __name__ == "__main__":
    serve(run)
