"""A launcher that lives says so, seldom; and stops where it may not, or need not."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import ApiError, NoClusterError
from runjob.heartbeat import Heartbeat, here
from runjob.observed import JobView, job_view
from runjob.request import Body
from tests.runjob.scenes import NOON, at, condition

MINE = {"runjob/launch": "0a", "runjob/launcher": "agent/7"}


def job(
    *, every: int = 300, kills: bool = False, started: float | None = None, **notes: str
) -> Any:
    terms = {"runjob/heartbeat-seconds": str(every), "runjob/on-lost": "kill" if kills else "keep"}
    written = {f"runjob/{name}": text for name, text in notes.items()}
    body: dict[str, Any] = {
        "kind": "Job",
        "metadata": {
            "name": "hello",
            "namespace": "here",
            "uid": "u1",
            "annotations": {**MINE, **terms, **written},
        },
    }
    if started is not None:
        body["status"] = {"startTime": f"{NOON + timedelta(seconds=started):%Y-%m-%dT%H:%M:%SZ}"}
    return body


class Cluster:
    """Takes beats; answers plays what comes of each, the last of them again and again.

    It stands for the clock too, which a launch moves as it waits.
    """

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = list(answers) or [None]
        self.seconds = self.until = 0.0
        self.beats: list[tuple[float, Any]] = []
        self.remarks: list[str] = []

    def patch(self, _body: Body, namespace: str, patch: Body) -> Body:
        assert namespace == "here"
        self.beats.append((self.seconds, patch))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is not None:
            raise answer
        return {}

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def heart(self, body: Body, **clocks: Any) -> Heartbeat:
        more: dict[str, Any] = {
            "monotonic": lambda: self.seconds,
            "start": lambda work: work(),
            "stops_within": self._stops_within,
            **clocks,
        }
        return Heartbeat(self, body, job(), self.remarks.append, **more)

    def _stops_within(self, seconds: float) -> bool:
        self.seconds += seconds
        return self.seconds > self.until

    def play(self, heart: Heartbeat, until: float = 1000.0) -> None:
        """Have a launch wait for so many seconds, as it does while its Job runs."""
        self.until = until
        while (pause := heart.keep_up()) is not None and self.seconds + pause <= until:
            self.seconds += pause


def test_the_first_beat_comes_after_an_interval_and_each_is_its_time() -> None:
    cluster = Cluster()
    cluster.play(cluster.heart(job()), 1085)
    times = [seconds for seconds, _ in cluster.beats]
    assert 330 <= times[0] <= 360
    assert len(times) == 3
    written = [patch["metadata"]["annotations"] for _, patch in cluster.beats]
    assert [each.keys() for each in written] == [{"runjob/heartbeat"}] * 3
    assert cluster.remarks == []


@given(
    st.lists(
        st.sampled_from([None, ApiError(0, "reset"), ApiError(503, "busy", retry_after=1.0),
                         ApiError(403, "no"), ApiError(409, "changed"), NoClusterError("no")]),
        max_size=12,
    ),
    st.integers(60, 7200),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_no_two_signs_are_nearer_than_the_interval_and_no_two_tries_than_a_fifth_of_it(
    answers: list[Exception | None], every: int, kills: bool, taken_over: bool
) -> None:
    cluster = Cluster(*answers)
    launcher = "other/1" if taken_over else MINE["runjob/launcher"]
    cluster.play(cluster.heart(job(every=every, kills=kills, launcher=launcher)), 20.0 * every)
    times = [seconds for seconds, _ in cluster.beats]
    came = [*answers, *(answers[-1:] or [None]) * len(times)]
    for (sooner, later), error in zip(itertools.pairwise(times), came, strict=False):
        assert later - sooner >= (every if _is_answer(error) else every / 5) - 1e-6
    assert times or not (kills or taken_over)


def _is_answer(error: Exception | None) -> bool:
    return error is None or (isinstance(error, ApiError) and error.status == 403)


def test_an_api_that_is_away_for_a_while_costs_no_job_its_sign_of_life() -> None:
    """Two moments of trouble, six minutes apart, are no lost launcher."""
    cluster = Cluster(ApiError(503, "busy"), ApiError(0, "reset"), NoClusterError("no token"), None)
    cluster.play(cluster.heart(job()), 600)
    arrived, _ = cluster.beats[3]
    assert len(cluster.beats) == 4
    assert arrived <= 360 + 3 * 60


def test_a_beat_that_waits_for_another_try_ends_with_the_launch() -> None:
    cluster = Cluster(ApiError(0, "reset"))
    heart = cluster.heart(job(kills=True), stops_within=None)
    heart.stop()
    heart._in_turn()
    assert len(cluster.beats) == 1


def test_a_job_of_another_launcher_is_taken_over_at_once() -> None:
    cluster = Cluster(ApiError(0, "reset"), None)
    cluster.play(cluster.heart(job(launch="ff", launcher="other/1")), 490)
    first, second, third = (patch["metadata"]["annotations"] for _, patch in cluster.beats)
    assert cluster.beats[0][0] == 0
    assert {"runjob/heartbeat", *MINE} == first.keys()
    assert {**second, **MINE} == second, "the first did not arrive"
    assert third.keys() == {"runjob/heartbeat"}


def test_a_job_that_hangs_on_its_beats_gets_the_first_at_once_and_each_moves_its_end() -> None:
    cluster = Cluster()
    heart = cluster.heart(job(kills=True))
    heart.look(JobView(uid="u1", started=NOON))
    cluster.play(heart, 700)
    deadlines = [patch["spec"]["activeDeadlineSeconds"] for _, patch in cluster.beats]
    assert deadlines == [int(seconds) + 900 for seconds, _ in cluster.beats]
    assert deadlines[0] == 900


def test_a_job_that_has_ended_stays_an_hour_after_each_beat() -> None:
    """A log that is read for longer must not lose its pods to the TTL."""
    cluster = Cluster()
    heart = cluster.heart(job(kills=True, started=0))
    cluster.seconds = 100.0
    heart.look(_ended(100))
    cluster.seconds = 5000.0
    cluster.play(heart, 5700)
    ttls = [patch["spec"]["ttlSecondsAfterFinished"] for _, patch in cluster.beats]
    assert len(ttls) >= 2
    assert ttls == [int(seconds) - 100 + 3600 for seconds, _ in cluster.beats]


def test_a_job_that_is_taken_up_after_its_end_gets_its_time_at_once() -> None:
    cluster = Cluster()
    cluster.seconds = 3000.0
    done = {"type": "Failed", "status": "True", "lastTransitionTime": "2026-01-31T12:00:00Z"}
    body = job(kills=True, started=-50)
    body["status"]["conditions"] = [done]
    cluster.play(cluster.heart(body), 3000)
    (beat,) = [patch for _, patch in cluster.beats]
    assert beat["spec"]["ttlSecondsAfterFinished"] == 6600


def test_a_clock_that_is_behind_does_not_take_an_ended_job_away() -> None:
    cluster = Cluster()
    cluster.now = lambda: NOON - timedelta(hours=1)  # type: ignore[method-assign]
    heart = cluster.heart(job(kills=True, started=0))
    heart.look(_ended(0))
    cluster.play(heart, 600)
    seconds, last = cluster.beats[-1]
    assert last["spec"]["ttlSecondsAfterFinished"] == int(seconds) + 3600


def _ended(seconds: float) -> JobView:
    return JobView(uid="u1", started=NOON, conditions=(condition("Complete", since=at(seconds)),))


def test_a_beat_that_is_under_way_is_waited_for_before_the_job_is_given_back() -> None:
    """It would move the TTL of a Job that is kept once more, after that was given back."""
    cluster = Cluster()
    heart = cluster.heart(job(kills=True))
    order: list[str] = []
    arrived, free = threading.Event(), threading.Event()

    def patch(*_: Any) -> Body:
        arrived.set()
        free.wait()
        order.append("beat")
        return {}

    cluster.patch = patch  # type: ignore[assignment,method-assign]
    under_way = threading.Thread(target=heart._in_turn)
    under_way.start()
    arrived.wait()
    heart.stop()  # does not wait
    release = threading.Thread(target=free.set)
    release.start()
    heart.stop(60)
    order.append("given back")
    under_way.join()
    assert order == ["beat", "given back"]


Look = Callable[[Heartbeat, Cluster], None]


def _suspended(heart: Heartbeat, _: Cluster) -> None:
    heart.look(JobView(uid="u1", started=NOON))
    heart.look(JobView(uid="u1", suspended=True))


def _resumed(heart: Heartbeat, cluster: Cluster) -> None:
    _suspended(heart, cluster)
    heart.look(JobView(uid="u1", started=NOON + timedelta(seconds=5000)))


@pytest.mark.parametrize(
    ("body", "look", "deadline"),
    [
        pytest.param(job(kills=True), lambda *_: None, 900, id="before the start"),
        pytest.param(job(kills=True, started=0), lambda *_: None, 5900, id="taken up later"),
        pytest.param(job(kills=True, started=0), _suspended, 900, id="suspended"),
        pytest.param(job(kills=True, started=0), _resumed, 900, id="resumed"),
    ],
)
def test_the_time_counts_from_the_start_that_is_in_effect(
    body: Any, look: Look, deadline: int
) -> None:
    cluster = Cluster()
    cluster.seconds = 5000.0
    heart = cluster.heart(body)
    look(heart, cluster)
    cluster.play(heart, 5000)
    assert [patch["spec"]["activeDeadlineSeconds"] for _, patch in cluster.beats] == [deadline]


def test_a_clock_that_is_behind_does_not_end_the_job() -> None:
    cluster = Cluster()
    cluster.now = lambda: NOON - timedelta(hours=1)  # type: ignore[method-assign]
    cluster.play(cluster.heart(job(kills=True, started=0)), 600)
    seconds, last = cluster.beats[-1]
    assert last["spec"]["activeDeadlineSeconds"] == int(seconds) + 900


@pytest.mark.parametrize(
    ("kills", "beats", "words"),
    [
        pytest.param(False, 2, "will count as gone while it lives", id="keep: believed"),
        pytest.param(True, 5, "will end the Job 15 min after its start", id="kill: tried on"),
    ],
)
def test_a_beat_that_is_forbidden_is_told_once_and_names_the_verb(
    kills: bool, beats: int, words: str
) -> None:
    cluster = Cluster(ApiError(403, "jobs is forbidden"))
    cluster.play(cluster.heart(job(kills=kills)), 1445)
    assert len(cluster.beats) == beats
    (told,) = cluster.remarks
    assert words in told
    assert "the verb patch on jobs" in told


def test_a_server_that_just_started_is_not_believed() -> None:
    forbidden = ApiError(403, "jobs is forbidden")
    cluster = Cluster(forbidden, None, forbidden, None)
    cluster.play(cluster.heart(job()), 2165)
    assert len(cluster.beats) == 6


HOOK = 'admission webhook "w" denied the request: no'


@pytest.mark.parametrize(
    ("kills", "words"),
    [
        pytest.param(False, "will count as gone while it lives", id="keep"),
        pytest.param(True, "will end the Job 15 min after its start", id="kill"),
    ],
)
@pytest.mark.parametrize("status", [400, 402, 406, 422])
def test_a_beat_that_a_policy_refuses_is_told_once_and_tried_on(
    status: int, kills: bool, words: str
) -> None:
    """A webhook says no by 400 where it names no status, a policy by 422; both may be mended."""
    cluster = Cluster(*[ApiError(status, HOOK)] * 4, None)
    cluster.play(cluster.heart(job(kills=kills)), 1805)
    times = [seconds for seconds, _ in cluster.beats]
    assert len(times) == (6 if kills else 5)
    assert all(later - sooner >= 300 for sooner, later in itertools.pairwise(times))
    (told,) = cluster.remarks
    assert words in told
    assert told.endswith(HOOK), "no right is missing"


@pytest.mark.parametrize("status", [409, 429, 500])
def test_an_answer_that_would_heal_and_does_not_for_an_interval_is_told_once(status: int) -> None:
    """A webhook that is away has the API answer 500."""
    error = ApiError(status, 'failed calling webhook "w"')
    cluster = Cluster(*[error] * 4, None, error)
    cluster.play(cluster.heart(job(kills=True)), 250)
    assert (len(cluster.beats), cluster.remarks) == (5, [])
    cluster.play(cluster.heart(job(kills=True)), 1200)
    (told,) = cluster.remarks
    assert "no sign of life can be written on the Job" in told
    assert "failed calling webhook" in told


def test_an_api_that_is_away_is_told_of_elsewhere() -> None:
    cluster = Cluster(ApiError(0, "reset"))
    cluster.play(cluster.heart(job(kills=True)), 1200)
    assert cluster.remarks == []


def test_what_ceases_later_counts_from_the_latest_sign() -> None:
    cluster = Cluster(None, ApiError(400, HOOK))
    cluster.play(cluster.heart(job(kills=True)))
    (told,) = cluster.remarks
    assert "--on-lost kill will end the Job 15 min after its latest sign of life" in told
    adopted = Cluster(ApiError(400, HOOK))
    adopted.play(adopted.heart(job(kills=True, heartbeat="2026-01-31T12:05:00Z")))
    assert "after its latest sign of life" in adopted.remarks[0]


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "gone"), (422, 'Job.batch "hello" is invalid: metadata.uid: Invalid value: "u1"')],
)
def test_a_job_that_is_gone_gets_no_more_beats(status: int, words: str) -> None:
    cluster = Cluster(ApiError(status, words))
    cluster.play(cluster.heart(job()))
    assert (len(cluster.beats), cluster.remarks) == (1, [])


def test_one_that_is_stopped_beats_no_more() -> None:
    cluster = Cluster()
    heart = cluster.heart(job(kills=True))
    heart.stop()
    cluster.play(heart)
    assert cluster.beats == []


def test_off_is_off() -> None:
    cluster = Cluster()
    cluster.play(cluster.heart(job(every=0, launcher="other/1")))
    assert cluster.beats == []


def test_a_beat_that_takes_long_stands_for_the_next() -> None:
    cluster = Cluster()
    sent: list[Callable[[], None]] = []
    heart = cluster.heart(job(kills=True), start=sent.append)
    heart.keep_up()
    (slow,) = sent
    cluster.patch = lambda *_: heart._in_turn()  # type: ignore[assignment,method-assign]
    slow()
    assert cluster.beats == []


def test_there_is_no_thread_before_one_is_due() -> None:
    cluster = Cluster()
    sent: list[Callable[[], None]] = []
    heart = cluster.heart(job(), start=sent.append)
    pause = heart.keep_up()
    assert pause is not None
    assert 330 <= pause <= 360
    assert sent == []
    cluster.seconds += pause
    heart.keep_up()
    assert len(sent) == 1


def test_a_launcher_is_named_by_its_host_and_process() -> None:
    host, _, process = here().rpartition("/")
    assert host
    assert int(process) > 0


def test_the_start_of_a_job_is_read() -> None:
    assert job_view(job(started=60)).started == NOON + timedelta(seconds=60)
