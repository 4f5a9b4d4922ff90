"""The clock of a launch: it stands still with its process."""

from __future__ import annotations

import pytest

from runjob.clock import STANDSTILL, Inbox
from runjob.messages import Answered, Message

HEARD = Answered("watching pods")


def inbox_at(*times: float) -> Inbox:
    """Return an inbox whose clock is asked at these times."""
    return Inbox(iter(times).__next__)


@pytest.mark.parametrize(
    ("message", "seconds", "took", "counted"),
    [
        pytest.param(HEARD, 0.5, 0.25, 0.25, id="a wait in time"),
        pytest.param(HEARD, 0.5, 0.5 + STANDSTILL, 0.5 + STANDSTILL, id="a busy machine"),
        pytest.param(HEARD, 0.5, 700.0, 0.5, id="a process that was stopped"),
        pytest.param(None, 0.0, 700.0, 0.0, id="one that hears nothing as it goes on"),
        pytest.param(HEARD, 300.0, 1000.0, 300.0, id="a long wait"),
        pytest.param(HEARD, None, 700.0, 700.0, id="a wait without end"),
    ],
)
def test_time_in_which_nobody_could_hear_is_not_counted(
    message: Message | None, seconds: float | None, took: float, counted: float
) -> None:
    """A naive launcher takes it for silence: it gives up a log, or a pod that is about to start."""
    at = 1000.0 + took
    inbox = inbox_at(1000, *[1000] * (seconds is not None), at, at, at + 1)
    begun = inbox.now()
    if message is not None:
        inbox.put(message)
    assert inbox.get(seconds) == message
    assert [inbox.now() - begun, inbox.now() - begun] == [counted, counted + 1]


def test_a_reader_that_asks_for_the_time_before_the_wait_ends_sees_it_too() -> None:
    """It notes when it heard something: a time yet to come would count as heard until then."""
    inbox = inbox_at(1000, 1000, 1700, 1701, 1702)
    begun, seen = inbox.now(), list[float]()

    class Reader:
        """Asks while the launch waits."""

        def get(self, **_: float) -> Message:
            seen.append(inbox.now() - begun)
            return HEARD

    inbox._queue = Reader()  # type: ignore[assignment]
    inbox.get(0.5)
    assert [*seen, inbox.now() - begun] == [0.5, 2.5]
