"""Posts by X's filtered stream: one connection for all quadrants.

tweepy's own loop waits with time.sleep and reconnects ten times a second after a clean close; so
each call of it here is one connection, and the waits between are ours.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tweepy

from pythonapp.backoff import KEEP_ALIVE, Backoff, Connects, Trouble
from pythonapp.clock import Clock
from pythonapp.environment import XSettings
from pythonapp.errors import RefusedError
from pythonapp.message import read
from pythonapp.posts import Bookmark, Found, Json, Quiet
from pythonapp.route import quadrant_of
from pythonapp.rules import Present, changes, rules
from pythonapp.search import PATIENCE, SETTLED, TICK, Searcher
from pythonapp.settings import Settings, Stream
from pythonapp.tweets import FIELDS, Session, Setback, answered, out_of_patience, setback

WAITING_LINES = 1_000  # between the connection and the broker; a full queue slows the reading
SILENCE = KEEP_ALIVE + 1.0  # seconds without a line after which a connection is dead
_BATCH = 100  # rules in a request
# Seconds after a connect: by then the search knows what came before it.
CATCH_UP_AFTER = SETTLED + 10.0
# An id holds its time in its upper bits, in ms; what is a minute late is still found.
_LATE = 60_000 << 22


@dataclass(frozen=True)
class _Connected:
    """Stands among the lines where a connection begins."""


_Line = bytes | Json | Quiet | Exception | _Connected


class _Connection(tweepy.StreamingClient):  # type: ignore[misc] # tweepy carries no types
    """One connection; every way to end sets `setback` and lets tweepy's loop end."""

    def __init__(
        self,
        x: XSettings,
        silence: float,
        connected: Callable[[], None],
        line: Callable[[bytes], None],
    ) -> None:
        super().__init__(x.bearer_token, return_type=dict)
        self.session = Session(x.url)
        self.setback = Setback(Trouble.CLOSED, "the connection was closed")
        self.error: Exception | None = None
        self.response: Any = None
        self._silence = silence
        self._connected = connected
        self._line = line

    def _connect(self, method: str, endpoint: str, **more: Any) -> None:
        super()._connect(method, endpoint, timeout=self._silence, **more)

    def on_connect(self) -> None:
        self._connected()

    def on_data(self, raw_data: bytes) -> None:
        self._line(raw_data)

    def on_keep_alive(self) -> None:
        self._line(b"")

    def on_closed(self, _response: Any) -> None:
        self.disconnect()

    def on_request_error(self, _status_code: int) -> None:
        self.response = self.session.stream
        assert self.response is not None
        _ = self.response.content  # what X says; after this it is closed
        self.disconnect()

    def on_connection_error(self) -> None:
        words = "no answer, or the connection broke or fell silent"
        self.setback = Setback(Trouble.NETWORK, words)
        self.disconnect()

    def on_exception(self, exception: Exception) -> None:
        self.error = exception

    def on_disconnect(self) -> None:
        pass

    def abort(self) -> None:
        """End a connection that waits for its next line, from another thread."""
        self.disconnect()
        if (response := self.session.stream) is not None:
            # A connection that is just ending has nothing to shut down, in several ways.
            with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):
                response.raw.shutdown()


