"""A preflight's questions and its judgement, without a cluster."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import Exit
from runjob.existing import Adopt, AwaitRemoval, Fate, Refuse, Replace
from runjob.preflight.capacity import admitted, at_once, limited
from runjob.preflight.data import UNANSWERED, Answer, Facts, Listing, Object, Question, Right, Trial
from runjob.preflight.demand import containers_demands, pod_demand
from runjob.preflight.findings import findings, not_looked_at, unseen
from runjob.preflight.quantity import quantity, written
from runjob.preflight.questions import QUOTAS, RANGES, after_refusal, is_name, questions, rights
from runjob.preflight.references import Reference, references
from runjob.request import JobRequest

FORBIDDEN = Answer(None, 403, "Forbidden", 'secrets "x" is forbidden: User "u" cannot get resource')
ABSENT = Answer(None, 404, "NotFound", 'secrets "x" not found')


def job(*containers: dict[str, Any], init: tuple[Any, ...] = (), **pod: Any) -> dict[str, Any]:
    """Return a Job whose pods are so; spec.* names go to the Job's own spec."""
    own = {name[5:]: pod.pop(name) for name in list(pod) if name.startswith("spec_")}
    main = containers or ({"name": "main", "image": "busybox"},)
    spec = {"containers": list(main), "initContainers": list(init), **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "hello", "namespace": "ns"},
        "spec": {**own, "template": {"spec": spec}},
    }


def of(body: dict[str, Any], *others: dict[str, Any]) -> JobRequest:
    return JobRequest("hello", "ns", body, others, "manifest" if others else "flags")


def brought(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def asking(**resources: str) -> dict[str, Any]:
    """Return a container that requests this."""
    return {"name": "main", "resources": {"requests": resources}}


def told(
    request: JobRequest, *answers: tuple[Any, Answer], fate: Fate | None = None
) -> list[tuple[str, str, int]]:
    """Return severity, text and code of each finding."""
    facts = Facts(request, dict(answers), fate)
    return [(each.severity, each.text, int(each.code)) for each in findings(facts)]


def found(bodies: list[dict[str, Any]]) -> Answer:
    return Answer(bodies)


# -- what pods refer to ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "volume", "expected"),
    [
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            {},
            [("Secret", "s", "k", "variable A of container main")],
            id="a variable of a Secret",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": "plain"}]}, {}, [], id="a variable with its value"
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]},
            {},
            [("ConfigMap", "c", "", "envFrom of container main"),
             ("Secret", "s", "", "envFrom of container main")],
            id="all variables",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c", "optional": True}}]}, {}, [],
            id="optional",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c", "optional": False}}]}, {},
            [("ConfigMap", "c", "", "envFrom of container main")],
            id="not optional",
        ),
        pytest.param(
            {}, {"secret": {"secretName": "s", "items": [{"key": "a"}, {"key": "b"}]}},
            [("Secret", "s", "a", "volume v"), ("Secret", "s", "b", "volume v")],
            id="keys of a volume",
        ),
        pytest.param(
            {}, {"configMap": {"name": "c"}}, [("ConfigMap", "c", "", "volume v")],
            id="a volume",
        ),
        pytest.param(
            {},
            {"projected": {"sources": [
                {"secret": {"name": "s"}}, {"configMap": {"name": "c", "items": [{"key": "k"}]}},
                {"serviceAccountToken": {"path": "t"}},
            ]}},
            [("Secret", "s", "", "volume v"), ("ConfigMap", "c", "k", "volume v")],
            id="a projected volume",
        ),
        pytest.param(
            {}, {"persistentVolumeClaim": {"claimName": "p"}},
            [("PersistentVolumeClaim", "p", "", "volume v")],
            id="a claim",
        ),
        pytest.param({}, {"emptyDir": {}}, [], id="a volume of its own"),
    ],
)  # fmt: skip
def test_what_pods_cannot_start_without(
    container: dict[str, Any], volume: dict[str, Any], expected: list[Any]
) -> None:
    body = job({"name": "main", **container}, volumes=[{"name": "v", **volume}])
    assert list(references(body)) == [Reference(*each) for each in expected]


def test_init_containers_refer_too() -> None:
    first = {"name": "first", "envFrom": [{"secretRef": {"name": "s"}}]}
    assert references(job(init=(first,))) == (
        Reference("Secret", "s", "", "envFrom of container first"),
    )


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


# -- what is asked ---------------------------------------------------------------------------------


