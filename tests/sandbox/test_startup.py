"""What keeps a pod from starting, and what lets it start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runjob.sandbox import Image, Sandbox

from .conftest import IMAGES
from .talk import (
    CORE,
    JOBS,
    PODS,
    Json,
    Talk,
    is_finished,
    job,
    phase_is,
    shell,
    state,
    waits_for,
)

Fresh = Callable[[], str]


def ended(talk: Talk, body: Json) -> Json:
    """Run a Job and return its first pod after its end."""
    talk.job(body)
    return talk.pod(body["metadata"]["name"], phase_is("Succeeded", "Failed"))


def output(talk: Talk, body: Json) -> str:
    pod = ended(talk, body)
    return talk.log(pod["metadata"]["name"]).decode()


@pytest.mark.parametrize(
    ("container", "text"),
    [
        pytest.param({}, "hello\n", id="entrypoint and arguments of the image"),
        pytest.param({"args": ["$(FROM)", "bye"]}, "image bye\n", id="other arguments"),
        pytest.param({"command": ["printf", "x"]}, "x", id="another command"),
    ],
)
def test_an_image_has_a_command_and_arguments(
    talk: Talk, fresh: Fresh, container: Json, text: str
) -> None:
    assert output(talk, job(fresh(), container={"image": "hello:1", **container})) == text


def test_the_counting_image_counts(talk: Talk, fresh: Fresh) -> None:
    env = [{"name": "LOOPCTR", "value": "3"}, {"name": "STIME", "value": "0"}]
    body = job(fresh(), container={"image": "joegoldberg/controlm:appimage", "env": env})
    assert output(talk, body) == "Iteration 1 of 3\nIteration 2 of 3\nIteration 3 of 3\n"


def test_the_python_image_is_an_interpreter(talk: Talk, fresh: Fresh) -> None:
    body = job(fresh(), container={"image": "python:3", "args": ["python3", "-c", "print(1 + 1)"]})
    assert output(talk, body) == "2\n"


@pytest.mark.parametrize(
    ("image", "policy", "reason", "text"),
    [
        ("nosuch:1", "Always", "ErrImagePull", "docker.io/library/nosuch:1: not found"),
        (
            "nosuch:1",
            "Always",
            "ImagePullBackOff",
            'Back-off pulling image "nosuch:1": ErrImagePull',
        ),
        ("secret/app:1", "Always", "ErrImagePull", "pull access denied"),
        ("Bad Image", "Always", "InvalidImageName", "must be lowercase"),
        ("hello:9", "Never", "ErrImageNeverPull", "is not present with pull policy of Never"),
    ],
)
def test_an_image_that_does_not_come_is_explained(
    talk: Talk, fresh: Fresh, image: str, policy: str, reason: str, text: str
) -> None:
    name = fresh()
    talk.job(job(name, "true", container={"image": image, "imagePullPolicy": policy}))
    pod = talk.pod(name, waits_for(reason))
    assert text in state(pod)["waiting"]["message"]
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


@pytest.mark.parametrize(
    ("image", "trouble"),
    [("flaky:1", "502 Bad Gateway"), ("busy:1", "pull QPS exceeded")],
)
def test_a_passing_trouble_of_the_registry_passes(
    talk: Talk, fresh: Fresh, image: str, trouble: str
) -> None:
    pod = ended(talk, job(fresh(), container={"image": image}))
    assert pod["status"]["phase"] == "Succeeded"
    said = [message for reason, message in talk.events(pod) if reason == "Failed"]
    assert any(trouble in message for message in said)


def test_a_slow_pull_keeps_the_pod_waiting_and_can_be_called_off(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(job(name, container={"image": "slow:1"}))
    pod = talk.pod(name, waits_for("ContainerCreating"))
    talk.until(
        f"{CORE}/events",
        lambda event: event["reason"] == "Pulling",
        fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}",
    )
    talk.call("DELETE", f"{PODS}/{pod['metadata']['name']}")
    talk.gone(PODS, pod["metadata"]["name"])


def test_an_image_is_pulled_once_unless_it_is_always_wanted(talk: Talk, fresh: Fresh) -> None:
    def pulls(policy: str) -> list[str]:
        container = {"imagePullPolicy": policy, "image": "hello:1"}
        pod = ended(talk, job(fresh(), container=container))
        return [message for reason, message in talk.events(pod) if reason == "Pulled"]

    pulls("IfNotPresent")
    assert "already present on machine" in pulls("IfNotPresent")[0]
    assert "Successfully pulled" in pulls("Always")[0]


def test_a_missing_pull_secret_is_mentioned(talk: Talk, fresh: Fresh) -> None:
    more = {"imagePullSecrets": [{"name": "regcred"}]}
    body = job(fresh(), "true", pod=more, container={"imagePullPolicy": "Always"})
    reasons = [reason for reason, _ in talk.events(ended(talk, body))]
    assert "FailedToRetrieveImagePullSecret" in reasons


def test_a_container_waits_for_its_settings(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    env = [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": name, "key": "k"}}}]
    talk.job(shell(name, "echo $K", container={"env": env}))
    pod = talk.pod(name, waits_for("CreateContainerConfigError"))
    assert state(pod)["waiting"]["message"] == f'configmap "{name}" not found'
    talk.create(f"{CORE}/configmaps", {"metadata": {"name": name}, "data": {"k": "here"}})
    done = talk.pod(name, phase_is("Succeeded"))
    assert talk.log(done["metadata"]["name"]) == b"here\n"


def test_a_pod_deleted_while_it_waits_for_settings_is_gone(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "true", container={"envFrom": [{"secretRef": {"name": name}}]}))
    pod = talk.pod(name, waits_for("CreateContainerConfigError"))
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        ({"configMap": {"name": "NAME"}}, 'configmap "NAME" not found'),
        ({"secret": {"secretName": "NAME"}}, 'secret "NAME" not found'),
        ({"hostPath": {"path": "/nosuch", "type": "Directory"}}, "/nosuch is not a directory"),
        ({"hostPath": {"path": "/nosuch", "type": "File"}}, "/nosuch is not a file"),
    ],
)
def test_a_volume_that_cannot_be_mounted_holds_the_pod(
    talk: Talk, fresh: Fresh, volume: Json, why: str
) -> None:
    name = fresh()
    source = {
        kind: {key: value.replace("NAME", name) for key, value in inner.items()}
        for kind, inner in volume.items()
    }
    talk.job(shell(name, "true", pod={"volumes": [{"name": "v", **source}]}))
    pod = talk.pod(name, waits_for("ContainerCreating"))
    event = talk.until(
        f"{CORE}/events",
        lambda event: event["reason"] == "FailedMount",
        fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}",
    )
    assert event["message"].endswith(why.replace("NAME", name))
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


def test_volumes_that_exist_are_accepted(talk: Talk, fresh: Fresh) -> None:
    volumes = [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "hostPath": {"path": "/", "type": "Directory"}},
        {"name": "c", "configMap": {"name": "lost", "optional": True}},
    ]
    assert ended(talk, shell(fresh(), "true", pod={"volumes": volumes}))["status"]["phase"] == (
        "Succeeded"
    )


def test_a_pod_waits_until_the_node_has_room(fresh: Fresh) -> None:
    with Sandbox(node_cpu="1") as sandbox:
        talk, name = Talk(sandbox), fresh()
        asks = {"resources": {"requests": {"cpu": "800m"}}}
        talk.job(shell(name, "exec sleep 60", container=asks))
        talk.pod(name, phase_is("Running"))
        other = fresh()
        talk.job(shell(other, "true", container=asks))
        pod = talk.pod(other, lambda each: each["status"].get("conditions"))
        condition = pod["status"]["conditions"][0]
        assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")
        assert "Insufficient cpu" in condition["message"]
        assert talk.events(pod) == [("FailedScheduling", condition["message"])]
        assert talk.log(pod["metadata"]["name"], follow="true") == b""
        talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
        talk.pod(other, phase_is("Succeeded"))
        huge = fresh()
        talk.job(shell(huge, "true", container={"resources": {"requests": {"cpu": "3"}}}))
        talk.pod(huge, lambda each: each["status"].get("conditions"))
        sandbox.resize_node(cpu="4")
        talk.pod(huge, phase_is("Succeeded"))


def test_an_unscheduled_pod_is_deleted_at_once(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "true", pod={"nodeSelector": {"disk": "fast"}}))
    pod = talk.pod(name, lambda each: each["status"].get("conditions"))
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


def test_a_claim_that_appears_lets_the_pod_run(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": name}}
    talk.job(shell(name, "true", pod={"volumes": [volume]}))
    talk.pod(name, lambda each: each["status"].get("conditions"))
    talk.create(f"{CORE}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": {}})
    talk.pod(name, phase_is("Succeeded"))


def test_images_can_be_added_later(sandbox: Sandbox, talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(job(name, container={"image": f"{name}:1"}))
    talk.pod(name, waits_for("ImagePullBackOff"))
    sandbox.add_image(Image(f"{name}:1", ("echo", "healed")))
    pod = talk.pod(name, phase_is("Succeeded"))
    assert talk.log(pod["metadata"]["name"]) == b"healed\n"
    assert IMAGES[0].name == "hello:1"
    assert is_finished(talk.ended(name))
