"""Leaving a consumer group ends, whatever librdkafka does."""

from __future__ import annotations

import threading

import pytest

from application.leaving import leave


def test_a_close_that_returns_is_waited_for() -> None:
    closed = []
    assert leave(lambda: closed.append(True))
    assert closed


def test_a_close_that_never_returns_is_left_behind() -> None:
    assert not leave(threading.Event().wait, patience=0.01)


def test_what_close_raises_reaches_the_caller() -> None:
    def close() -> None:
        raise RuntimeError("a callback of the rebalance failed")

    with pytest.raises(RuntimeError, match="rebalance"):
        leave(close)
