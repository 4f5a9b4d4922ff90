"""What a launch begins with is asked for again and again, and for some answers not for ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runjob.asking import LOGIN_PATIENCE, TRUST_PATIENCE, Asking
from runjob.errors import ApiError, NoClusterError
from runjob.request import JobRequest
from runjob.retry import REFUSALS, Backoff

REQUEST = JobRequest("hello", "ns", {})
UNTRUSTED = ApiError(401, "https://here: its certificate is not trusted", reason="Untrusted")
UNAUTHORIZED, AWAY = ApiError(401, "Unauthorized"), ApiError(0, "the connection broke off")


class Server:
    """Gives its answers in order, a step of time each, and then a good one."""

    def __init__(self, *answers: ApiError, step: float) -> None:
        self._answers: Iterator[ApiError] = iter(answers)
        self._step = step
        self.now = 100.0

    def ask(self) -> str:
        self.now += self._step
        for answer in self._answers:
            raise answer
        return "done"


def asking(server: Server) -> Asking:
    return Asking(REQUEST, lambda: server.now, Backoff(first=0), patience=600.0)


def test_credentials_that_are_refused_for_long_are_believed_to_be_wrong() -> None:
    server = Server(*[UNAUTHORIZED] * 4, step=0.6 * LOGIN_PATIENCE)
    with pytest.raises(NoClusterError, match="does not accept our credentials"):
        asking(server).persist(server.ask, "a Job")


def test_a_certificate_that_is_not_trusted_any_more_is_believed_after_long() -> None:
    server = Server(*[UNTRUSTED] * 4, step=0.6 * TRUST_PATIENCE)
    with pytest.raises(NoClusterError, match=r"^https://here: its certificate is not trusted$"):
        asking(server).persist(server.ask, "a Job")


def test_a_token_is_waited_for_anew_once_the_authority_is_known() -> None:
    """The kubelet brings both into a pod, one after the other."""
    server = Server(UNTRUSTED, UNTRUSTED, UNAUTHORIZED, UNAUTHORIZED, step=0.9 * LOGIN_PATIENCE)
    assert asking(server).persist(server.ask, "a Job") == "done"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        pytest.param("number into Go struct field EnvVar.value of type string",
                     "put that value in quotes", id="a number"),
        pytest.param("bool into Go struct field EnvVar.value of type string",
                     "put that value in quotes", id="true"),
        pytest.param("string into Go struct field JobSpec.spec.backoffLimit of type int32",
                     "write that value without quotes", id="a quoted number"),
        pytest.param("string into Go struct field JobSpec.spec.suspend of type bool",
                     "write that value without quotes", id="a quoted true"),
        pytest.param("array into Go struct field JobSpec.spec of type v1.JobSpec", "", id="other"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_how_to_write_it(words: str, hint: str) -> None:
    error = ApiError(400, f"json: cannot unmarshal {words}")
    told = str(asking(Server(step=1)).refused(error, "Job ns/hello"))
    assert told.startswith(f"the API refused Job ns/hello: json: cannot unmarshal {words}")
    assert hint in told
    assert ("; " in told) == bool(hint)


FORBIDDEN = ApiError(403, 'jobs.batch is forbidden: User "x" cannot create resource "jobs"')
POLICY = ApiError(403, 'jobs.batch "n" is forbidden: exceeded quota: q')


def test_a_right_may_be_unknown_to_a_server_that_just_started() -> None:
    server = Server(*[FORBIDDEN] * (REFUSALS - 1), step=1)
    assert asking(server).persist(server.ask, "a Job") == "done"


@pytest.mark.parametrize(
    ("answer", "times"),
    [pytest.param(FORBIDDEN, REFUSALS, id="a right"), pytest.param(POLICY, 1, id="a policy")],
)
def test_what_stays_forbidden_is_believed(answer: ApiError, times: int) -> None:
    server = Server(*[answer] * 99, step=1)
    with pytest.raises(ApiError, match="is forbidden"):
        asking(server).persist(server.ask, "a Job")
    assert server.now == 100 + times


def test_creates_that_contend_for_a_quota_are_tried_again() -> None:
    text = 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified'
    server = Server(*[ApiError(409, text, reason="Conflict")] * 3, step=1)
    assert asking(server).persist(server.ask, "a Job") == "done"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([AWAY, AWAY, AWAY, UNAUTHORIZED], id="at the end of a long absence"),
        pytest.param([UNAUTHORIZED, AWAY, UNAUTHORIZED], id="before and after an absence"),
    ],
)
def test_a_token_may_be_replaced_while_the_api_is_away(answers: list[ApiError]) -> None:
    """How long the API was away says nothing about the credentials."""
    server = Server(*answers, step=0.6 * LOGIN_PATIENCE)
    assert asking(server).persist(server.ask, "a Job") == "done"
