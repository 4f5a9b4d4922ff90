"""What a Job needs is created, found or waited for, and bound to the Job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from runjob.asking import Asking
from runjob.errors import ApiError, Exit, LaunchError, NoClusterError
from runjob.identity import IDENTITY, Signature
from runjob.plan import LAUNCH
from runjob.provisions import Provisions
from runjob.request import Body, JobRequest
from runjob.retry import Backoff

AT_ONCE = Backoff(first=0.0, jitter=0.0)
MINE = Signature(launch="l1", identity="ns/load/r", bound=True, content="c")
JOB: Body = {"kind": "Job", "metadata": {"name": "load", "uid": "j1"}}
OF_JOB = {"apiVersion": "batch/v1", "kind": "Job", "name": "load", "uid": "j1"}


def config_map(name: str = "settings", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


class Api:
    """Answers a create with what is there, or by making it; what it is asked for stands in asked.

    answers are given before that, in turn: an error is raised.
    """

    def __init__(self, there: Mapping[str, Body] | None = None, *answers: Any) -> None:
        self.there = dict(there or {})
        self.answers = list(answers)
        self.asked: list[str] = []
        self.told: list[str] = []  # to the user

    def _next(self, what: str) -> Any:
        self.asked.append(what)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        assert (namespace, dry_run) == ("ns", False)
        name = body["metadata"]["name"]
        self._next(f"create {name}")
        if name in self.there:
            raise ApiError(409, f"{name} exists", reason="AlreadyExists")
        metadata = {**body["metadata"], "uid": f"uid of {name}", "annotations": {LAUNCH: "l1"}}
        self.there[name] = {**body, "metadata": metadata}
        return self.there[name]

    def read(self, body: Body, namespace: str) -> Body:
        assert namespace == "ns"
        name = body["metadata"]["name"]
        self._next(f"read {name}")
        if name not in self.there:
            raise ApiError(404, f"{name} not found")
        return self.there[name]

    def patch(self, body: Body, namespace: str, patch: Body, *, strategic: bool = False) -> Body:
        assert (namespace, strategic) == ("ns", True)
        assert patch["metadata"]["uid"] == body["metadata"]["uid"]
        self._next(f"patch {body['metadata']['name']}")
        return body


class Clock:
    """Goes on by a second at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


class Asker(Asking):
    """Waits for nothing."""

    def __init__(self, request: JobRequest, now: Clock) -> None:
        super().__init__(request, now, AT_ONCE, 600.0)
        self.heard: list[Any] = []
        self.tell = self.heard.append
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def provisions(api: Api, *bodies: Body, takes_up: bool = True) -> Provisions:
    request = JobRequest("load", "ns", JOB, bodies or (config_map(),), "manifest")
    clock = Clock()
    asker = Asker(request, clock)
    return Provisions(api, request, MINE, asker, clock, api.told.append, takes_up=takes_up)


def names(bodies: tuple[Body, ...]) -> list[str]:
    return [body["metadata"]["name"] for body in bodies]


def test_what_is_not_there_is_created_and_ours() -> None:
    api = Api()
    made = provisions(api, config_map("a"), config_map("b"))
    made.prepare()
    assert names(made.ours) == names(made.made) == ["a", "b"]
    made.prepare()
    assert api.asked == ["create a", "create b"]


@pytest.mark.parametrize(
    ("notes", "takes_up", "ours"),
    [
        pytest.param({}, True, False, id="somebody else's"),
        pytest.param({LAUNCH: "l0", IDENTITY: "ns/load/r"}, True, True, id="of this run"),
        pytest.param({LAUNCH: "l0", IDENTITY: "ns/load/r"}, False, False, id="not to take up"),
        pytest.param({LAUNCH: "l0", IDENTITY: "ns/load/q"}, True, False, id="of another run"),
        pytest.param({LAUNCH: "l1"}, False, True, id="ours, and the answer was lost"),
    ],
)
def test_what_is_there_is_ours_where_this_run_made_it(
    notes: dict[str, str], takes_up: bool, ours: bool
) -> None:
    made = provisions(Api({"settings": config_map(annotations=notes)}), takes_up=takes_up)
    made.prepare()
    assert bool(made.ours) is ours
    assert bool(made.made) is (notes.get(LAUNCH) == "l1")


