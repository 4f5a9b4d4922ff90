"""A kill ends the Job of its run, and nothing else."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runjob import cli
from runjob.asking import LOGIN_PATIENCE
from runjob.errors import ApiError, Exit, LaunchError, NoClusterError
from runjob.identity import IDENTITY
from runjob.interrupts import NUMBERS
from runjob.kill import APPEARANCE, Killer
from runjob.plan import LAUNCH, RUN_ID
from runjob.remote import TIMEOUT
from runjob.request import Body, Kind
from tests.runjob.forms import handed


def job(
    name: str = "hello",
    *,
    ours: bool = True,
    grace: int | None = None,
    over: str | None = None,
    leaves: bool = False,
) -> Body:
    pod = {} if grace is None else {"terminationGracePeriodSeconds": grace}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid of {name}",
            "labels": {RUN_ID: "run"},
            "annotations": {LAUNCH: "0a"} if ours else None,
            "deletionTimestamp": "2026-11-25T00:00:00Z" if leaves else None,
        },
        "status": {"conditions": [{"type": over, "status": "True"}]} if over else {},
        "spec": {"template": {"spec": pod}},
    }


class FakeApi:
    """Answers with what each look is to bring; an error stands for an answer that is one."""

    def __init__(self, *looks: list[Body] | ApiError, refusal: ApiError | None = None) -> None:
        self._looks: Iterator[list[Body] | ApiError] = iter(looks)
        self._last: list[Body] | ApiError = []
        self._refusal = refusal
        self.asked: list[Mapping[str, str]] = []
        self.deleted: list[tuple[str, str, str, str]] = []
        self.noted: list[Mapping[str, Any]] = []

    def list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Body], str]:
        assert (kind.name, namespace) == ("Job", "here")
        self.asked.append(query)
        self._last = next(self._looks, self._last)
        if isinstance(self._last, ApiError):
            raise self._last
        return self._last, "1"

    def patch(self, body: Body, namespace: str, patch: Body) -> Body:
        assert (body["kind"], namespace) == ("Job", "here")
        if self._refusal:
            raise self._refusal
        self.noted.append(patch["metadata"])
        return body

    def delete(self, body: Body, namespace: str, uid: str, *, propagation: str) -> None:
        if self._refusal:
            raise self._refusal
        assert (body["apiVersion"], body["kind"]) == ("batch/v1", "Job")
        self.deleted.append((namespace, body["metadata"]["name"], uid, propagation))


class Clock:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def kill(
    api: FakeApi, clock: Clock | None = None, patience: float = 60, appearance: float = APPEARANCE
) -> str:
    clock = clock or Clock()
    return Killer(api, patience, clock.now, clock.wait).kill("here", "run", appearance)


def test_the_job_of_the_run_is_deleted_by_its_uid_and_seen_to_go() -> None:
    api = FakeApi([job()], [job()], [job()], [])
    assert kill(api) == (
        "Job here/hello was ended: it and its pods are gone; what else its manifest made "
        "goes with it, or is for its launcher to remove"
    )
    assert api.deleted == [("here", "hello", "uid of hello", "Foreground")]
    assert api.asked[0] == {"labelSelector": "runjob/run-id=run"}


@pytest.mark.parametrize("run", ["o.1:2", "hello/o.1:2"])
def test_a_run_is_found_by_the_order_of_its_scheduler(run: str) -> None:
    def of(identity: str, name: str = "hello") -> Body:
        found = job(name)
        found["metadata"]["annotations"] |= {IDENTITY: identity}
        return found

    others = [of("here/hello/o.1:1"), of("here/hello/o.11:2"), of("here/hello"), of("here/1:2")]
    looks = [[*others, of("here/hello/o.1:2", "mine")]] * 3
    api, clock = FakeApi(*looks, others), Clock()
    Killer(api, 60, clock.now, clock.wait).kill("here", run)
    assert api.deleted == [("here", "mine", "uid of mine", "Foreground")]
    assert api.asked[0] == {}


def test_a_rerun_that_begins_meanwhile_is_not_waited_for() -> None:
    rerun: Any = job()
    rerun["metadata"]["uid"] = "another"
    assert "was ended" in kill(FakeApi([job()], [rerun]))


def test_a_run_without_a_job_is_told_for_it_may_come_yet() -> None:
    api, clock = FakeApi([]), Clock()
    with pytest.raises(LaunchError, match=r"no Job of this run in namespace here: .*yet") as caught:
        kill(api, clock)
    assert caught.value.exit_code is Exit.NOT_STARTED
    assert api.deleted == []
    assert clock.time == APPEARANCE


def test_a_job_that_is_being_made_is_waited_for() -> None:
    assert "was ended" in kill(FakeApi([], [], [job()], []))


def test_a_job_whose_manifest_is_still_fetched_is_waited_for() -> None:
    looks: list[list[Body]] = [[]] * 70
    assert "was ended" in kill(FakeApi(*looks, [job()], []), appearance=40)


@pytest.mark.parametrize("over", ["Complete", "Failed"])
def test_a_job_that_has_ended_stays(over: str) -> None:
    api = FakeApi([job(over=over)])
    assert kill(api) == "Job here/hello of this run had ended already; left alone"
    assert api.deleted == []


def test_jobs_that_have_ended_or_go_do_not_keep_a_kill_from_its_own() -> None:
    kept = [job("kept", over="Failed"), job("other", over="Complete", ours=False)]
    api = FakeApi([*kept, job("going", leaves=True), job()], kept)
    assert "Job here/hello was ended" in kill(api)
    assert [name for _, name, _, _ in api.deleted] == ["hello"]


def test_a_job_that_its_launcher_removes_already_is_seen_to_go() -> None:
    api, clock = FakeApi([job(leaves=True)], [job(leaves=True)], []), Clock()
    assert "Job here/hello was ended" in kill(api, clock)
    assert api.deleted == []
    assert clock.time > 0


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([job(ours=False)], "runjob did not make it; it was not touched"),
        ([job(), job("other", ours=False)], "not touched"),
        ([job(), job("other")], "2 Jobs in namespace here carry the identity of this run"),
    ],
)
def test_a_job_that_may_be_another_runs_is_not_touched(found: list[Body], words: str) -> None:
    api = FakeApi(found)
    with pytest.raises(LaunchError, match=words) as caught:
        kill(api)
    assert caught.value.exit_code is Exit.EXISTS
    assert api.deleted == []


@pytest.mark.parametrize(("grace", "seconds"), [(None, 45), (0, 15), (120, 135)])
def test_a_job_that_does_not_go_is_told_after_its_grace(grace: int | None, seconds: int) -> None:
    clock = Clock()
    with pytest.raises(LaunchError, match="is not gone yet; look with: kubectl -n here"):
        kill(FakeApi([job(grace=grace)]), clock)
    assert seconds <= clock.time < seconds + 2


def test_one_that_a_finalizer_holds_is_told_with_what_to_do() -> None:
    stays = job(leaves=True)
    stays["metadata"]["finalizers"] = ["example.org/mine"]
    with pytest.raises(
        LaunchError, match=r"stays until whoever set its finalizer example\.org/mine"
    ):
        kill(FakeApi([job()], [stays]))


def test_an_api_that_is_away_for_a_while_is_asked_again() -> None:
    away = ApiError(503, "starting")
    assert "was ended" in kill(FakeApi(away, away, [job()], away, []))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApiError(503, "starting"), Exit.UNREADABLE),
        (ApiError(403, "forbidden"), Exit.REFUSED),
        (ApiError(0, "no such host", reason="NoSuchHost"), Exit.NO_CLUSTER),
        (ApiError(401, "Unauthorized"), Exit.NO_CLUSTER),
    ],
)
def test_an_api_that_does_not_answer_is_told(error: ApiError, code: Exit) -> None:
    with pytest.raises(LaunchError, match="cannot list the Jobs of here: ") as caught:
        kill(FakeApi(error))
    assert caught.value.exit_code is code


def test_credentials_that_stay_refused_are_believed_to_be_wrong_as_in_a_launch() -> None:
    clock = Clock()
    with pytest.raises(NoClusterError, match="the API does not accept our credentials: no"):
        kill(FakeApi(ApiError(401, "no")), clock, patience=600)
    assert LOGIN_PATIENCE < clock.time < 2 * LOGIN_PATIENCE


def test_a_deletion_that_is_refused_is_told() -> None:
    with pytest.raises(LaunchError, match="cannot delete Job here/hello: forbidden") as caught:
        kill(FakeApi([job()], refusal=ApiError(403, "forbidden")))
    assert caught.value.exit_code is Exit.REFUSED


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, float]]:
    """Return what kills are asked for: namespace, run, and seconds until the Job appears."""
    asked: list[tuple[str, str, float]] = []

    def record(_: Killer, namespace: str, run_id: str, appearance: float) -> str:
        asked.append((namespace, run_id, appearance))
        return "done"

    monkeypatch.setattr(Killer, "kill", record)
    monkeypatch.setattr("runjob.login.login", lambda _: None)
    monkeypatch.setattr("runjob.cluster.Cluster", lambda _: None)
    return asked


def test_a_launcher_that_fetches_its_manifest_has_the_time_for_it(
    killed: list[tuple[str, str, float]],
) -> None:
    line = ["--kill", "--run-id", "run", "-n", "here", "-y"]
    assert cli.main([*line, "https://host/job.yaml"]) == 0
    assert cli.main([*line, "job.yaml"]) == 0
    assert killed == [("here", "run", TIMEOUT + APPEARANCE), ("here", "run", APPEARANCE)]


def test_a_kill_takes_the_order_of_its_environment_like_a_launch(
    killed: list[tuple[str, str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["--kill", "-n", "here"]) != 0
    monkeypatch.setenv("RUNJOB_ORDER_ID", "o/1")
    assert cli.main(["--kill", "-n", "here", "-j", "hello"]) == 0
    assert cli.main(["--kill", "-n", "here", "-a", "x"]) == 0
    assert cli.main(["--kill", "-n", "here", "--run-id", "run", "-j", "hello"]) == 0
    assert [run for _, run, _ in killed] == ["hello/o%2F1:", "o%2F1:", "run"]


@pytest.mark.parametrize(
    ("line", "more"),
    [
        (["--kill"], "-a"),
        (["--kill"], "--label x=y -v"),
        (["--kill"], "--help"),
        (["--kill"], "--version"),
        ([], "--kill"),
    ],
)
def test_a_form_never_makes_a_launch_of_a_kill_nor_the_reverse(
    line: list[str],
    more: str,
    killed: list[tuple[str, str, float]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    form = tmp_path / "form"
    form.write_text(handed(jobname="hello", imagename="busybox", namespace="here", more=more))
    assert cli.main([*line, "--form", str(form)]) == Exit.FAILED
    out, err = capsys.readouterr()
    assert (out, killed) == ("", [])
    assert re.match(r"runjob: error: .*(More Options|-v|-e)", err)


def test_a_kill_by_the_form_is_one(killed: list[tuple[str, str, float]], tmp_path: Path) -> None:
    form = tmp_path / "form"
    form.write_text(handed(jobname="hello", imagename="busybox", namespace="here", more="-a x"))
    assert cli.main(["--kill", "--form", str(form)]) == 0
    assert [namespace for namespace, _, _ in killed] == ["here"]


def test_a_kill_looks_in_the_manifests_namespace_also_beside_an_image(
    killed: list[tuple[str, str, float]], tmp_path: Path
) -> None:
    manifest = tmp_path / "job.yaml"
    manifest.write_text(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: hello, namespace: there}}"
    )
    line = ["--kill", "--run-id", "run", "-i", "busybox"]
    assert cli.main([*line, "-y", str(manifest)]) == 0
    assert cli.main(line) == 0
    assert [namespace for namespace, _, _ in killed] == ["there", "default"]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [("https://127.0.0.1:9/job.yaml", Exit.MANIFEST), ("/nowhere/job.yaml", Exit.FAILED)],
)
def test_a_kill_that_cannot_read_the_manifest_asks_for_the_namespace(
    manifest: str,
    code: Exit,
    killed: list[tuple[str, str, float]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--kill", "--run-id", "run", "-y", manifest]) == code
    assert "name it with -n (in a form, in the Namespace field)" in capsys.readouterr().err
    assert killed == []


def test_a_kill_that_is_signalled_does_not_say_that_nothing_was_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    monkeypatch.setattr("runjob.login.login", lambda _: signal.raise_signal(signal.SIGTERM))
    try:
        code = cli.main(["--kill", "--run-id", "run", "-n", "here"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert code == Exit.KILLED
    told = capsys.readouterr().err
    assert (
        told == "runjob: error: killed by SIGTERM before the Job was seen to be gone; kill again\n"
    )
