"""The launcher as a library, and on the cluster that it brings along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import runjob
from tests.contract.launches import FOREVER, Launcher, Starter, result_of
from tests.contract.targets import Target


def test_a_job_that_was_built_runs_to_its_verdict(
    target: Target, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    job = runjob.build_job(
        name, "busybox:1", namespace=target.namespace, command=["sh", "-c", "echo $A; exit 4"],
        env={"A": "hello"}, pull_policy="IfNotPresent", pull_secret=None,
    )  # fmt: skip
    verdict = runjob.run(job, kubeconfig=str(target.kubeconfig))
    assert capfdbinary.readouterr().out == b"Job created\nhello\n"
    assert (verdict.ok, verdict.exit_code, verdict.failed) == (False, 1, 1)
    assert verdict.failures[0].exit_code == 4
    target.api.wait_gone(name)


CTRL_C = """
import sys
import runjob
job = runjob.build_job(sys.argv[1], "busybox:1", namespace=sys.argv[2], pull_secret=None,
                       pull_policy="IfNotPresent", command=["sh", "-c", sys.argv[4]])
try:
    runjob.run(job, kubeconfig=sys.argv[3])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_in_a_program_that_listens_for_nothing_removes_the_job_first(
    target: Target, name: str
) -> None:
    command = [
        sys.executable,
        "-c",
        CTRL_C,
        name,
        target.namespace,
        str(target.kubeconfig),
        FOREVER,
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        target.api.running_pods(name)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=target.api.patience)
    assert out.endswith(b"interrupted\n")
    assert target.api.is_gone(name)


def test_a_job_that_was_read_runs_to_its_verdict(
    target: Target, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = f"""
    apiVersion: batch/v1
    kind: Job
    metadata: {{name: {name}, namespace: {target.namespace}}}
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {{name: main, image: "busybox:1", imagePullPolicy: IfNotPresent,
                command: [echo, "${{{{WORD}}}}"]}}
    """
    job = runjob.read_job(text, params={"WORD": "sesame"})
    verdict = runjob.run(job, kubeconfig=str(target.kubeconfig))
    assert capfdbinary.readouterr().out == b"Job created\nsesame\n"
    assert (verdict.ok, verdict.succeeded) == (True, 1)


def test_a_misspelt_name_of_the_library_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="runn"):
        runjob.runn  # noqa: B018


def test_the_sandbox_is_a_cluster_for_one_launch(launch: Launcher, tmp_path: Path) -> None:
    launch.common = ("--sandbox",)
    path = tmp_path / "result.json"
    run = launch("-j", "tried-out", "-i", "busybox:1", "-k", "echo", "-k", "hello",
                 "--result-file", str(path))  # fmt: skip
    assert (run.code, run.log) == (0, b"hello\n")
    assert "--sandbox is for trying out only" in run.err
    assert result_of(path)["ending"] == "succeeded"


def test_a_sandbox_says_which_images_it_has(launch: Launcher, tmp_path: Path) -> None:
    launch.common = ("--sandbox",)
    path = tmp_path / "result.json"
    run = launch("-j", "tried-out", "-i", "alpine", "-s", "none", "--result-file", str(path))
    assert run.code == 10
    assert "alpine:latest: not found. A sandbox has no images but busybox:1, " in run.text
    assert "Mend the image name" not in run.text
    assert str(result_of(path)["hint"]).startswith("a sandbox has no images but busybox:1, ")


def test_a_sandbox_has_the_namespace_that_is_asked_for(launch: Launcher) -> None:
    launch.common = ("--sandbox",)
    assert launch("-j", "tried-out", "-i", "busybox:1", "-n", "mine", "-k", "true").code == 0


STUBBORN = "trap '' TERM INT; echo deaf; while :; do sleep 0.1; done"


def test_a_sandbox_that_is_left_in_a_hurry_leaves_nothing_to_remove(start: Starter) -> None:
    start.common = ("--sandbox",)
    started = start("-j", "tried-out", "-i", "busybox:1", "-k", "sh", "-k", "-c", "-k", STUBBORN)
    started.until(b"deaf\n")
    started.signal(signal.SIGINT)
    started.until(b"removing the Job")
    started.signal(signal.SIGINT)
    run = started.end()
    assert run.code == 130
    assert "kubectl" not in run.text
    assert "The sandbox has ended, and Job and pods with it." in run.text


@pytest.mark.parametrize("out", ["closed", "full"])
def test_where_stdout_cannot_be_written_the_verdict_is_on_stderr(out: str, tmp_path: Path) -> None:
    """A naive launcher whose reader has gone ends with a number, and nobody knows why."""
    reads, writes = os.pipe() if out == "closed" else (None, os.open("/dev/full", os.O_WRONLY))
    if reads is not None:
        os.close(reads)
    with open(writes, "wb") as broken:
        done = subprocess.run(
            [sys.executable, "runjob/runJob.py", "--sandbox", "-j", "tried-out", "-i", "busybox:1",
             "-k", "sh", "-k", "-c", "-k", "seq 9; exit 4"],
            stdout=broken, stderr=subprocess.PIPE, text=True, check=False,
            cwd=Path(__file__).parents[2], env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 1
    assert "\nrunjob: Verdict: Job default/tried-out failed" in done.stderr
    assert "exit code 4" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("keep", ["failed", "always"])
def test_a_sandbox_keeps_nothing_and_says_so(launch: Launcher, keep: str) -> None:
    launch.common = ("--sandbox",)
    run = launch("-j", "tried-out", "-i", "busybox:1", "-k", "false", "--keep", keep)
    assert run.code == 1
    assert "--keep is of no use with --sandbox" in run.err
    assert "kept" not in run.text
    assert "runjob show" not in run.text


@pytest.mark.parametrize(
    ("common", "words"),
    [
        pytest.param((), "not inside a Kubernetes cluster", id="outside a cluster"),
        pytest.param(("--kubeconfig", "/no/such/file"), "no such file", id="no kubeconfig"),
        pytest.param(("--context", "x"), "--kubeconfig", id="a context of nothing"),
    ],
)
def test_without_a_cluster_one_line_says_so(
    launch: Launcher,
    monkeypatch: pytest.MonkeyPatch,
    common: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    launch.common = common
    run = launch("-j", "nowhere", "-i", "busybox:1")
    assert run.code in (1, 9)
    assert b"Job created" not in run.out
    assert words in run.err
    assert run.err.count("\n") == 1


def test_a_cluster_with_another_certificate_is_not_talked_to(
    target: Target, launch: Launcher, tmp_path: Path
) -> None:
    import yaml

    config = yaml.safe_load(target.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    cluster.pop("certificate-authority-data", None)
    cluster.pop("certificate-authority", None)
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    launch.common = ("-n", target.namespace, "--kubeconfig", str(path))
    run = launch("-j", "nobody", "-i", "busybox:1")
    assert run.code == 9
    assert "certificate is not trusted" in run.text + run.err


def test_a_wrong_context_is_named(target: Target, launch: Launcher) -> None:
    launch.common = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
    run = launch("-j", "nobody", "-i", "busybox:1", "--context", "no-such-context")
    assert run.code == 9
    assert "no-such-context" in run.err