def test_the_rights_of_what_the_manifest_brings_are_asked_once_for_each_kind() -> None:
    request = of(job(), brought("Secret", "a"), brought("Secret", "b"))
    assert [str(each) for each in rights(request)][-4:] == [
        "the right to create secrets",
        "the right to get secrets",
        "the right to patch secrets",
        "the right to delete secrets",
    ]


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "A", "a..b", "a?b", "-a", "a" * 254])
def test_what_is_no_name_never_becomes_a_part_of_an_address(name: str) -> None:
    body = job(
        {"name": "main", "envFrom": [{"secretRef": {"name": name}}]},
        priorityClassName=name,
        serviceAccountName=name,
        imagePullSecrets=[{"name": name}],
    )
    assert not is_name(name)
    asked = [each for each in questions(of(body)) if isinstance(each, Object)]
    assert asked == [Object("batch/v1", "Job", "hello")]


@given(st.text(max_size=20))
def test_a_name_that_may_be_asked_for_stays_one_part_of_a_path(name: str) -> None:
    if is_name(name):
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert name not in (".", "..")


def test_what_is_no_name_is_a_finding() -> None:
    body = job({"name": "main", "envFrom": [{"secretRef": {"name": "a/b"}}]})
    assert told(of(body)) == [
        ("error", "Secret 'a/b' can be no name (for envFrom of container main)", 12)
    ]


def test_a_refusal_for_want_of_rights_asks_for_rights_and_any_other_for_objects() -> None:
    request = of(job(imagePullSecrets=[{"name": "regcred"}]))
    message = 'jobs.batch is forbidden: User "u" cannot create resource "jobs"'
    assert all(isinstance(each, Right) for each in after_refusal(request, message))
    asked = after_refusal(request, 'jobs.batch "hello" is forbidden: exceeded quota: q')
    assert asked == (Object("v1", "Secret", "regcred"), QUOTAS, RANGES)


def test_no_refusal_asks_more_than_a_few_questions() -> None:
    uses = [{"secretRef": {"name": f"s{number}"}} for number in range(40)]
    request = of(job({"name": "main", "envFrom": uses}))
    assert len(after_refusal(request, "the API refused")) == 15


def test_each_object_is_asked_for_once() -> None:
    uses = [{"secretRef": {"name": "s"}}, {"secretRef": {"name": "s"}}]
    body = job({"name": "main", "envFrom": uses}, serviceAccountName="sa", priorityClassName="high")
    assert [str(each) for each in questions(of(body)) if not isinstance(each, Right)] == [
        "ServiceAccount sa",
        "Secret s",
        "ResourceQuotas",
        "LimitRanges",
        "PriorityClass high",
        "Job hello",
        "a dry run of Job hello",
    ]


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


# -- the judgement ---------------------------------------------------------------------------------

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


# -- quantities, quotas and limits -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", Fraction(1)), (2, Fraction(2)), ("500m", Fraction(1, 2)), ("1Ki", Fraction(1024)),
        ("1k", Fraction(1000)), ("1.5Gi", Fraction(3 * 2**29)), ("2e3", Fraction(2000)),
        ("100n", Fraction(1, 10**7)), ("5u", Fraction(5, 10**6)), (".5", Fraction(1, 2)),
        ("x", None), (True, None), ("1e999", None), ("1KiB", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_quantity_is_read_exactly(text: Any, expected: Fraction | None) -> None:
    assert quantity(text) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("500m", "500m"), ("128Mi", "128Mi"), ("2Gi", "2Gi"), ("0", "0"), ("3", "3"), ("1Ki", "1Ki")],
)
def test_a_quantity_is_written_for_people(amount: str, expected: str) -> None:
    read = quantity(amount)
    assert read is not None
    assert written(read) == expected


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=1000))
def test_a_written_quantity_is_near_what_was_read(amount: Fraction) -> None:
    again = quantity(written(amount))
    assert again is not None
    assert amount <= again < amount + Fraction(1, 1000)


def test_a_pod_asks_for_its_hungriest_step() -> None:
    body = job(
        asking(cpu="1"),
        asking(cpu="1", memory="1Gi"),
        init=({**asking(cpu="1"), "restartPolicy": "Always"}, asking(cpu="4"), asking(cpu="500m")),
    )
    demand = pod_demand(body, containers_demands(body, ()))
    assert demand.requests == {"cpu": Fraction(5), "memory": Fraction(2**30)}


def test_what_is_not_said_comes_from_the_limit_and_the_limit_range() -> None:
    item = {"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"cpu": "1"},
            "max": {"disk": "5"}, "min": {"net": "2"}}  # fmt: skip
    body = job({"name": "main", "resources": {"limits": {"cpu": "2"}}})
    (demand,) = containers_demands(body, [{"spec": {"limits": [item]}}])
    assert demand.limits == {"cpu": 2, "memory": 2**30, "disk": 5}
    assert demand.requests == {"cpu": 2, "memory": 2**30, "disk": 5, "net": 2}


