"""What the API refuses, in the words of a real server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from runjob.sandbox.validation import LABEL_TEXT, SUBDOMAIN_TEXT

from .talk import CORE, JOBS, PODS, Json, Talk, job

Fresh = Callable[[], str]


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
