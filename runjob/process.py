"""The launcher's process: it runs the command line, and leaves at once."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

from runjob.cli import main


def start(script: str | None = None) -> NoReturn:
    """Run the command line of this process and end it with the exit code.

    script is the file that was started, beside which manifests are looked for.
    """
    codes: list[int] = []
    # What is registered first runs last: what others have to clear away is cleared away.
    atexit.register(lambda: _leave(*codes) if codes else None)
    codes.append(main(script=script))
    sys.exit(codes[0])


def _leave(code: int) -> None:
    """End the process without taking Python apart, which costs up to 0.3 s on a busy machine.

    A launcher that were killed in that time had told its verdict and forgotten its Job, yet would
    end by a signal: its scheduler runs it again, and a second Job would be made.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            return  # Python says so, and has an exit code for it
    os._exit(code)
