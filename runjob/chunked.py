"""Undo the chunked transfer coding of HTTP (RFC 9112, section 7.1), many chunks at a time.

An API server sends a log a line to a chunk. The standard library hands on chunk by chunk, which
costs more than all else that is done to a line; here whatever has arrived is decoded in one go.
"""

from __future__ import annotations


class Dechunker:
    """Takes the bytes of a chunked body in pieces of any size and gives back what they carry."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0  # bytes to come of the chunk at hand, its line end included
        self.done = False  # whether the last chunk has come

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes carry. Raises ValueError for what is no chunked body."""
        data = self._rest + data if self._rest else data
        parts = []
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                here = min(self._left, len(data) - at)
                parts.append(data[at : at + min(here, max(self._left - 2, 0))])
                self._left -= here
                at += here
                continue
            line = data.find(b"\r\n", at)
            if line < 0:
                break
            size = int(data[at:line].partition(b";")[0], 16)
            at = line + 2
            self._left = size + 2 if size else 0
            self.done = size == 0
        self._rest = data[at:]
        if len(self._rest) > 64 and not self.done:
            raise ValueError("no chunk size")
        return b"".join(parts)
