"""A watch goes on whatever the API answers, and storms it with nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from runjob.errors import ApiError
from runjob.informer import Informer, Query, Watch, watching
from runjob.messages import Listed, Message, Trouble
from runjob.observed import job_view
from runjob.request import JOB, Body, Kind
from runjob.retry import Backoff
from runjob.watches import Change

EXPIRED = ApiError(410, "too old resource version", reason="Expired")
QUERY = Query(JOB, "here", {}, job_view, "7")


class Server:
    """Knows no version to watch from, and with lists no objects either."""

    def __init__(self, *, lists: bool) -> None:
        self._lists = lists
        self.requests = 0

    def _count(self) -> None:
        self.requests += 1
        if self.requests > 20:
            pytest.fail("the API is asked again and again, without a pause")

    def watch(self, _kind: Kind, _place: str, _query: Mapping[str, str], _version: str) -> Watch:
        self._count()
        raise EXPIRED

    def list(self, _kind: Kind, _place: str, _query: Mapping[str, str]) -> tuple[list[Body], str]:
        self._count()
        if not self._lists:
            raise EXPIRED
        return [], "8"


def paced(pause: Callable[[], None]) -> Backoff:
    """Return waits that take no time, and call pause for each."""

    class Paced(Backoff):
        def waits(self) -> Iterator[float]:
            while True:
                pause()
                yield 0.0

    return Paced()


@pytest.mark.parametrize("lists", [True, False])
def test_an_api_that_knows_no_version_is_not_stormed(lists: bool) -> None:
    told: list[Message] = []
    server = Server(lists=lists)
    left = iter(range(4))

    def pause() -> None:
        if next(left, None) is None:
            informer.stop()

    informer = Informer(server, QUERY, told.append, paced(pause), lambda: 0.0)
    informer.run()
    assert server.requests == (9 if lists else 5)
    if lists:
        assert told == [Listed("Job", frozenset())] * 4
    else:
        # Else a launch would wait for ever and know of nothing to wait for.
        assert [type(each) for each in told] == [Trouble] * 4
        assert told[0] == Trouble(EXPIRED, watching(JOB))


SILENCE = ApiError(0, "no answer in time", reason="Silence")
REFUSED = ApiError(0, "Connection refused")
BOOKMARK = Change("BOOKMARK", {}, "8")


class Hung:
    """Brings each watch what its script says, on a clock that only the script moves.

    A step is the seconds that pass and what comes then: a change, or an error that ends the watch,
    or that stands for it where it is the first.
    """

    def __init__(self, *watches: tuple[tuple[float, Any], ...]) -> None:
        self._watches = iter(watches)
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def _come(self, step: tuple[float, Any]) -> Change:
        seconds, what = step
        self.time += seconds
        if isinstance(what, ApiError):
            raise what
        assert isinstance(what, Change)
        return what

    def watch(self, _kind: Kind, _place: str, _query: Mapping[str, str], _version: str) -> Watch:
        steps = next(self._watches)
        if steps and isinstance(steps[0][1], ApiError) and len(steps) == 1:
            self._come(steps[0])
        return Script(self._come(each) for each in steps)

    def list(self, _kind: Kind, _place: str, _query: Mapping[str, str]) -> tuple[list[Body], str]:
        raise AssertionError("nothing is listed")


class Script:
    def __init__(self, changes: Iterator[Change]) -> None:
        self._changes = changes

    def __iter__(self) -> Iterator[Change]:
        return self._changes

    def close(self) -> None: ...


def troubles(*watches: tuple[tuple[float, Any], ...]) -> list[tuple[float, float | None]]:
    """Play these watches; return when each trouble was told of, and since when it is said to be."""
    api = Hung(*watches)
    told: list[tuple[float, float | None]] = []
    left = iter(range(len(watches) - 1))

    def tell(message: Message) -> None:
        if isinstance(message, Trouble):
            told.append((api.time, message.since))

    def pause() -> None:
        if next(left, None) is None:
            informer.stop()

    informer = Informer(api, QUERY, tell, paced(pause), api.now)
    informer.run()
    return told


def test_an_api_that_hangs_is_silent_since_the_last_byte() -> None:
    mute = ((60.0, BOOKMARK), (60.0, BOOKMARK), (150.0, SILENCE))
    assert troubles(mute, ((10.0, SILENCE),), ((30.0, SILENCE),)) == [
        (270, None),  # its connection alone may be lost: one try more
        (280, 120),
        (310, 120),
    ]


def test_a_watch_that_goes_mute_again_and_again_beside_an_api_that_answers_is_no_silence() -> None:
    mute = ((60.0, BOOKMARK), (150.0, SILENCE))
    assert troubles(mute, mute, mute) == [(210, None), (420, None), (630, None)]


def test_a_request_that_hangs_is_silent_since_it_was_sent() -> None:
    """What the API said last was the end of a watch, however long that had been still."""
    ended, reset = ((60.0, BOOKMARK),), ((60.0, BOOKMARK), (50.0, REFUSED))
    assert troubles(ended, ((30.0, SILENCE),)) == [(90, 60)]
    assert troubles(reset, ((30.0, SILENCE),)) == [(110, None), (140, 110)]


def test_an_api_that_refuses_is_silent_since_it_began_to() -> None:
    """With the last byte for a measure, a restart of an API server would end a quiet launch."""
    quiet = ((60.0, BOOKMARK), (55.0, REFUSED))
    assert troubles(quiet, ((0.0, REFUSED),), ((1.0, REFUSED),)) == [
        (115, None),
        (115, None),
        (116, None),
    ]
