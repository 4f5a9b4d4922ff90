"""A pull that may succeed later is told from one that never will.

The messages are those of containerd and the kubelet as users have met them.
"""

from __future__ import annotations

import pytest

from runjob.errors import Exit
from runjob.observed import ContainerView, EventView
from runjob.waiting import Waiting, why_container_waits, why_pod_waits
from tests.runjob.scenes import event, pod, waiting


def resolving(image: str, end: str) -> str:
    """Return containerd's message for an image that it could not resolve."""
    return (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {end}'
    )


HUB = "docker.io/library/busybox:1"
REGISTRY = "registry.example.com/team/app:1"

HEALING_PULLS = {
    "pull QPS exceeded": "pull QPS exceeded",
    "429 of the hub": 'failed to pull and unpack image "docker.io/library/busybox:1": failed to '
    "copy: httpReadSeeker: failed open: unexpected status code "
    "https://registry-1.docker.io/v2/library/busybox/manifests/sha256:5e42fbc46b177f10319e8937dd: "
    "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate "
    "limit. You may increase the limit by authenticating and upgrading",
    "429 that says denied": resolving(
        REGISTRY,
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/"
        "manifests/1: 429 Too Many Requests: denied: rate limit",
    ),
    "500": resolving(
        REGISTRY,
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/"
        "manifests/1: 500 Internal Server Error",
    ),
    "502": resolving(
        REGISTRY,
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/"
        "manifests/1: 502 Bad Gateway",
    ),
    "503": resolving(
        REGISTRY,
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/"
        "manifests/1: 503 Service Unavailable",
    ),
    "i/o timeout": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": '
        "dial tcp 10.20.30.40:443: i/o timeout",
    ),
    "no such host": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": '
        "dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host",
    ),
    "server misbehaving": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": '
        "dial tcp: lookup registry.example.com on 127.0.0.53:53: server misbehaving",
    ),
    "connection refused": resolving(
        "localhost:5000/app:1",
        'failed to do request: Head "http://localhost:5000/v2/app/manifests/1": '
        "dial tcp 127.0.0.1:5000: connect: connection refused",
    ),
    "connection reset": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": '
        "read tcp 10.0.0.5:40112->10.20.30.40:443: read: connection reset by peer",
    ),
    "EOF": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": EOF',
    ),
    "TLS handshake timeout": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": '
        "net/http: TLS handshake timeout",
    ),
    "context deadline exceeded": "rpc error: code = DeadlineExceeded desc = failed to pull and "
    'unpack image "docker.io/library/busybox:1": context deadline exceeded',
    "runtime unavailable": "rpc error: code = Unavailable desc = error reading from server: "
    "connection error",
    "no space left": 'failed to pull and unpack image "docker.io/library/busybox:1": failed to '
    "extract layer sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef: "
    "write /usr/lib/libc.so: no space left on device",
    "certificate of unknown authority": resolving(
        REGISTRY,
        'failed to do request: Head "https://registry.example.com/v2/team/app/manifests/1": tls: '
        "failed to verify certificate: x509: certificate signed by unknown authority",
    ),
    "an image called denied, 503": resolving(
        "registry.example.com/denied/not-found:503",
        'failed to do request: Head "https://registry.example.com/v2/denied/not-found/manifests/'
        '503": dial tcp 10.20.30.40:443: i/o timeout',
    ),
}
FINAL_PULLS = {
    "not found": "rpc error: code = NotFound desc = "
    + resolving("docker.io/library/busybox:nope", "docker.io/library/busybox:nope: not found"),
    "no such platform": f'failed to pull and unpack image "{HUB}": no match for platform in '
    "manifest: not found",
    "denied": resolving(
        "docker.io/nobody/nothing:latest",
        "pull access denied, repository does not exist or may require authorization: server "
        "message: insufficient_scope: authorization failed",
    ),
    "401": resolving(
        REGISTRY,
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request "
        "to https://registry.example.com/token?scope=repository%3Ateam%2Fapp%3Apull&"
        "service=registry.example.com: 401 Unauthorized",
    ),
    "403": resolving(
        REGISTRY,
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/"
        "manifests/1: 403 Forbidden",
    ),
    "no basic auth": "rpc error: code = Unknown desc = Error response from daemon: Get "
    '"https://registry.example.com/v2/team/app/manifests/1": no basic auth credentials',
    "manifest unknown": "Error response from daemon: manifest for registry.example.com/team/app:1 "
    "not found: manifest unknown: manifest unknown",
    "an image called 503": resolving(
        "docker.io/library/timeout:503", "docker.io/library/timeout:503: not found"
    ),
    "a registry called 500": resolving(
        "500.example.com:5000/eof/429:502", "500.example.com:5000/eof/429:502: not found"
    ),
}


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
@pytest.mark.parametrize("message", HEALING_PULLS.values(), ids=HEALING_PULLS)
def test_a_pull_that_may_succeed_later_is_waited_for(reason: str, message: str) -> None:
    why = why_container_waits(waiting(reason, message))
    assert why == Waiting(f"image of main cannot be pulled: {message}")


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
@pytest.mark.parametrize("message", FINAL_PULLS.values(), ids=FINAL_PULLS)
def test_a_pull_that_cannot_succeed_ends_the_job(reason: str, message: str) -> None:
    why = why_container_waits(waiting(reason, message))
    assert why is not None
    assert (why.text, why.final) == (f"image of main cannot be pulled: {message}", Exit.IMAGE)
    assert "mend the image name" in why.hint


