"""gc and show before an API that refuses, forgets and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runjob.afterwards import FORBIDDEN, LOOK, LOOKS, TRIES, Caretaker
from runjob.commands import Commands
from runjob.errors import ApiError, Exit, LaunchError
from runjob.leftovers import Wanted
from runjob.options import Connection
from runjob.request import EVENT, JOB, POD, Body, Kind
from runjob.retry import REFUSALS
from runjob.subcommands import Collect, Roster, Show
from tests.runjob.jobs import job, launched
from tests.runjob.scenes import NOON

CONNECTION = Connection()
REMOVE = Collect(namespace="ns", connection=CONNECTION, wanted=Wanted(), delete=True)
SHOW = Show(name="hello", namespace="ns", connection=CONNECTION)


@dataclass
class Api:
    """Holds Jobs, and fails as it is told: for a verb and a name, the errors to come."""

    jobs: list[Body]
    errors: dict[tuple[str, str], list[ApiError]] = field(default_factory=dict)
    removed: list[tuple[str, str, str]] = field(default_factory=list)
    ways: set[str] = field(default_factory=set)
    held: tuple[str, ...] = ()

    def now(self) -> datetime:
        return NOON + timedelta(hours=2)

    def _fail(self, verb: str, name: str) -> None:
        coming = self.errors.get((verb, name))
        if coming:
            raise coming.pop(0)

    def pages(
        self, kind: Kind, namespace: str | None, query: Mapping[str, str]
    ) -> Iterator[list[Body]]:
        assert namespace in ("ns", None)
        assert (kind is JOB) == (not query)
        found = self.jobs if kind is JOB else []
        yield found[:1]
        self._fail("list", kind.plural)
        yield found[1:]

    def read(self, body: Body, namespace: str) -> Body:
        assert namespace == "ns"
        self._fail("get", body["metadata"]["name"])
        return next(each for each in self.jobs if each["metadata"]["name"] == "hello")

    def remove(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        uid: str,
        version: str,
        *,
        propagation: str = "Background",
    ) -> tuple[str, ...]:
        assert (kind, namespace) == (JOB, "ns")
        self._fail("delete", name)
        self.removed.append((name, uid, version))
        self.ways.add(propagation)
        return self.held

    def tail(self, *where: object, previous: bool = False) -> bytes:
        raise AssertionError(f"there is no log to read: {where} {previous}")


@dataclass
class Paper:
    """Keeps what is printed."""

    lines: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def remark(self, text: str) -> None:
        self.remarks.append(text)


MINE = "example.org/mine"


def jobs(*names: str, finalizers: tuple[str, ...] = ()) -> list[Body]:
    made = [
        job(name=name, namespace="ns", uid=f"of-{name}", finalizers=finalizers) for name in names
    ]
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}}
    return [{**each, "spec": {"selector": selector}} for each in made]


def caretaker(api: Api, paper: Paper, waits: list[float] | None = None) -> Caretaker:
    return Caretaker(
        api,
        paper,
        wait=([] if waits is None else waits).append,
    )


def test_each_job_is_removed_as_it_was_seen() -> None:
    api, paper = Api(jobs("a", "b", "c")), Paper()
    assert caretaker(api, paper).collect(REMOVE) == 0
    assert api.removed == [("a", "of-a", "7"), ("b", "of-b", "7"), ("c", "of-c", "7")]
    assert [line.split()[:2] for line in paper.lines] == [["removed", name] for name in "abc"]
    assert paper.remarks == ["3 Jobs removed in namespace ns"]
    assert api.ways == {"Background"}


def test_what_cannot_be_removed_says_why_and_the_others_go() -> None:
    api, paper = Api(jobs("a", "b", "c", "d")), Paper()
    api.errors = {
        ("delete", "a"): [ApiError(403, "you may not", reason="Forbidden")] * REFUSALS,
        ("delete", "b"): [ApiError(409, "precondition", reason="Conflict")],
        ("delete", "c"): [ApiError(404, "not found", reason="NotFound")],
    }
    assert caretaker(api, paper).collect(REMOVE) == int(Exit.FAILED)
    assert [line.split("  ")[0] for line in paper.lines] == [
        "NOT removed", "NOT removed", "gone already", "removed",
    ]  # fmt: skip
    assert paper.remarks == [
        "error: Job ns/a was not removed: you may not",
        "error: Job ns/b was not removed: it changed since it was looked at; run this again",
        "2 Jobs removed in namespace ns",
    ]


@pytest.mark.parametrize(
    ("looks", "goes"),
    [
        pytest.param([ApiError(404, "not found")], True, id="goes"),
        pytest.param([ApiError(503, "away"), ApiError(404, "not found")], True, id="goes later"),
        pytest.param([], False, id="stays"),
    ],
)
def test_a_job_that_a_finalizer_holds_is_given_a_moment(looks: list[ApiError], goes: bool) -> None:
    api, paper = Api(jobs("hello", finalizers=(MINE,))), Paper()
    waits: list[float] = []
    expected_looks = len(looks) or LOOKS
    api.held, api.errors = (MINE,), {("get", "hello"): looks}
    expected = (0, 0) if goes else (int(Exit.FAILED), 1)
    assert (caretaker(api, paper, waits).collect(REMOVE), len(paper.remarks) - 1) == expected
    assert waits == [LOOK] * expected_looks
    if not goes:
        assert "ns/hello was not removed: Job hello is being deleted, but stays" in paper.remarks[0]


def test_another_job_of_the_name_means_that_the_one_that_was_held_is_gone() -> None:
    api, paper = Api(jobs("hello", finalizers=(MINE,))), Paper()
    api.held = (MINE,)
    later = jobs("hello", finalizers=(MINE,))[0]
    later["metadata"]["uid"] = "another"

    def comes(_seconds: float) -> None:
        api.jobs = [later]

    assert Caretaker(api, paper, wait=comes).collect(REMOVE) == 0
    assert paper.remarks == ["1 Job removed in namespace ns"]


def test_a_job_that_is_let_go_and_waits_for_its_pods_alone_is_not_held() -> None:
    """They may take longer to end than anybody looks."""
    api, paper = Api(jobs("hello", finalizers=(MINE, "foregroundDeletion"))), Paper()
    api.held = (MINE,)

    def let_go(_seconds: float) -> None:
        api.jobs = jobs("hello", finalizers=("foregroundDeletion",))

    assert Caretaker(api, paper, wait=let_go).collect(REMOVE) == 0
    assert paper.remarks == ["1 Job removed in namespace ns"]


LOST = Collect(namespace="ns", connection=CONNECTION, wanted=Wanted(), lost=True)
ROSTER = Roster(namespace="ns", connection=CONNECTION)


def test_a_job_without_its_launcher_is_removed_as_it_was_seen_and_no_other() -> None:
    api, paper = Api([launched("a", sign=9999), launched("b"), launched("c", every=0)]), Paper()
    assert caretaker(api, paper).collect(LOST) == 0
    assert api.removed == []
    assert paper.lines == ["would remove  a  pending  last sign 2h46m ago  agent/7"]
    assert paper.remarks == [
        "left alone: 1 Job whose launcher gave a sign of life lately; without another it is taken "
        "for gone at 14:14:00Z",
        "left alone: 1 Job whose launcher gives no signs of life (--heartbeat off, or an older "
        "version)",
        "1 Job left behind in namespace ns; remove: runjob gc --delete --lost -n ns",
    ]
    assert caretaker(api, paper).collect(replace(LOST, delete=True)) == 0
    assert api.removed == [("a", "of-a", "7")]
    assert api.ways == {"Foreground"}, "a finalizer would have its pods run on"
    assert paper.remarks[-1] == "1 Job removed in namespace ns: gone once the pods have ended"


def test_a_launcher_that_beats_between_look_and_deletion_keeps_its_job() -> None:
    api, paper = Api([launched("a", sign=9999)]), Paper()
    api.errors = {("delete", "a"): [ApiError(409, "precondition", reason="Conflict")]}
    assert caretaker(api, paper).collect(replace(LOST, delete=True)) == int(Exit.FAILED)
    assert "it changed since it was looked at" in paper.remarks[0]


def test_nothing_lost_is_said() -> None:
    paper = Paper()
    assert caretaker(Api([]), paper).collect(LOST) == 0
    assert paper.remarks == ["no Job of a launch in namespace ns has lost its launcher"]


def test_a_plain_gc_tells_of_jobs_that_go_on_without_a_launcher() -> None:
    ended = launched("a", sign=9999, conditions={"Failed": 9999})
    api, paper = Api([ended, launched("b", sign=9999), launched("c")]), Paper()
    assert caretaker(api, paper).collect(REMOVE) == 0
    assert [name for name, _, _ in api.removed] == ["a"]
    assert paper.remarks == [
        "1 Job removed in namespace ns",
        "1 Job has no end yet and no launcher any more; see: gc --lost",
    ]


def test_list_shows_the_jobs_of_launches_alone() -> None:
    theirs = launched("b", annotations={})
    paper = Paper()
    assert caretaker(Api([launched("a"), theirs]), paper).roster(ROSTER) == 0
    assert [line.split()[0] for line in paper.lines] == ["NAME", "a"]
    assert paper.remarks == []


def test_an_empty_list_says_so() -> None:
    paper = Paper()
    assert caretaker(Api([]), paper).roster(ROSTER) == 0
    assert (paper.lines, paper.remarks) == ([], ["no Job of a launch in namespace ns"])


EVERYWHERE = replace(REMOVE, namespace=None, delete=False)


def test_what_was_left_in_all_namespaces_is_removed_namespace_by_namespace() -> None:
    bodies: list[Body] = [job(namespace=place, name=name) for place, name in ("bz", "ax", "by")]
    api, paper = Api([*bodies, launched("c", sign=9999)]), Paper()
    asked = replace(EVERYWHERE, wanted=Wanted(failed_only=True, older_than=0))
    assert Caretaker(api, paper, commands=Commands().to("/k", None)).collect(asked) == 0
    assert api.removed == []
    assert [line.split()[:4] for line in paper.lines] == [
        ["would", "remove", "a", "x"], ["would", "remove", "b", "y"], ["would", "remove", "b", "z"],
    ]  # fmt: skip
    again = "remove: runjob gc --delete --failed --older-than 0"
    assert paper.remarks == [
        f"1 Job left behind in namespace a; {again} -n a --kubeconfig /k",
        f"2 Jobs left behind in namespace b; {again} -n b --kubeconfig /k",
        "1 Job has no end yet and no launcher any more; see: gc --lost -A",
    ]


def test_list_tells_the_namespace_of_each_job_where_all_are_asked_for() -> None:
    paper = Paper()
    bodies = [launched("x", namespace="b"), launched("y", namespace="a")]
    assert caretaker(Api(bodies), paper).roster(replace(ROSTER, namespace=None)) == 0
    assert [line.split()[:2] for line in paper.lines] == [
        ["NAMESPACE", "NAME"], ["a", "y"], ["b", "x"],
    ]  # fmt: skip


def test_that_there_is_none_in_any_namespace_is_said() -> None:
    paper, theirs = Paper(), Api([job(annotations={})])
    assert caretaker(Api([]), paper).roster(replace(ROSTER, namespace=None)) == 0
    assert caretaker(Api([]), paper).collect(EVERYWHERE) == 0
    assert caretaker(Api([]), paper).collect(replace(EVERYWHERE, lost=True)) == 0
    assert caretaker(theirs, paper).collect(EVERYWHERE) == 0
    assert paper.lines == []
    assert paper.remarks == [
        "no Job of a launch in any namespace",
        "no Job of that kind has ended in any namespace",
        "no Job of a launch in any namespace has lost its launcher",
        "left alone: 1 Job not made by runjob (--all-makers)",
        "nothing to remove in any namespace",
    ]


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        pytest.param(403, Exit.REFUSED, f"; {FORBIDDEN}", id="forbidden"),
        pytest.param(503, Exit.UNREADABLE, "", id="away"),
    ],
)
def test_where_all_namespaces_are_forbidden_the_right_that_it_takes_is_said(
    status: int, code: Exit, hint: str
) -> None:
    api, paper = Api(jobs("a"), {("list", "jobs"): [ApiError(status, "no")] * 99}), Paper()
    with pytest.raises(LaunchError) as error:
        caretaker(api, paper).roster(replace(ROSTER, namespace=None))
    assert str(error.value) == f"cannot list the Jobs of all namespaces: no{hint}"
    assert (error.value.exit_code, paper.lines) == (code, [])


def test_nothing_left_behind_is_no_failure() -> None:
    paper = Paper()
    assert caretaker(Api([]), paper).collect(REMOVE) == 0
    assert (paper.lines, paper.remarks) == ([], ["no Job of that kind has ended in namespace ns"])


@pytest.mark.parametrize("status", [0, 410, 429, 503])
def test_a_list_that_broke_off_is_begun_anew_and_counts_each_job_once(status: int) -> None:
    waits: list[float] = []
    api, paper = Api(jobs("a", "b")), Paper()
    api.errors = {("list", "jobs"): [ApiError(status, "later", retry_after=7.0)] * 2}
    assert caretaker(api, paper, waits).collect(REMOVE) == 0
    assert [name for name, _, _ in api.removed] == ["a", "b"]
    assert len(waits) == 2
    assert all(wait >= 7.0 for wait in waits)


@pytest.mark.parametrize(
    ("status", "code", "waits"),
    [
        (404, Exit.REFUSED, 0),
        (403, Exit.REFUSED, REFUSALS - 1),
        (503, Exit.UNREADABLE, TRIES),
        (401, Exit.NO_CLUSTER, TRIES),
    ],
)
def test_jobs_that_cannot_be_listed_end_it_in_one_line(status: int, code: Exit, waits: int) -> None:
    waited: list[float] = []
    api, paper = Api(jobs("a")), Paper()
    api.errors = {("list", "jobs"): [ApiError(status, "no")] * 99}
    with pytest.raises(LaunchError, match="cannot list the Jobs of namespace ns: no") as error:
        caretaker(api, paper, waited).collect(REMOVE)
    assert (error.value.exit_code, len(waited)) == (code, waits)
    assert paper.lines == []


def test_a_job_is_shown_though_its_pods_and_events_may_not_be_read() -> None:
    api, paper = Api(jobs("hello")), Paper()
    api.errors = {("list", kind.plural): [ApiError(403, "no")] * 99 for kind in (POD, EVENT)}
    assert caretaker(api, paper).show(SHOW) == 0
    assert paper.lines[0] == "Job ns/hello: Failed, 1h ago"
    assert paper.remarks == ["note: pods cannot be read: no", "note: events cannot be read: no"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["hallo", "x"], "no Job hello in namespace ns; is it one of these: hallo?"),
        (["x"], "no Job hello in namespace ns; no name is near it"),
        ([], "no Job hello in namespace ns; there is no Job at all (is it another namespace? -n)"),
    ],
)
def test_a_job_that_is_missing_is_told_with_those_near_it(names: list[str], words: str) -> None:
    api: Any = Api(jobs(*names), {("get", "hello"): [ApiError(404, "not found")]})
    with pytest.raises(LaunchError) as error:
        caretaker(api, Paper()).show(SHOW)
    assert (str(error.value), error.value.exit_code) == (words, Exit.FAILED)


def test_a_job_that_may_not_be_read_is_told_in_one_line() -> None:
    api = Api(jobs("hello"), {("get", "hello"): [ApiError(403, "you may not")] * 99})
    with pytest.raises(LaunchError, match="cannot read Job ns/hello: you may not") as error:
        caretaker(api, Paper()).show(SHOW)
    assert error.value.exit_code == Exit.REFUSED
