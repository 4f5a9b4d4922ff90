"""What comes after each read of a run's log."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import ApiError
from runjob.logend import (
    CUT,
    SAME_READS,
    SHORT_READS,
    STRANGERS,
    Again,
    Ask,
    Done,
    Ending,
    Known,
    Next,
    Pause,
    Seen,
    Whole,
    after_another_run,
    after_break,
    after_error,
    after_read,
    at_its_end,
    question,
    while_it_runs,
)
from runjob.observed import ContainerView, PodView, Terminated
from runjob.retry import REFUSALS
from runjob.runs import RunView, run_of

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
END = Terminated(exit_code=1, reason="", message="", signal=0, started=AT, finished=AT)

# What streams show.
NEW = Seen(fresh=True, rest=b"", caught_up=True, refused=False)
SAME = replace(NEW, fresh=False)
BROKEN = replace(SAME, caught_up=False)
PART = replace(SAME, rest=b"x")
WORDS = Seen(fresh=False, rest=b"unable", caught_up=False, refused=True)

# What the last line tells.
LAST, OTHER, NONE, NOTHING = Ending(True), Ending(False), Ending(False, bare=True), Ending(None)


def run(number: int = 0, restarts: int = 0, *, over: bool = False, once: bool = False) -> RunView:
    running, end = (None, END) if over else (AT, None)
    view = ContainerView(name="main", restarts=restarts, running=running, terminated=end)
    pod = PodView(uid="p", name="pod", phase="Running", containers=(view,))
    return run_of(replace(pod, restarts_in_place=not once), "main", number)


@pytest.mark.parametrize(
    ("known", "of", "ask"),
    [
        pytest.param(
            Known(), run(once=True), Ask(False, False, False, False, None),
            id="one that is never restarted is followed, without a doubt",
        ),
        pytest.param(
            Known(), run(once=True, over=True), Ask(True, False, False, False, None),
            id="one that has ended is read, and not followed",
        ),
        pytest.param(
            Known(), run(), Ask(False, False, True, True, None),
            id="a first one is in doubt, and none came before it",
        ),
        pytest.param(
            Known(), run(1, 1), Ask(False, False, True, False, None),
            id="a later one is in doubt, and has one before it",
        ),
        pytest.param(
            Known(), run(over=True), Ask(True, False, True, True, b"2026-01-31T12:00:01"),
            id="one that has ended wrote nothing later",
        ),
        pytest.param(
            Known(), run(0, 1), Ask(True, True, False, False, None),
            id="one that the status calls an earlier one is the previous, without a doubt",
        ),
        pytest.param(
            Known(passed=True), run(), Ask(True, True, True, False, None),
            id="one that seems to be over is the previous, before the status tells",
        ),
        pytest.param(
            Known(passed=True), run(over=True), Ask(True, True, True, False, None),
            id="one that seems to be the previous, and has ended, may begin at any time",
        ),
        pytest.param(
            Known(passed=False), run(over=True), Ask(True, False, False, False, None),
            id="one that is the present one after all is in doubt no more",
        ),
    ],
)  # fmt: skip
def test_which_log_is_asked_for(known: Known, of: RunView, ask: Ask) -> None:
    assert question(known, of) == ask


def test_what_is_missing_in_the_present_log_is_sought_in_the_previous_one_and_back() -> None:
    first = after_another_run(Known())
    assert first == Again(Known(passed=True))
    assert after_another_run(first.known) == Again(Known(passed=False))


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        pytest.param(Known(same=3, refused=5), NEW, Known(at_end=True, moved=True),
                     id="something new: all is counted anew"),
        pytest.param(Known(), SAME, Known(at_end=True, same=1), id="nothing new: that is counted"),
        pytest.param(Known(same=1), PART, Known(at_end=True, rest=b"x"),
                     id="more of a line: something, though nothing to hand on"),
        pytest.param(Known(rest=b"x"), PART, Known(at_end=True, rest=b"x", same=1),
                     id="the same part of a line: nothing new"),
        pytest.param(Known(), BROKEN, Known(same=1), id="a break: not the end"),
        pytest.param(Known(moved=True), SAME, Known(at_end=True, same=1, moved=True),
                     id="what was new before stays so until a pause"),
        pytest.param(Known(at_end=True), replace(NEW, caught_up=False), Known(moved=True),
                     id="something new where the end was seen: that was none"),
        pytest.param(Known(at_end=True, short=2), NEW, Known(at_end=True, short=2, moved=True),
                     id="breaks are not forgotten"),
        pytest.param(Known(at_end=True), BROKEN, Known(at_end=True, removed=True, same=1),
                     id="nothing where the end was seen: the node removed it"),
        pytest.param(Known(at_end=True), WORDS, Known(at_end=True, removed=True),
                     id="words where the end was seen: the node removed it"),
        pytest.param(Known(rest=b"x"), WORDS, Known(rest=b"x", removed=True),
                     id="words where the end was not seen: what is known stays"),
        pytest.param(Known(at_end=True, removed=True), SAME, Known(at_end=True, same=1),
                     id="the log once more: it was not removed"),
    ],
)  # fmt: skip
def test_what_is_known_after_a_stream(before: Known, seen: Seen, after: Known) -> None:
    assert after_read(before, seen) == after


@pytest.mark.parametrize(
    ("seen", "after"),
    [
        pytest.param(NEW, Known(), id="brought something new: there is more"),
        pytest.param(replace(NEW, caught_up=False), Known(),
                     id="brought something new behind a gap: there is more"),
        pytest.param(PART, Known(), id="began a line: there is more"),
        pytest.param(SAME, Known(at_end=True, same=2), id="came to the same end: nothing is new"),
        pytest.param(replace(BROKEN, rest=b"x"), Known(at_end=True, same=2),
                     id="broke within a line that had come: nothing is new"),
        pytest.param(replace(WORDS, caught_up=True), Known(at_end=True, same=2),
                     id="brought words only: nothing is new"),
    ],
)  # fmt: skip
def test_a_stream_that_broke_off_with_an_error(seen: Seen, after: Known) -> None:
    assert after_break(Known(at_end=True, same=2), seen) == after


@pytest.mark.parametrize(
    ("known", "after"),
    [
        pytest.param(Known(at_end=True), Known(), id="was no end"),
        pytest.param(Known(at_end=True, removed=True), Known(at_end=True, removed=True),
                     id="takes nothing back where the log was removed"),
    ],
)  # fmt: skip
def test_a_stream_that_ends_while_the_container_runs(known: Known, after: Known) -> None:
    assert while_it_runs(known) == Pause(after, over=False, anew=False)


def again_after_a_break(known: Known) -> Next:
    return Pause(known, over=True, anew=False)


LATE = Known(short=SHORT_READS - 1)


@pytest.mark.parametrize(
    ("known", "seen", "ending", "comes"),
    [
        pytest.param(Known(), NEW, LAST, Whole(), id="its last line came: whole"),
        pytest.param(Known(same=SAME_READS), SAME, NOTHING, Whole(),
                     id="no line tells, and four reads were the same: whole"),
        pytest.param(Known(same=SAME_READS - 1), SAME, NOTHING,
                     Again(Known(same=SAME_READS - 1, at_end=True)),
                     id="no line tells: again, and it may have been the end"),
        pytest.param(Known(at_end=True), NEW, OTHER, Again(Known()),
                     id="another line, and something new: again at once"),
        pytest.param(Known(at_end=True), SAME, OTHER, again_after_a_break(Known(short=1)),
                     id="another line, and nothing new: it broke off"),
        pytest.param(Known(), SAME, NONE, again_after_a_break(Known(short=1, at_end=True)),
                     id="no line at all: it broke off, or was the end"),
        pytest.param(Known(at_end=True, removed=True), BROKEN, CUT,
                     again_after_a_break(Known(short=1, at_end=True, removed=True)),
                     id="removed: it broke off, and the end was seen before"),
        pytest.param(LATE, SAME, OTHER, Done("each try breaks off before its log's end"),
                     id="six breaks before its last line: given up"),
        pytest.param(LATE, BROKEN, CUT, Done("its log was rotated away by the kubelet"),
                     id="six breaks before what had come: rotated"),
        pytest.param(LATE, SAME, NONE, Done(), id="six times no line at all: done"),
        pytest.param(replace(LATE, rest=b"x"), PART, NONE,
                     Done("each try breaks off before its log's end"),
                     id="six times no line, and a part of one: given up"),
        pytest.param(replace(LATE, at_end=True, removed=True), BROKEN, CUT, Done(),
                     id="removed after its end was seen: done"),
        pytest.param(replace(LATE, passed=True), SAME, OTHER,
                     again_after_a_break(Known(passed=False)),
                     id="six breaks of what may be the next run's: the other log, all anew"),
        pytest.param(replace(LATE, passed=False), SAME, OTHER,
                     Done("each try breaks off before its log's end"),
                     id="six breaks of the other log too: given up"),
    ],
)  # fmt: skip
def test_what_comes_after_the_end_of_a_run(
    known: Known, seen: Seen, ending: Ending, comes: Next
) -> None:
    decided = at_its_end(known, seen, ending, superseded=False)
    if isinstance(decided, Pause):
        assert str(decided.trouble) == "the log broke off"
        decided = replace(decided, trouble=None)
    assert decided == comes


def test_a_log_that_the_status_calls_an_earlier_one_is_sought_nowhere_else() -> None:
    lost = at_its_end(replace(LATE, passed=True), SAME, OTHER, superseded=True)
    assert lost == Done("each try breaks off before its log's end")


@pytest.mark.parametrize(
    ("known", "superseded", "goes_on"),
    [
        pytest.param(Known(at_end=True, removed=True, short=1), True, False, id="all of it: done"),
        pytest.param(Known(at_end=True, removed=True), True, True, id="said once: again"),
        pytest.param(Known(at_end=True, removed=True, short=1), False, True,
                     id="the status tells of no later run: again"),
        pytest.param(Known(at_end=True, removed=True, short=1, rest=b"x"), True, True,
                     id="a part of a line: again"),
        pytest.param(Known(removed=True, short=1), True, True, id="its end was not seen: again"),
        pytest.param(Known(at_end=True, short=1), True, True, id="it is there yet: again"),
    ],
)  # fmt: skip
def test_a_removed_log_that_was_read_holds_up_the_next_runs_log_no_longer(
    known: Known, superseded: bool, goes_on: bool
) -> None:
    """A soak lost the next run's log: it was removed while the end of this one was sought."""
    decided = at_its_end(known, WORDS, CUT, superseded=superseded)
    assert isinstance(decided, Pause) if goes_on else decided == Done()


