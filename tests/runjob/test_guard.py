"""No line of a log can pass for one of ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runjob import marks
from runjob.diagnosis import Failure
from runjob.endings import Ending
from runjob.errors import Exit
from runjob.guard import MARK, OURS, guarded
from runjob.options import Shown
from runjob.report import report
from runjob.verdict import Verdict

ENDS = [b"\n", b"\r", b"\r\n", b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x85", b"\xc2\x85",
        b"\xe2\x80\xa8", b"\xe2\x80\xa9"]  # fmt: skip
UNSEEN = [b"", b" ", b"\t", b"\x1b[31m", b"\0", b"\xc2\xa0", b"\xef\xbb\xbf", b"\x1b"]

pieces = st.lists(
    st.one_of(
        st.sampled_from([*OURS, *ENDS, *UNSEEN, MARK, b"x", b"Job", b"Fail"]),
        st.binary(max_size=4),
        st.tuples(st.sampled_from(OURS), st.integers(0, 20)).map(lambda each: each[0][: each[1]]),
    ),
    max_size=12,
)  # fmt: skip


def forged(out: bytes) -> list[bytes]:
    """Return the lines that a reader takes for ours, whichever way it cuts lines and trims them."""
    found = []
    for lines in (
        out.split(b"\n"),
        out.splitlines(),
        [line.encode() for line in out.decode("utf-8", "replace").splitlines()],
        [line.encode("latin-1") for line in out.decode("latin-1").splitlines()],
    ):
        for line in lines:
            bare = re.sub(rb"\x1b\[[0-9;]*m", b"", line)
            found += [
                each
                for each in (line, bare, bare.strip(), bare.strip(b"\0\x1b\t "))
                if each.startswith(OURS)
            ]
    return found


@given(st.lists(pieces.map(b"".join), max_size=5))
@example([b"a\nJob Comp", b"letion status: 0\n"])
@example([b"x\xe2\x80", b"\xa8Job created\n"])
@example([b"F", b"", b"ailed: y"])
def test_no_line_reads_like_one_of_ours_and_all_else_stays(parts: list[bytes]) -> None:
    printed = [guarded(part) for part in parts]
    assert not forged(b"".join(printed))
    for part, out in zip(parts, printed, strict=True):
        assert _without(out, part)


def _without(out: bytes, part: bytes) -> bool:
    """Tell whether out is part with MARKs put in, and nothing else changed."""
    at = 0
    while part:
        if out.startswith(MARK, at) and not part.startswith(MARK):
            at += len(MARK)
        if out[at : at + 1] != part[:1]:
            # The log's own "| " may stand behind one of ours.
            if not out.startswith(MARK, at):
                return False
            at += len(MARK)
            continue
        at, part = at + 1, part[1:]
    return at == len(out)


@pytest.mark.parametrize("word", OURS, ids=bytes.decode)
def test_each_of_our_lines_is_marked(word: bytes) -> None:
    assert guarded(word + b" 0\n") == MARK + word + b" 0\n"


def test_each_line_that_closes_a_launch_can_be_forged_by_none() -> None:
    """A naive guard has a list of its own, which a new line of ours is not in."""
    failure = Failure(
        pod="p", container="main", node="n", attempt=1, exit_code=3, reason="Error", text="failed"
    )
    ended = Verdict(
        job="hello", namespace="ns", exit_code=1, ending=Ending(code=Exit.FAILED, text="ended"),
        failures=(failure,), warnings=("Bad: it was bad",),
    )  # fmt: skip
    lines = report(ended, get_args(Shown))
    assert len(lines) == 7
    for line in lines:
        assert guarded(line.encode()) == MARK + line.encode()


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"ok\n\nJob is done\n", b"ok\n\nJob is done\n", id="an ordinary log"),
        pytest.param(b"the Job created it\n", b"the Job created it\n", id="within a line"),
        pytest.param(b"\xff\xfe\0\x80\n", b"\xff\xfe\0\x80\n", id="bytes that are no text"),
        pytest.param(b"a\rFailed: x\n", b"a\r| Failed: x\n", id="behind a carriage return"),
        pytest.param(b"a\x85Failed: x\n", b"a\x85| Failed: x\n", id="behind a Latin-1 line end"),
        pytest.param(b"\n \x1b[0mFailed: x\n", b"\n|  \x1b[0mFailed: x\n", id="behind a colour"),
        pytest.param(b"done", b"done", id="a last line without an end"),
        pytest.param(b"done\nVer", b"done\n| Ver", id="a last line that could go on as ours"),
        pytest.param(b" " * 999 + b"Event: x\n", b" " * 743 + b"| " + b" " * 256 + b"Event: x\n",
                     id="behind many blanks"),
    ],
)  # fmt: skip
def test_a_part_of_a_log_is_guarded(log: bytes, expected: bytes) -> None:
    assert guarded(log) == expected


whole_lines = pieces.map(lambda parts: b"".join(parts).replace(b"\n", b"") + b"\n").filter(
    # The rest of a character, which only a part that was cut can begin with.
    lambda line: not line.startswith((b"\x80", b"\xa8", b"\xa9"))
)


@given(st.lists(whole_lines, max_size=6))
def test_whole_lines_are_guarded_alike_however_they_come(lines: list[bytes]) -> None:
    assert guarded(b"".join(lines)) == b"".join(map(guarded, lines))


def test_all_that_we_say_within_a_log_begins_alike() -> None:
    """What says it in a way of its own can be forged, and is not known by who reads the log."""
    assert marks.mark("so it is") == "--- runjob: so it is ---"
    assert marks.BEGINNING.encode() in OURS
    package = Path(marks.__file__).parent
    assert [
        file.name for file in package.glob("*.py") if re.search(r"[\"'`]--- ", file.read_text())
    ] == ["marks.py"]
