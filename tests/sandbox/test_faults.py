"""Faults on demand."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Gone, Injection, Mute, Refuse, Reset, Slow

from .talk import CORE, JOBS, PODS, Json, Talk, job, phase_is, shell

Fresh = Callable[[], str]
MAPS = f"{CORE}/configmaps"


@pytest.fixture
def inject(sandbox: Sandbox) -> Iterator[Callable[[Fault], Injection]]:
    injections: list[Injection] = []

    def add(fault: Fault) -> Injection:
        injections.append(sandbox.inject(fault))
        return injections[-1]

    yield add
    for injection in injections:
        injection.remove()


Inject = Callable[[Fault], Injection]


@pytest.mark.parametrize(
    ("effect", "reason", "message"),
    [
        (
            Refuse(429, retry_after=3),
            "TooManyRequests",
            "too many requests, please try again later",
        ),
        (Refuse(500), "InternalError", "Internal error occurred: injected"),
        (Refuse(503, retry_after=1), "ServiceUnavailable", "apiserver is shutting down"),
        (Refuse(401), "Unauthorized", "Unauthorized"),
        (Refuse(410), "Expired", "too old resource version: 1 (2)"),
        (Refuse(403, message="no"), "Forbidden", "no"),
        (Refuse(504), "Timeout", "injected"),
        (
            Refuse(403),
            "Forbidden",
            'jobs.batch is forbidden: User "system:serviceaccount:controlm:sandbox" cannot list '
            'resource "jobs" in API group "batch" in the namespace "controlm"',
        ),
    ],
)
def test_a_refusal_comes_once_and_then_no_more(
    talk: Talk, inject: Inject, effect: Refuse, reason: str, message: str
) -> None:
    fault = inject(Fault(effect, verb="list", resource="jobs"))
    answer = talk.call("GET", JOBS)
    assert (answer.status, answer.json["reason"]) == (effect.code, reason)
    assert answer.message == message
    wait = answer.headers.get("Retry-After")
    assert wait == (None if effect.retry_after is None else str(effect.retry_after))
    assert talk.call("GET", JOBS).status == 200
    assert fault.hits == 1


def test_what_is_forbidden_in_all_namespaces_is_at_the_cluster_scope(
    talk: Talk, inject: Inject
) -> None:
    inject(Fault(Refuse(403), verb="list", resource="jobs"))
    words = 'cannot list resource "jobs" in API group "batch" at the cluster scope'
    assert talk.call("GET", "/apis/batch/v1/jobs").message.endswith(words)


def test_a_fault_hits_only_what_it_names(talk: Talk, inject: Inject, fresh: Fresh) -> None:
    name = fresh()
    fault = inject(Fault(Refuse(500), verb="get", resource="jobs", name=name, times=None))
    talk.job(job(name, "true"))
    assert talk.call("GET", JOBS).status == 200
    assert talk.call("GET", f"{JOBS}/other").status == 404
    assert talk.call("GET", "/version").status == 200
    assert [talk.call("GET", f"{JOBS}/{name}").status for _ in range(2)] == [500, 500]
    assert fault.hits == 2


def test_a_fault_without_a_name_hits_everything(talk: Talk, inject: Inject) -> None:
    inject(Fault(Refuse(503), times=None))
    assert talk.call("GET", "/version").status == 503
    assert talk.call("GET", PODS).status == 503


def test_a_fault_can_let_the_first_pass(talk: Talk, inject: Inject) -> None:
    inject(Fault(Refuse(500), resource="pods", after=2, times=1))
    assert [talk.call("GET", PODS).status for _ in range(4)] == [200, 200, 500, 200]


def test_a_removed_fault_hits_no_more(talk: Talk, inject: Inject) -> None:
    fault = inject(Fault(Refuse(500), times=None))
    assert talk.call("GET", PODS).status == 500
    fault.remove()
    assert talk.call("GET", PODS).status == 200


def test_a_test_can_wait_for_a_hit(talk: Talk, inject: Inject) -> None:
    fault = inject(Fault(Refuse(500), times=2))
    assert not fault.wait(timeout=0)
    asking = threading.Thread(target=lambda: [talk.call("GET", PODS) for _ in range(2)])
    asking.start()
    assert fault.wait(hits=2)
    asking.join(10)


@pytest.mark.parametrize(("done", "status"), [(False, 404), (True, 200)])
@pytest.mark.parametrize(
    ("effect", "seen"), [(Reset, ConnectionError), (Mute, TimeoutError)], ids=["reset", "mute"]
)
def test_an_answer_or_the_request_is_lost(
    sandbox: Sandbox,
    talk: Talk,
    inject: Inject,
    fresh: Fresh,
    effect: type[Reset | Mute],
    seen: type[Exception],
    done: bool,
    status: int,
) -> None:
    name = fresh()
    inject(Fault(effect(done), verb="create", resource="jobs"))
    with pytest.raises(seen):
        Talk(sandbox, timeout=1).call("POST", JOBS, job(name, "true"))
    assert talk.call("GET", f"{JOBS}/{name}").status == status
    assert [each.status for each in talk.sandbox.requests if each.method == "POST"][-1] == 0


def logged(talk: Talk, name: str) -> str:
    talk.job(shell(name, "seq 1000"))
    pod = talk.pod(name, phase_is("Succeeded"))
    return f"{PODS}/{pod['metadata']['name']}/log"


def test_a_log_can_be_cut_at_a_byte(talk: Talk, inject: Inject, fresh: Fresh) -> None:
    path = logged(talk, fresh())
    inject(Fault(Cut(10), resource="pods/log"))
    assert talk.call("GET", path).body == b"1\n2\n3\n4\n5\n"
    assert len(talk.call("GET", path).body) == 3893


def test_a_stream_can_be_reset_in_the_middle(talk: Talk, inject: Inject, fresh: Fresh) -> None:
    path = logged(talk, fresh())
    inject(Fault(Cut(10, "reset"), resource="pods/log"))
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        talk.call("GET", path)


@pytest.mark.parametrize("size", [0, 4])
def test_a_stream_can_fall_silent(
    sandbox: Sandbox, talk: Talk, inject: Inject, fresh: Fresh, size: int
) -> None:
    path = logged(talk, fresh())
    inject(Fault(Cut(size, "mute"), resource="pods/log"))
    with Talk(sandbox, timeout=0.2).open("GET", path) as response:
        assert response.status == 200
        assert [response.read(1) for _ in range(size)] == [b"1", b"\n", b"2", b"\n"][:size]
        with pytest.raises(TimeoutError):
            response.read(1)


def test_an_ordinary_answer_can_be_cut_too(talk: Talk, inject: Inject) -> None:
    inject(Fault(Cut(5), resource="pods", verb="list"))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        talk.call("GET", PODS)
    assert talk.call("GET", PODS).status == 200


def test_a_watch_can_be_closed_early(talk: Talk, inject: Inject) -> None:
    inject(Fault(Cut(0), verb="watch", resource="jobs"))
    assert list(talk.watch(JOBS)) == []


def test_a_slow_answer_comes_late_but_right(talk: Talk, inject: Inject) -> None:
    inject(Fault(Slow(0.3), verb="list", resource="pods"))
    began = time.monotonic()
    assert talk.call("GET", PODS).status == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("passed", [0, 2])
def test_a_watch_can_be_told_that_it_is_too_old(
    talk: Talk, inject: Inject, fresh: Fresh, passed: int
) -> None:
    mark = fresh()
    for number in range(3):
        body: Json = {"metadata": {"name": f"{mark}-{number}", "labels": {"mark": mark}}}
        talk.create(MAPS, body)
    inject(Fault(Gone(passed), verb="watch"))
    events = list(talk.watch(MAPS, labelSelector=f"mark={mark}"))
    assert [each["type"] for each in events] == ["ADDED"] * passed + ["ERROR"]
    assert events[-1]["object"]["code"] == 410


def test_where_there_is_no_stream_gone_does_nothing(talk: Talk, inject: Inject) -> None:
    inject(Fault(Gone(), verb="list"))
    assert talk.call("GET", MAPS).status == 200


def test_a_client_that_hangs_up_ends_its_watch(sandbox: Sandbox) -> None:
    impatient = Talk(sandbox, timeout=5)
    with impatient.open("GET", MAPS, watch="true", resourceVersion="0") as response:
        response.readline()
    assert Talk(sandbox).call("GET", MAPS).status == 200


def test_the_api_can_go_away_and_come_back(fresh: Fresh) -> None:
    with Sandbox() as sandbox:
        talk, name = Talk(sandbox), fresh()
        port = sandbox.port
        watch = talk.open("GET", JOBS, watch="true")
        talk.job(shell(name, "exec sleep 60"))
        pod = talk.pod(name, phase_is("Running"))
        sandbox.stop_listening()
        sandbox.stop_listening()
        with pytest.raises(ConnectionError):
            talk.call("GET", JOBS)
        with watch, pytest.raises((ConnectionError, http.client.IncompleteRead)):
            watch.read()
        sandbox.start_listening()
        sandbox.start_listening()
        assert sandbox.port == port
        found = talk.get(f"{PODS}/{pod['metadata']['name']}")
        assert found["status"]["phase"] == "Running"


def test_a_token_expires() -> None:
    with Sandbox() as sandbox:
        talk, old = Talk(sandbox), sandbox.token
        assert sandbox.rotate_token() != old
        assert talk.call("GET", JOBS).status == 200
        assert sandbox.token in sandbox.kubeconfig.read_text()
        sandbox.token = old
        assert talk.call("GET", JOBS).status == 401
