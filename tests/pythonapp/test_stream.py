"""The filtered stream, against the stand-in for X: it stays connected, and within X's limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from misc.engines import x as engine
from pythonapp.backoff import CONNECTS, WINDOW
from pythonapp.clock import Clock, SystemClock
from pythonapp.environment import XSettings
from pythonapp.errors import RefusedError, UnreachableError
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.settings import Settings, Stream
from pythonapp.stream import CATCH_UP_AFTER, StreamSource
from tests.engines.waiting import free_port, until
from tests.pythonapp.engines import stand_in, x_of
from tests.pythonapp.scenes import BOXES, FakeClock, post, settings

ALL = [settings(name) for name in BOXES]


@pytest.fixture
def x() -> Iterator[XSettings]:
    with engine.embedded() as environment:
        yield x_of(environment)


class Reading:
    """A stream that is read in a thread; it ends with the block."""

    def __init__(self, x: XSettings, clock: Clock, *quadrants: Settings, **more: Any) -> None:
        options = more.pop("options", Stream())
        saved = more.pop("saved", {})
        self.source = StreamSource(options, quadrants or ALL, x, clock, **more)
        self.found: list[Found] = []
        self.bookmarks: list[Bookmark] = []
        self.quiet: list[Quiet] = []
        self.error: BaseException | None = None
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(saved,), daemon=True)

    def __enter__(self) -> Reading:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def texts(self) -> list[str]:
        payloads = [each.payload for each in self.found]
        return [each["data"]["text"] for each in payloads if isinstance(each, dict)]

    def _read(self, saved: dict[str, str]) -> None:
        try:
            for item in self.source.read(saved):
                if isinstance(item, Found):
                    self.found.append(item)
                elif isinstance(item, Bookmark):
                    self.bookmarks.append(item)
                else:
                    self.quiet.append(item)
                if self._enough.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error


def connected(x: XSettings, times: int = 1) -> None:
    until(lambda: stand_in(x, "counts")["connected"] >= times and stand_in(x, "counts")["open"])


def test_posts_go_to_the_quadrant_whose_rule_they_match(x: XSettings) -> None:
    with Reading(x, SystemClock()) as reading:
        connected(x)
        stand_in(x, "posts", [post(number, quadrant=name) for number, name in enumerate(BOXES)])
        until(lambda: len(reading.found) == 4)
    assert [each.quadrant for each in reading.found] == list(BOXES)
    assert stand_in(x, "counts")["connected"] == 1


def test_rules_are_put_right_and_put_right_again_without_a_change(x: XSettings) -> None:
    with Reading(x, SystemClock()):
        connected(x)
        held = stand_in(x, "counts")["rules_held"]
        assert held >= 4
    until(lambda: not stand_in(x, "counts")["open"])
    with Reading(x, SystemClock()):
        connected(x, 2)
        assert stand_in(x, "counts")["rules_held"] == held


def test_rules_of_a_quadrant_that_is_no_longer_read_are_deleted(x: XSettings) -> None:
    with Reading(x, SystemClock()):
        connected(x)
    until(lambda: not stand_in(x, "counts")["open"])
    with Reading(x, SystemClock(), ALL[0]) as reading:
        connected(x, 2)
        stand_in(x, "posts", [post(1, quadrant="ctsw"), post(2)])
        until(lambda: reading.found)
        until(lambda: stand_in(x, "counts")["rules_held"] == 1)
    assert reading.texts() == ["my portfolio 2"]


def test_a_second_reader_waits_and_leaves_the_first_ones_rules(x: XSettings) -> None:
    clock = FakeClock(most_waits=3)
    with Reading(x, SystemClock()) as first:
        connected(x)
        held = stand_in(x, "counts")["rules_held"]
        with Reading(x, clock, ALL[0]) as second:
            assert clock.ended.wait(30)
        assert clock.waits == [60, 120, 240]
        assert stand_in(x, "counts")["rules_held"] == held
        assert second.error is None
        stand_in(x, "posts", post(1, quadrant="ctsw"))
        until(lambda: first.found)


def test_a_second_reader_gives_up_with_the_reason(x: XSettings) -> None:
    with Reading(x, SystemClock()):
        connected(x)
        with Reading(x, FakeClock(), patience=100) as second:
            until(lambda: second.error)
    assert isinstance(second.error, RefusedError)
    assert "TooManyConnections" in str(second.error)


def test_clean_closes_are_no_busy_loop() -> None:
    """Close sixty times: it connects at once, then ever slower, and 50 times in 15 minutes."""
    clock = FakeClock()
    begun = clock.now()
    with engine.embedded(limits={"connects": 1000}) as environment:
        x = x_of(environment)
        stand_in(x, "faults", [{"do": "close"}] * 60)
        with Reading(x, clock) as reading:
            connected(x, 61)
            clock.stop()
        assert reading.source.connects == stand_in(x, "counts")["connected"] == 61
    assert clock.waits[:3] == [0.25, 0.5, 0.75]
    assert max(clock.waits[: CONNECTS - 2]) <= 16
    assert clock.now() - begun >= WINDOW


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"do": "close", "after": 1}, id="closed"),
        pytest.param({"do": "cut", "after": 1}, id="cut off within a line"),
        pytest.param({"do": "disconnect", "after": 1}, id="operational disconnect"),
    ],
)
def test_after_an_end_it_reads_on(x: XSettings, fault: dict[str, Any]) -> None:
    stand_in(x, "faults", fault)
    with Reading(x, FakeClock()) as reading:
        connected(x)
        stand_in(x, "posts", post(1))
        until(lambda: reading.texts() == ["my portfolio 1"])
        if fault["do"] == "cut":
            stand_in(x, "posts", post(2))
        connected(x, 2)
        stand_in(x, "posts", post(3))
        until(lambda: "my portfolio 3" in reading.texts())
    assert Quiet.TROUBLE in reading.quiet
    assert len(reading.texts()) == (3 if fault["do"] == "cut" else 2)


def test_a_stream_that_falls_silent_is_connected_anew(x: XSettings) -> None:
    stand_in(x, "faults", {"do": "silence", "after": 1})
    with Reading(x, FakeClock(), silence=0.3) as reading:
        connected(x)
        stand_in(x, "posts", post(1))
        until(lambda: reading.found)
        until(lambda: stand_in(x, "counts")["connected"] >= 2)


def test_keep_alives_keep_a_quiet_stream() -> None:
    with engine.embedded(limits={"keep_alive_seconds": 0.05}) as environment:
        x = x_of(environment)
        with Reading(x, SystemClock(), silence=5.0) as reading:
            until(lambda: stand_in(x, "counts")["keep_alives"] >= 5)
        assert reading.source.connects == 1
        assert reading.found == []


def test_a_line_that_is_no_json_is_told_as_it_is(x: XSettings) -> None:
    stand_in(x, "faults", {"do": "malformed", "line": '{"data": {"id"'})
    with Reading(x, SystemClock()) as reading:
        until(lambda: reading.found)
    assert reading.found[0].payload == b'{"data": {"id"'


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        pytest.param({"status": 503, "times": 4}, [5, 10, 20, 40], id="503"),
        pytest.param({"status": 429, "times": 3}, [60, 120, 240], id="429"),
        pytest.param({"status": 503, "times": 2, "path": "rules"}, [5, 10], id="503 for the rules"),
    ],
)
def test_refusals_that_heal_are_waited_for(
    x: XSettings, fault: dict[str, Any], waits: list[float]
) -> None:
    headers = {"x-rate-limit-remaining": "9"}
    stand_in(x, "faults", {"do": "refuse", "path": "stream", "headers": headers, **fault})
    clock = FakeClock()
    with Reading(x, clock):
        connected(x)
        assert clock.waits == waits


def test_a_limit_is_waited_for_as_long_as_x_says(x: XSettings) -> None:
    clock = FakeClock()
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(clock.time()) + 500)}
    fault = {"do": "refuse", "path": "stream", "status": 429, "times": 1, "headers": headers}
    stand_in(x, "faults", fault)
    with Reading(x, clock):
        connected(x)
        assert clock.waits == [501]


def test_a_wrong_token_ends_it(x: XSettings) -> None:
    with Reading(replace(x, bearer_token="wrong"), FakeClock()) as reading:
        until(lambda: reading.error)
    assert isinstance(reading.error, RefusedError)
    assert "401" in str(reading.error)


def test_an_x_that_is_not_there_ends_it_when_patience_does() -> None:
    nowhere = XSettings("token", f"http://127.0.0.1:{free_port()}")
    clock = FakeClock()
    with Reading(nowhere, clock, patience=300) as reading:
        until(lambda: reading.error)
    assert isinstance(reading.error, UnreachableError)
    assert clock.waits[:4] == [0.25, 0.5, 0.75, 1.0]


def test_a_rule_that_others_hold_under_their_tag_is_told(x: XSettings) -> None:
    import tweepy

    from pythonapp.rules import rules
    from pythonapp.tweets import Session

    other = tweepy.StreamingClient(x.bearer_token, return_type=dict)
    other.session = Session(x.url)
    other.add_rules(tweepy.StreamRule(rules(ALL[0], 1024)[0].value, "theirs"))
    with Reading(x, FakeClock()) as reading:
        until(lambda: reading.error)
    assert "another tag" in str(reading.error)


def test_what_came_while_nobody_listened_is_searched_for_once_x_can_find_it() -> None:
    limits = {"search_delay_seconds": 0.0}  # the clock of the test is ahead
    with engine.embedded(limits=limits) as environment:
        x, clock = x_of(environment), FakeClock()
        old, gap, elsewhere, live = (
            post(1, age=90),
            post(2, age=5),
            post(3, age=5, quadrant="ctsw"),
            post(4, age=1),
        )
        stand_in(x, "posts", [old, gap, elsewhere])
        saved = {"ctne-stream": old["data"]["id"]}
        options = Stream(catch_up=True, rule_limit=512)
        with Reading(x, clock, options=options, saved=saved) as reading:
            connected(x)
            stand_in(x, "posts", live)
            until(lambda: reading.found)
            # A restart now would go on before the gap.
            assert reading.found[0].bookmark == Bookmark("ctne-stream", old["data"]["id"])
            assert stand_in(x, "counts")["search"] == 0
            clock.pass_by(CATCH_UP_AFTER)
            until(lambda: reading.bookmarks)
        # The first is within the minute that is searched again; the southwest has no place yet.
        texts = [f"my portfolio {number}" for number in (4, 1, 2, 4)]
        assert reading.texts() == texts
        assert reading.bookmarks == [Bookmark("ctne-stream", live["data"]["id"])]
        assert stand_in(x, "counts")["search"] == 1


def test_a_stop_ends_it_at_once_though_no_line_comes(x: XSettings) -> None:
    clock = SystemClock()
    with Reading(x, clock) as reading:
        connected(x)
        clock.stop()
    assert reading.error is None
    until(lambda: not stand_in(x, "counts")["open"], seconds=10)