def test_the_turns_of_one_failing_pull_read_alike() -> None:
    message = FINAL_PULLS["not found"]
    backing_off = f'Back-off pulling image "busybox:nope": ErrImagePull: {message}'
    assert why_container_waits(waiting("ImagePullBackOff", backing_off)) == why_container_waits(
        waiting("ErrImagePull", message)
    )


@pytest.mark.parametrize("message", ["", 'Back-off pulling image "denied/not-found:503"'])
def test_a_pull_without_a_cause_is_waited_for(message: str) -> None:
    why = why_container_waits(waiting("ImagePullBackOff", message))
    assert why == Waiting("image of main cannot be pulled")


ABSENT = event(
    "FailedToRetrieveImagePullSecret",
    "Unable to retrieve some image pull secrets (regcred, other); attempting to pull the image may "
    "not succeed.",
)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_a_pull_that_fails_names_the_pull_secret_that_is_not_there(reason: str) -> None:
    why = why_pod_waits(pod(waiting(reason, "pull access denied")), (ABSENT,))
    assert why is not None
    assert why.text == (
        "image of main cannot be pulled: pull access denied; the imagePullSecret regcred, other "
        "does not exist"
    )
    assert why.final is Exit.IMAGE


@pytest.mark.parametrize(
    ("state", "events"),
    [
        pytest.param(waiting("ErrImagePull", "x"), (), id="no event"),
        pytest.param(
            waiting("ErrImagePull", "x"), (event("FailedMount", "secrets (a)"),), id="another event"
        ),
        pytest.param(
            waiting("ErrImagePull", "x"),
            (event("FailedToRetrieveImagePullSecret", "in other words"),),
            id="other words",
        ),
        pytest.param(waiting("InvalidImageName", "x"), (ABSENT,), id="no name of an image"),
        pytest.param(waiting("ContainerCreating"), (ABSENT,), id="a pull that goes on"),
        pytest.param(waiting("CreateContainerConfigError", "x"), (ABSENT,), id="after the pull"),
    ],
)
def test_an_absent_pull_secret_is_no_matter_of_its_own(
    state: ContainerView, events: tuple[EventView, ...]
) -> None:
    why = why_pod_waits(pod(state), events)
    assert why is not None
    assert "imagePullSecret" not in why.text
