"""Flags become the Job that they describe, and nothing besides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import UsageError
from runjob.flags import parse
from runjob.jobspec import build, to_json
from runjob.options import JobOptions, Options


def job(*argv: str) -> Any:
    options = parse(["-i", "busybox", *argv])
    assert isinstance(options, Options)
    return build("hello", "default", options.job)


def pod(*argv: str) -> Any:
    return job(*argv)["spec"]["template"]["spec"]


def container(*argv: str) -> Any:
    (only,) = pod(*argv)["containers"]
    return only


def test_the_least_there_is() -> None:
    assert job() == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "spec": {
                    "containers": [
                        {"name": "main", "image": "busybox", "imagePullPolicy": "Always"}
                    ],
                    "imagePullSecrets": [{"name": "regcred"}],
                    "restartPolicy": "Never",
                }
            },
        },
    }


def test_all_there_is() -> None:
    argv = (
        "-p IfNotPresent -k sh -k -c -a one -e A -v 1 -b 2 -r OnFailure -c claim -m work -t /data "
        "--requests cpu=1 --limits cpu=2,memory=1Gi --service-account runner --node-selector a=b "
        "--toleration gpu=yes:NoSchedule --label team=data --annotation note=x "
        "--env-from secret/s --env-from configmap/c --deadline 1m --completions 3 --parallelism 2 "
        "--indexed --security restricted -s mine"
    )
    marks = {"labels": {"team": "data"}, "annotations": {"note": "x"}}
    assert job(*argv.split()) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "hello", "namespace": "default", **marks},
        "spec": {
            "activeDeadlineSeconds": 60,
            "backoffLimit": 2,
            "completionMode": "Indexed",
            "completions": 3,
            "parallelism": 2,
            "template": {
                "metadata": marks,
                "spec": {
                    "containers": [
                        {
                            "name": "main",
                            "image": "busybox",
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["sh", "-c"],
                            "args": ["one"],
                            "env": [{"name": "A", "value": "1"}],
                            "envFrom": [
                                {"secretRef": {"name": "s"}},
                                {"configMapRef": {"name": "c"}},
                            ],
                            "resources": {
                                "requests": {"cpu": "1"},
                                "limits": {"cpu": "2", "memory": "1Gi"},
                            },
                            "volumeMounts": [{"name": "work", "mountPath": "/data"}],
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }
                    ],
                    "imagePullSecrets": [{"name": "mine"}],
                    "nodeSelector": {"a": "b"},
                    "restartPolicy": "OnFailure",
                    "securityContext": {
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "serviceAccountName": "runner",
                    "tolerations": [
                        {
                            "key": "gpu",
                            "operator": "Equal",
                            "value": "yes",
                            "effect": "NoSchedule",
                        }
                    ],
                    "volumes": [{"name": "work", "persistentVolumeClaim": {"claimName": "claim"}}],
                },
            },
        },
    }


def test_a_path_of_the_host_must_be_a_directory() -> None:
    spec = pod("-H", "/srv", "-t", "/data")
    assert spec["volumes"] == [{"name": "data", "hostPath": {"path": "/srv", "type": "Directory"}}]
    assert spec["containers"][0]["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]


def test_a_name_without_a_volume_makes_none() -> None:
    assert "volumes" not in pod("-m", "work")


def test_no_pull_secret_where_none_is_asked_for() -> None:
    assert "imagePullSecrets" not in pod("-s", "none")


@pytest.mark.parametrize(
    ("argv", "resources"),
    [
        (["--requests", "cpu=1"], {"requests": {"cpu": "1"}}),
        (
            ["--limits", "cpu=1", "--limits", "memory=2Gi"],
            {"limits": {"cpu": "1", "memory": "2Gi"}},
        ),
    ],
)
def test_resources_hold_what_was_given(argv: list[str], resources: dict[str, Any]) -> None:
    assert container(*argv)["resources"] == resources


@pytest.mark.parametrize("option", ["label", "annotation"])
def test_marks_stand_on_the_job_and_on_its_pods(option: str) -> None:
    made = job(f"--{option}", "example.com/a=b", f"--{option}", "c=")
    marks = {f"{option}s": {"example.com/a": "b", "c": ""}}
    assert made["spec"]["template"]["metadata"] == marks
    assert made["metadata"] == {"name": "hello", "namespace": "default", **marks}


@pytest.mark.parametrize(
    ("taint", "toleration"),
    [
        ("*", {"operator": "Exists"}),
        ("*:NoExecute", {"operator": "Exists", "effect": "NoExecute"}),
        ("gpu", {"key": "gpu", "operator": "Exists"}),
        ("gpu=", {"key": "gpu", "operator": "Equal", "value": ""}),
        ("a/b=c", {"key": "a/b", "operator": "Equal", "value": "c"}),
    ],
)
def test_a_taint_is_tolerated_as_written(taint: str, toleration: dict[str, str]) -> None:
    assert pod("--toleration", taint)["tolerations"] == [toleration]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="=\0", codec="utf-8"), min_size=1).filter(
                lambda name: name != "-v"
            ),
            st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        ),
        max_size=5,
    )
)
def test_any_environment_reaches_the_api_unchanged(pairs: list[tuple[str, str]]) -> None:
    sent = json.loads(
        json.dumps(container(*(word for pair in pairs for word in ("-e", pair[0], "-v", pair[1]))))
    )
    assert sent.get("env", []) == [{"name": name, "value": value} for name, value in pairs]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)))
def test_any_command_reaches_the_api_unchanged(words: list[str]) -> None:
    sent = json.loads(json.dumps(container(*(f"--commands={word}" for word in words))))
    assert sent.get("command", []) == words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(JobOptions(), "no image", id="no image"),
        pytest.param(
            JobOptions(image="x", claim="c", host_path="/h", mount_path="/m"),
            "-c and -H both",
            id="two volumes",
        ),
        pytest.param(JobOptions(image="x", claim="c"), "without -t", id="claim, no place"),
        pytest.param(JobOptions(image="x", host_path="/h"), "without -t", id="path, no place"),
        pytest.param(JobOptions(image="x", mount_path="/m"), "-t without", id="place, no volume"),
        pytest.param(
            JobOptions(image="x", claim="c", mount_path="m"), "'m'", id="place is relative"
        ),
        pytest.param(
            JobOptions(image="x", host_path="h", mount_path="/m"), "'h'", id="path is relative"
        ),
        pytest.param(JobOptions(image="x", indexed=True), "--indexed needs", id="no completions"),
        pytest.param(
            JobOptions(image="x", node_selector=(("a", "1"), ("b", "1"), ("a", "2"))),
            "--node-selector names 'a' twice",
            id="selector twice",
        ),
        pytest.param(
            JobOptions(image="x", requests=(("cpu", "1"), ("cpu", "1"))),
            "--requests names 'cpu' twice",
            id="request twice",
        ),
        pytest.param(
            JobOptions(image="x", limits=(("cpu", "1"), ("cpu", "2"))),
            "--limits names 'cpu' twice",
            id="limit twice",
        ),
    ],
)
def test_what_can_mean_nothing_is_refused(options: JobOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build("hello", "default", options)


def test_what_is_no_model_stays_as_it_is() -> None:
    assert to_json({"a": (1, [None, "x"])}) == {"a": [1, [None, "x"]]}
