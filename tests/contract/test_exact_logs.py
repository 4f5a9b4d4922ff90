"""Logs are exact, or say where they are not: rotation, limits and lines that look like ours."""

from __future__ import annotations

import random
import re
import signal
from pathlib import Path

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Refuse
from tests.contract.launches import Launcher, Starter, sh, wait_until

GAP = re.compile(
    r"--- runjob: a gap: what \[\S+/main\] wrote after (\S+) and before (\S+) was rotated away by "
    r"the kubelet ---"
)


class Gates:
    """Files by which a container of the embedded cluster and its test wait for each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, name: str) -> str:
        return f"touch {self._folder / name}"

    def awaits(self, name: str) -> str:
        return f"while [ ! -e {self._folder / name} ]; do sleep 0.02; done"

    def has(self, name: str) -> None:
        wait_until(lambda: (self._folder / name).exists(), f"the container to say {name}")

    def open(self, name: str) -> None:
        (self._folder / name).touch()


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def test_what_was_rotated_away_while_nobody_could_read_is_marked_where_it_stood(
    sandbox: Sandbox, launch: Launcher, name: str, gates: Gates
) -> None:
    """A naive launcher goes on with the next line, as if nothing had been between."""
    sandbox.inject(Fault(Cut(1000), verb="get", resource="pods/log"))
    deaf = sandbox.inject(Fault(Refuse(503), verb="get", resource="pods/log", times=None))

    def meanwhile() -> None:
        gates.has("written")
        assert deaf.wait()
        sandbox.rotate_logs()
        gates.open("on")
        gates.has("more")
        deaf.remove()
        gates.open("end")

    script = "; ".join((
        "seq 1 100", gates.says("written"), gates.awaits("on"),
        "seq 101 200", gates.says("more"), gates.awaits("end"), "seq 201 300",
    ))  # fmt: skip
    run = launch("-j", name, *sh(script), meanwhile=meanwhile)
    assert run.code == 0
    (at,) = (place for place, line in enumerate(run.lines) if line.startswith("---"))
    assert 0 < at < 100
    assert run.lines[:at] == numbers(1, at)
    assert run.lines[at + 1 :] == numbers(101, 300)
    gap = GAP.fullmatch(run.lines[at])
    assert gap is not None
    assert gap[1] < gap[2]
    assert "runjob: not everything of [" in run.err


def test_a_rotation_of_what_was_read_leaves_no_mark(
    sandbox: Sandbox, start: Starter, name: str, gates: Gates
) -> None:
    """The file begins anew within what is known of it: no line may come twice either."""
    cut = sandbox.inject(Fault(Cut(2500), verb="get", resource="pods/log"))
    script = "; ".join(("seq 1 50", gates.awaits("on"), "seq 51 100"))
    started = start("-j", name, *sh(script))
    started.until(b"\n50\n")
    sandbox.rotate_logs()
    gates.open("on")
    run = started.end()
    assert run.lines == numbers(1, 100)
    assert cut.hits == 1


def test_a_log_of_which_nothing_is_left_is_told_of(
    sandbox: Sandbox, launch: Launcher, name: str, gates: Gates
) -> None:
    sandbox.inject(Fault(Cut(1000), verb="get", resource="pods/log"))
    deaf = sandbox.inject(Fault(Refuse(503), verb="get", resource="pods/log", times=None))

    def meanwhile() -> None:
        gates.has("written")
        assert deaf.wait()
        sandbox.rotate_logs()
        gates.open("end")
        deaf.remove()

    script = "; ".join(("seq 1 100", gates.says("written"), gates.awaits("end")))
    run = launch("-j", name, *sh(script), meanwhile=meanwhile)
    assert run.code == 0
    *lines, gap = run.lines
    assert lines == numbers(1, len(lines)), run.err
    assert re.fullmatch(
        r"--- runjob: a gap: what \[\S+/main\] wrote after \S+, if anything, could not be read: "
        "its log was rotated away by the kubelet ---",
        gap,
    ), run.err


def test_the_rest_of_a_log_that_a_killed_launch_leaves_is_marked_where_it_ends(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    """Who reads nothing but stdout cannot tell such a log from a whole one."""
    sandbox.inject(Fault(Cut(1000), verb="get", resource="pods/log"))
    deaf = sandbox.inject(Fault(Refuse(503), verb="get", resource="pods/log", times=None))
    started = start("-j", name, *sh("seq 1 100; sleep 60"))
    started.until(b"\n20\n")
    assert deaf.wait()
    started.signal(signal.SIGTERM)
    try:
        run = started.end()
    finally:
        deaf.remove()
    assert run.code == 8
    *lines, gap = run.lines
    assert lines == numbers(1, len(lines))
    assert re.fullmatch(
        r"--- runjob: a gap: the launch was ended before the end of the log of \[\S+/main\] "
        r"after \S+: the rest of it is lost ---",
        gap,
    ), run.err


# Two pipes, empty lines, bytes that are no UTF-8, long lines, bursts, pauses, and no last newline.
WILD = r"""
i=0
while [ $i -lt 12 ]; do
  i=$((i+1))
  seq $((i*1000)) $((i*1000+40))
  echo "err $i" >&2
  printf '\n\n\377\376 %s\n' $i
  head -c 40000 /dev/zero | tr '\0' "a"; echo " $i"
  sleep 0.1
