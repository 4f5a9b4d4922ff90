"""A log that the kubelet of a real node rotates while nobody can read it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.cluster import controls
from tests.contract.launches import Starter, sh, wait_until
from tests.contract.targets import RealTarget

pytestmark = pytest.mark.timeout(300)

# A thousand bytes a line, ten lines at once, some 100 kB a second; numbers from 110 to 5109.
SCRIPT = (
    "long=$(printf %01000d 0); i=10; while [ $i -lt 510 ]; do i=$((i+1)); "
    "for n in 0 1 2 3 4 5 6 7 8 9; do echo $i$n $long; done; sleep 0.1; done"
)
GAP = re.compile(
    r"--- runjob: a gap: what \[\S+/main\] wrote after (\S+) and before (\S+) was rotated away by "
    r"the kubelet ---"
)


def rotated(folder: Path) -> set[Path]:
    return set(folder.glob("0.log.*"))


def numbers_in(file: Path) -> list[int]:
    """Read the numbers of the lines in a file of the node, packed or not."""
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [int(line.split()[3]) for line in raw.splitlines()]


def test_what_the_kubelet_rotated_away_while_the_api_was_dead_is_marked(
    breakable: RealTarget, start: Starter, name: str
) -> None:
    """The node still has the files, and no API gives them: the truth of what is missing."""
    controls.limit_container_logs("1Mi")
    try:
        started = start("-j", name, *sh(SCRIPT), "--keep", "always")
        started.until(b"\n120")
        pod = breakable.api.running_pods(name)[0]["metadata"]
        file = controls.pod_log_file(breakable.namespace, pod["name"], pod["uid"], "main")
        controls.kill_api_server()
        try:
            before = rotated(file.parent)
            wait_until(lambda: len(rotated(file.parent) - before) > 1, "two rotations", 90)
        finally:
            controls.start_api_server()
        run = started.end(200)
    finally:
        controls.limit_container_logs("4Gi")
    assert run.code == 0
    (at,) = (place for place, line in enumerate(run.lines) if line.startswith("---"))
    shown = [int(line.split()[0]) for line in run.lines if not line.startswith("---")]
    missing = sorted({*range(110, 5110)} - {*shown})
    assert shown == sorted(set(shown))
    assert missing == [*range(shown[at - 1] + 1, shown[at])]
    gap = GAP.fullmatch(run.lines[at])
    assert gap is not None
    assert gap[1] < gap[2]
    # Nothing is missing that a file which can still be read holds.
    assert not {*missing} & {*numbers_in(file)}
