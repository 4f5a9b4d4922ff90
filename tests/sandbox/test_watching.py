"""Watches as the API gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from runjob.sandbox import Sandbox
from runjob.sandbox.node import Timings

from .talk import CORE, JOBS, PODS, Json, Talk

Fresh = Callable[[], str]
MAPS = f"{CORE}/configmaps"
MERGE = "application/merge-patch+json"


def make(talk: Talk, name: str, **labels: str) -> Json:
    return talk.create(MAPS, {"metadata": {"name": name, "labels": labels}})


def take(events: Iterator[Json], count: int) -> list[tuple[str, str]]:
    taken = (next(events) for _ in range(count))
    return [(event["type"], event["object"]["metadata"]["name"]) for event in taken]


def test_a_watch_follows_an_object_from_first_to_last(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    version = talk.get(MAPS)["metadata"]["resourceVersion"]
    events = talk.watch(MAPS, resourceVersion=version)
    make(talk, name)
    talk.call("PATCH", f"{MAPS}/{name}", {"data": {"a": "1"}}, kind=MERGE)
    talk.call("DELETE", f"{MAPS}/{name}")
    assert take(events, 3) == [("ADDED", name), ("MODIFIED", name), ("DELETED", name)]


@pytest.mark.parametrize("version", [None, "0"])
def test_without_a_version_the_state_comes_first(
    talk: Talk, fresh: Fresh, version: str | None
) -> None:
    name = fresh()
    make(talk, name, mark=name)
    query = {} if version is None else {"resourceVersion": version}
    events = talk.watch(MAPS, labelSelector=f"mark={name}", **query)
    assert take(events, 1) == [("ADDED", name)]
    make(talk, f"{name}-2", mark=name)
    assert take(events, 1) == [("ADDED", f"{name}-2")]


def test_an_object_that_loses_its_label_leaves_the_watch(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    events = talk.watch(MAPS, labelSelector=f"mark={name}")
    make(talk, name, mark=name)
    for mark in (None, name):
        patch = {"metadata": {"labels": {"mark": mark}}}
        talk.call("PATCH", f"{MAPS}/{name}", patch, kind=MERGE)
    assert take(events, 3) == [("ADDED", name), ("DELETED", name), ("ADDED", name)]


def test_a_watch_sees_its_namespace_only(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    own = talk.watch(MAPS, labelSelector=f"mark={name}")
    every = talk.watch("/api/v1/configmaps", labelSelector=f"mark={name}")
    elsewhere = {"metadata": {"name": f"{name}-x", "labels": {"mark": name}}}
    talk.create("/api/v1/namespaces/default/configmaps", elsewhere)
    make(talk, name, mark=name)
    assert take(own, 1) == [("ADDED", name)]
    assert sorted(take(every, 2)) == [("ADDED", name), ("ADDED", f"{name}-x")]


def test_a_watch_ends_when_its_time_is_over(talk: Talk) -> None:
    assert list(talk.watch(JOBS, timeoutSeconds=1)) == []


def test_bookmarks_come_when_they_are_wanted() -> None:
    with Sandbox(timings=Timings(bookmark=0.05)) as sandbox:
        talk = Talk(sandbox)
        event = next(talk.watch(PODS, allowWatchBookmarks="true"))
        version = talk.get(PODS)["metadata"]["resourceVersion"]
    assert event["type"] == "BOOKMARK"
    assert event["object"]["kind"] == "Pod"
    assert event["object"]["metadata"]["resourceVersion"] == version


def test_bookmarks_come_though_others_change_all_the_while(fresh: Fresh) -> None:
    """A watch that sees nothing of what goes on beside it would look broken without them."""
    with Sandbox(timings=Timings(bookmark=0.2)) as sandbox:
        talk, over = Talk(sandbox), threading.Event()
        busy = Talk(sandbox)

        def change() -> None:
            while not over.wait(0.02):
                make(busy, fresh(), mark="other")

        thread = threading.Thread(target=change)
        thread.start()
        try:
            query = {"labelSelector": "mark!=other", "allowWatchBookmarks": "true"}
            steps = talk.watch(MAPS, timeoutSeconds=5, **query)
            assert any(each["type"] == "BOOKMARK" for each in steps)
        finally:
            over.set()
            thread.join()


def test_the_end_of_the_state_can_be_marked(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    make(talk, name, mark=name)
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    events = talk.watch(MAPS, labelSelector=f"mark={name}", **query)
    assert next(events)["type"] == "ADDED"
    mark = next(events)
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_version_before_the_history_ends_the_watch_with_an_error(
    sandbox: Sandbox, talk: Talk
) -> None:
    version = talk.get(PODS)["metadata"]["resourceVersion"]
    sandbox.forget_history()
    events = list(talk.watch(PODS, resourceVersion=version))
    assert [(each["type"], each["object"]["code"]) for each in events] == [("ERROR", 410)]
    assert events[0]["object"]["message"].startswith(f"too old resource version: {version} (")


def test_tables_are_for_kubectl(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    make(talk, name, mark=name)
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    query = {"labelSelector": f"mark={name}", "accept": accept}
    found = talk.get(MAPS, **query)
    assert [row["cells"][0] for row in found["rows"]] == [name]
    event = next(talk.watch(MAPS, **query))
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Table")
    talk.call("PATCH", f"{MAPS}/{name}", {"metadata": {"labels": {"mark": "x"}}}, kind=MERGE)
    assert list(talk.watch(MAPS, timeoutSeconds=1, **query)) == []
