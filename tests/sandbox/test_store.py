"""Objects, versions and history."""

from __future__ import annotations

import asyncio
import json

import pytest

from runjob.sandbox.refusals import Refusal
from runjob.sandbox.resources import CONFIGMAPS, JOBS, PODS, Json, with_metadata
from runjob.sandbox.selection import labels_match
from runjob.sandbox.store import HISTORY, Store


def thing(name: str, **metadata: object) -> Json:
    return Store.prepare({"metadata": {"name": name, "namespace": "n", **metadata}})


def test_each_write_gets_the_next_version() -> None:
    store = Store()
    first = store.create(CONFIGMAPS, thing("a"))
    second = store.create(CONFIGMAPS, thing("b"))
    versions = [int(item["metadata"]["resourceVersion"]) for item in (first, second)]
    assert versions == [2, 3]
    assert store.version == 3


def test_a_write_that_changes_nothing_is_none() -> None:
    store = Store()
    stored = store.create(CONFIGMAPS, thing("a"))
    assert store.update(CONFIGMAPS, with_metadata(stored, resourceVersion=None)) is stored
    assert store.version == 2


def test_an_update_of_an_old_version_is_a_conflict() -> None:
    store = Store()
    old = store.create(CONFIGMAPS, thing("a"))
    store.update(CONFIGMAPS, with_metadata(old, labels={"x": "1"}))
    with pytest.raises(Refusal, match="the object has been modified") as caught:
        store.update(CONFIGMAPS, with_metadata(old, labels={"x": "2"}))
    assert caught.value.code == 409


def test_the_last_finalizer_that_goes_takes_a_deleted_object_with_it() -> None:
    store = Store()
    stored = store.create(PODS, thing("p", finalizers=["f"], deletionTimestamp="now"))
    store.update(PODS, with_metadata(stored, finalizers=None))
    assert store.find(PODS, ("n", "p")) is None


def test_owned_objects_are_found_by_the_uid_of_their_owner() -> None:
    store = Store()
    owned = store.create(PODS, thing("p", ownerReferences=[{"uid": "u"}]))
    assert [item["metadata"]["name"] for _, item in store.owned_by("u")] == ["p"]
    store.update(PODS, with_metadata(owned, ownerReferences=None))
    assert not list(store.owned_by("u"))


def test_a_watch_resumes_after_the_version_it_names() -> None:
    store = Store()
    store.create(PODS, thing("a"))
    since = store.version
    store.create(PODS, thing("b"))
    store.create(JOBS, thing("not a pod"))
    _, past = store.watch(PODS, since)
    assert [change.item["metadata"]["name"] for change in past] == ["b"]


def test_a_watch_from_before_the_history_is_told_so() -> None:
    store = Store()
    store.create(PODS, thing("a"))
    since = store.version
    store.forget_history()
    with pytest.raises(Refusal, match="too old resource version: 2") as caught:
        store.watch(PODS, since)
    assert caught.value.code == 410


def test_the_history_has_an_end() -> None:
    store = Store()
    item = store.create(PODS, thing("a"))
    for count in range(HISTORY):
        item = store.update(PODS, with_metadata(item, labels={"n": str(count)}))
    with pytest.raises(Refusal, match="too old"):
        store.watch(PODS, 1)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param("1", "1", "MODIFIED", id="stays"),
        pytest.param("0", "1", "ADDED", id="comes into sight"),
        pytest.param("1", "0", "DELETED", id="goes out of sight"),
        pytest.param("0", "0", None, id="never in sight"),
    ],
)
def test_a_selector_decides_what_a_change_looks_like(
    before: str, after: str, kind: str | None
) -> None:
    store = Store()
    item = store.create(PODS, thing("p", labels={"x": before, "n": "0"}))
    store.update(PODS, with_metadata(item, labels={"x": after, "n": "1"}))
    _, past = store.watch(PODS, store.version - 1)
    line = past[0].seen_through(labels_match("x=1"))
    assert (line and json.loads(line)["type"]) == kind


def test_a_watcher_gets_only_what_its_selector_can_concern() -> None:
    async def story() -> tuple[int, int]:
        store = Store()
        watcher, _ = store.watch(PODS, None, ("metadata.name", "a"))
        store.create(PODS, thing("b"))
        nothing = await watcher.take(0)
        store.create(PODS, thing("a"))
        store.create(JOBS, thing("a"))
        something = await watcher.take(5)
        store.unwatch(PODS, watcher, ("metadata.name", "a"))
        store.create(PODS, thing("c"))
        return len(nothing), len(something)

    assert asyncio.run(story()) == (0, 1)
