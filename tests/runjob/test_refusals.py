"""What went wrong with a request is told in the words that came, or in ours."""

from __future__ import annotations

import errno
import json
from http.client import IncompleteRead

import pytest

from runjob.refusals import broken, refusal, words


def test_a_refusal_says_what_the_api_said() -> None:
    told = {"kind": "Status", "message": 'pods "hello"  not\nfound', "reason": "NotFound"}
    error = refusal(404, json.dumps(told).encode(), None)
    assert (error.status, str(error), error.reason) == (404, 'pods "hello" not found', "NotFound")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(b"upstream  is\nbusy", "upstream is busy", id="plain text"),
        pytest.param(b"", "HTTP 503", id="nothing"),
        pytest.param(b"[]", "[]", id="no object"),
        pytest.param(b"{}", "{}", id="no message"),
        pytest.param(b"\xff" + b"x" * 999, "\ufffd" + "x" * 299, id="a long page"),
    ],
)
def test_a_refusal_that_is_none_of_the_apis_is_told_as_it_came(answer: bytes, text: str) -> None:
    error = refusal(503, answer, None)
    assert (error.status, str(error), error.reason) == (503, text, "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("Fri, 31 Dec 1999 23:59:59 GMT", None, id="a date"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_a_refusal_says_when_to_come_again(header: str | None, seconds: float | None) -> None:
    assert refusal(429, b"", header).retry_after == seconds


@pytest.mark.parametrize(
    ("error", "text", "reason"),
    [
        pytest.param(TimeoutError("timed out"), "no answer in time", "Silence", id="too late"),
        pytest.param(IncompleteRead(b""), "the connection broke off", "", id="cut"),
        pytest.param(ValueError("closed file"), "the connection broke off", "", id="shut down"),
        pytest.param(
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            "Connection refused",
            "",
            id="refused",
        ),
        pytest.param(OSError(), "OSError", "", id="no words"),
        pytest.param(
            OSError("Tunnel connection\nfailed"), "Tunnel connection failed", "", id="ours"
        ),
    ],
)
def test_what_broke_is_told_in_words(error: Exception, text: str, reason: str) -> None:
    told = broken(error)
    assert (told.status, str(told), told.reason) == (0, text, reason)
    assert words(error) == text