class StreamSource:
    """Reads the stream in a thread of its own, and connects again whenever it ends."""

    name = "stream"
    due = None  # it does not ask, it reads on

    def __init__(
        self,
        options: Stream,
        quadrants: Sequence[Settings],
        x: XSettings,
        clock: Clock,
        silence: float = SILENCE,
        patience: float = PATIENCE,
    ) -> None:
        self._options = options
        self._quadrants = quadrants
        self._x = x
        self._clock = clock
        self._silence = silence
        self._patience = patience
        self._wanted = [rule for each in quadrants for rule in rules(each, options.rule_limit)]
        self._lines: queue.Queue[_Line] = queue.Queue(WAITING_LINES)
        self._latest = {each.quadrant: 0 for each in quadrants}
        # What was the latest before the connect, while the catch-up is to come; its time.
        self._gaps: dict[str, int] = {}
        self._catch_up_at = 0.0
        self._closed = threading.Event()
        self._connection: _Connection | None = None
        self.connects = 0

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        for quadrant in self._latest:
            self._latest[quadrant] = int(saved.get(_name(quadrant), 0))
        threading.Thread(target=self._run, name="stream", daemon=True).start()
        try:
            while not self._clock.stopped:
                if self._gaps and self._clock.now() >= self._catch_up_at:
                    yield from self._catch_up()
                try:
                    line = self._lines.get(timeout=TICK)
                except queue.Empty:
                    yield Quiet.NOTHING_NEW
                    continue
                if isinstance(line, Exception):
                    raise line
                if isinstance(line, Quiet):
                    yield line
                elif isinstance(line, _Connected):
                    self._expect_catch_up()
                elif found := self._found(read(line) if isinstance(line, bytes) else line):
                    yield found
        finally:
            self._closed.set()
            if self._connection:
                self._connection.abort()

    def _found(self, payload: Json | bytes) -> Found | None:
        quadrant = quadrant_of(payload, self._quadrants)
        if quadrant is None:
            return None
        data = payload.get("data") if not isinstance(payload, bytes) else None
        text = str(data.get("id")) if isinstance(data, Mapping) else ""
        if not text.isdecimal() or len(text) > 20:
            return Found(payload, quadrant)
        self._latest[quadrant] = max(self._latest[quadrant], int(text))
        return Found(payload, quadrant, self._bookmark(quadrant))

    def _bookmark(self, quadrant: str) -> Bookmark:
        # A restart before the catch-up must know of the gap.
        return Bookmark(_name(quadrant), str(self._gaps.get(quadrant) or self._latest[quadrant]))

    def _expect_catch_up(self) -> None:
        if self._options.catch_up:
            self._gaps = {name: id_ for name, id_ in self._latest.items() if id_} | self._gaps
            self._catch_up_at = self._clock.now() + CATCH_UP_AFTER

    def _catch_up(self) -> Iterator[Found | Bookmark | Quiet]:
        """Search for what came before the connect, while the stream's own lines wait."""
        for settings in self._quadrants:
            if not (gap := self._gaps.get(settings.quadrant)):
                continue
            searcher = Searcher(settings, self._options.rule_limit, self._x, self._clock)
            for each in searcher.newer(str(max(gap - _LATE, 1))):
                if isinstance(each, Quiet):
                    yield each
                elif found := self._found(each):
                    yield found
            if self._clock.stopped:
                return
            del self._gaps[settings.quadrant]
            yield self._bookmark(settings.quadrant)

    # -- in the thread -----------------------------------------------------------------------------

    @property
    def _ended(self) -> bool:
        return self._clock.stopped or self._closed.is_set()

    def _run(self) -> None:
        try:
            self._keep_connected()
        except Exception as error:  # noqa: BLE001 - the reader raises it where it is handled
            self._put(error)

    def _keep_connected(self) -> None:
        backoff, connects, good = Backoff(), Connects(), self._clock.now()
        while not self._ended:
            if self._clock.wait(connects.wait(self._clock.now())):
                return
            begun = self._clock.now()
            connects.note(begun)
            latest = self._connect()
            if self._ended:
                return
            lasted = self._clock.now() - begun
            if latest.trouble is Trouble.CLOSED or lasted > self._silence:
                good = self._clock.now()
            if lasted >= KEEP_ALIVE:
                backoff.worked()
            if self._clock.now() - good > self._patience:
                raise out_of_patience(latest, self._patience, self._x.url)
            self._put(Quiet.TROUBLE)
            if self._clock.wait(backoff.after(latest.trouble, latest.until_reset)):
                return

    def _connect(self) -> Setback:
        """Hold one connection until it ends; return why it did."""
        connection = _Connection(self._x, self._silence, self._on_connect, self._on_line)
        self._connection = connection
        self.connects += 1
        try:
            # X refuses a stream without rules: what is missing is added before. What is too much
            # is deleted once the account's one connection is ours, and nobody else's.
            self._change_rules(delete=False)
            asked = dict(FIELDS)
            if self._options.backfill_minutes:
                asked["backfill_minutes"] = self._options.backfill_minutes
            connection.filter(**asked)
        except Exception as error:  # noqa: BLE001 - setback raises what is not X's or the network's
            return setback(error, self._clock, self._x.url)
        if connection.error:
            return setback(connection.error, self._clock, self._x.url)
        if connection.response is not None:
            return answered(connection.response, self._clock, self._x.url)
        return connection.setback

    def _on_connect(self) -> None:
        self._change_rules(delete=True)
        self._put(_Connected())

    def _on_line(self, line: bytes) -> None:
        if not line.strip():
            return
        payload = read(line)
        if not isinstance(payload, bytes) and "data" not in payload and "errors" in payload:
            assert self._connection is not None
            trouble = Trouble.CLOSED if "operational" in str(payload) else Trouble.HTTP
            self._connection.setback = Setback(trouble, str(payload["errors"])[:300])
            self._connection.disconnect()
            return
        self._put(payload)

    def _put(self, line: _Line) -> None:
        """Hand a line on; a broker that is slow makes the stream wait."""
        while not self._ended:
            try:
                self._lines.put(line, timeout=TICK)
                return
            except queue.Full:
                continue

    def _change_rules(self, *, delete: bool) -> None:
        assert self._connection is not None
        connection = self._connection
        add, surplus = changes(self._wanted, _present(connection))
        for start in range(0, len(add), _BATCH):
            batch = [
                tweepy.StreamRule(each.value, each.tag) for each in add[start : start + _BATCH]
            ]
            _check(connection.add_rules(batch))
        if add and (left := changes(self._wanted, _present(connection))[0]):
            raise RefusedError(
                f"X refuses the rule {left[0].value[:80]!r}…: the account has it with another tag "
                f"than {left[0].tag!r}; delete that rule"
            )
        if delete and surplus:
            connection.delete_rules(list(surplus))


def _present(connection: _Connection) -> list[Present]:
    return [
        Present(each["id"], each["value"], each.get("tag"))
        for each in connection.get_rules().get("data") or ()
    ]


def _check(answer: Mapping[str, Any]) -> None:
    """Raise RefusedError where X did not take a rule; a duplicate may be another reader's doing."""
    for error in answer.get("errors") or ():
        if error.get("title") != "DuplicateRule":
            words = " ".join(map(str, error.get("details") or [error.get("detail") or ""]))
            raise RefusedError(
                f"X refuses the rule {str(error.get('value'))[:80]!r}…: {error.get('title')}: "
                f"{' '.join(words.split())}"
            )


def _name(quadrant: str) -> str:
    return f"{quadrant}-stream"
