"""An ASGI application served on 127.0.0.1 by a thread of this process."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from misc.engines.process import EngineError


@contextlib.contextmanager
def serving(application: Any, port: int = 0) -> Iterator[int]:
    """Serve it for the block and yield the port; EngineError where a wanted port is taken."""
    import uvicorn

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise EngineError(
                f"port {port} of 127.0.0.1: {error.strerror}; choose another"
            ) from error
        # Connections wait from now on, also while the application starts.
        listener.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
