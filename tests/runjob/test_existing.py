"""What becomes of a Job that stands in a launch's way."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runjob.commands import Commands
from runjob.existing import (
    Adopt,
    AwaitRemoval,
    Refuse,
    Replace,
    as_told,
    how_to_adopt,
    stands,
)
from runjob.identity import (
    CONTENT,
    IDENTITY,
    TOLD,
    Signature,
)
from runjob.options import RunOptions
from runjob.plan import LAUNCH
from tests.runjob.identities import identity_of, launches, mine

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
OLD = "2026-01-31T06:00:00Z"


def there(
    launch: str | None = "l0",
    run: str = "here/hello/r",
    hash: str = "c",
    *,
    ended: str = "",
    leaving: bool = False,
    created: str = OLD,
    **notes: Any,
) -> Any:
    """Return a Job as the API gives it; notes are annotations, `_` for `-`."""
    annotations = {f"runjob/{key.replace('_', '-')}": value for key, value in notes.items()}
    if launch is not None:
        annotations |= {LAUNCH: launch, IDENTITY: run, CONTENT: hash}
    metadata = {
        "name": "hello",
        "namespace": "here",
        "uid": "u1",
        "resourceVersion": "7",
        "creationTimestamp": created,
        "annotations": annotations,
        **({"deletionTimestamp": OLD} if leaving else {}),
    }
    conditions = [{"type": ended, "status": "True"}] if ended else []
    return {"metadata": metadata, "spec": {}, "status": {"conditions": conditions}}


def refused(job: Any, if_exists: Any = "fail", **more: Any) -> str:
    found = stands(job, mine(**more), if_exists, NOW)
    assert isinstance(found, Refuse)
    return whole(found)


def whole(refusal: Refuse) -> str:
    return f"{refusal.text}. {refusal.hint}"


def test_a_refusal_says_which_run_this_launch_is_where_one_is_named() -> None:
    assert "; it is of this run; this is run here/hello/r; it was not" in refused(there())
    text = refused(there(run="here/hello/q"))
    assert "run here/hello/q; " in text
    assert "this is run here/hello/r;" in text
    assert "it is of this run" not in text


@pytest.mark.parametrize("more", [{}, {"if_exists": "adopt", "content": "other"}])
def test_where_no_run_is_named_a_job_of_the_same_name_is_of_none(more: dict[str, Any]) -> None:
    text = refused(there(run="here/hello"), identity="here/hello", bound=False, **more)
    assert "it was asked for under the same name (no run is named)" in text
    assert "is of this run" not in text
    assert "this is run" not in text


def test_a_refusal_leads_to_the_cluster_of_the_launch() -> None:
    commands = Commands().to("/k/config", "c")
    reach = "--kubeconfig /k/config --context c"
    assert f"kubectl -n here {reach} delete job hello" in refused(there(), commands=commands)


def test_who_writes_the_status_made_nothing() -> None:
    job = there(None)
    job["metadata"]["managedFields"] = [
        {"manager": "kube-controller-manager", "time": "2", "subresource": "status"},
        {"manager": "kubectl-create", "time": "1"},
    ]
    assert "made by kubectl-create at" in refused(job)


OTHER_RUN = there(run="here/hello/earlier")
ALIVE: dict[str, Any] = {"heartbeat": "2026-01-31T11:55:00Z", "heartbeat_seconds": "300"}
TAKE, LOST, LEAVES = Adopt(again=True), Adopt(again=False), AwaitRemoval()
REMOVE = Replace("u1", "7")


@pytest.mark.parametrize(
    ("job", "signature", "decisions"),
    [
        # What auto, adopt, fail and replace make of it; a text is what a refusal says.
        pytest.param(there("l1"), mine(), [LOST] * 4, id="made by this very launch"),
        pytest.param(there(), mine(), [TAKE, TAKE, "running", REMOVE], id="of this run, running"),
        pytest.param(
            there(ended="Failed"), mine(), [TAKE, TAKE, "failed", REMOVE], id="of this run, over"
        ),
        pytest.param(
            there(hash="other"),
            mine(),
            ["other words", "other words", "running", REMOVE],
            id="of this run, but other words",
        ),
        pytest.param(
            there(told="true", ended="Failed"),
            mine(),
            ["told already", "told already", "told already", REMOVE],
            id="of this run, over and told",
        ),
        pytest.param(
            there(run="here/hello/earlier", heartbeat_seconds="300"),
            mine(),
            ["here/hello/earlier"] * 3 + [REMOVE],
            id="another run's, whose launcher is gone",
        ),
        pytest.param(
            OTHER_RUN,
            mine(),
            ["here/hello/earlier"] * 3 + ["is not known"],
            id="another run's, which gives no signs of life",
        ),
        pytest.param(
            there(run="here/hello/earlier", **ALIVE),
            mine(),
            ["here/hello/earlier"] * 3 + ["latest sign of life 300 s ago"],
            id="another run's, whose launcher lives",
        ),
        pytest.param(
            there(
                run="here/hello/earlier", created="2026-01-31T11:59:50Z", heartbeat_seconds="300"
            ),
            mine(),
            ["running"] * 3 + ["latest sign of life 10 s ago"],
            id="another run's, made just now",
        ),
        pytest.param(
            there(run="here/hello/earlier", ended="Complete", **ALIVE),
            mine(),
            ["complete"] * 3 + [REMOVE],
            id="another run's, over",
        ),
        pytest.param(
            there(run="here/hello"),
            mine(identity="here/hello", bound=False),
            ["--if-exists adopt", TAKE, "--if-exists adopt", "is not known"],
            id="of this name, and no run is named",
        ),
        pytest.param(
            there(run="here/hello", **ALIVE),
            mine(identity="here/hello", bound=False),
            [
                "--if-exists replace once it has ended",
                TAKE,
                "--if-exists replace once it has ended",
                "latest sign of life 300 s ago, taken for gone at 12:10:00Z",
            ],
            id="of this name, no run is named, and it may be followed",
        ),
        pytest.param(
            there(run="here/hello", heartbeat_seconds="300"),
            mine(identity="here/hello", bound=False),
            ["--if-exists replace, or", TAKE, "--if-exists replace, or", REMOVE],
            id="of this name, no run is named, and its launcher is gone",
        ),
        pytest.param(
            there(run="here/hello", ended="Complete", **ALIVE),
            mine(identity="here/hello", bound=False),
            ["--if-exists replace, or", TAKE, "--if-exists replace, or", REMOVE],
            id="of this name, no run is named, and it is over",
        ),
        pytest.param(
            there(None), mine(), ["somebody else"] * 4, id="a Job that runjob did not make"
        ),
        pytest.param(
            there(None, launcher="h/1"),
            mine(),
            ["another launch of runjob (h/1)"] * 4,
            id="one that only says so",
        ),
        pytest.param(
            there(leaving=True),
            mine(),
            [LEAVES, LEAVES, "being deleted", LEAVES],
            id="of this run, being deleted",
        ),
        pytest.param(
            there(leaving=True, ended="Complete"),
            mine(),
            [TAKE, TAKE, "complete, being deleted", LEAVES],
            id="of this run, over and being deleted",
        ),
        pytest.param(
            there(run="x", leaving=True, ended="Complete"),
            mine(),
            [LEAVES, LEAVES, "run x", LEAVES],
            id="another run's, being deleted",
        ),
    ],
)
def test_a_job_that_stands_in_the_way(job: Any, signature: Signature, decisions: list[Any]) -> None:
    for how, expected in zip(("auto", "adopt", "fail", "replace"), decisions, strict=True):
        found = stands(job, signature, how, NOW)  # type: ignore[arg-type]  # literals
        if isinstance(expected, str):
            assert isinstance(found, Refuse), how
            assert expected in whole(found)
            assert found.text.endswith("; it was not touched")
            assert found.hint.startswith("use ")
            assert found.hint.endswith("kubectl -n here delete job hello")
        else:
            assert found == expected, how


ANOTHER = "run here/hello/earlier; "
NAME = "use another name (--generate-name hello-), or "
REMOVAL = ", or remove it with: kubectl -n here delete job hello"


@pytest.mark.parametrize(
    ("job", "if_exists", "said", "way"),
    [
        pytest.param(
            there(run="here/hello/earlier", **ALIVE),
            "auto",
            "latest sign of life 300 s ago, taken for gone at 12:10:00Z",
            "--if-exists replace once it has ended, or after 12:10:00Z where no further sign of "
            "life is given",
            id="its launcher lives",
        ),
        pytest.param(
            there(run="here/hello/earlier", **ALIVE),
            "replace",
            "latest sign of life 300 s ago, taken for gone at 12:10:00Z",
            "the same command once it has ended, or after 12:10:00Z where no further sign of life "
            "is given",
            id="its launcher lives, and replace was given",
        ),
        pytest.param(
            OTHER_RUN,
            "auto",
            "whether its launcher lives is not known (--heartbeat off, or an older version)",
            "--if-exists replace once it has ended",
            id="it gives no signs of life, and never counts as gone",
        ),
        pytest.param(
            there(run="here/hello/earlier", heartbeat_seconds="300"),
            "auto",
            "its launcher counts as gone",
            "--if-exists replace",
            id="its launcher is gone",
        ),
    ],
)
def test_a_refusal_says_how_its_launcher_stands_and_from_when_what_works(
    job: Any, if_exists: Any, said: str, way: str
) -> None:
    found = stands(job, mine(), if_exists, NOW)
    assert isinstance(found, Refuse)
    assert f"{ANOTHER}{said}; this is run here/hello/r; it was not touched" in found.text
    assert found.hint == f"{NAME}{way}{REMOVAL}"


def test_an_end_that_is_known_to_be_told_counts_like_one_that_is_marked() -> None:
    for how in ("auto", "adopt", "fail", "replace"):
        marked = stands(there(ended="Failed", told="true"), mine(), how, NOW)
        known = stands(there(ended="Failed"), mine(), how, NOW, told=True)
        assert known == marked != stands(there(ended="Failed"), mine(), "auto", NOW)
        assert "--if-exists adopt" not in str(known)


@given(launches, launches, st.sampled_from(["auto", "adopt", "fail", "replace"]), st.booleans())
def test_no_launch_adopts_the_job_of_another_run(
    one: Any, other: Any, if_exists: Any, ended: bool
) -> None:
    theirs, ours = identity_of(one), identity_of(other)
    assume(theirs != ours)
    job = there(run=theirs, ended="Complete" if ended else "")
    found = stands(job, mine(identity=ours), if_exists, NOW)
    assert not isinstance(found, Adopt)


@given(
    st.sampled_from(["auto", "adopt", "fail", "replace"]),
    st.dictionaries(st.sampled_from(["identity", "content", "told"]), st.text()),
    st.booleans(),
)
def test_no_launch_touches_a_job_that_runjob_did_not_make(
    if_exists: Any, notes: dict[str, Any], leaving: bool
) -> None:
    job = there(None, leaving=leaving, **notes)
    assert isinstance(stands(job, mine(), if_exists, NOW), Refuse)


def test_a_kept_job_is_marked_as_told_beside_what_else_changes() -> None:
    job = there()
    alone = {"metadata": {"uid": "u1", "annotations": {TOLD: "true"}}}
    assert as_told(job) == alone
    more = {"metadata": {"uid": "u1", "annotations": {"runjob/ttl": None}}, "spec": {"a": 1}}
    assert as_told(job, more) == {
        "metadata": {"uid": "u1", "annotations": {"runjob/ttl": None, TOLD: "true"}},
        "spec": {"a": 1},
    }


@given(st.integers(0, 3000))
def test_a_launcher_counts_as_alive_for_three_intervals(age: int) -> None:
    at = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    job = there(run="x", heartbeat=at, heartbeat_seconds="300")
    assert isinstance(stands(job, mine(), "replace", NOW), Refuse) == (age <= 900)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(RunOptions(), "--if-exists adopt", id="no run is named"),
        pytest.param(RunOptions(identity="a/b/r.1", bound=True), "--run-id r.1", id="--run-id"),
        pytest.param(RunOptions(identity="a/b/0a:1", bound=True), "order id", id="an order"),
        pytest.param(RunOptions(on_lost="kill"), "ends it, 15 min at most", id="--on-lost kill"),
    ],
)
def test_the_way_back_to_a_job_is_said(options: RunOptions, words: str) -> None:
    assert words in how_to_adopt(options)