def refused(status: int, wait: float | None = None) -> ApiError:
    return ApiError(status, "no", retry_after=wait)


RUNS = {"superseded": False, "over": False, "gone": False}
OVER = {**RUNS, "over": True}
GONE = {**OVER, "gone": True}
READ = Known(at_end=True)
LAST_TRY = Known(refused=REFUSALS - 1)
STRANGER = Known(refused=STRANGERS - 1)


@pytest.mark.parametrize(
    ("known", "status", "where", "lost"),
    [
        pytest.param(Known(), 400, OVER, "no", id="none after the end"),
        pytest.param(READ, 400, OVER, "", id="none after all was read"),
        pytest.param(replace(READ, rest=b"x"), 400, OVER, "no", id="none after a part of a line"),
        pytest.param(Known(), 404, GONE, "no", id="its pod is gone"),
        pytest.param(READ, 404, GONE, "", id="its pod is gone after all was read"),
        pytest.param(STRANGER, 404, RUNS, "no", id="nobody knows its pod, nine times"),
        pytest.param(replace(STRANGER, at_end=True), 404, OVER, "",
                     id="nobody knows its pod, nine times, after all was read"),
        pytest.param(LAST_TRY, 403, OVER, "no", id="forbidden six times"),
        pytest.param(replace(LAST_TRY, at_end=True), 403, OVER, "no",
                     id="forbidden six times: there may be more, and nobody can tell"),
        pytest.param(Known(passed=True), 400, {**OVER, "superseded": True}, "no",
                     id="none of a run that the status calls an earlier one"),
    ],
)  # fmt: skip
def test_a_refusal_that_is_the_end(
    known: Known, status: int, where: dict[str, bool], lost: str
) -> None:
    assert after_error(known, refused(status), **where) == Done(lost)


