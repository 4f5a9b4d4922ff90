"""What the kubelet, the scheduler and the Job controller say is told from what will not heal.

The messages are those of containerd, the kubelet and the API server as users have met them.
"""

from __future__ import annotations

import pytest

from runjob.errors import Exit
from runjob.observed import ContainerView, EventView, Picture, PodView
from runjob.waiting import (
    CONFIGURATION_HINT,
    Waiting,
    cannot_start,
    causes,
    hopeless,
    why_container_waits,
    why_job_waits,
    why_pod_waits,
)
from tests.runjob.scenes import (
    JOB,
    NOON,
    POD,
    at,
    condition,
    container,
    ended,
    event,
    picture,
    pod,
    waiting,
)


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


NOT_FOUND = 'exec: "{}": executable file not found in $PATH: unknown'
RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: "
)


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


# -- pods ----------------------------------------------------------------------------------------

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


# -- the Job -------------------------------------------------------------------------------------


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


# -- all together --------------------------------------------------------------------------------

STUCK = ended(128, "StartError", message=RUNC + NOT_FOUND.format("nope"))
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
