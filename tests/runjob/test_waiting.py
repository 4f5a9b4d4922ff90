"""Why a pod or a Job waits, and whether any waiting can help.

The messages are those of the scheduler, the kubelet and the API server as users have met them.
"""

from __future__ import annotations

import pytest

from runjob.errors import Exit
from runjob.observed import EventView, Picture, PodView
from runjob.waiting import (
    CONFIGURATION_HINT,
    Waiting,
    causes,
    hopeless,
    why_job_waits,
    why_pod_waits,
)
from tests.runjob.runtime_words import STUCK
from tests.runjob.scenes import (
    JOB,
    NOON,
    POD,
    at,
    condition,
    container,
    event,
    picture,
    pod,
    waiting,
)

CREATING = waiting("ContainerCreating")
UNSCHEDULABLE = (
    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No "
    "preemption victims found for incoming pod."
)

NO_CLAIM = 'persistentvolumeclaim "data" not found. preemption: not helpful for scheduling.'


def unscheduled(reason: str, message: str) -> PodView:
    return pod(node="", conditions=(condition("PodScheduled", reason, message, status="False"),))


MOUNT = 'MountVolume.SetUp failed for volume "data" : '
PULLING = event("Pulling", 'Pulling image "busybox"', type="Normal")
PULLED = event("Pulled", 'Successfully pulled image "busybox" in 2s', type="Normal")


@pytest.mark.parametrize(
    ("view", "events", "expected"),
    [
        pytest.param(pod(phase="Running"), [], None, id="it runs"),
        pytest.param(pod(phase="Failed"), [], None, id="it is over"),
        pytest.param(pod(deleting=True), [], None, id="it is being deleted"),
        pytest.param(pod(node=""), [], Waiting("not scheduled yet", usual=True), id="it is new"),
        pytest.param(
            pod(node="", conditions=(condition("Other", status="False"),)),
            [],
            Waiting("not scheduled yet", usual=True),
            id="another condition",
        ),
        pytest.param(
            unscheduled(
                "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"
            ),
            [],
            Waiting("SchedulingGated: Scheduling is blocked due to non-empty scheduling gates"),
            id="gated",
        ),
        pytest.param(
            unscheduled("Unschedulable", UNSCHEDULABLE),
            [event("FailedScheduling", UNSCHEDULABLE)],
            Waiting(f"Unschedulable: {UNSCHEDULABLE}"),
            id="no node",
        ),
        pytest.param(
            unscheduled("Unschedulable", f"0/1 nodes are available: {NO_CLAIM}"),
            [],
            Waiting(f"Unschedulable: 0/1 nodes are available: {NO_CLAIM}"),
            id="no PersistentVolumeClaim yet",
        ),
        pytest.param(
            unscheduled("Unschedulable", UNSCHEDULABLE),
            [event("TriggeredScaleUp", "pod triggered scale-up: [{group 1->2 (max: 9)}]")],
            Waiting(
                f"Unschedulable: {UNSCHEDULABLE} (the autoscaler is adding a node)", moving=True
            ),
            id="a node is on its way",
        ),
        pytest.param(
            pod(conditions=(condition("PodScheduled"),)),
            [],
            Waiting("ContainerCreating", usual=True),
            id="the kubelet has not told anything",
        ),
        pytest.param(pod(CREATING), [], Waiting("ContainerCreating", usual=True), id="is made"),
        pytest.param(
            pod(CREATING),
            [PULLING],
            Waiting('Pulling image "busybox"', moving=True),
            id="pulls",
        ),
        pytest.param(
            pod(CREATING),
            [PULLING, PULLED],
            Waiting("ContainerCreating", usual=True),
            id="has pulled",
        ),
        pytest.param(
            pod(CREATING),
            [PULLING, event("Failed", "Error: ErrImagePull")],
            Waiting("ContainerCreating", usual=True),
            id="the pull has failed",
        ),
        pytest.param(
            pod(CREATING),
            [event("FailedMount", MOUNT + "hostPath type\ncheck failed: /x is not a directory")],
            Waiting(
                f"FailedMount: {MOUNT}hostPath type check failed: /x is not a directory",
                hint=CONFIGURATION_HINT,
            ),
            id="a mount fails",
        ),
        pytest.param(
            pod(CREATING),
            [event("FailedMount", MOUNT + 'secret "x" not found', count=9), PULLING],
            Waiting('Pulling image "busybox"', moving=True),
            id="a mount has healed",
        ),
        pytest.param(
            pod(CREATING),
            [event("FailedMount", MOUNT + 'secret "x" not found', count=9), PULLING, PULLED],
            Waiting("ContainerCreating", usual=True),
            id="a mount has healed and the pull is done",
        ),
        pytest.param(
            pod(waiting("PodInitializing"), container("first", role="init", running=NOON)),
            [],
            Waiting("init container first runs", moving=True),
            id="an init container runs",
        ),
        pytest.param(
            pod(waiting("PodInitializing"), container("mesh", role="sidecar", running=NOON)),
            [],
            Waiting("PodInitializing", usual=True),
            id="a sidecar runs",
        ),
        pytest.param(
            pod(
                waiting("PodInitializing"),
                waiting("CrashLoopBackOff", "back-off 10s", "first", role="init"),
            ),
            [],
            Waiting("CrashLoopBackOff: back-off 10s"),
            id="an init container restarts",
        ),
        pytest.param(
            pod(CREATING, waiting("ImagePullBackOff", name="other")),
            [PULLING],
            Waiting("image of other cannot be pulled"),
            id="one of two images",
        ),
    ],
)
def test_a_pod_tells_why_it_waits(
    view: PodView, events: list[EventView], expected: Waiting | None
) -> None:
    assert why_pod_waits(view, tuple(events)) == expected


