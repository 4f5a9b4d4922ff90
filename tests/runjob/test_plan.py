"""Options become one request: from flags, or from a manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from runjob.errors import Exit, LaunchError, UsageError
from runjob.flags import parse
from runjob.options import Options
from runjob.plan import RUN_ID, in_effect, is_address, made_by, plan, shown
from runjob.request import JobRequest

JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello}\nspec: {}\n"


def planned(
    *argv: str, files: Mapping[str, str] | None = None
) -> tuple[JobRequest, tuple[str, ...]]:
    """Plan a command line where these files lie beside the current directory."""
    options = parse(argv)
    assert isinstance(options, Options)
    known = files or {}

    def find(name: str) -> str | None:
        return f"/jobs/{name}" if name in known else None

    return plan(options, find, lambda path: known[path.removeprefix("/jobs/")])


def of(*argv: str, manifest: str = JOB) -> JobRequest:
    """Return the request of a command line with that manifest."""
    return planned("-y", "job.yaml", *argv, files={"job.yaml": manifest})[0]


def test_flags_make_a_request() -> None:
    request, notes = planned("-j", "hello", "-i", "busybox", "-n", "ns")
    assert (request.name, request.namespace, request.source) == ("hello", "ns", "flags")
    assert request.label == "ns/hello"
    assert request.job["metadata"] == {"name": "hello", "namespace": "ns"}
    assert (request.prerequisites, notes) == ((), ())


def test_the_namespace_is_default_where_nobody_names_one() -> None:
    assert planned("-j", "hello", "-i", "busybox")[0].namespace == "default"


@pytest.mark.parametrize("empty", [["-i", ""], ["-y", "none"], []])
def test_a_job_name_alone_takes_the_manifest_of_that_name(empty: list[str]) -> None:
    request, _ = planned("-j", "hello", *empty, files={"hello.yaml": JOB})
    assert (request.source, request.name) == ("manifest", "hello")


def test_an_image_goes_before_a_manifest_that_lies_about() -> None:
    request, _ = planned("-j", "hello", "-i", "busybox", files={"hello.yaml": "no: {"})
    assert request.source == "flags"


def test_standard_input_is_named_in_messages() -> None:
    with pytest.raises(LaunchError, match="standard input: holds nothing"):
        planned("-y", "-", files={"-": ""})


def test_a_manifest_makes_a_request() -> None:
    manifest = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n---\n{JOB}"
    request = of("-n", "ns", manifest=manifest)
    assert request == JobRequest(
        "hello",
        "ns",
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "hello", "namespace": "ns"},
            "spec": {},
        },
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}},),
        "manifest",
    )


def test_the_line_names_a_job_that_the_manifest_does_not() -> None:
    manifest = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}\n"
    metadata = of("-j", "hello", manifest=manifest).job["metadata"]
    assert metadata == {"name": "hello", "namespace": "default"}


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(None, id="flags"),
        pytest.param("apiVersion: batch/v1\nkind: Job\n", id="a manifest without a name"),
        pytest.param(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n", id="a manifest with a name"
        ),
    ],
)
def test_a_start_of_a_name_gets_a_random_end(manifest: str | None) -> None:
    argv = ["-i", "busybox"] if manifest is None else ["-y", "j"]
    request, _ = planned("--generate-name", "run-", *argv, files={"j": manifest or ""})
    assert re.fullmatch("run-[0-9a-f]{6}", request.name)
    assert request.job["metadata"]["name"] == request.name
    assert request.name != planned("--generate-name", "run-", "-i", "busybox")[0].name


def test_old_options_beside_a_manifest_are_ignored_with_a_note() -> None:
    _, notes = planned(
        "-y", "job.yaml", "-p", "Latest", "-e", "A", "-v", "1", files={"job.yaml": JOB}
    )
    assert notes == (
        "-p Latest is no Kubernetes value and is read as Always",
        "with a manifest these are ignored: --envname, --envvalue, --image_pull_policy",
    )


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param("--requests cpu=1", id="requests"),
        pytest.param("--limits cpu=1", id="limits"),
        pytest.param("--service-account a", id="service-account"),
        pytest.param("--node-selector a=b", id="node-selector"),
        pytest.param("--toleration a", id="toleration"),
        pytest.param("--label a=b", id="label"),
        pytest.param("--annotation a=b", id="annotation"),
        pytest.param("--env-from secret/a", id="env-from"),
        pytest.param("--deadline 1m", id="deadline"),
        pytest.param("--completions 1", id="completions"),
        pytest.param("--parallelism 1", id="parallelism"),
        pytest.param("--indexed", id="indexed"),
        pytest.param("--security restricted", id="security"),
    ],
)
def test_new_options_beside_a_manifest_are_refused(argv: str) -> None:
    with pytest.raises(UsageError, match=f"{argv.split()[0]} goes with -i"):
        of(*argv.split())


def test_parameters_fill_the_manifest() -> None:
    request = of("--param", "n=5", manifest=JOB.replace("spec: {}", "spec:\n  completions: ${{n}}"))
    assert request.job["spec"] == {"completions": 5}


@pytest.mark.parametrize(
    "argv", [["-y", "job.yaml"], ["-j", "hello", "-i", "busybox"]], ids=["manifest", "flags"]
)
def test_fields_are_set_last_and_in_order(argv: list[str]) -> None:
    sets = ["--set", "spec.suspend=false", "--set", "spec.suspend=true", "--set", "spec.a[0].b=1"]
    request, _ = planned(*argv, *sets, files={"job.yaml": JOB})
    assert request.job["spec"]["suspend"] is True
    assert request.job["spec"]["a"] == [{"b": 1}]


@pytest.mark.parametrize(
    "text",
    [
        "metadata.name=other",
        "metadata.namespace=other",
        "metadata.name=null",
        "metadata={}",
        "metadata=1",
        "metadata=null",
        "metadata.annotations=[1]",
        "metadata.annotations=text",
        "kind=Pod",
        "apiVersion=v1",
    ],
)
def test_what_makes_the_job_ours_cannot_be_set(text: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        planned("-j", "hello", "-i", "busybox", "--set", text)


@pytest.mark.parametrize("annotations", ["[a]", "text", "5"])
def test_annotations_of_a_manifest_must_be_an_object(annotations: str) -> None:
    with pytest.raises(LaunchError) as caught:
        of(manifest=JOB.replace("name: hello", f"name: hello, annotations: {annotations}"))
    assert caught.value.exit_code == Exit.MANIFEST


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param("", id="nothing"),
        pytest.param("-i busybox", id="no name"),
        pytest.param("-j hello", id="no image and no manifest"),
        pytest.param("-j hello -i busybox --param a=1", id="a parameter without a manifest"),
        pytest.param("-j hello --generate-name x -i busybox", id="two names"),
        pytest.param("-i busybox -j Hello", id="capitals"),
        pytest.param("-i busybox -j a_b", id="underscore"),
        pytest.param("-i busybox -j -a", id="starts with a dash"),
        pytest.param("-i busybox -j a-", id="ends with a dash"),
        pytest.param("-i busybox -j a..b", id="two dots"),
        pytest.param("-i busybox -j a.-b", id="a dash behind a dot"),
        pytest.param("-i busybox -j a/../b", id="a path"),
        pytest.param(f"-i busybox -j {'a' * 64}", id="64 characters"),
        pytest.param(f"-i busybox --generate-name {'a' * 58}", id="64 with the random end"),
        pytest.param("-i busybox --generate-name A", id="a start in capitals"),
        pytest.param("-i busybox -j hello -n a.b", id="a namespace with a dot"),
        pytest.param("-i busybox -j hello -n Ns", id="a namespace in capitals"),
        pytest.param("-i busybox -j hello -n a/b", id="a namespace with a slash"),
        pytest.param(f"-i busybox -j hello -n {'a' * 64}", id="a namespace of 64 characters"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(argv: str) -> None:
    with pytest.raises(UsageError):
        planned(*argv.split())


@pytest.mark.parametrize(
    "metadata",
    ["{name: a/../b}", "{name: ''}", "{name: Hello}", "{name: a, namespace: ../b}",
     "{name: a, namespace: A}"],
)  # fmt: skip
def test_names_in_a_manifest_are_checked_as_well(metadata: str) -> None:
    with pytest.raises(LaunchError):
        of(manifest=JOB.replace("{name: hello}", metadata))


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a.b", "a" * 63, "c360srv01-job", "a--b.c-d"])
def test_a_valid_name_is_taken(name: str) -> None:
    assert planned("-i", "busybox", "-j", name)[0].name == name


@pytest.mark.parametrize("namespace", ["a", "0", "a-b", "a" * 63])
def test_a_valid_namespace_is_taken(namespace: str) -> None:
    assert planned("-i", "busybox", "-j", "hello", "-n", namespace)[0].namespace == namespace


@pytest.mark.parametrize("name", ["-a", "a_b", "a/b", "", "a" * 254])
def test_the_name_of_a_prerequisite_is_checked(name: str) -> None:
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: '{name}'}}\n---\n"
    with pytest.raises(LaunchError):
        of(manifest=secret + JOB)


@pytest.mark.parametrize(("argv", "code"), [(["-j", "other"], 16), (["-n", "other"], 18)])
def test_a_manifest_that_says_otherwise_has_its_exit_code(argv: list[str], code: int) -> None:
    with pytest.raises(LaunchError) as caught:
        of(*argv, manifest=JOB.replace("name: hello", "name: hello, namespace: ns"))
    assert caught.value.exit_code == code


@pytest.mark.parametrize("metadata", [{}, {"annotations": None}, {"annotations": {"a": "b"}}])
def test_a_job_without_our_mark_is_not_ours(metadata: dict[str, Any]) -> None:
    assert not made_by({"metadata": metadata}, "id-1")


@pytest.mark.parametrize(
    ("argv", "manifest", "more"),
    [
        (["-i", "busybox", "-j", "hello"], JOB, {}),
        (["-i", "busybox", "-j", "hello", "--label", "a=b"], JOB, {"a": "b"}),
        (["-y", "job.yaml"], JOB, {}),
        (["-y", "job.yaml", "--set", "metadata.labels.a=b"], JOB, {"a": "b"}),
        (["-y", "job.yaml"], JOB.replace("name: hello", "name: hello, labels: "), {}),
    ],
)
def test_a_run_is_written_on_the_job_and_not_on_its_pods(
    argv: list[str], manifest: str, more: dict[str, str]
) -> None:
    job = planned(*argv, "--run-id", "0a1b", files={"job.yaml": manifest})[0].job
    assert job["metadata"]["labels"] == {**more, RUN_ID: "0a1b"}
    assert RUN_ID not in str(job["spec"])


def test_labels_must_be_an_object_to_write_a_run_on() -> None:
    with pytest.raises(UsageError, match=r"metadata\.labels must stay an object"):
        planned("-i", "b", "-j", "hello", "--run-id", "a", "--set", "metadata.labels=x")


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("job.yaml", False), ("/srv/a:b//c.yaml", False), ("-", False), (None, False),
        ("https://host/job.yaml", True), ("HTTP://host", True),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_file(path: str | None, address: bool) -> None:
    assert is_address(path) is address


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("jobs?/a.yaml", "jobs?/a.yaml"),
        ("https://host/job.yaml?key=sesame#x", "https://host/job.yaml"),
        ("https://me:sesame@host/job.yaml", "https://****@host/job.yaml"),
    ],
)
def test_what_may_be_a_secret_in_an_address_is_not_told(path: str, told: str) -> None:
    assert shown(path) == told
    assert told in in_effect(of(), Options(manifest=path))
    assert "sesame" not in in_effect(of(), Options(manifest=path, query=(("token", "sesame"),)))


def test_disruptions_are_ignored_by_flags_and_manifests_alike() -> None:
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    template = "{spec: {restartPolicy: Never, containers: []}}"
    manifest = JOB.replace("{}", f"{{template: {template}}}")
    for request in (
        planned("-j", "n", "-i", "a", "--ignore-disruptions")[0],
        of("--ignore-disruptions", manifest=manifest),
    ):
        assert request.job["spec"]["podFailurePolicy"] == {"rules": [rule]}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(["--main-container", "web"], "'web' is no container of the pod: it has main",
                     id="a name that no container has"),
        pytest.param(["--main-container", "main", "--set", "spec.template.spec.containers=x"],
                     "no spec.template.spec with containers", id="containers that are none"),
        pytest.param(["--ignore-disruptions", "--set", "spec.template=x"],
                     "no spec.template.spec with containers", id="a template that is none"),
        pytest.param(["--ignore-disruptions", "-r", "OnFailure"], "needs restartPolicy Never",
                     id="pods that restart in place"),
    ],
)  # fmt: skip
def test_a_job_that_does_not_fit_its_options_is_refused(argv: list[str], words: str) -> None:
    with pytest.raises(UsageError) as error:
        planned("-j", "n", "-i", "a", *argv)
    assert words in str(error.value)
