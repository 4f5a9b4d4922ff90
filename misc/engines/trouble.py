"""An HTTP forwarder in front of the embedded warehouse that fails when it is told to.

It counts and does not time: a fault is for the next so many statements that match, whenever they
come.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from misc.engines.ports import listen

_LOGIN = "login"
_UNAVAILABLE = b'{"data":null,"code":"503","message":"Service Unavailable","success":false}'


@dataclass
class _Fault:
    kind: str
    times: int
    pattern: re.Pattern[str] | None
    seconds: float = 0.0


class Trouble:
    """What the forwarder is told, and what it saw.

    A fault is for statements in which a pattern is found, whatever the case of their letters;
    without one it is for any statement. A login counts as the statement `login`, and only where the
    pattern asks for it. Where two faults match, the one that was ordered first goes first.
    ran counts what the warehouse was given, by its first word in upper case.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._target = (settings["SNOWFLAKE_HOST"], int(settings["SNOWFLAKE_PORT"]))
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._server: _Server | None = None
        self._port = 0
        self.ran: Counter[str] = Counter()
        self.up()
        self.settings = {**settings, "SNOWFLAKE_PORT": str(self._port)}

    def unavailable(self, times: int = 1, matching: str | None = None) -> None:
        """Answer 503; the statement does not run."""
        self._order("unavailable", times, matching)

    def cut(self, times: int = 1, matching: str | None = None) -> None:
        """Break the connection off before the statement runs."""
        self._order("cut", times, matching)

    def lose_answer(self, times: int = 1, matching: str | None = None) -> None:
        """Run the statement, then break the connection off: nobody can tell whether it ran."""
        self._order("lose", times, matching)

    def delay(self, seconds: float, times: int = 1, matching: str | None = None) -> None:
        """Run the statement, and hold the answer back."""
        self._order("delay", times, matching, seconds)

    def down(self) -> None:
        """Refuse connections, and break off those that are open."""
        if self._server:
            self._server.end()
            self._server = None

    def up(self) -> None:
        """Listen again, on the same port."""
        if self._server is None:
            self._server = _Server(self, listen(self._port))
            self._port = self._server.server_address[1]

    @property
    def ordered(self) -> int:
        """Return how many faults have not happened yet."""
        with self._lock:
            return sum(fault.times for fault in self._faults)

    def _order(self, kind: str, times: int, matching: str | None, seconds: float = 0.0) -> None:
        pattern = re.compile(matching, re.IGNORECASE) if matching else None
        with self._lock:
            self._faults.append(_Fault(kind, times, pattern, seconds))

    def _take(self, statement: str | None) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if _concerns(fault, statement):
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                    return fault
        return None

    def _count(self, statement: str) -> None:
        with self._lock:
            self.ran[statement.split(maxsplit=1)[0].upper()] += 1


def _concerns(fault: _Fault, statement: str | None) -> bool:
    if not statement:
        return False
    if fault.pattern is None:
        return statement != _LOGIN
    return bool(fault.pattern.search(statement))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, trouble: Trouble, listening: socket.socket) -> None:
        super().__init__(listening.getsockname(), _Forwarding, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()
        self.trouble = trouble
        self.open: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for each in tuple(self.open):
            _break_off(each)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: broken connections are the trade here."""


class _Forwarding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)
        self._onward = http.client.HTTPConnection(*self.server.trouble._target)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        self._onward.close()
        super().finish()

    def do_POST(self) -> None:
        """Forward a request, or let the fault that is ordered for it happen."""
        trouble = self.server.trouble
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        statement = _statement(self.path, self.headers.get("content-encoding"), body)
        fault = trouble._take(statement)
        if fault and fault.kind == "unavailable":
            self._answer(503, {"Content-Type": "application/json"}, _UNAVAILABLE)
            return
        if fault and fault.kind == "cut":
            self._cut()
            return
        try:
            self._onward.request(self.command, self.path, body, dict(self.headers.items()))
            response = self._onward.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            self._cut()  # as the client would see it without this forwarder
            return
        if statement:
            trouble._count(statement)
        if fault and fault.kind == "lose":
            self._cut()
            return
        if fault and fault.kind == "delay":
            time.sleep(fault.seconds)
        self._answer(response.status, dict(response.headers.items()), answer)

    def do_GET(self) -> None:
        """Forward as every request is."""
        self.do_POST()

    def do_PUT(self) -> None:
        """Forward a file for a stage."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        _break_off(self.connection)


def _statement(path: str, encoding: str | None, body: bytes) -> str | None:
    """Return the SQL of a query, `login` for a login, None for what is neither."""
    if path.startswith("/session/v1/login-request"):
        return _LOGIN
    if not path.startswith("/queries/v1/query-request"):
        return None
    text: str = json.loads(gzip.decompress(body) if encoding == "gzip" else body)["sqlText"]
    return text


def _break_off(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def troubled(settings: Mapping[str, str]) -> Iterator[Trouble]:
    """Put a forwarder in front of a warehouse; its settings lead clients there."""
    trouble = Trouble(settings)
    try:
        yield trouble
    finally:
        trouble.down()
