"""Run many launches in threads of one process: how little they could cost together.

The first line of stdin says how many at a time, each further one a launch: its Job's name and
the arguments of the launcher. Each end is told in one line of JSON, the CPU of all of them last.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from runjob.api import run
from runjob.console import Console
from runjob.flags import parse
from runjob.options import Options
from runjob.plan import plan
from runjob.report import report

_LOCK = threading.Lock()


def one(name: str, words: list[str]) -> None:
    """Run one launch as `runjob.cli` does, and tell how it ended."""
    began = time.monotonic()
    out = io.BytesIO()
    console = Console(out, io.StringIO())
    options = parse(words)
    assert isinstance(options, Options)
    request, _ = plan(options, lambda _: None, lambda _: "")
    verdict = run(
        request, options=options.run, kubeconfig=options.connection.kubeconfig, console=console
    )
    for line in report(verdict, options.run.shown):
        console.line(line)
    tell(
        name=name,
        began=began,
        ended=time.monotonic(),
        code=verdict.exit_code,
        said=out.getvalue().decode(),
    )


def tell(**facts: object) -> None:
    """Print one line of JSON."""
    with _LOCK:
        print(json.dumps(facts), flush=True)


def main() -> None:
    """Run what stdin lists."""
    at_once = int(sys.stdin.readline())
    launches = [json.loads(line) for line in sys.stdin]
    with ThreadPoolExecutor(at_once) as pool:
        for ended in [pool.submit(one, *each) for each in launches]:
            ended.result()
    used = resource.getrusage(resource.RUSAGE_SELF)
    tell(cpu=used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    main()
