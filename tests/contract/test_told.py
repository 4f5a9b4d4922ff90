"""An end that was told is told once: a rerun takes no dead Job for its own result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runjob.sandbox import Fault
from runjob.sandbox.faults import Injection, Refuse
from tests.contract.launches import Launcher, Run, sh
from tests.contract.manifests import config_map, job_of, write
from tests.contract.targets import EmbeddedTarget, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="only the embedded cluster forbids on demand")

Forbid = Callable[..., None]
RUN = ("--run-id", "r.1")
ENDS = sh("echo once; exit 3")


class Missing:
    """Rights that nobody has, until they are given."""

    def __init__(self, target: EmbeddedTarget) -> None:
        self._target = target
        self._injected: list[Injection] = []

    def __call__(self, *verbs: str, resource: str = "jobs") -> None:
        for verb in verbs:
            fault = Fault(Refuse(403), verb=verb, resource=resource, times=None)
            self._injected.append(self._target.sandbox.inject(fault))

    def give(self) -> None:
        while self._injected:
            self._injected.pop().remove()


@pytest.fixture
def missing(
    target: EmbeddedTarget,
    name: str,  # noqa: ARG001  # its Jobs are deleted after this, when they may be
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Missing]:
    monkeypatch.setattr("runjob.retry.REFUSALS", 2)  # no server has just started here
    rights = Missing(target)
    yield rights
    rights.give()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def kept(folder: Path) -> tuple[str, str]:
    """Return the options that name a folder for positions."""
    return "--state-dir", str(folder)


def unmarked(run: Run) -> list[str]:
    return [line for line in run.err.splitlines() if "NOT marked as told" in line]


def is_refused_as_told(run: Run) -> bool:
    return (
        run.code == 15
        and "its end was told already" in run.verdict
        and b"Job adopted" not in run.out
    )


def test_a_job_that_could_not_be_removed_is_no_result_of_a_rerun(
    missing: Missing, launch: Launcher, target: EmbeddedTarget, name: str
) -> None:
    job = ("-j", name, *ENDS, *RUN)
    missing("delete")
    run = launch(*job)
    assert (run.code, run.log, unmarked(run)) == (1, b"once\n", [])
    assert "NOT removed: Job" in run.verdict
    again = launch(*job)
    assert is_refused_as_told(again)
    assert "--if-exists adopt" not in again.verdict
    missing.give()
    run = launch(*job, "--if-exists", "replace")
    assert (run.code, run.log) == (1, b"once\n")
    target.api.wait_gone(name)


@pytest.mark.parametrize("keep", [("--keep", "failed"), ()], ids=["kept", "not removed"])
def test_a_state_folder_knows_that_an_end_was_told_which_could_not_be_marked(
    missing: Missing,
    launch: Launcher,
    target: EmbeddedTarget,
    name: str,
    folder: Path,
    kept: tuple[str, str],
    keep: tuple[str, ...],
) -> None:
    job = ("-j", name, *ENDS, *RUN, *kept, *keep)
    missing("patch", "delete")
    run = launch(*job)
    assert (run.code, run.log, unmarked(run)) == (1, b"once\n", [])
    for _ in range(2):
        assert is_refused_as_told(launch(*job))
    missing.give()
    target.api.delete("jobs", name)
    target.api.wait_gone(name)
    run = launch(*job)
    assert (run.code, run.log) == (1, b"once\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("keep", [("--keep", "failed"), ()], ids=["kept", "not removed"])
def test_an_end_that_nothing_can_tell_to_be_told_is_said_with_the_command(
    missing: Missing, launch: Launcher, target: EmbeddedTarget, name: str, keep: tuple[str, ...]
) -> None:
    missing("patch", "delete")
    run = launch("-j", name, *ENDS, *RUN, *keep)
    assert (run.code, run.log) == (1, b"once\n")
    (said,) = unmarked(run)
    assert f"Job {name} (" in said
    _, _, how = said.partition("; remove it with: ")
    assert how.startswith(f"kubectl -n {target.namespace} ")
    assert f"delete job {name}" in how


def test_a_rerun_with_a_generated_name_runs_beside_all_whose_ends_were_told(
    missing: Missing,
    launch: Launcher,
    target: EmbeddedTarget,
    name: str,
    folder: Path,
    kept: tuple[str, str],
) -> None:
    job = ("--generate-name", f"{name}-", *ENDS, *RUN, *kept)
    missing("patch", "delete")
    for number in (1, 2, 3):
        run = launch(*job)
        assert (run.code, run.log) == (1, b"once\n")
        made = [each["metadata"]["name"] for each in target.api.items("jobs")]
        assert len([each for each in made if each.startswith(name)]) == number
    missing.give()
    for each in made:
        if each.startswith(name):
            target.api.delete("jobs", each)
            target.api.wait_gone(each)
    assert launch(*job).code == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("state", [False, True], ids=["without a state folder", "with one"])
def test_of_a_job_that_is_gone_no_mark_is_missed_though_what_came_along_stays(
    missing: Missing,
    launch: Launcher,
    target: EmbeddedTarget,
    name: str,
    folder: Path,
    kept: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: bool,
) -> None:
    # The Job is seen to go while the rest is still being asked for.
    monkeypatch.setattr("runjob.retry.REFUSALS", 4)
    path = write(tmp_path / "job.yaml", config_map(name), job_of(name, "exit 3"))
    missing("patch")
    missing("delete", resource="configmaps")
    run = launch("-y", path, *RUN, *(kept if state else ()))
    assert (run.code, unmarked(run)) == (1, [])
    assert f"NOT removed: ConfigMap {name} (" in run.verdict
    assert target.api.is_gone(name)
    assert not (state and list(folder.iterdir()))