@pytest.mark.parametrize(
    ("known", "status", "where", "after", "anew"),
    [
        pytest.param(READ, 0, OVER, READ, False, id="no answer: what was read stays read"),
        pytest.param(READ, 0, RUNS, Known(), False, id="no answer before the end: more may come"),
        pytest.param(Known(moved=True), 500, RUNS, Known(), True,
                     id="a failure after something new: the shortest wait"),
        pytest.param(Known(), 403, OVER, Known(refused=1), True,
                     id="the first refusal: the shortest wait"),
        pytest.param(Known(refused=1), 403, OVER, Known(refused=2), False,
                     id="the second one: a longer one"),
        pytest.param(Known(), 403, RUNS, Known(), False,
                     id="forbidden before the end: not counted"),
        pytest.param(Known(refused=1), 404, RUNS, Known(refused=2), False,
                     id="nobody knows its pod: counted at any time"),
        pytest.param(LAST_TRY, 404, OVER, Known(refused=REFUSALS), False,
                     id="a kubelet that has just started knows no pods for seconds"),
        pytest.param(Known(), 429, OVER, Known(), False, id="too many requests"),
    ],
)  # fmt: skip
def test_trouble_that_is_told_and_tried_again(
    known: Known, status: int, where: dict[str, bool], after: Known, anew: bool
) -> None:
    error = refused(status, 7)
    assert after_error(known, error, **where) == Pause(after, where["over"], anew, 7, error)