@pytest.mark.parametrize(
    "message",
    [
        'configmap "app" not found',
        'secret "app" not found',
        "references non-existent config key: day",
        "references non-existent secret key: day",
    ],
)
@pytest.mark.parametrize(("counts", "final"), [([1], None), ([2], None), ([3], 12), ([1, 2], 12)])
def test_an_absent_volume_is_final_after_the_third_refusal(
    message: str, counts: list[int], final: int | None
) -> None:
    events = [
        event("FailedMount", MOUNT + message, count=count, uid=str(uid))
        for uid, count in enumerate(counts)
    ]
    why = why_pod_waits(pod(CREATING), tuple(events))
    assert why is not None
    assert why.final == final


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume"])
def test_a_volume_that_comes_late_is_waited_for(reason: str) -> None:
    message = "Unable to attach or mount volumes: timed out waiting for the condition"
    why = why_pod_waits(pod(CREATING), (event(reason, message, count=99),))
    assert why is not None
    assert (why.text, why.final) == (f"{reason}: {message}", None)


def refused(message: str) -> EventView:
    return event("FailedCreate", "Error creating: " + message, about=JOB)


FORBIDDEN = 'pods "hello-x7k2p" is forbidden: '


@pytest.mark.parametrize(
    ("message", "final"),
    [
        pytest.param(
            FORBIDDEN + "exceeded quota: team, requested: limits.memory=2Gi, used: limits.memory="
            "3Gi, limited: limits.memory=4Gi",
            None,
            id="quota",
        ),
        pytest.param(
            FORBIDDEN + 'error looking up service account default/runner: serviceaccount "runner" '
            "not found",
            Exit.CONFIGURATION,
            id="no ServiceAccount",
        ),
        pytest.param(
            FORBIDDEN + 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != '
            'false (container "main" must set securityContext.allowPrivilegeEscalation=false)',
            Exit.CONFIGURATION,
            id="Pod Security",
        ),
        pytest.param(
            FORBIDDEN + "maximum memory usage per Container is 1Gi, but limit is 2Gi",
            Exit.CONFIGURATION,
            id="LimitRange",
        ),
        pytest.param(
            FORBIDDEN + "failed quota: team: must specify limits.cpu for: main; limits.memory for: "
            "main",
            Exit.CONFIGURATION,
            id="a quota that wants limits",
        ),
        pytest.param(
            'Internal error occurred: failed calling webhook "mesh.example.com": failed to call '
            "webhook: Post https://mesh.example.svc:443/inject: context deadline exceeded",
            None,
            id="a webhook does not answer",
        ),
        pytest.param("etcdserver: request timed out", None, id="the API is slow"),
    ],
)
def test_a_job_whose_pod_is_refused_tells_why(message: str, final: Exit | None) -> None:
    why = why_job_waits(picture(refused(message)))
    assert why is not None
    assert why.text == f"the Job cannot create its pod: Error creating: {message}"
    assert ("--limits" in why.hint) is ("must specify" in message)
    assert why.final == final
    assert final is None or why.hint


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        pytest.param(picture(pod()), None, id="there is a pod"),
        pytest.param(picture(pod(), suspended=True), None, id="there is a pod, still"),
        pytest.param(picture(), "no pod yet", id="none yet"),
        pytest.param(picture(suspended=True), "the Job is suspended", id="suspended"),
        pytest.param(picture(pod(phase="Failed")), "the next pod", id="between two tries"),
        pytest.param(picture(event("FailedCreate", about=POD)), "no pod yet", id="another's event"),
        pytest.param(picture(event("Other", about=JOB)), "no pod yet", id="another event"),
    ],
)
def test_a_job_without_a_pod_tells_why(seen: Picture, text: str | None) -> None:
    why = why_job_waits(seen)
    assert (why is None) if text is None else (why is not None and why.text.startswith(text))


