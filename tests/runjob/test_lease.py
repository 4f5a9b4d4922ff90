"""The terms of a launch: what is written at create, moved on by each beat, and given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob import lease
from runjob.errors import UsageError
from runjob.flags import parse
from runjob.lease import Lease, beat, lent, read, settled
from runjob.options import Options, RunOptions
from runjob.request import Body, JobRequest
from runjob.values import heartbeat
from tests.runjob.scenes import NOON, at

KEEP = RunOptions()
KILL = RunOptions(on_lost="kill")
SECONDS = st.integers(0, 2**62)


def asked(notes: Any = None, **spec: Any) -> JobRequest:
    metadata: dict[str, Any] = {"name": "hello", "namespace": "here"}
    if notes is not None:
        metadata["annotations"] = notes
    return JobRequest("hello", "here", {"kind": "Job", "metadata": metadata, "spec": spec})


def created(request: JobRequest, **more: Any) -> Body:
    """Return the Job as the API has it."""
    metadata = {**request.job["metadata"], "uid": "u1", "creationTimestamp": "2026-01-31T12:00:00Z"}
    return {**request.job, "metadata": {**metadata, **more}}


def merged(job: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(job) if isinstance(job, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def notes(job: Body) -> Any:
    return job["metadata"]["annotations"]


def test_a_launch_writes_who_it_is_and_how_often_it_tells_that_it_lives() -> None:
    job = lent(asked({"mine": "1"}, backoffLimit=0), KEEP, "agent/7").job
    assert notes(job) == {
        "mine": "1",
        "runjob/launcher": "agent/7",
        "runjob/heartbeat-seconds": "300",
        "runjob/on-lost": "keep",
    }
    assert job["spec"] == {"backoffLimit": 0}


def test_what_an_earlier_launch_left_in_a_manifest_counts_as_nothing() -> None:
    left = {"runjob/heartbeat": "2020-01-01T00:00:00Z", "runjob/ttl": "0", "runjob/deadline": "1"}
    job = lent(asked(left), RunOptions(heartbeat=0), "a/1").job
    assert notes(job).keys() == {
        "runjob/launcher", "runjob/heartbeat-seconds", "runjob/on-lost"
    }  # fmt: skip
    assert notes(job)["runjob/heartbeat-seconds"] == "0"


@pytest.mark.parametrize(
    ("options", "spec", "sent", "noted"),
    [
        pytest.param(KEEP, {"ttlSecondsAfterFinished": 0}, {}, {"ttl": "0"}, id="ttl 0"),
        pytest.param(KEEP, {"ttlSecondsAfterFinished": 99}, {}, {"ttl": "99"}, id="a ttl"),
        pytest.param(
            KEEP, {"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 5}, {}, id="a deadline"
        ),
        pytest.param(
            KILL,
            {},
            {"activeDeadlineSeconds": 900, "ttlSecondsAfterFinished": 3600},
            {},
            id="kill",
        ),
        pytest.param(
            KILL,
            {"activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 5},
            {"activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 3600},
            {"ttl": "5", "deadline": "60"},
            id="kill, the deadline is sooner",
        ),
        pytest.param(
            RunOptions(on_lost="kill", heartbeat=600),
            {"activeDeadlineSeconds": 7200, "ttlSecondsAfterFinished": 86400},
            {"activeDeadlineSeconds": 1800, "ttlSecondsAfterFinished": 86400},
            {"ttl": "86400", "deadline": "7200"},
            id="kill, the deadline is later",
        ),
        pytest.param(
            RunOptions(on_lost="kill", heartbeat=7200),
            {},
            {"activeDeadlineSeconds": 21600, "ttlSecondsAfterFinished": 21600},
            {},
            id="kill, by signs that are far apart",
        ),
        pytest.param(
            KILL,
            {"activeDeadlineSeconds": "x", "ttlSecondsAfterFinished": True},
            {"activeDeadlineSeconds": "x", "ttlSecondsAfterFinished": 3600},
            {},
            id="what is no number is left to the API",
        ),
        pytest.param(
            KEEP,
            {"ttlSecondsAfterFinished": -1},
            {"ttlSecondsAfterFinished": -1},
            {},
            id="a ttl that the API refuses",
        ),
    ],
)
def test_deadline_and_ttl_make_room_for_the_launch(
    options: RunOptions, spec: dict[str, Any], sent: dict[str, Any], noted: dict[str, str]
) -> None:
    job = lent(asked(**spec), options, "a/1").job
    assert job["spec"] == sent
    kept = {key: notes(job)[f"runjob/{key}"] for key in noted}
    assert kept == noted
    assert {"runjob/ttl", "runjob/deadline"} & notes(job).keys() == {f"runjob/{k}" for k in noted}


def test_kill_without_signs_of_life_is_refused() -> None:
    with pytest.raises(UsageError, match="--on-lost kill needs signs of life"):
        lent(asked(), RunOptions(on_lost="kill", heartbeat=0), "a/1")


@pytest.mark.parametrize(
    ("known", "seconds", "life"),
    [
        pytest.param(Lease(every=300, heard=NOON), 900, "alive", id="three intervals"),
        pytest.param(Lease(every=300, heard=NOON), 901, "gone", id="more than three"),
        pytest.param(Lease(every=60, heard=NOON), 181, "gone", id="a short interval"),
        pytest.param(Lease(every=300, heard=NOON), -999, "alive", id="its clock is ahead"),
        pytest.param(Lease(every=0, heard=NOON), 9999, "unknown", id="off"),
        pytest.param(Lease(every=300), 9999, "unknown", id="nothing is known"),
    ],
)
def test_a_launcher_is_gone_when_it_misses_three_beats(
    known: Lease, seconds: float, life: str
) -> None:
    assert known.life(at(seconds)) == life


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        pytest.param({}, 0, id="its creation"),
        pytest.param({"runjob/heartbeat": "2026-01-31T12:05:00Z"}, 300, id="a beat"),
        pytest.param({"runjob/heartbeat": "yesterday"}, 0, id="no time"),
    ],
)
def test_the_newest_sign_of_life_is_a_beat_or_the_creation(
    written: dict[str, str], heard: float
) -> None:
    assert read(created(asked(written))).heard == at(heard)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "\N{SUPERSCRIPT TWO}", "9" * 30])
def test_an_interval_that_is_no_number_is_none(text: str) -> None:
    assert read(created(asked({"runjob/heartbeat-seconds": text}))).every == 0


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({"runjob/heartbeat-seconds": "9" * 19}, id="an interval beyond all clocks"),
        pytest.param({"runjob/heartbeat-seconds": "9" * 13}, id="an interval beyond the calendar"),
        pytest.param(
            {"runjob/heartbeat-seconds": "300", "runjob/heartbeat": "9999-12-31T23:59:59Z"},
            id="a sign on the last day",
        ),
    ],
)
def test_terms_that_no_calendar_holds_never_run_out(written: dict[str, str]) -> None:
    """One such Job must not keep `gc` and `list` from all the others of its namespace."""
    known = read(created(asked(written)))
    assert known.life(NOON) == "alive"
    assert "taken for gone at" in known.told(NOON)


def test_a_beat_of_a_job_that_is_kept_is_a_time_and_nothing_else() -> None:
    known = read(created(lent(asked(), KEEP, "a/1")))
    assert beat(known, "u1", at(300), 299) == {
        "metadata": {"uid": "u1", "annotations": {"runjob/heartbeat": "2026-01-31T12:05:00Z"}}
    }


@pytest.mark.parametrize(
    ("elapsed", "deadline"),
    [
        pytest.param(None, 900, id="no start yet, or suspended"),
        pytest.param(0, 900, id="at the start"),
        pytest.param(300.9, 1200, id="after a while"),
        pytest.param(-30, 900, id="the clock is behind"),
        pytest.param(6900, 7200, id="near the end"),
    ],
)
def test_a_beat_moves_the_deadline_on(elapsed: float | None, deadline: int) -> None:
    known = read(created(lent(asked(activeDeadlineSeconds=7200), KILL, "a/1")))
    assert beat(known, "u1", NOON, elapsed)["spec"] == {"activeDeadlineSeconds": deadline}


@given(st.none() | st.integers(0, 2**31), st.integers(1, 10**6), st.floats(-1e6, 1e9))
def test_a_job_that_has_ended_stays_until_its_launcher_is_lost_and_then_goes(
    own: int | None, every: int, since: float
) -> None:
    spec = {} if own is None else {"ttlSecondsAfterFinished": own}
    job = created(lent(asked(**spec), RunOptions(on_lost="kill", heartbeat=every), "a/1"))
    patch = beat(read(job), "u1", NOON, 5, since)
    there = max(int(max(since, 0)) + max(3600, 3 * every), own or 0)
    assert merged(job, patch)["spec"]["ttlSecondsAfterFinished"] == there
    assert settled(merged(job, patch)) == settled(job)


def test_a_beat_of_a_job_that_is_kept_gives_it_no_ttl() -> None:
    known = read(created(lent(asked(ttlSecondsAfterFinished=5), KEEP, "a/1")))
    assert "spec" not in beat(known, "u1", NOON, 5, 5)


@given(st.none() | SECONDS, st.integers(1, 10**6), st.none() | st.floats(-1e6, 1e9))
def test_no_deadline_is_beyond_the_users_nor_short_of_the_term(
    own: int | None, every: int, elapsed: float | None
) -> None:
    spec = {} if own is None else {"activeDeadlineSeconds": own}
    job = created(lent(asked(**spec), RunOptions(on_lost="kill", heartbeat=every), "a/1"))
    known = read(job)
    for body in (job, merged(job, beat(known, "u1", NOON, elapsed))):
        deadline = body["spec"]["activeDeadlineSeconds"]
        assert own is None or deadline <= own
        assert deadline == own or deadline >= 3 * every
    assert read(body).deadline == own


@given(st.none() | SECONDS, st.none() | SECONDS, st.sampled_from([KEEP, KILL]), st.booleans())
def test_a_job_that_is_kept_gets_back_what_its_author_wrote(
    ttl: int | None, deadline: int | None, options: RunOptions, beaten: bool
) -> None:
    wanted = {"ttlSecondsAfterFinished": ttl, "activeDeadlineSeconds": deadline}
    spec = {key: value for key, value in wanted.items() if value is not None}
    job = created(lent(asked(**spec), options, "a/1"))
    if beaten:
        job = merged(job, beat(read(job), "u1", NOON, 5))
    patch = settled(job)
    assert merged(job, patch or {})["spec"] == spec
    assert (patch is None) == (options is KEEP and ttl is None)


@pytest.mark.parametrize(
    ("known", "ours"),
    [
        pytest.param(Lease(kills=True, in_effect=1200), True, id="it had none of its own"),
        pytest.param(Lease(kills=True, in_effect=1200, deadline=7200), True, id="a later one"),
        pytest.param(Lease(kills=True, in_effect=60, deadline=60), False, id="its own"),
        pytest.param(Lease(in_effect=60, deadline=60), False, id="no lease"),
    ],
)
def test_a_deadline_is_told_from_a_lease(known: Lease, ours: bool) -> None:
    assert known.ran_out is ours


def test_the_shortest_lease_outlasts_a_beat_that_is_late() -> None:
    # A beat comes after 1.1 intervals; two that fail in a row must not end the Job.
    usual = Lease(every=KILL.heartbeat, kills=True)
    assert usual.term >= lease.MISSED * KILL.heartbeat
    assert timedelta(seconds=usual.term) >= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "every"), [("off", 0), ("60", 60), ("60s", 60), ("5m", 300), ("1h30m", 5400)]
)
def test_an_interval_is_a_minute_or_more_or_off(text: str, every: int) -> None:
    assert heartbeat(text) == every


@pytest.mark.parametrize("text", ["", "0", "59s", "1", "on", "none", "-5m", "5 m"])
def test_what_is_no_interval_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="a time of 60s or more, such as 5m, or off"):
        heartbeat(text)


def test_a_line_that_contradicts_itself_is_refused_before_anything_is_done() -> None:
    with pytest.raises(UsageError, match="leave --heartbeat off out"):
        parse(["-j", "a", "-i", "b", "--on-lost", "kill", "--heartbeat", "off"])
    asked = parse(["-j", "a", "-i", "b", "--on-lost", "kill", "--heartbeat", "2m"])
    assert isinstance(asked, Options)
    assert (asked.run.on_lost, asked.run.heartbeat) == ("kill", 120)
