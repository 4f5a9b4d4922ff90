"""The result of an earlier launch is never read as that of one that was refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runjob import cli
from runjob.errors import Exit

pytestmark = pytest.mark.usefixtures("nowhere")

WITH_RESULT = "--result-file result.json"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("-y job.yaml -j other", 16, id="another name"),
        pytest.param("-y job.yaml -n other", 18, id="another namespace"),
        pytest.param("-y broken.yaml", 5, id="a broken manifest"),
        pytest.param("-y missing.yaml", 1, id="no manifest"),
        pytest.param("-j hello", 1, id="nothing to run"),
        pytest.param("-j Hello -i busybox", 1, id="no name"),
        pytest.param("-j hello -i busybox --context a", 1, id="a context of nothing"),
        pytest.param("-j hello -i busybox --sandbox --kubeconfig a", 1, id="two clusters"),
        pytest.param("-j hello -i busybox --kubeconfig missing", 9, id="no kubeconfig"),
        pytest.param("-j hello -i busybox", 9, id="no cluster"),
        pytest.param("-y https://localhost:0/job.yaml", 1, id="an address that is none"),
        pytest.param("--form missing", 1, id="no form"),
        pytest.param("--form job.yaml", 1, id="a form that is none"),
    ],
)
def test_an_earlier_result_does_not_survive_a_refused_launch(line: str, code: int) -> None:
    Path("job.yaml").write_text(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a, namespace: b}, spec: {template: "
        "{spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}}}"
    )
    Path("broken.yaml").write_text("a: [")
    Path("result.json").write_text("{}")
    assert cli.main([*line.split(), *WITH_RESULT.split()]) == code
    assert not Path("result.json").exists()


@pytest.mark.parametrize(
    "line",
    [
        "-j hello -i busybox --dry-run client",
        "-j hello -i busybox --dry-run server",
        "-j hello -i busybox --keep maybe",
        "--kill --run-id a -n default",
        "--kill --run-id a --form missing",
        "--help",
    ],
)
def test_what_is_no_launch_leaves_a_result_alone(line: str) -> None:
    Path("result.json").write_text("{}")
    cli.main([*line.split(), *WITH_RESULT.split()])
    assert Path("result.json").read_text() == "{}"


@pytest.mark.parametrize("option", ["-y", "--kubeconfig", "--form"])
def test_a_result_never_takes_the_place_of_what_is_read(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("read").write_text("{}")
    line = ["-j", "hello", "-i", "busybox", option, "read", "--result-file", "./read"]
    assert cli.main(line) == Exit.FAILED
    assert "the launch reads that file" in capsys.readouterr().err
    assert Path("read").read_text() == "{}"
