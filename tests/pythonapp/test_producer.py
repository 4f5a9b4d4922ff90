"""The story accounts for every post and saves only what is delivered."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping

import pytest

from pythonapp.console import Progress, closing
from pythonapp.kafka import FLUSH_AFTER_STOP
from pythonapp.message import Message
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.producer import SAVE_EVERY, Counts, Producer, Until
from tests.pythonapp.scenes import FakeClock, ListBroker, ListSource, post

Items = list[Found | Bookmark | Quiet]


def found(number: int, payload: object = None) -> Found:
    given = post(number) if payload is None else payload
    assert isinstance(given, dict | bytes)
    return Found(given, "ctne", Bookmark("ctne-search", str(number)))


def run(
    items: Items, *, broker: ListBroker | None = None, until: Until | None = None
) -> tuple[Producer, ListBroker, list[Bookmark]]:
    broker = broker or ListBroker()
    saved: list[Bookmark] = []
    clock = FakeClock()

    def progress(_: Counts) -> None:
        clock.pass_by(1.0)

    producer = Producer(ListSource(items), broker, {"ctne": "posts"}, "dead", saved.append, clock)
    producer.run({}, until or Until(), progress)
    return producer, broker, saved


def test_every_post_is_a_message_and_every_bad_one_a_dead_letter() -> None:
    producer, broker, _ = run([found(1), found(2, b"{broken"), found(3)])
    assert [topic for topic, _ in broker.messages] == ["posts", "dead", "posts"]
    dead = broker.messages[1][1]
    assert dead.value == b"{broken"
    assert dead.headers == {
        "reason": "it is no JSON object",
        "stage": "producer",
        "source": "search",
        "quadrant": "ctne",
    }
    assert (producer.counts.read, producer.counts.rejected) == (3, 1)
    assert broker.flushed


def test_the_place_is_saved_at_the_end() -> None:
    _, _, saved = run([found(1), found(2)])
    assert saved[-1] == Bookmark("ctne-search", "2")


def test_a_place_without_a_post_counts_too() -> None:
    _, _, saved = run([found(1), Bookmark("ctne-search", "9")])
    assert saved[-1].position == "9"


def test_what_is_not_delivered_is_not_saved() -> None:
    broker = ListBroker(hold=True)
    clock = FakeClock()
    saved: list[Bookmark] = []
    source = ListSource([found(1), found(2), found(3)])
    producer = Producer(source, broker, {"ctne": "posts"}, "dead", saved.append, clock)

    def progress(counts: Counts) -> None:
        if counts.read == 3:
            broker.release(0)
            broker.release(2)
            clock.pass_by(SAVE_EVERY)

    producer.run({}, Until(), progress)
    assert saved == [Bookmark("ctne-search", "1")]


def test_the_place_is_saved_also_when_the_source_fails() -> None:
    class FailingSource(ListSource):
        def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
            yield from super().read(saved)
            raise OSError("gone")

    saved: list[Bookmark] = []
    broker = ListBroker()
    source = FailingSource([found(1)])
    producer = Producer(source, broker, {"ctne": "posts"}, "dead", saved.append, FakeClock())
    with pytest.raises(OSError, match="gone"):
        producer.run({}, Until(), lambda _: None)
    assert saved == [Bookmark("ctne-search", "1")]


def test_it_ends_after_so_many_posts() -> None:
    producer, broker, _ = run([found(number) for number in range(10)], until=Until(posts=4))
    assert producer.counts.read == 4
    assert len(broker.messages) == 4


def test_it_ends_after_so_long_without_a_post() -> None:
    quiet: Items = [Quiet.NOTHING_NEW] * 100
    producer, _, _ = run([*quiet[:4], found(1), *quiet, found(2)], until=Until(idle=5))
    assert producer.counts.read == 1


def test_trouble_is_not_taken_for_the_end() -> None:
    trouble: Items = [Quiet.TROUBLE] * 100
    producer, _, _ = run([*trouble, found(1)], until=Until(idle=5))
    assert producer.counts.read == 1


def test_the_closing_line_has_every_post_once() -> None:
    producer, broker, _ = run([found(1), found(2, b"{broken"), found(3, {"data": 1})])
    assert closing(producer.counts, broker, "dead", 2.0) == (
        "3 posts read in 2.0 s, 2 a second: 1 accepted, 2 rejected (kept in dead: 1x it is no JSON "
        "object; 1x it has no data); 3 messages delivered, 0 not delivered"
    )


def test_endless_reasons_do_not_make_an_endless_line() -> None:
    counts = Counts()
    for number in range(1000):
        counts.reject(f"reason {number}")
    assert len(counts.reasons) == 21
    assert sum(counts.reasons.values()) == counts.rejected == 1000


def test_progress_is_a_line_every_ten_seconds_where_it_is_captured() -> None:
    clock, stream = FakeClock(), io.StringIO()
    progress = Progress("bmctwitter ctne", ListSource([]), ListBroker(), clock, stream)
    for number in range(1, 31):
        clock.pass_by(1.0)
        progress(Counts(read=number * 100))
    assert stream.getvalue().splitlines() == [
        f"bmctwitter ctne: {posts:,} posts, 100 a second, 0 rejected, 0 messages delivered"
        for posts in (1000, 2000, 3000)
    ]


def test_progress_tells_when_the_next_search_is() -> None:
    clock, stream, source = FakeClock(), io.StringIO(), ListSource([])
    progress = Progress("bmctwitter ctne+ctse", source, ListBroker(), clock, stream)
    source.due = clock.now() + 45
    for _ in range(2):
        clock.pass_by(10.0)
        progress(Counts())
    source.due = None
    clock.pass_by(10.0)
    progress(Counts())
    told = "bmctwitter ctne+ctse: 0 posts, 0 a second, 0 rejected, 0 messages delivered"
    assert stream.getvalue().splitlines() == [
        f"{told}; next search in 35 s",
        f"{told}; next search in 25 s",
        told,
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_live_line_on_a_terminal() -> None:
    clock, stream = FakeClock(), Terminal()
    progress = Progress("bmctwitter ctne", ListSource([]), ListBroker(), clock, stream)
    for number in range(1, 4):
        clock.pass_by(0.5)
        progress(Counts(read=number))
    progress.end()
    assert stream.getvalue().count("\r\033[K") == 4
    assert "\n" not in stream.getvalue()


def test_a_reader_of_the_progress_that_goes_away_stops_nothing() -> None:
    clock, stream = FakeClock(), io.StringIO()
    progress = Progress("bmctwitter ctne", ListSource([]), ListBroker(), clock, stream)
    stream.close()
    clock.pass_by(10)
    progress(Counts(read=1))


def test_the_messages_are_json_of_the_schema() -> None:
    _, broker, _ = run([found(1)])
    (topic, message), *_ = broker.messages
    assert isinstance(message, Message)
    assert json.loads(message.value)["version"] == 1
    assert topic == "posts"
    assert FLUSH_AFTER_STOP + 6 + 1 < 30  # what Kubernetes gives