def test_what_goes_with_a_job_that_stands_is_taken_as_it_is() -> None:
    there = {"settings": config_map(ownerReferences=[OF_JOB]), "load": JOB}
    api = Api(there)
    made = provisions(api)
    made.prepare()
    assert made.ours == ()
    assert api.asked == ["create settings", "read settings", "read load"]


@pytest.mark.parametrize(
    "leaving",
    [
        pytest.param({"deletionTimestamp": "2026-01-31T12:00:00Z"}, id="being deleted"),
        pytest.param({"ownerReferences": [OF_JOB]}, id="its Job gone"),
        pytest.param({"ownerReferences": [{**OF_JOB, "uid": "j0"}]}, id="its Job another one"),
    ],
)
def test_what_does_not_go_away_in_time_is_refused_with_the_command_to_look(
    leaving: dict[str, Any],
) -> None:
    api = Api({"settings": config_map(**leaving)})
    made = provisions(api)
    with pytest.raises(LaunchError) as refused:
        made.prepare()
    assert refused.value.exit_code is Exit.EXISTS
    assert str(refused.value).startswith("This is run ns/load/r: ConfigMap ns/settings is being ")
    assert "kubectl -n ns get configmap settings -o yaml" in str(refused.value)
    assert api.told == [
        "ConfigMap ns/settings is being deleted, or its Job was: waiting until it is gone, 15 s at "
        "most"
    ]


@pytest.mark.parametrize(
    ("finalizers", "leaving", "named"),
    [
        pytest.param(["example.org/mine"], True, True, id="another party's"),
        pytest.param(["kubernetes.io/pvc-protection"], True, False, id="of Kubernetes itself"),
        pytest.param(["example.org/mine"], False, False, id="its Job gone, itself not deleted yet"),
    ],
)
def test_what_holds_it_is_named(finalizers: list[str], leaving: bool, named: bool) -> None:
    metadata: dict[str, Any] = {"uid": "c1", "finalizers": finalizers, "ownerReferences": [OF_JOB]}
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    with pytest.raises(LaunchError) as refused:
        provisions(Api({"settings": config_map(**metadata)})).prepare()
    words = "ConfigMap settings is being deleted, but stays until whoever set its finalizer "
    assert (f"{words}example.org/mine takes that off" in str(refused.value)) is named
    assert ("it is not gone yet; look with" in str(refused.value)) is not named
    assert refused.value.exit_code is Exit.EXISTS


def test_what_is_never_read_though_its_create_meets_it_is_not_waited_for_for_ever() -> None:
    gone = ApiError(409, "settings exists"), ApiError(404, "settings not found")
    with pytest.raises(LaunchError, match="it is not gone yet; look with"):
        provisions(Api({}, *gone * 99)).prepare()


def test_what_went_meanwhile_is_made_anew() -> None:
    gone = ApiError(409, "settings exists")
    api = Api({}, gone, None)
    made = provisions(api)
    made.prepare()
    assert names(made.made) == ["settings"]
    assert api.asked == ["create settings", "read settings", "create settings"]


def test_what_went_with_an_earlier_job_is_made_anew_once_that_is_gone() -> None:
    notes = {LAUNCH: "l0", IDENTITY: "ns/load/r"}
    there = config_map(ownerReferences=[OF_JOB], annotations=notes)
    api = Api({"settings": there, "load": JOB})
    made = provisions(api)
    made.prepare()
    assert made.made == ()
    api.there.clear()
    made.prepare()
    assert names(made.made) == names(made.ours) == ["settings"]


