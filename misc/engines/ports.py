"""Ports of 127.0.0.1 to listen on."""

from __future__ import annotations

import socket

from misc.engines.process import EngineError


def listen(port: int) -> socket.socket:
    """Listen on a port, or on a free one for 0; EngineError where it is taken.

    Connections wait from now on, also while the server is still starting.
    """
    # asyncio sends without delay only where the protocol is named: else an answer waits for 40 ms.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise EngineError(f"port {port} of 127.0.0.1: {error.strerror}; choose another") from error
    return listener