def limit_range(**item: Any) -> list[dict[str, Any]]:
    return [{"metadata": {"name": "r"}, "spec": {"limits": [item]}}]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}, []),
        ({"type": "Container", "max": {"cpu": "500m"}}, ["at most 500m of cpu, and wants 1"]),
        ({"type": "Container", "min": {"cpu": "2"}}, ["at least 2 of cpu, and requests 1"]),
        ({"type": "Pod", "max": {"cpu": "2"}}, ["the pod has no limit of cpu, and must have one"]),
        ({"type": "Pod", "min": {"memory": "2"}}, ["the pod requests no memory, and must"]),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1"}}, []),
    ],
)  # fmt: skip
def test_a_limit_range_is_kept(item: dict[str, Any], expected: list[str]) -> None:
    told_ = [each.text for each in limited(job(asking(cpu="1")), limit_range(**item))]
    assert len(told_) == len(expected)
    for text, end in zip(told_, expected, strict=True):
        assert text.endswith(end)


def room(body: dict[str, Any], *others: dict[str, Any], **quota: Any) -> list[tuple[str, int, str]]:
    """Return what a quota with these fields of its spec and status says."""
    status = quota.pop("status", {})
    quotas = [{"metadata": {"name": "q"}, "spec": quota, "status": status}]
    return [
        (each.severity, int(each.code), each.text)
        for each in admitted(body, others, quotas, (), Exit.REFUSED)
    ]


@pytest.mark.parametrize(
    ("hard", "used", "expected"),
    [
        pytest.param({"pods": "2"}, {"pods": "0"}, [], id="room for two pods"),
        pytest.param({"pods": "2"}, {"pods": "1"}, [("warning", 3)], id="room for one"),
        pytest.param({"count/pods": "2"}, {"count/pods": "3"}, [("error", 17)], id="overdrawn"),
        pytest.param({"cpu": "1"}, {}, [("warning", 3)], id="half of the cpu"),
        pytest.param({"requests.cpu": "500m"}, {}, [("error", 17)], id="too little cpu"),
        pytest.param({"limits.cpu": "9"}, {}, [("error", 12)], id="a limit that must be said"),
        pytest.param({"requests.gpu": "0"}, {}, [], id="what nobody asks for"),
        pytest.param({"secrets": "5"}, {"secrets": "5"}, [], id="no Secret is made"),
        pytest.param({"count/jobs.batch": "1"}, {}, [], id="one Job"),
        pytest.param({"count/jobs.batch": "1"}, {"count/jobs.batch": "1"}, [("error", 3)],
                     id="no Job more"),
        pytest.param({"configmaps": "1"}, {"configmaps": "1"}, [("error", 3)], id="ConfigMaps"),
    ],
)  # fmt: skip
def test_a_quota_is_kept(hard: Any, used: Any, expected: list[Any]) -> None:
    body = job(asking(cpu="1"), spec_parallelism=2)
    config = brought("ConfigMap", "c")
    said = room(body, config, hard=hard, status={"hard": hard, "used": used})
    assert [each[:2] for each in said] == expected


@pytest.mark.parametrize(
    ("quota", "pod", "counts"),
    [
        ({"scopes": ["BestEffort"]}, {}, False),
        ({"scopes": ["NotBestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort", "Terminating"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({"scopeSelector": {"matchExpressions": []}}, {}, True),
        ({"scopeSelector": {"matchExpressions": [{}]}}, {}, False),
        ({"scopes": "x"}, {}, True),
    ],
)
def test_a_quota_counts_the_pods_of_its_scopes(quota: Any, pod: Any, counts: bool) -> None:
    body = job(asking(cpu="1"), **pod)
    assert bool(room(body, hard={"pods": "0"}, **quota)) is counts


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, 1), ({"spec_parallelism": 4}, 4), ({"spec_parallelism": 4, "spec_completions": 2}, 2),
     ({"spec_parallelism": True}, 1), ({"spec_parallelism": 0}, 0),
     ({"spec_completions": 3}, 1)],
)  # fmt: skip
def test_so_many_pods_run_at_once(spec: Any, expected: int) -> None:
    assert at_once(job(**spec)) == expected


def test_objects_that_are_there_take_no_more_room() -> None:
    config = brought("ConfigMap", "c", data={})
    quotas = [{"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "0"}}}]
    at = Object("v1", "ConfigMap", "c")
    request = of(job(), config)
    assert told(request, (QUOTAS, found(quotas)), (at, Answer(config))) == []
    assert [each[2] for each in told(request, (QUOTAS, found(quotas)), (at, ABSENT))] == [5]


@given(st.text(min_size=8, max_size=20, alphabet="abcdefghijkmnopqrstuvwxyz0123456789"))
def test_no_value_of_a_secret_is_ever_told(value: str) -> None:
    secret = f"zz{value}"
    body = job({"name": "main", "env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]})  # fmt: skip
    there = brought("Secret", "s", data={"other": secret}, stringData={"more": secret})
    facts = Facts(of(body, there), {Object("v1", "Secret", "s"): Answer(there)})
    assert secret not in " ".join(each.line for each in findings(facts)) + not_looked_at(facts)
    assert secret not in repr(facts.answers)
