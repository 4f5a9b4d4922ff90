"""Events about objects."""

from __future__ import annotations

from runjob.sandbox.events import Recorder
from runjob.sandbox.resources import EVENTS, PODS, Json
from runjob.sandbox.store import Store


def a_pod(store: Store) -> Json:
    metadata = {"name": "p", "namespace": "n"}
    return store.create(
        PODS, Store.prepare({"kind": "Pod", "apiVersion": "v1", "metadata": metadata})
    )


def said(store: Store) -> list[tuple[str, int | None]]:
    return [(event["message"], event.get("count")) for event in store.select(EVENTS)]


def test_what_is_said_again_is_counted() -> None:
    store = Store()
    recorder, pod = Recorder(store, "node1"), a_pod(store)
    for message in ("a", "b", "a"):
        recorder.say(pod, "Failed", message, "kubelet", warning=True)
    assert said(store) == [("a", 2), ("b", 1)]


def test_the_scheduler_writes_events_without_counts() -> None:
    store = Store()
    recorder, pod = Recorder(store, "node1"), a_pod(store)
    for _ in range(2):
        recorder.say(pod, "FailedScheduling", "a", "default-scheduler", warning=True)
    (event,) = store.select(EVENTS)
    assert (event.get("count"), event["source"], event["lastTimestamp"]) == (None, {}, None)
    assert event["eventTime"]


def test_the_oldest_events_make_room() -> None:
    store = Store()
    recorder, pod = Recorder(store, "node1", kept=2), a_pod(store)
    recorder.say(pod, "Failed", "deleted by somebody", "kubelet")
    store.remove(EVENTS, ("n", store.select(EVENTS)[0]["metadata"]["name"]))
    for message in "abcd":
        recorder.say(pod, "Failed", message, "kubelet")
    assert said(store) == [("c", 1), ("d", 1)]
