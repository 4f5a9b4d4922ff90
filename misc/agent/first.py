"""What the first process of a container owes: to hear SIGTERM, and to bury orphans."""

from __future__ import annotations

import os
import signal
import time

# A turn of a wait, in seconds.
TURN = 0.2


class FirstProcess:
    """Hears SIGTERM and SIGINT from its making on; `asked` tells that one came.

    A plain flag, looked at in turns: a handler that sets a threading.Event can lock itself out.
    """

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, *_: object) -> None:
        self.asked = True

    def wait(self, seconds: float) -> None:
        """Wait so long, or until a signal comes; no command of ours may run meanwhile."""
        until = time.monotonic() + seconds
        while not self.asked and time.monotonic() < until:
            _bury()
            time.sleep(TURN)


def _bury() -> None:
    """Collect ended processes that the agent's jobs left to us: they would stay for ever."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # none is left