@pytest.mark.parametrize(
    ("seen", "usual"),
    [
        (picture(), True),
        (picture(pod(phase="Failed")), True),
        (picture(suspended=True), False),
        (picture(refused("no")), False),
    ],
    ids=["none yet", "between two tries", "suspended", "refused"],
)
def test_what_every_job_passes_through_is_usual(seen: Picture, usual: bool) -> None:
    why = why_job_waits(seen)
    assert why is not None
    assert why.usual is usual


def test_the_latest_refusal_counts() -> None:
    why = why_job_waits(picture(refused("etcdserver: request timed out"), refused(FORBIDDEN)))
    assert why is not None
    assert why.final == Exit.CONFIGURATION


def test_each_waiting_pod_has_its_cause_and_the_job_its_own() -> None:
    seen = picture(pod(CREATING), pod(uid="2", phase="Running"), pod(uid="3", node=""))
    assert {uid: why.text for uid, why in causes(seen).items()} == {
        POD: "ContainerCreating",
        "3": "not scheduled yet",
    }
    assert {uid: why.text for uid, why in causes(picture()).items()} == {"": "no pod yet"}


def test_events_of_a_pod_are_those_about_it() -> None:
    seen = picture(pod(CREATING), event("Pulling", "Pulling image", about="another"))
    assert causes(seen)[POD].text == "ContainerCreating"


HOPELESS = pod(waiting("InvalidImageName", "no name"), uid="2")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(picture(), None, id="nothing yet"),
        pytest.param(picture(pod(CREATING)), None, id="waits"),
        pytest.param(picture(pod(phase="Running")), None, id="runs"),
        pytest.param(
            picture(pod(CREATING), HOPELESS), (HOPELESS, "InvalidImageName: no name"), id="one pod"
        ),
        pytest.param(
            picture(refused(FORBIDDEN + "no")),
            (None, f"the Job cannot create its pod: Error creating: {FORBIDDEN}no"),
            id="the Job",
        ),
        pytest.param(
            picture(pod(container(terminated=STUCK), phase="Failed")),
            (pod(container(terminated=STUCK), phase="Failed"), f"StartError: {STUCK.message}"),
            id="no such command",
        ),
    ],
)
def test_what_no_waiting_can_help_is_found(
    seen: Picture, expected: tuple[PodView | None, str] | None
) -> None:
    found = hopeless(seen)
    assert (found and (found[0], found[1].text)) == expected


def test_while_another_pod_runs_the_job_controller_judges() -> None:
    seen = picture(
        pod(container(terminated=STUCK), phase="Failed"),
        pod(container(running=at(0)), uid="another", phase="Running"),
    )
    assert hopeless(seen) is None
