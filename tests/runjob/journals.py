"""A launch's journal in a folder, as the tests of what it holds open it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from runjob.console import Console
from runjob.endings import Ending
from runjob.errors import Exit
from runjob.state import Journal
from runjob.verdict import Verdict

JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "hello", "namespace": "here", "uid": "u1", "resourceVersion": "7"},
    "spec": {"template": {}},
}
VERDICT = Verdict(
    job="hello", namespace="here", exit_code=3, ending=Ending(code=Exit.FAILED, text="failed")
)
RUN = "here/hello/r.1"


def other(uid: str) -> Any:
    return {**JOB, "metadata": {**JOB["metadata"], "uid": uid}}


def opened(folder: Path, console: Console | None = None) -> Journal:
    return Journal(str(folder), RUN, "c", "host/1", console or Console(io.BytesIO(), None))