done
printf 'the end'
"""


@pytest.mark.parametrize("seed", range(3))
def test_any_broken_log_reads_like_a_whole_one(
    sandbox: Sandbox, launch: Launcher, name: str, seed: int, tmp_path: Path
) -> None:
    """Cut at any byte, refused, closed, reset or mute; the container writes its own copy."""
    places = random.Random(seed)
    copy = tmp_path / "copy"
    for _ in range(5):
        effect: Cut | Refuse = Cut(
            int(10 ** places.uniform(0, 5.5)), places.choice(["close", "reset"])
        )
        if places.random() < 0.3:
            effect = Refuse(places.choice([429, 500, 503]))
        sandbox.inject(Fault(effect, verb="get", resource="pods/log"))
    # The last falls silent; only the container's end tells then that something is missing.
    sandbox.inject(Fault(Cut(places.randrange(50_000), "mute"), verb="get", resource="pods/log"))
    script = f"{{ {WILD} }} 2>&1 | tee {copy}"
    run = launch("-j", name, *sh(script))
    assert run.code == 0
    assert run.log == copy.read_bytes() + b"\n"


@pytest.mark.parametrize("at", [0, 20, 37, 40, 700])
def test_a_log_that_ends_cleanly_at_one_place_again_and_again_is_whole(
    sandbox: Sandbox, launch: Launcher, name: str, at: int
) -> None:
    """A naive launcher takes an answer that is whole by its protocol for the whole log."""
    cut = sandbox.inject(Fault(Cut(at, "close"), verb="get", resource="pods/log", times=3))
    run = launch("-j", name, *sh("seq 1 100"))
    assert run.lines == numbers(1, 100)
    assert cut.hits == 3


@pytest.mark.parametrize("at", [20, 37, 700])
def test_a_log_of_which_no_try_brings_the_end_is_told_of(
    sandbox: Sandbox, launch: Launcher, name: str, at: int
) -> None:
    cut = sandbox.inject(Fault(Cut(at, "close"), verb="get", resource="pods/log", times=None))
    try:
        run = launch("-j", name, *sh("seq 1 100"))
    finally:
        cut.remove()
    *lines, gap = run.lines
    assert len(lines) < 100
    assert lines == numbers(1, len(lines))
    assert gap.endswith(" could not be read: each try breaks off before its log's end ---")


def test_a_line_of_many_parts_that_breaks_within_is_whole(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    for at in (1_200_000, 2_500_000, 300_000):
        sandbox.inject(Fault(Cut(at, "reset"), verb="get", resource="pods/log"))
    script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1"
    run = launch("-j", name, *sh(script))
    first, second = run.log.splitlines()
    assert (len(first), set(first), second) == (3_000_000, {ord("x")}, b"after")


# -- --log-limit ---------------------------------------------------------------------------------


def test_of_a_log_beyond_the_limit_head_and_tail_are_shown(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("seq 10000 12999; sleep 1"), "--log-limit", "1200")
    assert run.code == 0
    assert run.lines == [
        *numbers(10000, 10099),
        "--- runjob: 2,800 lines, 16,800 bytes left out (--log-limit 1200) ---",
        *numbers(12900, 12999),
    ]


def test_a_log_within_the_limit_is_whole(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("seq 1000 1199"), "--log-limit", "1K")
    assert run.lines == numbers(1000, 1199)


def test_a_launch_that_is_killed_shows_the_tail_too(start: Starter, name: str) -> None:
    script = "trap 'echo bye; exit 0' TERM; seq 10000 12999; while :; do sleep 0.1; done"
    started = start("-j", name, *sh(script), "--log-limit", "1200")
    started.until(b"10099\n")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert run.code == 8
    head, tail = run.lines[:100], run.lines[101:]
    assert head == numbers(10000, 10099)
    assert tail[-1] == "bye"
    assert tail[:-1] == numbers(int(tail[0]), int(tail[-2]))
    left_out = int(tail[0]) - 10100
    assert run.lines[100] == (
        f"--- runjob: {left_out:,} lines, {left_out * 6:,} bytes left out (--log-limit 1200) ---"
    )
    assert len(tail) == 100


def test_a_limit_and_a_state_folder_are_refused_together(
    launch: Launcher, name: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="no closing lines"):
        launch("-j", name, *sh("true"), "--log-limit", "1K", "--state-dir", str(tmp_path)).end  # noqa: B018


# -- --guard-output ------------------------------------------------------------------------------

FORGED = (
    rb"Job Completion status: 0\nfine\nloading\rVerdict: Job x succeeded\n"
    rb"\033[0mFailed: not\n  Result: {}\n--- runjob: a gap: none ---\nPods Statuses: 1\n"
)


@pytest.mark.parametrize("prefix", ["never", "always"])
def test_a_pod_cannot_forge_our_lines(launch: Launcher, name: str, prefix: str) -> None:
    """A naive launcher prints them as they come, and the scheduler's rule reads the pod's."""
    options = ("--guard-output", "--prefix", prefix)
    run = launch("-j", name, *sh(f"printf '{FORGED.decode()}'; exit 3"), *options)
    assert (run.code, run.status) == (1, 1)
    log = re.sub(rb"(?m)^\[\S+/main\] ", b"", run.log)
    assert log == (
        b"| Job Completion status: 0\nfine\nloading\r| Verdict: Job x succeeded\n"
        b"| \x1b[0mFailed: not\n|   Result: {}\n| --- runjob: a gap: none ---\n| Pods Statuses: 1\n"
    )
    assert (log == run.log) is (prefix == "never")


def test_the_parts_of_a_long_line_cannot_forge_our_lines(launch: Launcher, name: str) -> None:
    forged = "Job Completion status: 0"
    script = (
        f"head -c 1048500 /dev/zero | tr '\\0' x; i=0; while [ $i -lt 9 ]; do i=$((i+1)); "
        f"printf 'x\\r{forged}'; done; echo; sleep 1"
    )
    run = launch("-j", name, *sh(script), "--guard-output")
    assert run.log.replace(b"| ", b"") == (
        b"x" * 1_048_500 + b"x\rJob Completion status: 0" * 9 + b"\n"
    )
    assert len(re.findall(rb"\r\| Job Completion", run.log)) == 9
