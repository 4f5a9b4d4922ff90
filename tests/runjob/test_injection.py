"""What comes from outside stays what it is: a value, a name, a text on one line."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runjob import cli
from runjob.console import Console
from runjob.endings import Ending, early_end
from runjob.errors import Exit, LaunchError, ManifestError
from runjob.manifest import documents
from runjob.plan import RUN_ID, check_names
from runjob.report import report
from runjob.request import JOB, MAX_SIZE, JobRequest
from runjob.values import identity
from runjob.verdict import verdict
from runjob.waiting import causes
from tests.runjob.scenes import condition, container, ended, event, picture, pod, waiting

# Texts that mean something to YAML, to a shell, to an address or to a terminal, and any other.
SPECIAL = st.lists(
    st.sampled_from(
        ["\n", "\r", "---", "...", ": ", "- ", "#", "&a", "*a", "!!", "{", "}", "[", "]", ",", "'",
         '"', "|", ">", "%", "@", "`", "\\", "<<", "${{X}}", "$(x)", "..", "/", "?", "=", "\x1b[2J",
         "\u2028", "\u202e", "\x85", " ", "a", "0", "null", "true"]
    ),
    max_size=8,
).map("".join)  # fmt: skip
TEXTS = SPECIAL | st.text(max_size=20)

MANIFEST = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: hello
  annotations: {flow: "${{X}}", mixed: "a ${{X}} b"}
spec:
  plain: ${{X}}
  single: '${{X}}'
  double: "<${{X}}>"
  block: |
    first ${{X}}
    last
  items: [1, "${{X}}"]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
"""


@given(TEXTS)
@example("x\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: evil}")
@example("x}, spec: {hostNetwork: true")
@example("<<")
@example("*a")
def test_the_value_of_a_parameter_stays_in_its_scalar(value: str) -> None:
    job, other = documents(MANIFEST, (("X", value),), "m")
    assert other == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    plain = job["spec"].pop("plain")
    assert plain is None or isinstance(plain, (str, int, float, bool))
    assert not isinstance(plain, str) or plain == value
    assert job == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "hello",
            "annotations": {"flow": value, "mixed": f"a {value} b"},
        },
        "spec": {
            "single": value,
            "double": f"<{value}>",
            "block": f"first {value}\nlast\n",
            "items": [1, value],
        },
    }


@given(TEXTS)
def test_a_parameter_in_the_place_of_a_key_is_one_key(value: str) -> None:
    text = MANIFEST.split("---")[0] + "  '${{X}}': 1\n"
    try:
        (job,) = documents(text, (("X", value),), "m")
    except ManifestError as error:
        assert "stands twice" in str(error)  # noqa: PT017
        return
    assert job["spec"][value] == 1
    assert len(job["spec"]) == 6


@given(TEXTS | st.from_regex(r"[a-z0-9.-]{1,10}", fullmatch=True), TEXTS)
def test_names_that_pass_are_each_one_part_of_an_address(name: str, namespace: str) -> None:
    try:
        check_names(JobRequest(name, "ns", {}))
    except LaunchError:
        pass
    else:
        assert JOB.path("ns", name) == f"/apis/batch/v1/namespaces/ns/jobs/{name}"
    path = JOB.path(namespace or "ns", name or "x")
    assert (path.count("/"), urlsplit(path).query, urlsplit(path).fragment) == (7, "", "")


@given(TEXTS | st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_an_identity_that_passes_selects_by_itself_alone(text: str) -> None:
    try:
        run_id = identity(text)
    except ValueError:
        return
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,63}", run_id)
    assert f"{RUN_ID}={run_id}".split(",") == [f"{RUN_ID}={run_id}"]


@given(TEXTS)
def test_the_name_of_a_container_is_one_parameter_of_a_request(name: str) -> None:
    query = urlencode({"container": name, "timestamps": "true"})
    assert parse_qsl(query, keep_blank_values=True) == [("container", name), ("timestamps", "true")]


def lines_of(*texts: str) -> tuple[list[bytes], list[str]]:
    """Print lines and remarks; return what came out, as the bytes and the lines that they are."""
    out, err = io.BytesIO(), io.StringIO()
    console = Console(out, err)
    for text in texts:
        console.line(text)
        console.remark(text)
    return out.getvalue().splitlines(), err.getvalue().splitlines()


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_text_of_the_cluster_makes_a_line_or_an_escape_of_its_own(
    message: str, termination: str, pod_name: str, container_name: str
) -> None:
    failed = pod(
        container(container_name, terminated=ended(1, message, message=termination)),
        name=pod_name,
        phase="Failed",
    )
    seen = picture(failed, event("Failed", message), condition("Failed", message, termination))
    told = verdict(
        "ns/hello", Ending(code=Exit.FAILED, text=f"failed: {message}", hint=termination), seen
    )
    closing = report(told, ("exit-code", "result"))
    stuck = picture(
        pod(waiting("ErrImagePull", message, container_name), name=pod_name),
        event("FailedToRetrieveImagePullSecret", f"image pull secrets ({message})"),
    )
    early = early_end(stuck)
    waits = [why.text for why in causes(stuck).values()] + ([early.text] if early else [])
    texts = [*closing, *waits]
    out, err = lines_of(*texts)
    assert (len(out), len(err)) == (len(texts), len(texts))
    for line in out:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", line.decode())
    assert [line for line in out if line.startswith(b"Job Completion status: ")] == [
        b"Job Completion status: 1"
    ]


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Naive: all of it is read into memory first; of /dev/zero there is no end."""
    assert cli.main(["-y", "/dev/zero"]) == Exit.MANIFEST
    assert "/dev/zero is larger than 1 MiB, so it is no manifest" in capfd.readouterr().err
    path = tmp_path / "job.yaml"
    path.write_bytes(b"#" * (MAX_SIZE + 1))
    with path.open("rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        assert cli.main(["-y", "-"]) == Exit.MANIFEST
    assert "standard input is larger than 1 MiB" in capfd.readouterr().err
