"""The sandbox as users' own tools see it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runjob.guide.topics import TOPICS
from runjob.sandbox import Sandbox

from .talk import Json, shell

Fresh = Callable[[], str]
KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


def test_the_official_client_runs_a_job_from_create_to_delete(
    sandbox: Sandbox, fresh: Fresh
) -> None:
    kubernetes = pytest.importorskip("kubernetes")
    name = fresh()
    with kubernetes.config.new_client_from_config(str(sandbox.kubeconfig)) as api:
        batch, core = kubernetes.client.BatchV1Api(api), kubernetes.client.CoreV1Api(api)
        made = batch.create_namespaced_job("controlm", shell(name, "echo hello"))
        assert made.spec.template.spec.restart_policy == "Never"
        watch: Any = kubernetes.watch.Watch()
        for event in watch.stream(
            batch.list_namespaced_job,
            "controlm",
            field_selector=f"metadata.name={name}",
            timeout_seconds=20,
        ):
            if event["object"].status.completion_time is not None:
                watch.stop()
        pods = core.list_namespaced_pod("controlm", label_selector=f"job-name={name}").items
        log = core.read_namespaced_pod_log(
            pods[0].metadata.name, "controlm", _preload_content=False
        )
        assert log.data == b"hello\n"
        events = core.list_namespaced_event(
            "controlm", field_selector=f"involvedObject.uid={made.metadata.uid}"
        )
        assert [event.reason for event in events.items] == ["SuccessfulCreate", "Completed"]
        batch.delete_namespaced_job(name, "controlm", propagation_policy="Foreground")
        with pytest.raises(kubernetes.client.ApiException) as caught:
            batch.create_namespaced_job("nosuch", shell(name, "true"))
        assert caught.value.status == 404


class Kubectl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._command = [str(KUBECTL), "--kubeconfig", str(sandbox.kubeconfig)]

    def __call__(self, *arguments: str, body: Json | None = None, code: int = 0) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            input=None if body is None else json.dumps(body),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@needs_kubectl
def test_kubectl_runs_a_job_from_create_to_delete(sandbox: Sandbox, fresh: Fresh) -> None:
    kubectl, name = Kubectl(sandbox), fresh()
    body = shell(name, "echo hello")
    assert f"job.batch/{name} created" in kubectl("create", "-f", "-", body=body)
    kubectl("wait", "--for=condition=complete", f"job/{name}", "--timeout=20s")
    assert kubectl("logs", f"job/{name}") == "hello\n"
    table = kubectl("get", "job", name)
    assert table.split()[:5] == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert "Complete" in table
    assert "Completed" in kubectl("get", "pods", "-l", f"job-name={name}")
    described = kubectl("describe", "pod", "-l", f"job-name={name}")
    assert "Successfully assigned" in described
    assert "Exit Code:    0" in described
    assert "Job completed" in kubectl("describe", "job", name)
    assert "Completed" in kubectl("get", "events")
    assert "deleted" in kubectl("delete", "job", name)
    assert "NotFound" in kubectl("get", "job", name, code=1)


@needs_kubectl
def test_kubectl_names_a_misspelt_field(sandbox: Sandbox, fresh: Fresh) -> None:
    body = shell(fresh(), "true", backofflimit=1)
    text = Kubectl(sandbox)("create", "-f", "-", body=body, code=1)
    assert 'strict decoding error: unknown field "spec.backofflimit"' in text


@needs_kubectl
def test_kubectl_applies_a_change(sandbox: Sandbox, fresh: Fresh) -> None:
    kubectl, name = Kubectl(sandbox), fresh()
    for value, outcome in (("1", "created"), ("2", "configured")):
        body = {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"a": value},
        }  # fmt: skip
        assert outcome in kubectl("apply", "-f", "-", body=body)
    assert kubectl("get", "configmap", name, "-o", "jsonpath={.data.a}") == "2"


# What `runjob help sandbox` says of kubectl, each as a line of it for a ConfigMap in the file.
ANSWERED = {
    "create": "create -f {file}",
    "apply": "apply -f {file}",
    "replace": "replace -f {file}",
    "get": "get configmap {name}",
    "describe": "describe configmap {name}",
    "label": "label configmap {name} a=b",
    "annotate": "annotate configmap {name} a=b",
    "patch": "patch configmap {name} --type merge -p {{}}",
    "delete": "delete configmap {name}",
    "run": "run {name} --image busybox:1 --restart Never -- echo hello",
    "wait": "wait --for jsonpath={{.status.phase}}=Succeeded pod/{name} --timeout 20s",
    "logs": "logs {name}",
}
REFUSED = {
    "create secret": "create secret generic {name} --from-literal a=b",
    "create namespace": "create namespace {name}",
    "exec": "exec {name} -- true",
    "port-forward": "port-forward {name} 8000",
    "auth can-i": "auth can-i get pods",
}


def told(answer: str) -> set[str]:
    """Return what the topic names behind `yes` or `no`."""
    text = TOPICS["sandbox"].text
    cell = re.search(rf"^{answer} :: (.*?)(?=^\S|\Z)", text, re.M | re.S)
    assert cell
    return set(re.findall(r"`(.*?)`", cell[1]))


@needs_kubectl
def test_kubectl_is_answered_as_far_as_the_help_says(
    sandbox: Sandbox, fresh: Fresh, tmp_path: Path
) -> None:
    assert told("yes") == ANSWERED.keys()
    assert told("no") == REFUSED.keys()
    kubectl, name, file = Kubectl(sandbox), fresh(), tmp_path / "file.json"
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    file.write_text(json.dumps({**head, "data": {"a": "1"}}))
    for lines, code in ((ANSWERED, 0), (REFUSED, 1)):
        for line in lines.values():
            kubectl(*line.format(name=name, file=file).split(), code=code)
