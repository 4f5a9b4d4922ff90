"""Leave a consumer group, and do not wait for ever for librdkafka to do so."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Seconds. A broker that is away holds a member that leaves for its session's timeout, 45 s.
LEAVING = 60.0


def leave(close: Callable[[], object], patience: float = LEAVING) -> bool:
    """Call close and tell whether it came back within patience seconds; raise what it raises.

    librdkafka's close() may never return where a member leaves that has just joined, or whose
    broker just died (confluent-kafka-python 1667, 1573). All is committed by then: the group finds
    out by itself, and the process must end. The callbacks of a rebalance run in close's thread,
    while the caller's waits here.
    """
    raised: list[BaseException] = []

    def closing() -> None:
        try:
            close()
        except BaseException as error:  # noqa: BLE001  # it is the caller's
            raised.append(error)

    thread = threading.Thread(target=closing, name="leave the group", daemon=True)
    thread.start()
    thread.join(patience)
    if raised:
        raise raised[0]
    return not thread.is_alive()
