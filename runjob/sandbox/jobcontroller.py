"""The Job controller: carries out what ``jobs`` decides."""

from __future__ import annotations

import asyncio
import secrets
import time

from .admission import SUFFIX_LETTERS, admit_pod
from .deletion import DeleteOptions, delete
from .events import Recorder
from .jobs import INDEX, TRACKING, Plan, condition_of, decide, is_finished, is_tracked
from .moments import seconds_of
from .node import Timings
from .refusals import Refusal
from .resources import JOBS, PODS, Json, Key, key_of, uid_of, with_metadata, with_status
from .store import Change, Store

COMPONENT = "job-controller"


class JobController:
    """Looks at a Job whenever it or one of its pods changes, and when time makes it due."""

    def __init__(self, store: Store, recorder: Recorder, timings: Timings) -> None:
        self._store = store
        self._recorder = recorder
        self._timings = timings
        self._due: dict[str, Key] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._retries: dict[str, tuple[int, float]] = {}
        store.observe(JOBS, self._note_job)
        store.observe(PODS, self._note_pod)

    def _note_job(self, change: Change) -> None:
        uid = uid_of(change.item)
        if change.type == "DELETED":
            self._retries.pop(uid, None)
            if timer := self._timers.pop(uid, None):
                timer.cancel()
        else:
            self._wake(uid, key_of(change.item))

    def _note_pod(self, change: Change) -> None:
        pod = change.item
        for owner in pod["metadata"].get("ownerReferences") or ():
            key = (pod["metadata"]["namespace"], owner["name"])
            if owner.get("controller") and self._store.find(JOBS, key) is not None:
                self._wake(owner["uid"], key)
                return
        if is_tracked(pod) and change.type != "DELETED":
            asyncio.get_running_loop().call_soon(self._release, key_of(pod))

    def _wake(self, uid: str, key: Key) -> None:
        if not self._due:
            asyncio.get_running_loop().call_soon(self._work)
        self._due[uid] = key

    def _work(self) -> None:
        due, self._due = self._due, {}
        for uid, key in due.items():
            job = self._store.find(JOBS, key)
            if job is not None and uid_of(job) == uid:
                self._sync(job)

    def _sync(self, job: Json) -> None:
        uid = uid_of(job)
        if "deletionTimestamp" in job["metadata"]:
            self._release_all(job)
            return
        pods = [item for kind, item in self._store.owned_by(uid) if kind is PODS]
        failures, retry_at = self._retries.get(uid, (0, 0.0))
        now = time.time()
        plan = decide(job, pods, now, retry_at)
        if plan.failures:
            retry_at = now + self._timings.doubled(self._timings.job_backoff, failures)
            self._retries[uid] = (failures + plan.failures, retry_at)
            if plan.create:
                # The failure is news: its pod is replaced only after the back-off.
                plan = decide(job, pods, now, retry_at)
        self._carry_out(job, plan)
        if plan.look_again is not None:
            self._later(uid, key_of(job), plan.look_again - now)
        self._expire(job, now)

    def _carry_out(self, job: Json, plan: Plan) -> None:
        namespace = job["metadata"]["namespace"]
        made = sum(self._create_pod(job, index) for index in plan.create)
        status = plan.status
        if made < len(plan.create):
            status = {**status, "active": status["active"] - len(plan.create) + made}
            if not status["active"]:
                del status["active"]
            self._later(uid_of(job), key_of(job), self._timings.retry)
        # The status comes before the release: a pod lets go only when it is counted.
        job = self._store.update(JOBS, with_status(job, status))
        for name in plan.delete:
            self._delete_pod(job, (namespace, name))
        for name in plan.release:
            self._release((namespace, name))
        for note in plan.notes:
            self._recorder.say(job, note.reason, note.message, COMPONENT, note.warning)

    def _create_pod(self, job: Json, index: int | None) -> bool:
        pod = pod_for(job, index)
        try:
            pod = self._store.create(PODS, admit_pod(self._store, Store.prepare(pod)))
        except Refusal as refusal:
            text = f"Error creating: {refusal.message}"
            self._recorder.say(job, "FailedCreate", text, COMPONENT, warning=True)
            return False
        text = f"Created pod: {pod['metadata']['name']}"
        self._recorder.say(job, "SuccessfulCreate", text, COMPONENT)
        return True

    def _delete_pod(self, job: Json, key: Key) -> None:
        pod = self._store.find(PODS, key)
        if pod is not None:
            delete(self._store, PODS, pod, DeleteOptions("Background"))
            self._recorder.say(job, "SuccessfulDelete", f"Deleted pod: {key[1]}", COMPONENT)

    def _release_all(self, job: Json) -> None:
        for kind, item in list(self._store.owned_by(uid_of(job))):
            if kind is PODS:
                self._release(key_of(item))

    def _release(self, key: Key) -> None:
        """Take the controller's finalizer off a pod."""
        pod = self._store.find(PODS, key)
        if pod is not None and is_tracked(pod):
            left = [each for each in pod["metadata"]["finalizers"] if each != TRACKING]
            self._store.update(PODS, with_metadata(pod, finalizers=left or None))

    def _expire(self, job: Json, now: float) -> None:
        """Delete a finished Job when its time to live is over."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None or not is_finished(job):
            return
        condition = condition_of(job, "Complete") or condition_of(job, "Failed") or {}
        due = seconds_of(condition["lastTransitionTime"]) + seconds
        if now < due:
            self._later(uid_of(job), key_of(job), due - now)
        else:
            delete(self._store, JOBS, job, DeleteOptions("Foreground"))

    def _later(self, uid: str, key: Key, seconds: float) -> None:
        if timer := self._timers.pop(uid, None):
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[uid] = loop.call_later(max(0.0, seconds), self._wake, uid, key)


def pod_for(job: Json, index: int | None) -> Json:
    """Make a pod from a Job's template."""
    metadata, template = job["metadata"], job["spec"]["template"]
    stem = f"{metadata['name']}-" + ("" if index is None else f"{index}-")
    suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(5))
    labels = dict(template["metadata"].get("labels") or {})
    annotations = dict(template["metadata"].get("annotations") or {})
    spec = dict(template["spec"])
    if index is not None:
        labels[INDEX] = annotations[INDEX] = str(index)
        spec.setdefault("hostname", f"{metadata['name']}-{index}")
        for field in ("initContainers", "containers"):
            if spec.get(field):
                spec[field] = [_with_index(each) for each in spec[field]]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": stem[:58] + suffix,
            "generateName": stem,
            "namespace": metadata["namespace"],
            "labels": labels,
            **({"annotations": annotations} if annotations else {}),
            "finalizers": [TRACKING],
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": spec,
    }


def _with_index(container: Json) -> Json:
    path = {"fieldPath": f"metadata.labels['{INDEX}']"}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": path}}
    return {**container, "env": [*(container.get("env") or ()), variable]}
