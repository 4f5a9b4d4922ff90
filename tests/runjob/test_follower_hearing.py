"""When a log was last heard of, by which a launch decides how long to wait for its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from runjob.errors import ApiError
from runjob.follower import Follower
from runjob.logend import SHORT_READS, STRANGERS
from runjob.retry import SPREAD, Backoff
from tests.runjob.follower_stage import A, B, Script, ended, follow, lost, running


class Waits(Backoff):
    """Waits of nothing; taken is how many were taken of each series."""

    taken: ClassVar[list[int]]

    def waits(self) -> Iterator[float]:
        self.taken.append(0)
        number = len(self.taken) - 1
        while True:
            self.taken[number] += 1
            yield 0


def test_the_waits_for_a_logs_end_begin_anew() -> None:
    """Else they are as long as those for an API that was away, and the launch gives the log up."""
    Waits.taken = []
    script = Script([A, *[ApiError(503, "away")] * 9, b""], B, views={11: ended()})
    _, told = follow(script, running(), Waits())
    assert lost(told)[0].endswith("its log was rotated away by the kubelet")
    assert Waits.taken[-2:] == [10, SHORT_READS - 1]


@pytest.mark.parametrize(
    ("status", "tries", "heard"),
    [
        pytest.param(404, STRANGERS, STRANGERS - 1, id="an answer, of which so many are enough"),
        pytest.param(503, 7, 0, id="none"),
        pytest.param(0, 4, 3, id="an empty log, which is read four times"),
    ],
)
def test_a_log_of_which_the_node_gives_nothing_is_heard_of_as_long_as_that_is_counted(
    status: int, tries: int, heard: int
) -> None:
    """A launch that takes the last byte for the last answer gives the log up before its end."""
    answer = ApiError(status, "no") if status else b""
    script = Script([answer], stop=7 if status == 503 else 0)
    follow(script, ended(), now=lambda: float(len(script.reads)))
    assert script.follower is not None
    assert (len(script.reads), script.follower.heard) == (tries, heard)


def test_a_log_is_fresh_when_it_brings_something_new_and_while_that_is_printed() -> None:
    """A launch gives up a log that is not for long, however often the same of it comes."""
    broke = ApiError(0, "broke")
    script = Script([(A, broke), (A, broke), (A + B, broke), (A + B, broke)], stop=6)
    clock = iter(range(1000))
    printing: list[tuple[float, float]] = []

    def write(_: bytes) -> None:
        follower = script.follower
        assert follower is not None
        printing.append((follower.fresh, follower.fresh))
        assert follower.heard > follower.fresh - 1

    script.follower = Follower(
        script, "ns", ended(), "main", write, lambda _: None, lambda _: None, Backoff(first=0),
        lambda: 100.0 * len(script.reads) + next(clock) / 1000,
    )  # fmt: skip
    assert script.follower.fresh < 1
    script.follower.run()
    assert [int(fresh) // 100 for fresh, _ in printing] == [1, 3]
    assert all(later > earlier for earlier, later in printing), "by now, however long it takes"
    assert int(script.follower.fresh) // 100 == 3
    assert script.follower.heard > 500, "also what came before was heard"


def test_what_waited_for_its_reader_was_heard_until_then() -> None:
    clock = [0.0]
    script = Script([A], A)

    def write(_: bytes) -> None:
        clock[0] += 100  # a pager that shows its first page

    script.follower = Follower(
        script, "ns", ended(), "main", write, lambda _: None, lambda _: None, Backoff(first=0),
        lambda: clock[0],
    )  # fmt: skip
    script.follower.run()
    assert (script.follower.heard, script.follower.fresh) == (100, 100)


def test_a_log_for_which_the_api_asks_to_wait_is_heard_of_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A launch that takes such a wait for silence gives the log up meanwhile."""
    waited: list[tuple[float, float]] = []

    def wait(
        follower: Follower, happened: Callable[[], bool], seconds: float | None = None
    ) -> bool:
        waited.extend([(seconds, follower.heard)] if seconds else [])
        return happened()

    monkeypatch.setattr(Follower, "_await", wait)
    script = Script([ApiError(503, "busy", retry_after=60), A], A)
    follow(script, ended(), now=lambda: 1000.0)
    ((seconds, heard),) = waited
    assert 60 <= seconds <= 60 * (1 + SPREAD)
    assert heard == 1000 + seconds
