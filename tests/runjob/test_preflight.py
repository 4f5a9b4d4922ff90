"""A preflight's judgement, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import Exit
from runjob.existing import Adopt, AwaitRemoval, Fate, Refuse, Replace
from runjob.preflight.data import UNANSWERED, Answer, Facts, Listing, Object, Question, Right, Trial
from runjob.preflight.findings import findings, not_looked_at, unseen
from runjob.preflight.questions import QUOTAS, RANGES, questions, rights
from tests.runjob.preflight_facts import ABSENT, FORBIDDEN, brought, found, job, of, told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["spec", "template", "containers", "initContainers", "volumes", "env", "envFrom",
             "valueFrom", "secretKeyRef", "name", "key", "resources", "limits", "requests", "cpu",
             "projected", "sources", "secret", "items", "parallelism", "imagePullSecrets"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON, JSON, JSON)
def test_a_job_of_any_shape_is_judged_without_an_error(spec: Any, pod: Any, other: Any) -> None:
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "hello"},
        "spec": {"template": {"spec": pod}, "parallelism": spec} if spec else other,
    }
    request = of(body)
    quotas = {
        "metadata": {"name": "q"},
        "spec": {"hard": {"cpu": "1", "pods": "2"}},
        "status": other,
    }
    ranges = {"metadata": {"name": "r"}, "spec": {"limits": [{"type": "Pod", "max": spec}]}}
    answers = dict.fromkeys(questions(request), ABSENT)
    findings(Facts(request, {**answers, QUOTAS: found([quotas]), RANGES: found([ranges])}))


def test_what_is_absent_is_told_with_the_way_to_make_it() -> None:
    uses = [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "there"}}]
    body = job(
        {"name": "main", "envFrom": uses},
        serviceAccountName="sa",
        priorityClassName="high",
        imagePullSecrets=[{"name": "regcred"}],
    )
    absent: list[Question] = [
        Object("v1", "ServiceAccount", "sa"),
        Object("v1", "Secret", "regcred"),
        Object("v1", "ConfigMap", "c"),
        Object("scheduling.k8s.io/v1", "PriorityClass", "high"),
    ]
    answers = dict.fromkeys(absent, ABSENT) | {Object("v1", "Secret", "there"): FORBIDDEN}
    assert [each.line for each in findings(Facts(of(body), answers))] == [
        "error: ServiceAccount sa does not exist; create it: kubectl -n ns create serviceaccount "
        "sa",
        "warning: the imagePullSecret regcred does not exist, and an image that asks for a login "
        "cannot be pulled; create it (kubectl create secret docker-registry), name another with "
        "-s, or none with -s none",
        "error: ConfigMap c does not exist in the namespace ns; envFrom of container main needs "
        "it; create it: kubectl -n ns create configmap c --from-file=KEY=FILE, or mark it "
        "optional where it is used",
        "error: PriorityClass high does not exist; name one that kubectl get priorityclass lists",
    ]


TRIAL = Trial("Job", "hello")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(UNANSWERED, ("the API gives no answer: no answer in time", 6), id="silence"),
        pytest.param(
            Answer(None, 503, "", "shutting down"), ("the API gives no answer: shutting down", 6),
            id="unavailable",
        ),
        pytest.param(
            Answer(None, 401, "", "Unauthorized"),
            ("the API does not accept our credentials: Unauthorized", 9),
            id="login",
        ),
        pytest.param(
            Answer(None, 0, "NoCluster", "its certificate is not trusted"),
            ("its certificate is not trusted", 9),
            id="certificate",
        ),
    ],
)  # fmt: skip
def test_without_an_api_nothing_else_is_told(answer: Answer, expected: tuple[str, int]) -> None:
    request = of(job(serviceAccountName="a/b"))
    assert told(request, (TRIAL, answer), (RANGES, answer)) == [("error", *expected)]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(None, 404, "NotFound", 'namespaces "ns" not found'), "does not exist"),
        (
            Answer(None, 403, "Forbidden", "ns because it is being terminated"),
            "is being deleted",
        ),
    ],
)
def test_without_a_namespace_nothing_else_is_told(answer: Answer, text: str) -> None:
    request = of(job(serviceAccountName="a/b"))
    assert told(request, (TRIAL, answer), (RANGES, ABSENT)) == [
        ("error", f"the namespace ns {text}", 3)
    ]


def test_a_missing_right_is_told_by_what_it_costs() -> None:
    given_ = Answer(True)
    answers = [
        (Right("create", "batch", "jobs"), given_),
        (Right("patch", "batch", "jobs"), Answer(False)),
        (Right("list", "", "pods"), Answer(False)),
        (Right("watch", "", "pods"), Answer(False)),
        (Right("create", "", "secrets"), given_),
        (Right("delete", "", "secrets"), Answer(False)),
        (Right("create", "", "services"), Answer(False)),
        (Right("list", "", "events"), UNANSWERED),
    ]
    assert [(each[0], each[1].partition(" in the")[0]) for each in told(of(job()), *answers)] == [
        ("warning", "no right to patch jobs"),
        ("error", "no right to list, watch pods"),
        ("warning", "no right to delete secrets"),
        ("error", "no right to create services"),
    ]


def test_no_rights_at_all_are_one_finding() -> None:
    answers = [(each, Answer(False)) for each in rights(of(job()))]
    refused = (TRIAL, Answer(None, 403, "", 'jobs is forbidden: User "u" cannot create resource'))
    assert told(of(job()), *answers, refused) == [
        ("error", "none of the rights that a launch needs are given in the namespace ns", 3)
    ]


def test_what_the_manifest_brings_along_counts_as_there() -> None:
    uses = [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}]
    variable = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "b"}}}
    body = job(
        {"name": "main", "envFrom": uses, "env": [variable]},
        serviceAccountName="sa",
        imagePullSecrets=[{"name": "s"}],
    )
    others = (
        brought("Secret", "s", stringData={"a": "secret-value"}, data={"c": "eA=="}),
        brought("ConfigMap", "c"),
        brought("ServiceAccount", "sa"),
    )
    answers = [(Object("v1", each["kind"], each["metadata"]["name"]), ABSENT) for each in others]
    assert told(of(body, *others), *answers) == [
        ("error", "Secret s has no key b, which variable A of container main needs", 12)
    ]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({"status": {"phase": "Bound"}}, []),
        ({"status": {"phase": "Pending"}}, []),
        ({"status": {"phase": "Lost"}}, ["has lost its volume"]),
        ({"metadata": {"deletionTimestamp": "2026-01-31T12:00:00Z"}}, ["is being deleted"]),
    ],
)
def test_a_claim_must_be_one_to_mount(claim: dict[str, Any], expected: list[str]) -> None:
    body = job(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "p"}}])
    answer = (Object("v1", "PersistentVolumeClaim", "p"), Answer({"metadata": {}, **claim}))
    assert told(of(body), answer) == [
        ("error", f"PersistentVolumeClaim p {each}", 11) for each in expected
    ]


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        (Refuse("Job ns/hello stands", "use another"), ["error: Job ns/hello stands; use another"]),
        (Adopt(again=True), ["a launch would follow it"]),
        (Replace("u", "1"), ["a launch would remove it and begin anew (--if-exists replace)"]),
        (AwaitRemoval(), ["a launch would wait until it is gone"]),
        (None, []),
    ],
)
def test_what_a_launch_would_do_with_the_job_that_stands_is_told(
    fate: Fate | None, expected: list[str]
) -> None:
    made = "2026-01-31T12:00:00Z"
    there = {"metadata": {"annotations": {"runjob/launch": "x"}, "creationTimestamp": made}}
    answers: dict[Question, Answer] = {Object("batch/v1", "Job", "hello"): Answer(there)}
    said = (
        "warning: Job ns/hello exists already, made by another launch of runjob at "
        f"{made}, running; "
    )
    found = findings(Facts(of(job()), answers, fate))
    assert [each.line.removeprefix(said) for each in found] == expected
    assert all(each.code is Exit.EXISTS for each in found if each.severity == "error")


def test_names_that_are_taken_are_told() -> None:
    other = brought("ConfigMap", "c", data={"a": "1"})
    request = of(job(), other, brought("Secret", "s", stringData={"a": "1"}))
    same = (Object("v1", "Secret", "s"), Answer(brought("Secret", "s", data={"a": "MQ=="})))
    unlike = (Object("v1", "ConfigMap", "c"), Answer(brought("ConfigMap", "c", data={"a": "2"})))
    assert told(request, same, unlike) == [
        ("error", "ConfigMap ns/c exists already with other content", 15)
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer({}), [], id="taken"),
        pytest.param(Answer(None, 409, "AlreadyExists", "x"), [], id="told by what is there"),
        pytest.param(
            Answer(None, 422, "Invalid", "spec.x: wrong"),
            [("error", "the API refuses Job ns/hello: spec.x: wrong", 3)],
            id="invalid",
        ),
        pytest.param(
            Answer(None, 403, "Forbidden", 'User "u" cannot create resource "jobs"'),
            [("error", 'the API refuses Job ns/hello: User "u" cannot create resource "jobs"', 3)],
            id="forbidden by something else than a right that is missing",
        ),
        pytest.param(
            Answer(None, 500, "InternalError", "failed calling webhook"),
            [("error", "the API refuses Job ns/hello: failed calling webhook", 6)],
            id="a webhook that fails, which a launch tries again",
        ),
        pytest.param(
            UNANSWERED,
            [("warning",
              "whether the API takes Job ns/hello is not known: no answer in time", 3)],
            id="not answered",
        ),
    ],
)  # fmt: skip
def test_a_dry_run_tells(answer: Answer, expected: list[Any]) -> None:
    assert told(of(job()), (TRIAL, answer), (RANGES, found([]))) == expected


def test_what_may_not_be_bound_to_its_job_is_told_as_what_a_lost_launcher_leaves() -> None:
    (found_,) = told(of(job()), (Right("patch", "", "secrets"), Answer(False)))
    assert found_[0] == "warning"
    assert "no right to patch secrets" in found_[1]
    assert "left behind where the launcher is lost" in found_[1]


def test_what_was_not_looked_at_is_told_by_its_kind_once() -> None:
    answers: dict[Question, Answer] = {
        Object("v1", "Secret", "a"): FORBIDDEN,
        Object("v1", "Secret", "b"): FORBIDDEN,
        Object("scheduling.k8s.io/v1", "PriorityClass", "p"): FORBIDDEN,
        Object("v1", "ConfigMap", "c"): ABSENT,
        Listing("LimitRange", "limitranges"): UNANSWERED,
        Right("get", "", "pods"): Answer(None, 405, "", "no such method"),
        TRIAL: UNANSWERED,
    }
    facts = Facts(of(job()), answers)
    assert not_looked_at(facts) == (
        "Secrets, PriorityClasses (no right to get them); LimitRanges (no answer in time); "
        "own rights (no such method)"
    )
    assert unseen(facts) == 4
    assert unseen(Facts(of(job()))) == 0


@given(st.text(min_size=8, max_size=20, alphabet="abcdefghijkmnopqrstuvwxyz0123456789"))
def test_no_value_of_a_secret_is_ever_told(value: str) -> None:
    secret = f"zz{value}"
    body = job({"name": "main", "env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]})  # fmt: skip
    there = brought("Secret", "s", data={"other": secret}, stringData={"more": secret})
    facts = Facts(of(body, there), {Object("v1", "Secret", "s"): Answer(there)})
    assert secret not in " ".join(each.line for each in findings(facts)) + not_looked_at(facts)
    assert secret not in repr(facts.answers)