@pytest.mark.parametrize("answers", [1, 2, 3], ids=["create", "read", "read its Job"])
def test_a_refusal_is_told_as_one_of_the_manifest(answers: int) -> None:
    conflict = ApiError(409, "settings exists")
    no = ApiError(422, "no")
    order = [conflict, config_map(), None][: answers - 1]
    api = Api({"settings": config_map(ownerReferences=[OF_JOB])}, *order, no)
    with pytest.raises(LaunchError, match="the API refused") as refused:
        provisions(api).prepare()
    assert refused.value.exit_code is Exit.MANIFEST


def test_content_that_differs_is_refused() -> None:
    there = {"settings": config_map(labels={"a": "c"})}
    with pytest.raises(LaunchError, match="exists already with other content"):
        provisions(Api(there), config_map(labels={"a": "b"})).prepare()


# -- bound to the Job ------------------------------------------------------------------------------


def bequeathed(*answers: Any) -> tuple[str, list[str]]:
    """Bind two objects; return what is said, and what was asked."""
    api = Api()
    made = provisions(api, config_map("a"), config_map("b"))
    made.prepare()
    api.asked.clear()
    api.answers.extend(answers)
    return made.bequeath(JOB, AT_ONCE, 600.0), api.asked


def test_each_is_bound_by_one_request() -> None:
    assert bequeathed() == ("", ["patch a", "patch b"])


@pytest.mark.parametrize("status", [404, 422])
def test_what_is_gone_or_another_one_by_now_is_no_trouble(status: int) -> None:
    assert bequeathed(ApiError(status, "no")) == ("", ["patch a", "patch b"])


def test_an_api_that_is_away_is_waited_for() -> None:
    assert bequeathed(ApiError(503, "away")) == ("", ["patch a", "patch a", "patch b"])


def test_what_may_not_be_bound_is_named_with_the_right_that_is_missing() -> None:
    said, asked = bequeathed(*[ApiError(403, "cannot patch")] * 7)
    assert said == (
        "whoever removes the Job in place of this launcher leaves ConfigMap a, ConfigMap b behind: "
        "cannot patch; its Role needs the verb patch on configmaps"
    )
    # An API server that has just started forbids what it will allow: that is waited for once.
    assert asked == ["patch a"] * 6 + ["patch b"]


@pytest.mark.parametrize(
    ("notes", "owners", "bound"),
    [
        pytest.param({LAUNCH: "l0"}, [{**OF_JOB, "uid": "j0", "name": "kept"}], True, id="ours"),
        pytest.param({}, [{**OF_JOB, "uid": "j0", "name": "kept"}], False, id="somebody else's"),
        pytest.param({LAUNCH: "l0"}, [], False, id="of no Job yet"),
    ],
)
@pytest.mark.parametrize("answer", [None, ApiError(422, "no"), NoClusterError("no way to log in")])
def test_what_came_along_with_another_job_is_held_by_this_one_too(
    notes: dict[str, str], owners: list[Any], bound: bool, answer: Exception | None
) -> None:
    kept = {"kind": "Job", "metadata": {"name": "kept", "uid": "j0"}}
    there = config_map(uid="u1", annotations=notes, ownerReferences=owners)
    api = Api({"settings": there, "kept": kept})
    made = provisions(api)
    made.prepare()
    assert (made.ours, made.at_stake) == ((), bool(owners))
    api.asked.clear()
    api.answers.append(answer)
    # Without this launcher it goes with that Job, and is not left behind.
    assert made.bequeath(JOB, AT_ONCE, 600.0) == ""
    assert api.asked == ["patch settings"] * bound


def test_a_login_that_fails_is_told_too() -> None:
    said, _ = bequeathed(NoClusterError("no way to log in"))
    assert said.endswith("leaves ConfigMap a behind: no way to log in")


def test_after_the_launch_nothing_is_said() -> None:
    api = Api()
    made = provisions(api)
    made.prepare()
    api.answers.extend([ApiError(503, "away")])
    made._asking.cancel()
    assert made.bequeath(JOB, AT_ONCE, 600.0) == ""
