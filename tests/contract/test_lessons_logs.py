"""Lessons 1 to 7: logs that other launchers lose, double, mangle or choke on."""

from __future__ import annotations

from pathlib import Path

from runjob.sandbox.faults import Cut, Slow
from tests.contract import habits
from tests.contract.launches import Started, sh
from tests.contract.lessons import Stage, lesson

# Many lines at once, some one by one, many again.
TALKS = "seq 1 300; for i in 301 302 303 304 305; do echo $i; sleep 0.1; done; seq 306 600"
TALK = b"".join(b"%d\n" % number for number in range(1, 601))


@lesson(habits.WaitsForTheLog)
def test_lesson_01_a_follow_that_goes_mute(stage: Stage) -> None:
    """A follow falls silent for ever; the Job's status waits for no log, which is read anew.

    tests/e2e/test_breakdowns.py has a real rotation, at which no kubelet of today goes mute.

    Fails on a launcher that waits for the log's end: airflow#23497, kubernetes#59902.
    """
    stage.fault(Cut(1000, "mute"), verb="get", resource="pods/log")
    run = stage.run(*sh(TALKS))
    assert (run.code, run.log) == (0, TALK)


@lesson(habits.WholeSeconds)
def test_lesson_02_many_lines_of_one_second(stage: Stage) -> None:
    """A stream breaks among lines of one second; the API can only be asked for whole ones.

    Fails on a launcher that prints all that the second try brings: airflow#33498, airflow#39236.
    """
    stage.fault(Cut(4000, "reset"), verb="get", resource="pods/log")
    run = stage.run(*sh(TALKS))
    assert (run.code, run.log) == (0, TALK)


@lesson(habits.ThreeStreams)
def test_lesson_03_streams_that_break_again_and_again(stage: Stage) -> None:
    """Something between us and the API ends each stream, as many do after four hours.

    Fails on a launcher that gives a log three tries: dagster#21331, prefect#8050.
    """
    stage.fault(Cut(2000, "reset"), verb="get", resource="pods/log", times=4)
    run = stage.run(*sh(TALKS))
    assert (run.code, run.log) == (0, TALK)


@lesson(habits.DecodesByChunk)
def test_lesson_04_a_glyph_that_is_split(stage: Stage) -> None:
    """A glyph of three bytes lies across the edge of what one read brings.

    Fails on a launcher that decodes each read by itself: dagster#33353.
    """
    glyphs = "\N{KATAKANA LETTER A}" * 3000
    run = stage.run(*sh(f"echo {glyphs}"))
    assert (run.code, run.log) == (0, f"{glyphs}\n".encode())


@lesson(habits.LetsTheClientDecode)
def test_lesson_05_a_log_that_looks_like_json(stage: Stage) -> None:
    """A log is bytes, even when it can be read as JSON.

    Fails on a launcher that lets the client decode it: kubernetes-client/python#811.
    """
    run = stage.run(*sh("""echo '{"a": "b", "c": null}'"""))
    assert (run.code, run.log) == (0, b'{"a": "b", "c": null}\n')


@lesson(habits.DeletesFirst)
def test_lesson_06_the_last_lines_of_a_job_that_is_over(stage: Stage) -> None:
    """The Job has ended before its log was read: the deletion comes after the last byte.

    Fails on a launcher that deletes at the Job's end: dagster#20432, kestra#257.
    """
    stage.fault(Slow(1.0), verb="get", resource="pods/log")
    run = stage.run(*sh("echo one; echo two"))
    assert (run.code, run.log) == (0, b"one\ntwo\n")
    stage.target.api.wait_gone(stage.name)


@lesson(habits.WholeLog)
def test_lesson_07_a_log_that_is_larger_than_the_memory(stage: Stage) -> None:
    """However long a log is, the memory stays as it was: here 12 MB pass through.

    Fails on a launcher that reads the whole of it.
    """
    started = stage.start(*sh("yes $(printf %01000d 0) | head -n 12000"))
    peak = _peak(stage, started)
    run = started.end()
    assert run.code == 0
    if not stage.target.real:  # whose kubelet rotates faster than anybody reads
        assert len(run.lines) == 12_000
    assert 0 < peak < 48


def _peak(stage: Stage, started: Started) -> float:
    """Wait for a launcher's end and return what it held at most, in MB."""
    peaks = [0]

    def look() -> None:
        status = Path(f"/proc/{started.process.pid}/status").read_text()
        lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        peaks.extend(int(line.split()[1]) for line in lines)

    stage.wait(started, look, "its end")
    return max(peaks) / 1024