def test_a_container_that_is_about_to_start_is_no_trouble() -> None:
    assert after_error(Known(), refused(400), **RUNS) == Pause(Known(), over=False, anew=False)


@pytest.mark.parametrize("status", [400, 404])
def test_where_there_was_no_earlier_run_the_present_log_is_its(status: int) -> None:
    known = Known(passed=True, short=2)
    assert after_error(known, refused(status), **GONE) == Again(replace(known, passed=False))


known_of_a_log = st.builds(
    Known,
    at_end=st.booleans(),
    rest=st.sampled_from([b"", b"x"]),
    removed=st.booleans(),
    same=st.integers(0, SAME_READS),
    short=st.integers(0, SHORT_READS - 1),
    refused=st.integers(0, REFUSALS - 1),
    moved=st.booleans(),
    passed=st.sampled_from([None, True, False]),
)
Answer = tuple[Seen, Ending] | ApiError


def answers_of_an_end(rest: bytes) -> list[Answer]:
    """Return what may come in place of a log that changes no more, with that rest of a line."""
    same = replace(SAME, rest=rest)
    return [
        *((same, ending) for ending in (OTHER, NONE, NOTHING)),
        *((seen, CUT) for seen in (BROKEN, WORDS)),
        *(refused(status) for status in (400, 403, 404)),
    ]


def after(known: Known, answer: Answer, where: dict[str, bool]) -> Next:
    if isinstance(answer, ApiError):
        return after_error(known, answer, **where)
    seen, ending = answer
    return at_its_end(after_read(known, seen), seen, ending, superseded=where["superseded"])


@given(
    known_of_a_log,
    st.sampled_from([b"", b"x"]).flatmap(
        lambda rest: st.lists(st.sampled_from(answers_of_an_end(rest)), min_size=1, max_size=20)
    ),
    st.sampled_from([OVER, GONE, {**OVER, "superseded": True}]),
)
def test_a_log_that_changes_no_more_is_not_read_for_ever(
    known: Known, answers: list[Answer], where: dict[str, bool]
) -> None:
    """Whatever comes in its place, in any order, again and again."""
    tries = 0
    step: Next = Again(known)
    while isinstance(step, Again | Pause):
        step = after(step.known, answers[tries % len(answers)], where)
        tries += 1
        assert tries < 1000


@given(
    known_of_a_log,
    st.sampled_from([NEW, SAME, PART, BROKEN, WORDS]),
    st.sampled_from([OTHER, NONE, NOTHING]),
)
def test_a_log_counts_as_whole_by_its_last_line_only(
    known: Known, seen: Seen, ending: Ending
) -> None:
    """Or where that tells nothing, as in an empty log, by reads that are all the same."""
    read = after_read(known, seen)
    whole = at_its_end(read, seen, ending, superseded=False) == Whole()
    assert whole is (ending.whole is None and read.same >= SAME_READS)
    assert at_its_end(read, seen, LAST, superseded=False) == Whole()


@given(known_of_a_log, st.sampled_from([BROKEN, WORDS]))
def test_a_node_that_removes_a_log_takes_nothing_back(known: Known, seen: Seen) -> None:
    known = replace(known, at_end=True)
    removed = after_read(known, seen)
    assert removed.is_whole is known.is_whole
    step = at_its_end(removed, seen, CUT, superseded=False)
    assert isinstance(step, Done | Pause)
    kept = step.lost == "" if isinstance(step, Done) else step.known.is_whole
    assert kept is known.is_whole
