"""A wait ends with its time or with the wish to stop, for everyone who waits."""

from __future__ import annotations

import threading

from pythonapp.clock import SystemClock


def test_a_wait_ends_with_its_time() -> None:
    clock = SystemClock()
    before = clock.now()
    assert not clock.wait(0.01)
    assert clock.now() - before >= 0.01


def test_a_stop_ends_every_wait_and_all_that_follow() -> None:
    clock = SystemClock()
    told: list[bool] = []
    waiting = [threading.Thread(target=lambda: told.append(clock.wait(600))) for _ in range(5)]
    for each in waiting:
        each.start()
    clock.stop()
    for each in waiting:
        each.join(30)
    assert told == [True] * 5
    assert clock.wait(600)
    assert clock.wait(0)


def test_the_time_is_that_of_the_calendar() -> None:
    assert SystemClock().time() > 1_700_000_000
