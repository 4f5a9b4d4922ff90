"""What the first process of a container owes: to hear SIGTERM, to bury orphans, to end the rest."""

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

    def end_the_others(self, seconds: float) -> bool:
        """Send SIGTERM to all processes of the container; tell whether none is left in time.

        What is left when this process ends gets SIGKILL, and a launcher could not remove its Job.
        Where this is not a container's first process nothing is done: others' processes run there.
        """
        if os.getpid() != 1:
            return True
        until = time.monotonic() + seconds
        number = int(signal.SIGTERM)
        while _signal_the_others(number):
            if time.monotonic() > until:
                return False
            time.sleep(TURN)
            _bury()
            number = 0
        return True


def _signal_the_others(number: int) -> bool:
    """Send a signal, or 0 that does nothing, to all but us; tell whether there was anyone."""
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return False
    return True


def _bury() -> None:
    """Collect ended processes that the agent's jobs left to us: they would stay for ever."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # none is left
