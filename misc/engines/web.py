"""An ASGI application served on 127.0.0.1 by a thread of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from misc.engines.ports import listen


@contextlib.contextmanager
def serving(application: Any, port: int = 0) -> Iterator[int]:
    """Serve it for the block and yield the port; EngineError where a wanted port is taken."""
    import uvicorn

    with listen(port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
