"""What the API accepts, changes and deletes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runjob.sandbox import Sandbox

from .talk import CORE, JOBS, PODS, Json, Talk, held, job, phase_is, shell

Fresh = Callable[[], str]
SLEEP = "exec sleep 60"


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


def test_a_patch_can_insist_on_its_object(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    uid = talk.job(shell(name, SLEEP))["metadata"]["uid"]
    path, kind = f"{JOBS}/{name}", "application/merge-patch+json"
    same = {"metadata": {"uid": uid, "annotations": {"a": "b"}}}
    assert talk.call("PATCH", path, same, kind=kind).status == 200
    other = {"metadata": {"uid": "x", "annotations": {"a": "c"}}}
    refused = talk.call("PATCH", path, other, kind=kind)
    assert refused.status == 422
    assert 'metadata.uid: Invalid value: "x": field is immutable' in refused.message
    assert talk.get(path)["metadata"]["annotations"] == {"a": "b"}


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
    assert (refused.status, "in the precondition (other) does not match" in refused.message) == (
        409,
        True,
    )
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


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_what_a_job_owns_goes_once_the_job_has(talk: Talk, fresh: Fresh, policy: str) -> None:
    name = fresh()
    path = owned(talk, f"{name}-map", *(talk.job(job(each, "true", suspend=True)) for each in (
        name, f"{name}-other")))  # fmt: skip
    talk.call("DELETE", f"{JOBS}/{name}", {"propagationPolicy": policy})
    assert talk.call("GET", f"{JOBS}/{name}").status == 404
    left = talk.get(path)["metadata"]["ownerReferences"]
    assert [each["name"] for each in left] == [f"{name}-other"]
    talk.call("DELETE", f"{JOBS}/{name}-other", {"propagationPolicy": policy})
    assert talk.call("GET", path).status == 404


def test_what_gets_an_owner_that_is_gone_is_collected(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    gone = talk.job(job(name, "true", suspend=True))
    talk.call("DELETE", f"{JOBS}/{name}", {"propagationPolicy": "Background"})
    owned(talk, f"{name}-map", gone)
    talk.gone(f"{CORE}/configmaps", f"{name}-map")


def test_an_owner_of_a_kind_that_is_not_served_is_believed(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "u"}
    talk.create(f"{CORE}/configmaps", {"metadata": {"name": name, "ownerReferences": [owner]}})
    assert talk.get(f"{CORE}/configmaps/{name}")["metadata"]["ownerReferences"] == [owner]


def owned(talk: Talk, name: str, *owners: Json) -> str:
    """Create a ConfigMap that goes with the last of these Jobs; return its address."""
    references = [
        {"apiVersion": "batch/v1", "kind": "Job", "name": each["metadata"]["name"],
         "uid": each["metadata"]["uid"], "controller": False, "blockOwnerDeletion": False}
        for each in owners
    ]  # fmt: skip
    body = {"metadata": {"name": name, "ownerReferences": references}}
    talk.create(f"{CORE}/configmaps", body)
    return f"{CORE}/configmaps/{name}"


def test_a_list_comes_in_parts_of_the_size_that_was_asked_for(talk: Talk, fresh: Fresh) -> None:
    for _ in range(5):
        talk.job(job(fresh(), "true", suspend=True))
    everything = [item["metadata"]["name"] for item in talk.get(JOBS)["items"]]
    names, token, left = [], "", len(everything)
    while True:
        answer = talk.get(JOBS, limit=2, **({"continue": token} if token else {}))
        assert len(answer["items"]) <= 2
        names += [item["metadata"]["name"] for item in answer["items"]]
        left -= len(answer["items"])
        assert answer["metadata"].get("remainingItemCount", 0) == left
        token = answer["metadata"].get("continue", "")
        if not token:
            break
    assert (names, left) == (everything, 0)


@pytest.mark.parametrize("query", [{"limit": "many"}, {"continue": "?"}, {"continue": "bnVsbA=="}])
def test_a_part_that_is_none_is_refused(talk: Talk, query: dict[str, str]) -> None:
    assert talk.call("GET", JOBS, **query).status == 400
