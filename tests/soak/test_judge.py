"""The judge finds what is lost, doubled, out of order or wrong, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.errands import Expected
from tests.soak.judge import Account, Attempt, Source, after, by_source, judge, recounted, spoiled

END = (
    b"Pods Statuses: 0 Running / 1 Succeeded / 0 Failed\nJob Completion status: 0\nVerdict: fine.\n"
)
HEAD = b"Options in effect: jobname=j\nJob created\n"
WELL = Expected(code=0, lines=3)
LINES = [b"@ j-x main 0 o 1", b"@ j-x main 0 e 2", b"@ j-x main 0 o 3"]


def node(*lines: bytes) -> Mapping[Source, Sequence[bytes]]:
    return by_source([b"".join(line + b"\n" for line in lines)])


def whole(lines: Sequence[bytes], end: bytes = END, code: int = 0) -> Attempt:
    return Attempt(HEAD + b"".join(line + b"\n" for line in lines) + end, b"", code)


def killed(out: bytes) -> Attempt:
    return Attempt(HEAD + out, b"", -9)


def told(
    attempts: list[Attempt], lines: Sequence[bytes] = LINES, expected: Expected = WELL
) -> Account:
    return judge(expected, attempts, node(*lines))


def test_a_whole_log_and_the_right_end_have_no_fault() -> None:
    account = told([whole(LINES)])
    assert account == Account(lines=3)
    assert account.faults == ()


def test_lines_with_a_prefix_are_known_all_the_same() -> None:
    assert told([whole([b"[j-x/main] " + line for line in LINES])]) == Account(lines=3)


def test_a_lost_line_is_found() -> None:
    account = told([whole([LINES[0], LINES[2]])])
    assert account.lost == (LINES[1],)
    assert "1 line(s) lost" in account.faults[0]


def test_a_lost_log_is_found() -> None:
    assert told([whole([])]).lost == tuple(LINES)


def test_a_doubled_line_is_found() -> None:
    account = told([whole([*LINES, LINES[1]])])
    assert account.doubled == (LINES[1],)
    assert account.lost == ()


def test_a_line_that_a_second_launcher_prints_again_is_doubled() -> None:
    first = killed(LINES[0] + b"\n" + LINES[1] + b"\n")
    assert told([first, whole(LINES[1:])]).doubled == (LINES[1],)


def test_two_launchers_that_print_the_log_between_them_are_right() -> None:
    assert told([killed(LINES[0] + b"\n"), whole(LINES[1:])]) == Account(lines=3)


def test_a_line_that_was_torn_by_a_kill_and_then_printed_whole_is_right() -> None:
    torn = killed(LINES[0] + b"\n" + LINES[1][:-1])
    assert told([torn, whole(LINES[1:])]) == Account(lines=3)


def test_a_line_without_newline_that_a_kill_left_whole_is_there() -> None:
    torn = killed(LINES[0] + b"\n" + LINES[1])
    assert told([torn, whole(LINES[2:])]) == Account(lines=3)


def test_a_wrong_order_is_found() -> None:
    account = told([whole([LINES[1], LINES[0], LINES[2]])])
    assert account.disordered == (LINES[0],)
    assert (account.lost, account.doubled) == ((), ())


def test_sources_may_come_in_any_order_between_them() -> None:
    other = b"@ j-x second 0 o 1"
    account = told([whole([other, *LINES])], [*LINES, other], replace(WELL, lines=4))
    assert account == Account(lines=4)


def test_a_line_that_nobody_wrote_is_found() -> None:
    account = told([whole([*LINES, b"@ j-x main 0 o 4", b"what"])])
    assert account.strange == (b"@ j-x main 0 o 4", b"what")


def test_a_mangled_line_is_both_lost_and_of_nobody() -> None:
    account = told([whole([LINES[0], b"@ j-x main 0", b" e 2", LINES[2]])])
    assert account.lost == (LINES[1],)
    assert account.strange == (b"@ j-x main 0", b" e 2")


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        pytest.param(whole(LINES, code=1), "exit code 1 instead of 0", id="code"),
        pytest.param(whole(LINES, end=b""), "no closing lines", id="no end"),
        pytest.param(
            whole(LINES, end=END.replace(b"status: 0", b"status: 5")), "status: 5", id="status"
        ),
        pytest.param(
            whole(LINES, end=END.replace(b"1 Succ", b"2 Succ")), "2 pods succeeded", id="succeeded"
        ),
        pytest.param(
            whole(LINES, end=END.replace(b"0 Fail", b"1 Fail")), "1 pods failed", id="failed"
        ),
    ],
)
def test_a_wrong_end_is_found(attempt: Attempt, words: str) -> None:
    account = told([attempt])
    assert words in account.wrong[0]
    assert account.wrong[0] in account.faults


def test_what_the_node_never_had_is_no_fault_of_the_launchers() -> None:
    account = told([whole(LINES[:2])], LINES[:2])
    assert account == Account(lines=2, missing=1)
    assert account.faults == ()


def test_the_end_of_a_log_may_go_with_a_container_that_was_ended_but_no_line_before() -> None:
    expected = replace(WELL, lines=None, cut=True)
    assert told([whole(LINES[:2])], expected=expected) == Account(lines=3, cut=1)
    assert told([whole([LINES[0], LINES[2]])], expected=expected).lost == (LINES[1],)


@pytest.mark.parametrize(
    "mark",
    [
        b"--- runjob: a gap: what [j-x/main] wrote could not be read: gone ---",
        b"[j-x/main] --- runjob: a gap: what [j-x/main] wrote could not be read: gone ---",
        b"--- runjob: a gap: nothing came of the log of [j-x/main]: the rest of it is lost ---",
    ],
)
def test_a_log_that_the_kubelet_removed_is_excused_only_where_the_launcher_told(
    mark: bytes,
) -> None:
    lines = [b"@ j-x main %d o 1" % run for run in range(3)]
    expected = replace(WELL, lines=3)
    silent = whole(lines[1:])
    telling = whole([mark, *lines[1:]])
    assert told([silent], lines, expected).lost == (lines[0],)
    assert told([telling], lines, expected) == Account(lines=3, removed=1, gaps=(mark,))
    late = whole([*lines[:2], mark])
    assert told([late], lines, expected).lost == (lines[2],)


@given(st.lists(st.sampled_from(LINES), max_size=6))
def test_only_the_log_itself_is_right(printed: list[bytes]) -> None:
    assert (told([whole(printed)]).faults == ()) == (printed == LINES)


def test_what_comes_again_behind_the_launchers_mark_is_counted_apart() -> None:
    size = len(LINES[1]) + 1
    mark = b"--- runjob: up to %d bytes of [j-x/main] may stand above already ---" % size
    first = killed(LINES[0] + b"\n" + LINES[1] + b"\n")
    assert told([first, whole([mark, *LINES[1:]])]) == Account(lines=3, again=1)
    assert told([killed(LINES[0] + b"\n"), whole([mark, *LINES[1:]])]) == Account(lines=3)
    assert told([first, whole([mark, *LINES])]).doubled == (LINES[1],)
    other = mark.replace(b"main", b"other")
    assert told([first, whole([other, *LINES[1:]])]).doubled == (LINES[1],)


def test_a_log_that_comes_again_as_a_whole_is_counted_apart() -> None:
    mark = b"--- runjob: all of [j-x/main] may stand above already ---"
    first = killed(LINES[0] + b"\n" + LINES[1] + b"\n")
    assert told([first, whole([mark, *LINES])]) == Account(lines=3, again=2)


def test_every_log_that_comes_again_from_its_beginning_is_counted_apart() -> None:
    mark = (
        b"--- runjob: log of Job n/j from its beginning; an earlier launcher may have printed a "
        b"part of it ---"
    )
    first = killed(LINES[0] + b"\n" + LINES[1] + b"\n")
    assert told([first, whole([mark, *LINES])]) == Account(lines=3, again=2)
    assert told([first, whole([mark, *LINES[2:]])]) == Account(lines=3)


def test_a_mark_before_a_line_that_was_torn_is_no_line() -> None:
    torn = killed(LINES[0] + b"\n" + LINES[1][:-1])
    mark = b"--- runjob: of the next line a part stands above already ---"
    assert told([torn, whole([mark, *LINES[1:]])]) == Account(lines=3)


def ended(reason: str) -> dict[str, object]:
    return {"status": {"containerStatuses": [{"state": {"terminated": {"reason": reason}}}]}}


@pytest.mark.parametrize(
    ("pod", "broken"),
    [
        pytest.param(ended("Error"), False, id="its program failed"),
        pytest.param(ended("StartError"), True, id="the kubelet was killed at its start"),
        pytest.param({"status": {"reason": "UnexpectedAdmissionError"}}, True, id="not admitted"),
        pytest.param({"status": {"reason": "DeadlineExceeded"}}, False, id="its deadline"),
        pytest.param({}, False, id="new"),
    ],
)
def test_a_pod_that_the_cluster_broke_is_known(pod: dict[str, object], broken: bool) -> None:
    assert bool(spoiled([{}, pod])) == broken


def test_of_a_job_that_the_cluster_broke_its_own_conditions_decide() -> None:
    assert told([whole(LINES)], expected=after(WELL, True)).faults == ()
    failed = after(WELL, False)
    assert told([whole(LINES[:2], code=1, end=END.replace(b": 0\n", b": 1\n"))],
                expected=failed).faults == ()  # fmt: skip
    assert "exit code 0" in told([whole(LINES)], expected=failed).faults[0]


def pod(phase: str, deleted: str | None = None) -> dict[str, object]:
    return {"metadata": {"deletionTimestamp": deleted}, "status": {"phase": phase}}


RAN, FAILED, IDLE = pod("Succeeded"), pod("Failed"), pod("Pending", "now")


@pytest.mark.parametrize(("completions", "believed"), [(3, True), (6, False)])
def test_a_launcher_that_asks_for_more_pods_is_not_believed(
    completions: int, believed: bool
) -> None:
    conditions = [{"type": "Complete", "status": "True"}]
    status = {"succeeded": 6, "conditions": conditions}
    asked = Expected(code=0, lines=None, succeeded=3, failed=0)
    job = {"spec": {"completions": completions}, "status": status}
    assert (recounted(asked, job, [RAN] * 6) != asked) is believed


def test_a_launcher_that_asks_for_more_retries_is_not_believed() -> None:
    conditions = [{"type": "Failed", "status": "True"}]
    asked = Expected(code=None, lines=None, succeeded=0, failed=1)
    job = {"spec": {"backoffLimit": 5}, "status": {"failed": 6, "conditions": conditions}}
    assert recounted(asked, job, [FAILED] * 6) == asked


@pytest.mark.parametrize(
    ("state", "counted", "pods", "succeeded", "failed"),
    [
        pytest.param("Complete", {"succeeded": 3}, [RAN] * 3, 3, 0, id="no pod too many"),
        pytest.param("Complete", {"succeeded": 5}, [RAN] * 5, 5, 0, id="two that ran too"),
        pytest.param("Complete", {"succeeded": 5}, [RAN] * 4, 3, 0, id="one that nobody saw"),
        pytest.param("", {"succeeded": 5}, [RAN] * 5, 3, 0, id="not yet complete"),
        pytest.param("Failed", {"failed": 1}, [FAILED, IDLE], 3, 0, id="one that was not counted"),
        pytest.param("Failed", {"failed": 2}, [FAILED, IDLE], 3, 2, id="one that never began"),
        pytest.param("Failed", {"failed": 2}, [FAILED, FAILED], 3, 2, id="one that failed too"),
        pytest.param("Failed", {"failed": 2}, [FAILED, pod("Pending")], 3, 0, id="not deleted"),
        pytest.param("", {"failed": 2}, [FAILED, IDLE], 3, 0, id="not yet failed"),
    ],
)
def test_a_pod_that_the_job_controller_made_too_many_is_known(
    state: str,
    counted: dict[str, int],
    pods: list[dict[str, object]],
    succeeded: int,
    failed: int,
) -> None:
    conditions = [{"type": state, "status": "True"}, {"type": "Failed", "status": "False"}]
    job = {
        "spec": {"completions": 3, "backoffLimit": 0},
        "status": {**counted, "conditions": conditions},
    }
    asked = Expected(code=0, lines=None, succeeded=3, failed=0)
    wanted = Expected(code=0, lines=None, succeeded=succeeded, failed=failed)
    assert recounted(asked, job, pods) == wanted


def test_a_number_that_hangs_on_the_moment_stays_so() -> None:
    asked = Expected(code=None, lines=None, succeeded=None, failed=None)
    for state, number in (("Complete", {"succeeded": 1}), ("Failed", {"failed": 1})):
        job = {"status": {**number, "conditions": [{"type": state, "status": "True"}]}}
        assert recounted(asked, job, [RAN if state == "Complete" else FAILED]) == asked
