"""Any mix of faults, by a seed: the verdict is true, each line comes once, and nothing is left."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Effect, Gone, Refuse, Reset, Slow
from tests.contract.launches import Launcher, sh, wait_until
from tests.contract.targets import EmbeddedTarget, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")

SEEDS = range(36)

# Lines at once, then some that come slowly, so that a stream is open while it is broken.
LINES = 'seq 1 80 | sed "s/^/{mark} /"; for i in 81 82 83 84; do sleep 0.1; echo "{mark} $i"; done'


@dataclass(frozen=True)
class Case:
    """A Job whose end is known: its options, the marks of its attempts, and its exit code."""

    options: tuple[str, ...]
    marks: tuple[str, ...]
    code: int


def plain(code: int) -> Callable[[Path], Case]:
    def case(_: Path) -> Case:
        return Case(sh(f"{LINES.format(mark='one')}; exit {code}"), ("one",), code)

    return case


def retried(folder: Path) -> Case:
    """Fail at the first attempt and not at the second."""
    script = (
        f"if mkdir {folder}/once 2>/dev/null; then {LINES.format(mark='first')}; exit 7; fi; "
        f"{LINES.format(mark='second')}"
    )
    return Case((*sh(script), "-b", "2"), ("first", "second"), 0)


def in_vain(folder: Path) -> Case:
    """Fail at both attempts."""
    script = (
        f"if mkdir {folder}/once 2>/dev/null; then {LINES.format(mark='first')}; exit 7; fi; "
        f"{LINES.format(mark='second')}; exit 9"
    )
    return Case((*sh(script), "-b", "1"), ("first", "second"), 9)


def side_by_side(_: Path) -> Case:
    script = LINES.format(mark="n$JOB_COMPLETION_INDEX")
    options = (*sh(script), "--indexed", "--completions", "2", "--parallelism", "2")
    return Case(options, ("n0", "n1"), 0)


CASES = (plain(0), plain(3), retried, in_vain, side_by_side)

# What may be hit: (verb, resource), and the effects that heal there.
ANY: tuple[Effect, ...] = (
    Refuse(429, retry_after=1), Refuse(429), Refuse(500), Refuse(502), Refuse(503), Refuse(401),
    Reset(), Slow(0.4),
)  # fmt: skip
BROKEN = (Cut(0, "close"), Cut(0, "reset"), Cut(40, "close"))
TARGETS: dict[tuple[str, str], tuple[Effect, ...]] = {
    ("create", "jobs"): (*ANY, *BROKEN, Reset(done=True)),
    ("watch", "jobs"): (*ANY, *BROKEN, Refuse(403), Refuse(410), Gone(0), Gone(1)),
    ("watch", "pods"): (*ANY, *BROKEN, Refuse(403), Refuse(410), Gone(0), Gone(2)),
    ("list", "jobs"): (*ANY, *BROKEN, Refuse(403)),
    ("list", "pods"): (*ANY, *BROKEN, Refuse(403)),
    ("get", "pods/log"): (*ANY, *BROKEN, Refuse(403), Cut(700, "reset"), Cut(1500, "mute")),
    ("delete", "jobs"): (*ANY, *BROKEN, Refuse(403), Reset(done=True)),
    ("patch", "jobs"): (*ANY, Refuse(403)),
}


def faults(seed: int) -> list[Fault]:
    """Draw some faults; of each kind of request at most one is a refusal that may be believed."""
    draw = random.Random(seed)
    drawn = []
    for verb, resource in draw.sample(sorted(TARGETS), draw.randint(2, 5)):
        for effect in draw.sample(TARGETS[verb, resource], draw.randint(1, 2)):
            clean = isinstance(effect, Cut) and effect.how == "close" and resource == "pods/log"
            times, after = 3 if clean else draw.randint(1, 2), draw.choice((0, 0, 1, 2))
            drawn.append(Fault(effect, verb=verb, resource=resource, after=after, times=times))
    return drawn


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def target(sandbox: Sandbox) -> EmbeddedTarget:
    return EmbeddedTarget(sandbox)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_launch_rides_out_any_mix_of_faults(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path, seed: int
) -> None:
    """A naive launcher loses a line, prints one twice, or takes a broken answer for the end."""
    case = CASES[seed % len(CASES)](tmp_path)
    drawn = [sandbox.inject(fault) for fault in faults(seed)]
    away, before = seed % 4 == 3, len(sandbox.requests)

    def restart() -> None:
        """Take the whole API away for a moment, once a log is read."""
        # A request of the test's own would be hit by the faults too.
        wait_until(
            lambda: any(each.path.endswith("/log") for each in sandbox.requests[before:]),
            "a log that is read",
        )
        sandbox.stop_listening()
        sandbox.start_listening()

    try:
        run = launch(
            "-j", name, *case.options, "--exit-code", "container", "--prefix", "never",
            meanwhile=restart if away else None,
        )  # fmt: skip
    finally:
        for injection in drawn:
            injection.remove()
    told = f"seed {seed}: {[injection.fault for injection in drawn]}\n{run.text}\n{run.err}"
    assert (run.code, run.status) == (case.code, case.code), told
    lines = [line for line in run.lines if line.split(" ")[0] in case.marks]
    expected = {mark: [f"{mark} {number}" for number in range(1, 85)] for mark in case.marks}
    assert Counter(lines) == Counter(line for each in expected.values() for line in each), told
    for mark in case.marks:
        assert [line for line in lines if line.startswith(f"{mark} ")] == expected[mark], told
    target.api.wait_gone(name)
