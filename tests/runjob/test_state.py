"""What a launch writes down outlives its death: its run, its Job and its end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from runjob.console import Console
from runjob.endings import Ending
from runjob.errors import Exit, LaunchError, UsageError
from runjob.existing import Past
from runjob.state import Journal
from runjob.verdict import Verdict
from tests.runjob.journals import JOB, RUN, VERDICT, opened, other

SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "uid": "s1"},
    "data": {"password": "aGlkZGVu"},
}

UNREADABLE = Verdict(
    job="hello", namespace="here", exit_code=6, ending=Ending(code=Exit.UNREADABLE, text="away")
)


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.glob("*/*"))


def test_a_new_folder_knows_of_nothing_and_is_gone_when_nothing_happened(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with opened(folder) as journal:
        assert journal.past is None
        assert journal.verdict is None
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_a_killed_launch_leaves_its_job_and_no_secret(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert journal.begin(JOB, (SECRET,)) is False
    with opened(tmp_path) as journal:
        past = journal.past
        assert past is not None
        assert (past.job["metadata"]["uid"], past.concluded) == ("u1", False)
        assert [body["metadata"]["uid"] for body in past.ours] == ["s1"]
        assert journal.begin(JOB, ()) is True
    assert b"aGlkZGVu" not in b"".join(each.read_bytes() for each in tmp_path.glob("*/*"))


def test_what_is_written_of_another_job_is_put_aside(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        journal.account("p1", "main", b"", "x")
        journal.conclude(VERDICT)
    other = {**JOB, "metadata": {**JOB["metadata"], "uid": "u2"}}
    with opened(tmp_path) as journal:
        assert journal.begin(other, ()) is False
        assert journal.verdict is None
        assert files(tmp_path) == ["lock", "run.json"]


def test_the_end_is_known_to_the_next_launch(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, (SECRET,))
        journal.conclude(VERDICT)
    with opened(tmp_path) as journal:
        past = journal.past
        assert isinstance(past, Past)
        assert past.concluded
        assert journal.verdict == VERDICT
        journal.take_up()
        journal.told(VERDICT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verdict", "stays"),
    [
        pytest.param(VERDICT, False, id="an end that was told"),
        pytest.param(UNREADABLE, True, id="the API was away, and the Job lives on"),
        pytest.param(None, True, id="nothing was told"),
    ],
)
def test_a_launch_removes_its_folder_when_it_is_over(
    tmp_path: Path, verdict: Verdict | None, stays: bool
) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        if verdict is not None:
            journal.told(verdict)
    assert bool(list(tmp_path.iterdir())) is stays


def told_of(folder: Path, job: Any, *beside: str, stays: bool) -> None:
    """Tell the end of one launch."""
    with opened(folder) as journal:
        journal.begin(job, (), beside)
        journal.conclude(VERDICT)
        if stays:
            journal.stays()
        journal.told(VERDICT)


def test_that_an_end_was_told_is_known_as_long_as_its_job_stays(tmp_path: Path) -> None:
    told_of(tmp_path, other("u1"), stays=True)
    with opened(tmp_path) as journal:
        assert (journal.past, journal.verdict, journal.ends_told) == (None, None, ["u1"])
    told_of(tmp_path, other("u2"), "u1", stays=True)  # its name is a generated one
    assert files(tmp_path) == ["lock", "run.json"]
    with opened(tmp_path) as journal:
        assert journal.ends_told == ["u1", "u2"]
        journal.begin(other("u3"), (), ["u2"])
        journal.forget()  # somebody ends it
        assert journal.past is None
        assert journal.ends_told == ["u2"]
    told_of(tmp_path, other("u4"), stays=False)
    assert list(tmp_path.iterdir()) == []


def test_a_job_whose_end_was_not_told_or_asked_for_may_be_taken_up(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        journal.stays()  # and is killed now
    with opened(tmp_path) as journal:
        assert journal.past is not None
        assert list(journal.ends_told) == []
        journal.begin(JOB, ())
        journal.forget()
        journal.stays()
        journal.told(VERDICT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ['{"told": 7}', "[]", "{"])
def test_ends_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    told_of(tmp_path, JOB, stays=True)
    (run,) = tmp_path.glob("*/run.json")
    run.write_text(text)
    with opened(tmp_path) as journal:
        assert list(journal.ends_told) == []


def test_a_launch_that_was_refused_touches_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
    before = files(tmp_path)
    with opened(tmp_path) as journal:
        journal.told(VERDICT)
    assert files(tmp_path) == before


def test_a_launch_that_is_ended_by_somebody_leaves_no_word(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        journal.conclude(VERDICT)
        journal.forget()
        assert (journal.past, journal.verdict) == (None, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"job": 1}', '{"verdict": {"job": 1}}'])
@pytest.mark.parametrize("name", ["run.json", "end.json"])
def test_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path, name: str, text: str) -> None:
    with opened(tmp_path) as journal:
        journal.begin(JOB, ())
        journal.conclude(VERDICT)
    (next(tmp_path.iterdir()) / name).write_text(text)
    with opened(tmp_path) as journal:
        past = journal.past
        assert past is None or not past.concluded


def test_two_runs_share_a_directory_and_nothing_in_it(tmp_path: Path) -> None:
    with (
        opened(tmp_path) as one,
        Journal(str(tmp_path), "here/hello/r.2", "c", "h/2", Console(None, None)) as other,
    ):
        one.begin(JOB, ())
        assert other.past is None


def test_a_run_of_the_same_name_on_another_cluster_is_another_one(tmp_path: Path) -> None:
    with (
        opened(tmp_path) as one,
        Journal(str(tmp_path), RUN, "d", "h/2", Console(None, None)) as other,
    ):
        one.begin(JOB, ())
        assert other.past is None


def test_a_folder_is_held_by_one_launcher_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path):
        with pytest.raises(LaunchError, match=r"another launcher \(host/1\)") as caught:
            opened(tmp_path)
        assert caught.value.exit_code == Exit.EXISTS
    with opened(tmp_path):
        pass


def test_a_lock_that_its_holder_removed_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone = os.path.samestat, [True]

    def samestat(one: os.stat_result, other: os.stat_result) -> bool:
        return real(one, other) and not (gone and gone.pop())

    monkeypatch.setattr(os.path, "samestat", samestat)
    with opened(tmp_path):
        assert files(tmp_path) == ["lock"]


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match=r"--state-dir .*cannot be written there"):
        opened(file)
