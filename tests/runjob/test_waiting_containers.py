"""A container that may start yet is told from one that never will.

The messages are those of containerd, runc and the kubelet as users have met them.
"""

from __future__ import annotations

import pytest

from runjob.errors import Exit
from runjob.observed import ContainerView
from runjob.waiting import Waiting, cannot_start, why_container_waits
from tests.runjob.runtime_words import NOT_FOUND, RUNC, STUCK
from tests.runjob.scenes import NOON, container, ended, waiting


@pytest.mark.parametrize(
    ("reason", "message", "final"),
    [
        pytest.param(
            "InvalidImageName",
            'Failed to apply default image tag "UPPER:::": couldn\'t parse image name "UPPER:::": '
            "invalid reference format: repository name (library/UPPER) must be lowercase",
            Exit.IMAGE,
            id="no valid image name",
        ),
        pytest.param(
            "ErrImageNeverPull",
            'Container image "app:1" is not present with pull policy of Never',
            Exit.IMAGE,
            id="never to be pulled",
        ),
        pytest.param(
            "CreateContainerConfigError", 'configmap "app" not found', Exit.CONFIGURATION,
            id="no ConfigMap",
        ),
        pytest.param(
            "CreateContainerConfigError", 'secret "timeout-503" not found', Exit.CONFIGURATION,
            id="no Secret",
        ),
        pytest.param(
            "CreateContainerConfigError", "couldn't find key day in ConfigMap default/app",
            Exit.CONFIGURATION, id="no key in the ConfigMap",
        ),
        pytest.param(
            "CreateContainerConfigError", "couldn't find key timeout in Secret default/app",
            Exit.CONFIGURATION, id="no key called timeout",
        ),
        pytest.param(
            "CreateContainerConfigError",
            'container has runAsNonRoot and image will run as root (pod: "hello-x7k2p_default(1)", '
            "container: main)",
            Exit.CONFIGURATION, id="an image of root's",
        ),
        pytest.param(
            "CreateContainerConfigError",
            "failed to sync secret cache: timed out waiting for the condition", None,
            id="the kubelet's cache is behind",
        ),
        pytest.param(
            "CreateContainerConfigError",
            "services have not yet been read at least once, cannot construct envvars", None,
            id="the kubelet has just started",
        ),
        pytest.param(
            "CreateContainerError",
            'failed to generate container "5f" spec: failed to generate spec: no command specified',
            Exit.CONFIGURATION, id="no command",
        ),
        pytest.param(
            "CreateContainerError", "Error response from daemon: No command specified",
            Exit.CONFIGURATION, id="no command, says docker",
        ),
        pytest.param(
            "CreateContainerError", 'failed to reserve container name "main_hello_default_1": name '
            "is reserved for 5f", None, id="the name of the last try is still reserved",
        ),
        pytest.param(
            "RunContainerError", RUNC + NOT_FOUND.format("nope"), Exit.CONFIGURATION,
            id="no such command",
        ),
        pytest.param(
            "RunContainerError", RUNC + NOT_FOUND.format("timeout"), Exit.CONFIGURATION,
            id="no command called timeout",
        ),
        pytest.param(
            "RunContainerError", RUNC + 'exec: "/srv/503/eof": permission denied: unknown',
            Exit.CONFIGURATION, id="a command that may not be run",
        ),
        pytest.param(
            "RunContainerError", "context deadline exceeded", None, id="the runtime was slow",
        ),
        pytest.param(
            "RunContainerError", RUNC + "mkdir /run/x: no space left on device", None,
            id="the disk is full",
        ),
        pytest.param(
            "CrashLoopBackOff",
            "back-off 10s restarting failed container=main pod=hello-x7k2p_default(1)", None,
            id="restarts",
        ),
    ],
)  # fmt: skip
def test_a_container_that_cannot_start_ends_the_job(
    reason: str, message: str, final: Exit | None
) -> None:
    why = why_container_waits(waiting(reason, message))
    assert why is not None
    assert (why.text, why.final) == (f"{reason}: {message}", final)
    assert final is None or why.hint


def test_a_reason_that_nobody_knows_is_told_and_waited_for() -> None:
    assert why_container_waits(waiting("Odd", "a\n b")) == Waiting("Odd: a b")
    assert why_container_waits(waiting("Odd")) == Waiting("Odd", usual=True)


@pytest.mark.parametrize("view", [container(), container(running=NOON)], ids=["new", "runs"])
def test_a_container_that_does_not_wait_has_no_cause(view: ContainerView) -> None:
    assert why_container_waits(view) is None


SLOW = ended(128, "StartError", message="context deadline exceeded")
# A kubelet that was killed meanwhile.
BROKEN_OFF = ended(
    128, "StartError",
    message="failed to create containerd task: failed to create shim task: context canceled",
)  # fmt: skip


@pytest.mark.parametrize(
    ("view", "final"),
    [
        pytest.param(container(), None, id="new"),
        pytest.param(container(terminated=ended(1)), None, id="failed by itself"),
        pytest.param(container(terminated=STUCK), 12, id="never started"),
        pytest.param(waiting("CrashLoopBackOff", last=STUCK), 12, id="tries again"),
        pytest.param(container(running=NOON, last=STUCK), None, id="runs after all"),
        pytest.param(container(terminated=SLOW), None, id="the runtime was slow"),
        pytest.param(container(terminated=BROKEN_OFF), None, id="the kubelet was killed"),
        pytest.param(
            container(terminated=ended(127, "ContainerCannotRun")), 12, id="the older reason"
        ),
    ],
)
def test_a_container_that_never_started_never_will(view: ContainerView, final: int | None) -> None:
    why = cannot_start(view)
    assert (why.final if why else None) == final
