"""What the API accepts, refuses, changes and deletes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from runjob.sandbox import Sandbox
from runjob.sandbox.validation import LABEL_TEXT, SUBDOMAIN_TEXT

from .talk import CORE, JOBS, PODS, Json, Talk, held, job, phase_is, shell

Fresh = Callable[[], str]
SLEEP = "exec sleep 60"


def edited(change: Callable[[Json, Json, Json, Json], object]) -> Json:
    body = copy.deepcopy(job("probe", "true"))
    spec = body["spec"]
    pod = spec["template"]["spec"]
    change(body, spec, pod, pod["containers"][0])
    return body


def sets(where: str, **fields: Any) -> Callable[[Json, Json, Json, Json], object]:
    places = ("body", "spec", "pod", "main")
    return lambda *parts: dict(zip(places, parts, strict=True))[where].update(fields)


def drops(where: str, field: str) -> Callable[[Json, Json, Json, Json], object]:
    places = ("body", "spec", "pod", "main")
    return lambda *parts: dict(zip(places, parts, strict=True))[where].pop(field)


MAIN = "spec.template.spec.containers[0]"
MOUNT = {"name": "v", "mountPath": "/x"}
VOLUME = {"name": "v", "emptyDir": {}}
RULE = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [0]}}
TWICE = [{"name": "main", "image": "i"}, {"name": "main", "image": "i"}]
FIELD = {"fieldRef": {"fieldPath": "metadata.name"}}
NO_FIELD = {"fieldRef": {"fieldPath": "metadata.foo"}}
NO_NAME = {"configMapKeyRef": {"name": "", "key": ""}}


# Each text was read from an API server, not composed.
@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (sets("pod", restartPolicy="Always"),
         ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        (drops("pod", "restartPolicy"),
         ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        (sets("pod", restartPolicy="Neverr"),
         ['spec.template.spec.restartPolicy: Unsupported value: "Neverr": supported values: '
          '"Always", "OnFailure", "Never"',
          'spec.template.spec.restartPolicy: Unsupported value: "Neverr": supported values: '
          '"OnFailure", "Never"']),
        (drops("pod", "containers"), ["spec.template.spec.containers: Required value"]),
        (sets("pod", containers=[]), ["spec.template.spec.containers: Required value"]),
        (drops("main", "image"), [f"{MAIN}.image: Required value"]),
        (drops("main", "name"), [f"{MAIN}.name: Required value"]),
        (sets("spec", backoffLimit=-1),
         ["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"]),
        (sets("spec", parallelism=-1, completions=-1),
         ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
          "spec.completions: Invalid value: -1: must be greater than or equal to 0"]),
        (sets("main", env=[{"value": "x"}]), [f"{MAIN}.env[0].name: Required value"]),
        (sets("main", env=[{"name": "a=b"}]),
         [f'{MAIN}.env[0].name: Invalid value: "a=b": a valid environment variable name must '
          "consist only of printable ASCII characters other than '='"]),
        (sets("main", env=[{"name": "a", "value": "1", "valueFrom": FIELD}]),
         [f'{MAIN}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not '
          "empty"]),
        (sets("main", env=[{"name": "a", "valueFrom": NO_FIELD}]),
         [f'{MAIN}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error '
          "converting fieldPath: field label not supported: metadata.foo"]),
        (sets("pod", containers=TWICE),
         ['spec.template.spec.containers[1].name: Duplicate value: "main"']),
        (sets("main", volumeMounts=[MOUNT]), [f'{MAIN}.volumeMounts[0].name: Not found: "v"']),
        (sets("pod", volumes=[VOLUME, VOLUME]),
         ['spec.template.spec.volumes[1].name: Duplicate value: "v"']),
        (sets("pod", volumes=[{"name": "v", "hostPath": {"path": "", "type": "Dir"}}]),
         ["spec.template.spec.volumes[0].hostPath.path: Required value",
          'spec.template.spec.volumes[0].hostPath.type: Unsupported value: "Dir": supported '
          'values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", '
          '"FileOrCreate", "Socket"']),
        (sets("pod", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": ""}}]),
         ["spec.template.spec.volumes[0].persistentVolumeClaim.claimName: Required value"]),
        (sets("main", imagePullPolicy="Latest"),
         [f'{MAIN}.imagePullPolicy: Unsupported value: "Latest": supported values: "Always", '
          '"IfNotPresent", "Never"']),
        (sets("main", resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}),
         [f'{MAIN}.resources.requests: Invalid value: "2": must be less than or equal to cpu '
          "limit of 1"]),
        (sets("spec", completionMode="Foo"),
         ['spec.completionMode: Unsupported value: "Foo": supported values: "NonIndexed", '
          '"Indexed"']),
        (lambda _, spec, *__: spec.update(completionMode="Indexed", parallelism=2),
         ["spec.completions: Required value: when completion mode is Indexed"]),
        (lambda _, spec, pod, __: (spec.update(podFailurePolicy={"rules": [RULE]}),
                                     pod.update(restartPolicy="OnFailure")),
         ["spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 "
          "for the In operator",
          'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is '
          "supported when podFailurePolicy is specified"]),
        (sets("spec", podFailurePolicy={"rules": [{}]}),
         ['spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" '
          '"FailIndex" "FailJob" "Ignore"]']),
        (sets("spec", selector={"matchLabels": {"a": "b"}}),
         ['spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` not '
          "auto-generated"]),
        (sets("main", name="Bad_Name", volumeMounts=[{"name": "v"}, MOUNT, MOUNT]),
         [f'{MAIN}.name: Invalid value: "Bad_Name": {LABEL_TEXT}',
          f'{MAIN}.volumeMounts[0].name: Not found: "v"',
          f"{MAIN}.volumeMounts[0].mountPath: Required value",
          f'{MAIN}.volumeMounts[1].name: Not found: "v"',
          f'{MAIN}.volumeMounts[2].name: Not found: "v"',
          f'{MAIN}.volumeMounts[2].mountPath: Invalid value: "/x": must be unique']),
        (sets("main", env=[{"name": "a", "valueFrom": NO_NAME}]),
         [f'{MAIN}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "": {SUBDOMAIN_TEXT}',
          f"{MAIN}.env[0].valueFrom.configMapKeyRef.key: Required value"]),
        (sets("pod", serviceAccountName="Bad_"),
         [f'spec.template.spec.serviceAccountName: Invalid value: "Bad_": {SUBDOMAIN_TEXT}']),
        (drops("body", "spec"),
         ["spec.template.spec.containers: Required value",
          'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    ],
)  # fmt: skip
def test_a_wrong_job_is_refused_in_the_servers_words(
    talk: Talk, change: Callable[[Json, Json, Json, Json], object], causes: list[str]
) -> None:
    answer = talk.call("POST", JOBS, edited(change))
    text = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
    assert answer.message == f'Job.batch "probe" is invalid: {text}'
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    details = answer.json["details"]["causes"]
    assert [f"{each['field']}: {each['message']}" for each in details] == causes


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ({}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "Bad_Name"}, "a lowercase RFC 1123 subdomain must consist of"),
        ({"name": "a" * 254}, "must be no more than 253 bytes"),
        ({"name": "a" * 64}, "spec.template.labels: Invalid value: "),
        ({"name": "x", "labels": {"a b": "1"}}, "name part must consist of"),
        ({"name": "x", "labels": {"a": "c d"}}, "a valid label must be an empty string or"),
        ({"name": "x", "labels": {"a": "c" * 64}}, "must be no more than 63 bytes"),
    ],
)
def test_names_and_labels_are_checked(talk: Talk, metadata: Json, text: str) -> None:
    answer = talk.call("POST", JOBS, {**job("x", "true"), "metadata": metadata})
    assert answer.status == 422
    assert text in answer.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (sets("spec", backoffLimit="3"),
         "json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type "
         "int32"),
        (sets("spec", backoffLimit=1.5),
         "json: cannot unmarshal number 1.5 into Go struct field JobSpec.spec.backoffLimit of type "
         "int32"),
        (sets("spec", backoffLimit=3000000000),
         "json: cannot unmarshal number 3000000000 into Go struct field JobSpec.spec.backoffLimit "
         "of type int32"),
        (sets("main", env=[{"name": "a", "value": 5}]),
         "json: cannot unmarshal number into Go struct field "
         "EnvVar.spec.template.spec.containers.env.value of type string"),
        (sets("main", command="sh"),
         "json: cannot unmarshal string into Go struct field "
         "Container.spec.template.spec.containers.command of type []string"),
        (sets("main", args=[True]),
         "json: cannot unmarshal bool into Go struct field "
         "Container.spec.template.spec.containers.args of type string"),
        (sets("pod", containers={}),
         "json: cannot unmarshal object into Go struct field "
         "PodSpec.spec.template.spec.containers of type []v1.Container"),
        (sets("pod", nodeSelector=[]),
         "json: cannot unmarshal array into Go struct field "
         "PodSpec.spec.template.spec.nodeSelector of type map[string]string"),
        (sets("spec", suspend="yes"),
         "json: cannot unmarshal string into Go struct field JobSpec.spec.suspend of type bool"),
        (sets("body", spec="x"),
         "json: cannot unmarshal string into Go struct field Job.spec of type v1.JobSpec"),
        (sets("main", resources={"limits": {"memory": "12Q"}}),
         "quantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        (sets("body", metadata={"name": "x", "creationTimestamp": "yesterday"}),
         'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as '
         '"2006"'),
        (sets("body", metadata={"name": "x", "creationTimestamp": 5}),
         "json: cannot unmarshal number into Go struct field "
         "ObjectMeta.metadata.creationTimestamp of type v1.Time"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_a_bad_request(
    talk: Talk, change: Callable[[Json, Json, Json, Json], object], why: str
) -> None:
    answer = talk.call("POST", JOBS, edited(change))
    assert answer.message == f'Job in version "v1" cannot be handled as a Job: {why}'
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")


def misspelt() -> Json:
    def change(body: Json, spec: Json, _: Json, main: Json) -> None:
        main["imagee"] = "x"
        spec["backofflimit"] = 1
        body["foo"] = None

    return edited(change)


UNKNOWN = [
    f'unknown field "{MAIN}.imagee"',
    'unknown field "spec.backofflimit"',
    'unknown field "foo"',
]


def test_strictness_refuses_unknown_fields_by_name(talk: Talk) -> None:
    answer = talk.call("POST", JOBS, misspelt(), fieldValidation="Strict")
    assert answer.status == 400
    assert answer.message.endswith(f"strict decoding error: {', '.join(UNKNOWN)}")


@pytest.mark.parametrize("strictness", ["", "Warn", "Ignore"])
def test_otherwise_unknown_fields_are_dropped(talk: Talk, strictness: str) -> None:
    more = {"fieldValidation": strictness} if strictness else {}
    with talk.open("POST", JOBS, misspelt(), dryRun="All", **more) as response:
        warnings = response.headers.get_all("Warning") or []
        text = response.read()
    quoted = ['299 - "' + text.replace('"', '\\"') + '"' for text in UNKNOWN]
    assert warnings == ([] if strictness == "Ignore" else quoted)
    assert b"imagee" not in text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"fieldValidation": "Foo"}, 'fieldValidation: Unsupported value: "Foo"'),
        ({"dryRun": "Foo"}, 'dryRun: Unsupported value: "Foo"'),
    ],
)
def test_options_have_their_choices(talk: Talk, query: dict[str, str], text: str) -> None:
    answer = talk.call("POST", JOBS, job("probe", "true"), **query)
    assert answer.status == 422
    assert text in answer.message


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", f"{JOBS}/nosuch", None, 404, 'jobs.batch "nosuch" not found'),
        ("GET", f"{PODS}/nosuch/log", None, 404, 'pods "nosuch" not found'),
        ("DELETE", f"{JOBS}/nosuch", None, 404, 'jobs.batch "nosuch" not found'),
        ("POST", "/apis/batch/v1/namespaces/nosuch/jobs", job("x"), 404,
         'namespaces "nosuch" not found'),
        ("GET", "/apis/foo/v1/bars", None, 404, "the server could not find the requested resource"),
        ("GET", f"{CORE}/foos", None, 404, "the server could not find the requested resource"),
        ("GET", f"{JOBS}/x/scale", None, 404, "the server could not find the requested resource"),
        ("PUT", JOBS, job("x"), 405,
         "the server does not allow this method on the requested resource"),
        ("POST", f"{JOBS}/x", job("x"), 405,
         "the server does not allow this method on the requested resource"),
        ("OPTIONS", JOBS, None, 405,
         "the server does not allow this method on the requested resource"),
        ("POST", JOBS, {**job("x"), "kind": "Pod"}, 400,
         'Pod in version "v1" cannot be handled as a Job: no kind "Pod" is registered for version '
         '"batch/v1" in scheme "pkg/runtime/scheme.go:111"'),
        ("POST", JOBS, {**job("x"), "metadata": {"name": "x", "namespace": "other"}}, 400,
         "the namespace of the provided object does not match the namespace sent on the request"),
        ("POST", JOBS, [1], 400, "the request body is no object"),
        ("GET", f"{PODS}?watch=1&resourceVersion=abc", None, 500,
         'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'),
        ("DELETE", f"{JOBS}/x?propagationPolicy=Foo", None, 422,
         'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": '
         'supported values: "Foreground", "Background", "Orphan", "nil"'),
        ("POST", PODS, {"metadata": {"name": "x"}, "spec": {"serviceAccountName": "nosuch",
         "containers": [{"name": "m", "image": "i"}]}}, 403,
         'pods "x" is forbidden: error looking up service account controlm/nosuch: '
         'serviceaccount "nosuch" not found'),
        ("POST", f"{CORE}/secrets", {"metadata": {"name": "x"}, "data": {"a": "%%%"}}, 400,
         'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte '
         "0"),
    ],
)  # fmt: skip
def test_other_mistakes_get_the_servers_answer(
    talk: Talk, method: str, path: str, body: object, status: int, message: str
) -> None:
    answer = talk.call(method, path, body)
    assert (answer.status, answer.message) == (status, message)


def test_a_body_that_is_no_json_is_refused(talk: Talk) -> None:
    assert "json parse error" in talk.call("POST", JOBS, b"{").message
    kind = "application/vnd.kubernetes.protobuf"
    assert talk.call("POST", JOBS, b"k8s", kind=kind).status == 415


def test_a_bad_config_key_is_refused(talk: Talk) -> None:
    body = {"metadata": {"name": "x"}, "data": {"a b": "1"}}
    answer = talk.call("POST", f"{CORE}/configmaps", body)
    assert answer.message.startswith('ConfigMap "x" is invalid: data[a b]: Invalid value: "a b": ')


def test_a_request_without_the_token_is_unauthorized(sandbox: Sandbox, talk: Talk) -> None:
    right, sandbox.token = sandbox.token, "wrong"
    try:
        answer = talk.call("GET", JOBS)
    finally:
        sandbox.token = right
    assert (answer.status, answer.message) == (401, "Unauthorized")


def test_a_second_object_of_a_name_is_a_conflict(talk: Talk, fresh: Fresh) -> None:
    body = job(fresh(), "true")
    name = body["metadata"]["name"]
    first = talk.job(body)
    again = talk.call("POST", JOBS, body)
    assert (again.status, again.json["reason"]) == (409, "AlreadyExists")
    assert again.message == f'jobs.batch "{name}" already exists'
    assert talk.call("POST", JOBS, body, dryRun="All").status == 409
    assert talk.get(f"{JOBS}/{name}")["metadata"]["uid"] == first["metadata"]["uid"]


def test_a_dry_run_answers_and_leaves_nothing(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    answer = talk.call("POST", JOBS, job(name, "true"), dryRun="All")
    assert answer.status == 201
    assert answer.json["metadata"]["uid"]
    assert talk.call("GET", f"{JOBS}/{name}").status == 404


def test_a_job_gets_its_defaults_labels_and_selector(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    body = job(name, "true", pod={"metadata": {}})
    del body["spec"]["backoffLimit"], body["spec"]["template"]["spec"]["metadata"]
    body["spec"]["template"]["metadata"] = {"labels": {"app": "x"}}
    made = talk.job(body)
    spec, uid = made["spec"], made["metadata"]["uid"]
    assert (spec["backoffLimit"], spec["completions"], spec["parallelism"]) == (6, 1, 1)
    assert made["metadata"]["labels"] == {"app": "x"}
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    pod = talk.pod(name)
    assert pod["metadata"]["labels"] == {
        "app": "x",
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    owner = pod["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", name, uid)
    assert pod["metadata"]["name"].startswith(f"{name}-")


def test_a_selector_of_ones_own_needs_to_be_asked_for(talk: Talk, fresh: Fresh) -> None:
    selector = {"matchLabels": {"mine": "1"}}
    body = job(fresh(), "true", manualSelector=True, selector=selector)
    body["spec"]["template"]["metadata"] = {"labels": {"mine": "1"}}
    assert talk.job(body)["spec"]["selector"] == selector


def test_a_generated_name_begins_as_asked(talk: Talk) -> None:
    body = {"metadata": {"generateName": "map-"}, "data": {"k": "v"}}
    names = [talk.create(f"{CORE}/configmaps", body)["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("map-") and len(name) == 9 for name in names)
    assert names[0] != names[1]


def test_text_in_a_secret_is_stored_encoded(talk: Talk, fresh: Fresh) -> None:
    body = {"metadata": {"name": fresh()}, "stringData": {"a": "b"}}
    made = talk.create(f"{CORE}/secrets", body)
    assert (made["data"], made["type"]) == ({"a": "Yg=="}, "Opaque")
    change = {"stringData": {"c": "d"}}
    kind = "application/merge-patch+json"
    path = f"{CORE}/secrets/{made['metadata']['name']}"
    assert talk.call("PATCH", path, change, kind=kind).json["data"] == {"a": "Yg==", "c": "ZA=="}


def test_a_patch_changes_what_may_change(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    made = talk.job(shell(name, SLEEP, suspend=True))
    path, kind = f"{JOBS}/{name}", "application/merge-patch+json"
    labelled = talk.call("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, kind=kind).json
    assert labelled["metadata"]["labels"] == {"a": "b"}
    assert labelled["metadata"]["generation"] == 1
    more = talk.call("PATCH", path, {"spec": {"parallelism": 2}}, kind=kind).json
    assert more["metadata"]["generation"] == 2
    dry = talk.call("PATCH", path, {"spec": {"parallelism": 3}}, kind=kind, dryRun="All").json
    assert dry["spec"]["parallelism"] == 3
    stored = talk.get(path)
    assert stored["spec"]["parallelism"] == 2
    assert stored["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        ({"spec": {"completions": 5}}, "spec.completions: Invalid value: 5: field is immutable"),
        ({"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}, "field is immutable"),
        ({"spec": {"backoffLimit": -1}}, "must be greater than or equal to 0"),
    ],
)
def test_a_patch_of_the_rest_is_refused(talk: Talk, fresh: Fresh, patch: Json, text: str) -> None:
    name = fresh()
    talk.job(shell(name, SLEEP))
    talk.pod(name)
    kind = "application/merge-patch+json"
    answer = talk.call("PATCH", f"{JOBS}/{name}", patch, kind=kind)
    assert answer.status == 422
    assert text in answer.message


def test_a_pod_keeps_its_spec(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    spec = {"containers": [{"name": "m", "image": "busybox:1", "args": ["sleep", "60"]}]}
    talk.create(PODS, {"metadata": {"name": name}, "spec": spec})
    kind = "application/merge-patch+json"
    path = f"{PODS}/{name}"
    refused = talk.call("PATCH", path, {"spec": {"hostname": "x"}}, kind=kind)
    assert (refused.status, "pod updates may not change" in refused.message) == (422, True)
    labelled = talk.call("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, kind=kind)
    assert labelled.json["metadata"]["labels"] == {"a": "b"}


def test_an_update_needs_the_latest_version(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    body = {"metadata": {"name": name}, "data": {"a": "1"}}
    path = f"{CORE}/configmaps/{name}"
    made = talk.create(f"{CORE}/configmaps", body)
    assert talk.call("PUT", path, {**made, "data": {"a": "2"}}).status == 200
    stale = talk.call("PUT", path, {**made, "data": {"a": "3"}})
    assert (stale.status, "the object has been modified" in stale.message) == (409, True)
    other = {**made, "metadata": {"name": name, "uid": "other"}}
    assert talk.call("PUT", path, other).status == 409
    assert talk.get(path)["data"] == {"a": "2"}


def test_the_status_is_written_by_its_own_path(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    made = talk.job(shell(name, SLEEP, suspend=True))
    patch = {"status": {"failed": 7}, "spec": {"parallelism": 9}}
    kind = "application/merge-patch+json"
    talk.call("PATCH", f"{JOBS}/{name}/status", patch, kind=kind)
    found = talk.get(f"{JOBS}/{name}")
    assert found["spec"] == made["spec"]
    assert found["status"]["failed"] == 7


def test_objects_are_listed_by_namespace_and_selector(talk: Talk, fresh: Fresh) -> None:
    mark = fresh()
    for where, tier in (("controlm", "a"), ("controlm", "b"), ("default", "a")):
        body = {"metadata": {"name": f"{mark}-{tier}", "labels": {"mark": mark, "tier": tier}}}
        talk.create(f"/api/v1/namespaces/{where}/configmaps", body)

    def count(path: str, **query: str) -> int:
        found = talk.get(path, **query)
        assert found["kind"] == "ConfigMapList"
        return len(found["items"])

    assert count(f"{CORE}/configmaps", labelSelector=f"mark={mark}") == 2
    assert count("/api/v1/configmaps", labelSelector=f"mark={mark},tier=a") == 2
    assert count(f"{CORE}/configmaps", fieldSelector=f"metadata.name={mark}-b") == 1


def test_a_namespace_holds_what_every_one_holds_and_takes_all_with_it(
    talk: Talk, fresh: Fresh
) -> None:
    name = fresh()
    talk.create("/api/v1/namespaces", {"metadata": {"name": name}})
    home = f"/api/v1/namespaces/{name}"
    assert talk.get(f"{home}/serviceaccounts")["items"][0]["metadata"]["name"] == "default"
    assert "BEGIN CERTIFICATE" in talk.get(f"{home}/configmaps")["items"][0]["data"]["ca.crt"]
    assert talk.get(home)["status"] == {"phase": "Active"}
    talk.create(f"/apis/batch/v1/namespaces/{name}/jobs", shell("j", SLEEP))
    assert talk.call("DELETE", home).json["status"] == "Success"
    assert talk.call("GET", home).status == 404
    assert talk.get(f"/apis/batch/v1/namespaces/{name}/jobs")["items"] == []


def test_every_claim_is_bound(talk: Talk, fresh: Fresh) -> None:
    body = {"metadata": {"name": fresh()}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    made = talk.create(f"{CORE}/persistentvolumeclaims", body)
    assert made["status"] == {"phase": "Bound"}


def test_a_collection_is_deleted_as_selected(talk: Talk, fresh: Fresh) -> None:
    mark = fresh()
    for number in range(3):
        body = {"metadata": {"name": f"{mark}-{number}", "labels": {"mark": mark}}}
        talk.create(f"{CORE}/configmaps", body)
    gone = talk.call("DELETE", f"{CORE}/configmaps", labelSelector=f"mark={mark}").json
    assert len(gone["items"]) == 3
    assert talk.get(f"{CORE}/configmaps", labelSelector=f"mark={mark}")["items"] == []


def running(talk: Talk, name: str) -> Json:
    talk.job(shell(name, SLEEP))
    return talk.pod(name, phase_is("Running"))


@pytest.mark.parametrize("place", ["body", "query"])
def test_deletion_in_the_background_takes_the_pods_along(
    talk: Talk, fresh: Fresh, place: str
) -> None:
    name = fresh()
    pod = running(talk, name)
    options = {"propagationPolicy": "Background"}
    more = {"body": options} if place == "body" else options
    answer = talk.call("DELETE", f"{JOBS}/{name}", **more)
    assert answer.json["details"]["kind"] == "jobs"
    assert "Warning" not in answer.headers
    assert talk.call("GET", f"{JOBS}/{name}").status == 404
    talk.gone(PODS, pod["metadata"]["name"])


def test_deletion_in_the_foreground_ends_with_the_job(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    pod = running(talk, name)
    version = talk.get(JOBS)["metadata"]["resourceVersion"]
    answer = talk.call("DELETE", f"{JOBS}/{name}", {"propagationPolicy": "Foreground"})
    assert answer.json["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert answer.json["metadata"]["deletionTimestamp"]
    query = {"fieldSelector": f"metadata.name={name}", "resourceVersion": version}
    for event in talk.watch(JOBS, timeoutSeconds=20, **query):
        if event["type"] == "DELETED":
            break
    assert talk.call("GET", f"{PODS}/{pod['metadata']['name']}").status == 404


@pytest.mark.parametrize(
    "options", [{}, {"propagationPolicy": "Orphan"}, {"orphanDependents": True}]
)
def test_without_a_policy_the_pods_are_left_behind(talk: Talk, fresh: Fresh, options: Json) -> None:
    name = fresh()
    pod = running(talk, name)
    answer = talk.call("DELETE", f"{JOBS}/{name}", options)
    warned = answer.headers.get("Warning", "").startswith('299 - "child pods are preserved')
    assert warned is (not options)
    assert talk.call("GET", f"{JOBS}/{name}").status == 404

    def is_free(left: Json) -> bool:
        metadata = left["metadata"]
        return "ownerReferences" not in metadata and "finalizers" not in metadata

    left = talk.until(PODS, is_free, labelSelector=f"job-name={name}")
    assert left["status"]["phase"] == "Running"
    path = f"{PODS}/{pod['metadata']['name']}"
    assert talk.call("DELETE", path, gracePeriodSeconds=0).status == 200
    assert talk.call("GET", path).status == 404


def test_orphaning_can_be_ruled_out_in_the_old_words(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    pod = running(talk, name)
    talk.call("DELETE", f"{JOBS}/{name}", orphanDependents="false")
    talk.gone(PODS, pod["metadata"]["name"])


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_precondition_protects_another_object(talk: Talk, fresh: Fresh, field: str) -> None:
    name = fresh()
    talk.job(job(name, "true", suspend=True))
    path = f"{JOBS}/{name}"
    refused = talk.call("DELETE", path, {"preconditions": {field: "other"}})
    assert (refused.status, "Precondition failed" in refused.message) == (409, True)
    own = {"preconditions": {"uid": talk.get(path)["metadata"]["uid"]}}
    assert talk.call("DELETE", path, {**own, "dryRun": ["All"]}).status == 200
    assert talk.call("GET", path).status == 200
    assert talk.call("DELETE", path, own).status == 200
    assert talk.call("GET", path).status == 404


def test_a_finalizer_holds_an_object(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    body = {"metadata": {"name": name, "finalizers": ["example.org/mine"]}}
    talk.create(f"{CORE}/configmaps", body)
    path = f"{CORE}/configmaps/{name}"
    assert talk.call("DELETE", path).json["metadata"]["deletionTimestamp"]
    kind = "application/merge-patch+json"
    talk.call("PATCH", path, {"metadata": {"finalizers": None}}, kind=kind)
    assert talk.call("GET", path).status == 404


def test_an_evicted_pod_is_marked_and_deleted(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    pod = running(talk, name)
    path = f"{PODS}/{pod['metadata']['name']}"
    assert talk.call("POST", f"{path}/eviction", {}).status == 201
    found = talk.until(
        JOBS, lambda each: "Failed" in held(each), fieldSelector=f"metadata.name={name}"
    )
    assert held(found)["FailureTarget"] == "BackoffLimitExceeded"


def test_owned_objects_of_another_kind_are_collected_too(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    owner = talk.create(f"{CORE}/configmaps", {"metadata": {"name": name}})
    reference = {
        "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": owner["metadata"]["uid"],
    }  # fmt: skip
    body = {"metadata": {"name": f"{name}-part", "ownerReferences": [reference]}}
    talk.create(f"{CORE}/configmaps", body)
    talk.call("DELETE", f"{CORE}/configmaps/{name}-part")
    talk.create(f"{CORE}/configmaps", body)
    talk.call("DELETE", f"{CORE}/configmaps/{name}")
    assert talk.call("GET", f"{CORE}/configmaps/{name}-part").status == 404
