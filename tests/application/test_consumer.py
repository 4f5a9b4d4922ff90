"""The story: what is committed is in the lake, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest

from application.batch import Limits
from application.consumer import LOT, Consumer, Ends, Summary
from application.errors import RefusedError, UnreachableError
from application.kafka_message import Message, Partition
from application.message import Reading
from application.records import Decision, Match, Origin, Sentiment
from tests.application.messages import message

ZERO: Partition = ("tweets", 0)
ONE: Partition = ("tweets", 1)


def post(number: int, partition: Partition = ZERO, offset: int | None = None) -> Message:
    where = Origin(*partition, number if offset is None else offset)
    return Message(where, message(number), b"7")


class Script:
    """A source that plays what it is given: messages, or what happens instead of them."""

    def __init__(self, *steps: Sequence[Message] | Callable[[Script], None]) -> None:
        self._steps = list(steps)
        self.committed: dict[Partition, int] = {}
        self.story: list[str] = []
        self.rested = threading.Event()
        self.left = 0

    def open(
        self,
        assigned: Callable[[frozenset[Partition]], None],
        revoked: Callable[[frozenset[Partition]], None],
    ) -> None:
        self.assigned, self.revoked = assigned, revoked
        assigned(frozenset({ZERO, ONE}))

    def poll(self, most: int, _timeout: float) -> list[Message]:
        if not self._steps:
            return []
        step = self._steps.pop(0)
        if callable(step):
            step(self)
            return []
        if rest := step[most:]:
            self._steps.insert(0, rest)
        return list(step[:most])

    def rest(self, timeout: float) -> None:
        del timeout
        self.rested.set()

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.story.append("commit")
        self.committed.update(offsets)

    def close(self) -> None:
        self.story.append("close")

    def leave(self) -> None:
        self.story.append("leave")

    def waiting(self) -> int | None:
        return self.left + len(self._steps)


class Lake:
    def __init__(self, source: Script, before: Callable[[], object] = lambda: None) -> None:
        self._source = source
        self._before = before
        self.batches: list[list[str]] = []

    def merge(self, rows: Sequence[Decision]) -> None:
        self._before()
        self._source.story.append("merge")
        self.batches.append([row.post.id for row in rows])


class Letters:
    def __init__(self, source: Script) -> None:
        self._source = source
        self.kept: list[tuple[Message, str]] = []

    def send(self, letters: Sequence[tuple[Message, str]]) -> None:
        if letters:
            self._source.story.append("letters")
        self.kept += letters


class Decide:
    def __init__(self) -> None:
        self.recalled = 0

    def recall(self) -> None:
        self.recalled += 1

    def __call__(self, posts: Sequence[tuple[Reading, Origin]]) -> list[Decision]:
        nobody, calm = Match("unknown", 0, "nobody"), Sentiment("neutral", 0)
        return [
            Decision(reading.post, reading.raw, nobody, calm, frozenset(), (), origin)
            for reading, origin in posts
        ]


def run(
    source: Script,
    lake: Lake | None = None,
    *,
    letters: Letters | None = None,
    decide: Decide | None = None,
    ends: Ends | None = None,
    limits: Limits | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Summary:
    return Consumer(
        source,
        lake or Lake(source),
        letters or Letters(source),
        decide or Decide(),
        limits=limits or Limits(count=2, seconds=0),
        ends=ends or Ends(idle=0),
        stop=stop,
    ).run()


def test_each_batch_is_stored_then_committed_and_the_run_ends_when_nothing_is_left() -> None:
    source = Script([post(1), post(2), post(3, ONE)])
    lake = Lake(source)
    summary = run(source, lake)
    assert lake.batches == [["1", "2"], ["3"]]
    assert source.story == ["merge", "commit", "merge", "commit", "close"]
    assert source.committed == {ZERO: 3, ONE: 4}
    assert (summary.read, summary.merged, summary.dead_letters, summary.waiting) == (3, 3, 0, 0)


def test_what_is_no_post_is_kept_aside_before_it_is_committed() -> None:
    rubbish = Message(Origin(*ZERO, 5), b"rubbish")
    source = Script([post(4), rubbish])
    letters = Letters(source)
    summary = run(source, letters=letters)
    assert source.story == ["merge", "letters", "commit", "close"]
    assert [(each, why[:8]) for each, why in letters.kept] == [(rubbish, "not JSON")]
    assert source.committed == {ZERO: 6}
    assert (summary.merged, summary.dead_letters) == (1, 1)


def test_a_lake_that_refuses_leaves_the_batch_on_kafka_and_says_how_much_waits() -> None:
    def refuse() -> None:
        raise RefusedError("no such table")

    source = Script([post(1), post(2)])
    source.left = 12
    with pytest.raises(RefusedError, match=r"no such table; .* 12 messages wait on Kafka"):
        run(source, Lake(source, refuse))
    assert source.committed == {}
    assert source.story == ["leave"]


def test_a_refusal_within_a_rebalance_is_told_alike() -> None:
    def refuse() -> None:
        raise RefusedError("no such table")

    source = Script([post(1), post(2)], lambda script: script.revoked(frozenset({ZERO})))
    with pytest.raises(RefusedError, match="no such table"):
        run(source, Lake(source, refuse))
    assert source.committed == {}


def test_what_is_under_way_is_committed_before_its_partition_goes_and_the_rest_dropped() -> None:
    source = Script(
        [post(1), post(2)],
        [post(3)],
        lambda script: script.revoked(frozenset({ZERO})),
        [post(4, ONE), post(5, ONE)],
    )
    lake = Lake(source)
    summary = run(source, lake, limits=Limits(count=2, seconds=60), ends=Ends(messages=4))
    assert lake.batches == [["1", "2"], ["4", "5"]]
    assert source.committed == {ZERO: 3, ONE: 6}
    assert summary.read == 4


def test_a_slow_lake_does_not_cost_the_membership(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.consumer.PATIENCE", 0.01)
    source = Script([post(1), post(2), post(3)])
    lake = Lake(source, before=lambda: source.rested.wait(30))
    run(source, lake)
    assert source.rested.is_set()
    assert lake.batches == [["1", "2"], ["3"]]


def test_a_batch_is_decided_on_while_the_one_before_is_stored() -> None:
    decided = threading.Event()

    class Second(Decide):
        def __call__(self, posts: Sequence[tuple[Reading, Origin]]) -> list[Decision]:
            if posts[0][0].post.id == "3":
                decided.set()
            return super().__call__(posts)

    source = Script([post(1), post(2), post(3), post(4)])
    waits: list[bool] = []
    run(source, Lake(source, before=lambda: waits.append(decided.wait(30))), decide=Second())
    assert waits == [True, True]


def test_what_others_decided_is_learnt_after_each_assignment() -> None:
    source = Script(
        [post(1), post(2)],
        [post(3), post(4)],
        lambda script: script.assigned(frozenset({("tweets", 2)})),
        [post(5), post(6)],
    )
    decide = Decide()
    run(source, decide=decide)
    assert decide.recalled == 2


def test_a_signal_finishes_what_is_at_hand() -> None:
    stopped = threading.Event()
    source = Script([post(1), post(2), post(3)], lambda _: stopped.set(), [post(4)])
    lake = Lake(source)
    summary = run(source, lake, limits=Limits(count=2, seconds=60), stop=stopped.is_set)
    assert lake.batches == [["1", "2"], ["3"]]
    assert source.committed == {ZERO: 4}
    assert summary.read == 3


def test_exactly_so_many_messages_are_read() -> None:
    source = Script([post(number) for number in range(1, 10)])
    lake = Lake(source)
    assert run(source, lake, ends=Ends(messages=5)).read == 5
    assert lake.batches == [["1", "2"], ["3", "4"], ["5"]]
    assert source.committed == {ZERO: 6}


def test_the_run_ends_at_its_time() -> None:
    source = Script([post(1)])
    past = datetime.now(timezone.utc) - timedelta(seconds=1)
    assert run(source, ends=Ends(at=past)).read == 0


def test_a_quiet_topic_with_messages_left_is_not_idle() -> None:
    def more(script: Script) -> None:
        script.left = 0

    source = Script([post(1)], *[lambda _: None] * 3, more)
    source.left = 1
    assert run(source).read == 1
    assert not source._steps


def test_a_member_without_partitions_goes_on_while_the_group_gets_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("application.consumer.STUCK", 0)

    def less(script: Script) -> None:
        script.left -= 1

    source = Script(*[less] * 5)
    source.left = 5
    assert run(source).waiting == 0


def test_messages_that_nobody_reads_end_the_run_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("application.consumer.STUCK", 0)
    source = Script()
    source.left = 40
    with pytest.raises(UnreachableError, match=r"Kafka gave no message .* 40 messages wait"):
        run(source)
    assert source.story == ["leave"]


def test_no_more_than_a_lot_over_two_batches_is_held() -> None:
    size = len(message(1))
    held: list[int] = []

    class Counting(Script):
        def poll(self, most: int, timeout: float) -> list[Message]:
            found = super().poll(most, timeout)
            held.append(sum(map(len, lake.batches)))
            self.given = getattr(self, "given", 0) + len(found)
            held[-1] = self.given - held[-1]
            return found

    source = Counting([post(number) for number in range(1, 1001)])
    lake = Lake(source)
    run(source, lake, limits=Limits(count=1000, bytes=10 * size, seconds=0))
    assert max(held) <= 20 + LOT + 20, "the last batches may be under way"
    assert sum(map(len, lake.batches)) == 1000


def test_the_summary_is_one_line() -> None:
    told = str(Summary(read=1000, merged=990, dead_letters=10, seconds=0.5, waiting=7))
    assert told == "1,000 read, 990 merged, 10 dead letters, 2,000 a second, 7 left on Kafka"
