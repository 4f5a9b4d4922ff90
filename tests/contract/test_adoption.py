"""A launcher that dies is no drama: the next launch of the same run takes its Job up."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import runjob
from runjob import RunOptions
from runjob.identity import CONTENT, IDENTITY
from runjob.plan import LAUNCH
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Refuse, Reset
from tests.contract.launches import (
    FOREVER,
    SCRIPT,
    Launcher,
    Run,
    Started,
    Starter,
    result_of,
    sh,
    wait_until,
)
from tests.contract.targets import EmbeddedTarget, Json, Target, wants_real

RUN = ("--run-id", "r.1")
# Ends with 3, so that a verdict that is made up would show.
SCRIPT_LINE = "echo one; sleep 3; echo two; exit 3"
CODE = ("--exit-code", "container")
MARKER = re.compile(rb"--- runjob: log of Job [^ ]+ ([^\n]*) ---\n")
DOUBT = re.compile(rb"--- runjob: up to (\d+) bytes of \[[^]]+\] may stand above already ---\n")

embedded = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")


def kill(started: Started) -> bytes:
    """Kill a launcher as a container that restarts does; return what it printed of the log."""
    started.signal(signal.SIGKILL)
    run = started.end()
    assert run.code == -signal.SIGKILL
    return run.out.partition(b"Job created\n")[2]


def adopted(run: Run) -> tuple[str, bytes]:
    """Return the words of the marker, and the log that follows it."""
    assert b"Job created" not in run.out
    before, marker, rest = MARKER.split(run.out)
    assert before.endswith(b"Job adopted\n")
    kin = ("is of this run", "was asked for under the same name (no run is named)")
    assert any(f"Job {run.verdict.split()[1]} {each}, made by" in run.err for each in kin)
    return marker.decode(), rest[: run.end.start() - len(run.out) + len(rest)]


def joined(first: bytes, rest: bytes) -> bytes:
    """Put together what two launchers printed of a log.

    Killed between a chunk and the word about it, the chunk stands there once more, and is marked.
    """
    doubt = DOUBT.match(rest)
    if doubt is None:
        return first + rest
    again = rest[doubt.end() :]
    for size in range(int(doubt[1]), -1, -1):
        if first.endswith(again[:size]):
            return first + again[size:]
    raise AssertionError


def uid_of(job: Json | None) -> str:
    assert job is not None
    return str(job["metadata"]["uid"])


@pytest.fixture
def kept(tmp_path: Path) -> tuple[str, str]:
    """Return the options that name a folder for positions."""
    return "--state-dir", str(tmp_path / "state")


# -- killed in each phase --------------------------------------------------------------------------


def test_a_launch_that_was_killed_while_its_job_ran_is_taken_up(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    started.until(b"one\n")
    assert kill(started) == b"one\n"
    uid = uid_of(target.api.job(name))
    run = launch(
        "-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, meanwhile=lambda: seen(target, name, uid)
    )
    how, log = adopted(run)
    assert "from its beginning" in how
    assert (run.code, log, run.pods) == (3, b"one\ntwo\n", (0, 0, 1))
    target.api.wait_gone(name)


def seen(target: Target, name: str, uid: str) -> None:
    """See that it is the one Job all the while, until it is removed."""
    while (job := target.api.job(name)) is not None:
        assert uid_of(job) == uid


def test_with_a_state_folder_the_log_goes_on_where_it_was(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN, *kept)
    started.until(b"one\n")
    first = kill(started)
    run = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, *kept)
    how, rest = adopted(run)
    assert "goes on" in how
    assert joined(first, rest) == b"one\ntwo\n"
    assert run.code == 3
    target.api.wait_gone(name)
    assert list(Path(kept[1]).iterdir()) == []


def test_a_launch_that_was_killed_while_its_pod_waited_is_taken_up(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    image = (
        "-i",
        target.image("slow"),
        "-s",
        "none",
        "-k",
        "sh",
        "-k",
        "-c",
        "-k",
        "echo x; exit 3",
    )
    started = start("-j", name, *image, *RUN)
    started.until(b"Job created")
    target.api.until(lambda: target.api.pods(name), "its pod")
    assert kill(started) == b""
    run = launch("-j", name, *image, *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"x\n")
    target.api.wait_gone(name)


@pytest.mark.parametrize("keeps", [False, True], ids=["without a state folder", "with one"])
def test_a_job_that_ended_meanwhile_is_told_of_truly(
    target: Target,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    keeps: bool,
    tmp_path: Path,
) -> None:
    more = (*RUN, *(kept if keeps else ()))
    started = start("-j", name, *sh(SCRIPT_LINE), *more)
    started.until(b"one\n")
    first = kill(started)
    target.api.until(lambda: has_ended(target.api.job(name)), "the Job's end")
    result = tmp_path / "result.json"
    run = launch("-j", name, *sh(SCRIPT_LINE), *more, *CODE, "--result-file", str(result))
    log = adopted(run)[1]
    assert (joined(first, log) if keeps else log) == b"one\ntwo\n"
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert result_of(result)["exit_code"] == 3
    target.api.wait_gone(name)


def has_ended(job: Json | None) -> bool:
    conditions = (job or {}).get("status", {}).get("conditions") or ()
    return any(each["type"] in ("Complete", "Failed") for each in conditions)


def test_a_job_with_a_generated_name_is_found_by_its_run(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE))
    started = start(*job, *RUN)
    started.until(b"one\n")
    kill(started)
    run = launch(*job, *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    assert not [each for each in target.api.items("jobs") if name in each["metadata"]["name"]]


def test_what_the_manifest_brought_along_is_removed_with_it(
    target: Target, start: Starter, launch: Launcher, name: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "job.yaml"
    manifest.write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n---\n"
        f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\n"
        "spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: main, "
        f"image: 'busybox:1', imagePullPolicy: IfNotPresent, "
        f"command: [sh, -c, '{SCRIPT_LINE}']}}]}}}}}}\n"
    )
    started = start("-y", str(manifest), *RUN)
    started.until(b"one\n")
    kill(started)
    run = launch("-y", str(manifest), *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)
    assert target.api.find("configmaps", name) is None


# -- whose Job it is -------------------------------------------------------------------------------


@pytest.fixture
def left(target: Target, start: Starter, name: str) -> str:
    """Leave a Job that a killed launcher made for run r.1; return its uid."""
    started = start("-j", name, *sh(FOREVER), *RUN)
    started.until(b"up\n")
    kill(started)
    return uid_of(target.api.job(name))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--run-id", "r.2"), "/r.1", id="another run"),
        pytest.param((), "/r.1", id="no run"),
        pytest.param(("--run-id", "r.2", "--if-exists", "adopt"), "/r.1", id="adopt, another run"),
        pytest.param((*RUN, "--if-exists", "fail"), "exists already", id="fail"),
        pytest.param((*RUN, "-b", "3"), "other words", id="this run in other words"),
        pytest.param(
            ("--run-id", "r.2", "--if-exists", "replace"),
            "taken for gone at",
            id="replace, and it may be alive",
        ),
    ],
)
def test_what_is_not_of_this_run_is_not_taken_up(
    target: Target, launch: Launcher, name: str, left: str, options: tuple[str, ...], words: str
) -> None:
    run = launch("-j", name, *sh(FOREVER), *options)
    assert (run.code, run.status) == (15, 15)
    assert words in run.verdict
    assert "kubectl -n" in run.verdict
    assert (f"this is run {target.namespace}/{name}/r." in run.verdict) == ("--run-id" in options)
    assert uid_of(target.api.job(name)) == left


def test_a_job_of_the_same_name_is_taken_up_when_that_is_asked_for(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE))
    started.until(b"one\n")
    kill(started)
    refused = launch("-j", name, *sh(SCRIPT_LINE))
    assert refused.code == 15
    assert "--if-exists adopt" in refused.verdict
    assert "it was asked for under the same name (no run is named)" in refused.verdict
    run = launch("-j", name, *sh(SCRIPT_LINE), *CODE, "--if-exists", "adopt")
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


@pytest.mark.usefixtures("left")
def test_a_job_of_this_run_is_replaced_when_that_is_asked_for(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo anew"), *RUN, "--if-exists", "replace")
    assert (run.code, run.log, run.pods) == (0, b"anew\n", (0, 1, 0))
    assert "removing Job" in run.err
    target.api.wait_gone(name)


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param(True, id="with the right to write who does so"),
        pytest.param(False, id="without it", marks=embedded),
    ],
)
def test_a_launcher_whose_job_is_replaced_tells_by_whom(
    target: Target, start: Starter, launch: Launcher, name: str, noted: bool
) -> None:
    started = start("-j", name, *sh(FOREVER), *RUN, "--heartbeat", "off")
    started.until(b"up\n")
    with ExitStack() as stack:
        if not noted:
            assert isinstance(target, EmbeddedTarget)
            fault = Fault(Refuse(403), "patch", "jobs", times=None)
            stack.callback(target.sandbox.inject(fault).remove)
        run = launch("-j", name, *sh("echo anew"), *RUN, "--if-exists", "replace")
    assert (run.code, run.log) == (0, b"anew\n")
    earlier = started.end()
    assert earlier.code == 14
    why = "replaced by a newer launch (--if-exists replace)" if noted else "by somebody else"
    assert why in earlier.verdict


@pytest.mark.parametrize("how", ["auto", "adopt", "fail", "replace"])
def test_a_job_that_runjob_did_not_make_is_never_touched(
    target: Target, launch: Launcher, name: str, how: str
) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "busybox:1", "imagePullPolicy": "IfNotPresent",
         "command": ["sh", "-c", FOREVER]}]}}  # fmt: skip
    uid = uid_of(
        target.api.create("jobs", {"metadata": {"name": name}, "spec": {"template": template}})
    )
    run = launch("-j", name, *sh(FOREVER), *RUN, "--if-exists", how)
    assert run.code == 15
    assert uid_of(target.api.job(name)) == uid


@pytest.mark.usefixtures("left")
def test_a_job_that_is_being_deleted_is_waited_for(
    target: Target, launch: Launcher, name: str
) -> None:
    path = target.api.path("jobs", name)
    target.api.call("DELETE", path, {"propagationPolicy": "Foreground"})
    run = launch("-j", name, *sh("echo anew"), *RUN)
    assert (run.code, run.log) == (0, b"anew\n")
    target.api.wait_gone(name)


def test_a_kept_job_whose_end_was_told_is_no_job_to_take_up(
    target: Target, launch: Launcher, name: str
) -> None:
    job = ("-j", name, *sh("exit 3"), *RUN)
    assert launch(*job, "--keep", "failed").code == 1
    run = launch(*job)
    assert run.code == 15
    assert "its end was told already" in run.verdict
    assert launch(*job, "--if-exists", "replace").code == 1
    target.api.wait_gone(name)


@pytest.mark.usefixtures("left")
def test_what_is_written_on_a_job_tells_whose_it_is(target: Target, name: str) -> None:
    job = target.api.job(name)
    assert job is not None
    notes = job["metadata"]["annotations"]
    assert notes[IDENTITY] == f"{target.namespace}/{name}/r.1"
    assert {LAUNCH, CONTENT, "runjob/launcher"} <= notes.keys()


def test_an_order_of_the_scheduler_is_a_run(
    target: Target, start: Starter, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNJOB_ORDER_ID", "0a1b")
    job = ("-j", name, *sh(SCRIPT_LINE), *CODE)
    started = start(*job)
    started.until(b"one\n")
    kill(started)
    run = start(*job).end()
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    monkeypatch.setenv("RUNJOB_ORDER_ID", "0a1c")
    target.api.wait_gone(name)


def test_a_program_takes_up_what_a_launcher_left(
    target: Target, start: Starter, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    started.until(b"one\n")
    kill(started)
    job = runjob.build_job(
        name,
        "busybox:1",
        namespace=target.namespace,
        command=["sh", "-c", SCRIPT_LINE],
        pull_policy="IfNotPresent",
        pull_secret=None,
    )
    run = RunOptions(identity=f"{target.namespace}/{name}/r.1", bound=True, container_exit=True)
    verdict = runjob.run(job, options=run, kubeconfig=str(target.kubeconfig))
    assert verdict.exit_code == 3
    assert capfdbinary.readouterr().out.endswith(b" ---\none\ntwo\n")
    target.api.wait_gone(name)


# -- two at once -----------------------------------------------------------------------------------


def test_two_launches_of_one_run_share_one_job(target: Target, start: Starter, name: str) -> None:
    both = [start("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE) for _ in range(2)]
    runs = [each.end() for each in both]
    assert [run.code for run in runs] == [3, 3]
    assert sorted(b"Job adopted" in run.out for run in runs) == [False, True]
    assert all(b"one\ntwo\n" in run.out for run in runs)
    target.api.wait_gone(name)


def test_two_launches_of_one_run_share_a_job_whose_name_is_generated(
    target: Target, start: Starter, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN, *CODE)
    both = [start(*job) for _ in range(2)]
    shared(target, name, [each.end() for each in both])


def shared(target: Target, name: str, runs: list[Run]) -> None:
    assert [run.code for run in runs] == [3, 3]
    assert sorted(b"Job adopted" in run.out for run in runs) == [False, True]
    assert len({run.verdict.split()[1] for run in runs}) == 1
    target.api.until(lambda: not named_so(target, name), "nothing left")


def named_so(target: Target, name: str) -> list[str]:
    names = [each["metadata"]["name"] for each in target.api.items("jobs")]
    return [each for each in names if each.startswith(name)]


def test_a_run_that_kept_its_job_runs_beside_it_under_another_generated_name(
    target: Target, launch: Launcher, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh("exit 3"), *RUN, *CODE, "--keep", "failed")
    runs = [launch(*job) for _ in range(2)]
    assert [run.code for run in runs] == [3, 3]
    assert sorted(named_so(target, name)) == sorted(
        run.verdict.split()[1].partition("/")[2] for run in runs
    )
    assert len(named_so(target, name)) == 2


def test_a_state_folder_serves_one_launcher_at_a_time(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, *kept)
    started.until(b"one\n")
    second = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *kept)
    assert second.code == 15
    assert "another launcher" in second.err
    run = started.end()
    assert (run.code, run.log) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


def test_a_signal_leaves_no_word_that_would_keep_the_next_launch_from_running(
    start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(FOREVER), *RUN, *kept)
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    assert started.end().code == 8
    run = launch("-j", name, *sh("echo anew"), *RUN, *kept)
    assert (run.code, run.log) == (0, b"anew\n")


def test_a_job_that_vanished_while_nobody_followed_it_is_told_of_once(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    job = ("-j", name, *sh(FOREVER), *RUN, *kept)
    started = start(*job)
    started.until(b"up\n")
    kill(started)
    target.api.delete("jobs", name)
    target.api.wait_gone(name)
    run = launch(*job)
    assert (run.code, run.status) == (14, 14)
    assert "nothing is known about its result" in run.verdict
    anew = launch("-j", name, *sh("echo anew"), *RUN, *kept)
    assert (anew.code, anew.log) == (0, b"anew\n")


# -- the folder ------------------------------------------------------------------------------------


def test_a_state_folder_that_cannot_be_written_is_refused_before_anything_is_created(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    run = launch("-j", name, *sh("echo never"), "--state-dir", str(file))
    assert run.code == 1
    assert "--state-dir" in run.err
    assert "cannot be written there" in run.err
    assert target.api.job(name) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("-j", "{}", "--log-limit", "1M"), "--log-limit", id="a log limit"),
        pytest.param(("--generate-name", "{}-"), "needs --run-id", id="a generated name alone"),
    ],
)
def test_a_state_folder_does_not_go_with(
    target: Target,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    options: tuple[str, ...],
    words: str,
) -> None:
    run = launch(*(each.format(name) for each in options), *sh("echo never"), *kept)
    assert run.code == 1
    assert words in run.err
    assert not [each for each in target.api.items("jobs") if name in each["metadata"]["name"]]


# -- a log into a file: exact to the byte ----------------------------------------------------------


@pytest.fixture
def append(
    common: tuple[str, ...], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start launchers whose stdout goes to one file, at its end."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*options: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "sysout").open("ab") as out, (tmp_path / "err").open("ab") as err:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), *common, *options], stdout=out, stderr=err
            )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.parametrize("size", [0, 3_000, 30_000, 300_000, 600_000])
def test_a_log_that_was_killed_while_it_was_printed_is_whole_in_its_file(
    target: Target,
    append: Callable[..., subprocess.Popen[bytes]],
    name: str,
    kept: tuple[str, str],
    tmp_path: Path,
    size: int,
) -> None:
    """Killed in the midst of a busy log, wherever that is: each line stands there once."""
    busy = (
        "-j", name, *sh("seq 1 60000; sleep 1; seq 60001 120000; sleep 2; exit 3"),
        *RUN, *CODE, *kept,
    )  # fmt: skip
    sysout = tmp_path / "sysout"
    first = append(*busy)
    wait_until(
        lambda: sysout.exists() and sysout.stat().st_size > size + 200, "some of the log", 60
    )
    first.kill()
    first.wait()
    assert append(*busy).wait(90) == 3
    assert numbers_in(sysout) == list(range(1, 120_001))
    target.api.wait_gone(name)


def numbers_in(sysout: Path) -> list[int]:
    """Read the numbered lines of a file; a line that a kill cut in two is there once more."""
    text = sysout.read_bytes()
    assert not DOUBT.search(text)
    whole = re.sub(rb"[0-9]*(?=Options in effect)", b"", text)
    return [int(line) for line in whole.splitlines() if line.isdigit()]


@pytest.mark.parametrize("seed", range(3))
def test_a_launcher_that_is_killed_again_and_again_prints_each_line_once(
    target: Target,
    append: Callable[..., subprocess.Popen[bytes]],
    name: str,
    kept: tuple[str, str],
    tmp_path: Path,
    seed: int,
) -> None:
    places = random.Random(seed)
    script = (
        "i=0; while [ $i -lt 60 ]; do i=$((i+1)); seq $((i*500-499)) $((i*500)); sleep 0.1; done"
    )
    busy = ("-j", name, *sh(f"{script}; exit 3"), *RUN, *CODE, *kept)
    sysout = tmp_path / "sysout"
    for _ in range(5):
        process = append(*busy)
        grown = (sysout.stat().st_size if sysout.exists() else 0) + places.randrange(1, 20_000)
        wait_until(
            lambda process=process, grown=grown: (
                sysout.stat().st_size > grown  # type: ignore[misc]
                or process.poll() is not None
            ),
            "some more of the log",
            60,
        )
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
    else:
        process = append(*busy)
    assert process.wait(90) == 3
    assert numbers_in(sysout) == list(range(1, 30_001))
    target.api.wait_gone(name)


# -- what only the embedded cluster does on demand -------------------------------------------------


@embedded
def test_two_launches_that_saw_no_job_of_their_run_make_one(
    target: Target, sandbox: Sandbox, start: Starter, name: str
) -> None:
    """Both have looked before either creates; where each draws a name they make two Jobs."""
    held = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None))
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN, *CODE)
    both = [start(*job) for _ in range(2)]
    for each in both:
        each.until(b"trouble creating")
    held.remove()
    shared(target, name, [each.end() for each in both])


@embedded
def test_a_create_in_doubt_is_told_under_the_generated_name_that_was_tried(
    target: Target, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path
) -> None:
    job = ("--generate-name", f"{name}-", *sh("exit 3"), *RUN, "--keep", "failed")
    assert launch(*job).code == 1
    away = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None))
    run = launch(*job, "--api-timeout", "1", "--result-file", str(tmp_path / "result"))
    away.remove()
    (there,) = named_so(target, name)
    tried = result_of(tmp_path / "result")["job"]
    assert run.code == 6
    assert tried.startswith(f"{name}-")
    assert tried != there
    assert f"Job {target.namespace}/{tried} was not created: creating Job " in run.verdict
    assert f" get job {tried};" in run.verdict
    assert there not in run.verdict


@embedded
def test_a_job_with_a_generated_name_that_is_being_deleted_is_waited_for_under_its_name(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    """A launch that sees it no more takes that name, and the two are to make one Job."""
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN)
    assert launch(*job, "--keep", "failed").code == 1
    (first,) = named_so(target, name)
    hold(target, first, ["tests.runjob/held"])
    target.api.delete("jobs", first)
    started = start(*job)
    started.until(f"Job {first} is being deleted: waiting".encode())
    hold(target, first, None)
    run = started.end()
    assert (run.code, run.log) == (1, b"one\ntwo\n")
    assert f"Job {target.namespace}/{first} failed" in run.verdict


def hold(target: Target, name: str, finalizers: list[str] | None) -> None:
    body = {"metadata": {"finalizers": finalizers}}
    target.api.call("PATCH", target.api.path("jobs", name), body, "application/merge-patch+json")


@embedded
def test_a_launch_that_was_killed_before_it_knew_of_its_job_is_taken_up(
    target: Target, sandbox: Sandbox, start: Starter, launch: Launcher, name: str
) -> None:
    """The answer to its create was lost, and the next requests get none."""
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs", name=None))
    deaf = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None, after=0))
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    target.api.until(lambda: target.api.job(name), "the Job")
    assert deaf.wait()
    kill(started)
    deaf.remove()
    run = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


@embedded
@pytest.mark.parametrize("state", [False, True], ids=["without a state folder", "with one"])
def test_a_launch_that_was_killed_during_its_removal_is_brought_to_its_end(
    target: Target,
    sandbox: Sandbox,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    state: bool,
) -> None:
    more = (*RUN, *CODE, *(kept if state else ()))
    job = ("-j", name, *sh("echo one; exit 3"), *more)
    held = sandbox.inject(Fault(Refuse(503), verb="delete", resource="jobs", times=None))
    started = start(*job)
    assert held.wait(timeout=30)
    assert kill(started) == b"one\n"
    held.remove()
    run = launch(*job)
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert "exit code 3" in run.verdict
    if state:
        assert b"one\n" not in run.out
        assert "finishing what that one began" in run.err
    else:
        assert adopted(run)[1] == b"one\n"
    target.api.wait_gone(name)


@embedded
def test_a_launch_that_was_killed_after_its_removal_does_not_run_again(
    target: Target,
    sandbox: Sandbox,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
) -> None:
    """The Job is gone, but its launcher could not hear that and never told the end."""
    job = ("-j", name, *sh("echo one; exit 3"), *RUN, *CODE, *kept)
    held = sandbox.inject(Fault(Reset(done=True), verb="delete", resource="jobs", times=1))
    deaf = sandbox.inject(Fault(Refuse(503), verb="delete", resource="jobs", times=None))
    started = start(*job)
    assert held.wait(timeout=30)
    assert deaf.wait()
    kill(started)
    deaf.remove()
    target.api.wait_gone(name)
    run = launch(*job)
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert b"one\n" not in run.out
    assert target.api.job(name) is None
    # And after that the run is over: a launch of the same name is one more.
    assert launch(*job).log == b"one\n"
