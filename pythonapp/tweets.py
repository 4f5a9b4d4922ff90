"""What is the same for every request to X: the address, the fields, the errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import tweepy

from pythonapp.backoff import Trouble
from pythonapp.clock import Clock
from pythonapp.environment import XSettings
from pythonapp.errors import ProducerError, RefusedError, UnreachableError

# What X sends beyond id and text only when asked.
FIELDS: Mapping[str, Any] = {
    "tweet_fields": [
        "author_id",
        "created_at",
        "edit_history_tweet_ids",
        "entities",
        "geo",
        "lang",
        "note_tweet",
        "referenced_tweets",
    ],
    "expansions": ["author_id", "geo.place_id"],
    "place_fields": ["full_name", "geo", "place_type"],
    "user_fields": ["location", "name", "username"],
}
TIMEOUT = 30.0
_BUILT_IN = "https://api.twitter.com"
_HEALS = frozenset({408, 409, 420, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Allowance:
    """A limit's window as X tells it: requests allowed, requests left, its end since 1970."""

    limit: int
    remaining: int
    reset: float


class Session(requests.Session):  # type: ignore[misc] # requests carries no types
    """Sends tweepy's requests to the address of the settings, with a bound on each wait.

    stream is the latest answer that is read while it comes; allowance is what the latest answer
    told of its limit.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.stream: requests.Response | None = None
        self.allowance: Allowance | None = None

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        more["timeout"] = more.get("timeout") or TIMEOUT
        # Without this a proxy that ~/.netrc or the environment names could be told the token.
        more["allow_redirects"] = False
        answer = super().request(method, url.replace(_BUILT_IN, self._url, 1), **more)
        self.allowance = _allowance(answer)
        if more.get("stream"):
            self.stream = answer
        return answer


@dataclass(frozen=True)
class Setback:
    """A request that failed and may be answered later; until_reset is in seconds."""

    trouble: Trouble
    words: str
    until_reset: float | None = None


def client(settings: XSettings) -> tweepy.Client:
    """Return a client for the requests that are no stream; its answers are plain dicts."""
    made = tweepy.Client(settings.bearer_token, return_type=dict, wait_on_rate_limit=False)
    made.session = Session(settings.url)
    return made


def setback(error: BaseException, clock: Clock, url: str) -> Setback:
    """Return what an error of tweepy means; raise RefusedError where waiting does not help."""
    if isinstance(error, tweepy.HTTPException):
        return answered(error.response, clock, url)
    if isinstance(error, requests.RequestException | ValueError):
        return Setback(Trouble.NETWORK, _reason(error))
    raise error


def answered(response: requests.Response, clock: Clock, url: str) -> Setback:
    """Return what an answer other than 200 means; raise RefusedError where waiting is no help."""
    status, words = response.status_code, _words(response)
    if status == 429:
        return Setback(Trouble.LIMITED, words, _until_reset(response, clock))
    if status in _HEALS or status >= 500:
        return Setback(Trouble.HTTP, words)
    advice = {
        401: "; is X_BEARER_TOKEN the app's bearer token?",
        403: "; does the app's access level include this endpoint?",
    }
    raise RefusedError(f"X refuses at {url}: {words}{advice.get(status, '')}")


def out_of_patience(latest: Setback, seconds: float, url: str) -> ProducerError:
    """Return the error of a source that X has not served for so long."""
    text = f"X at {url} has not served for {seconds:.0f} seconds: {latest.words}"
    if latest.trouble is Trouble.LIMITED:
        return RefusedError(text)
    return UnreachableError(f"{text}; is X_API_URL right, and the way there open?")


def _words(response: requests.Response) -> str:
    """Say what X answered, in one line and without what it may have been told."""
    try:
        body = json.loads(response.content)
    except (ValueError, requests.RequestException):
        return f"{response.status_code} {response.reason}"
    parts = [body] if isinstance(body, dict) else []
    errors = parts[0].get("errors") if parts else None
    parts += [each for each in errors or () if isinstance(each, dict)]
    texts = (
        str(each[key])
        for each in parts
        for key in ("connection_issue", "detail", "message")
        if each.get(key)
    )
    said = " ".join(dict.fromkeys(texts))
    return " ".join(f"{response.status_code} {response.reason}: {said}".split())[:400]


def _allowance(response: requests.Response) -> Allowance | None:
    names = ("limit", "remaining", "reset")
    told = [response.headers.get(f"x-rate-limit-{name}", "") for name in names]
    return Allowance(*map(int, told)) if all(map(str.isdecimal, told)) else None


def _until_reset(response: requests.Response, clock: Clock) -> float | None:
    reset = response.headers.get("x-rate-limit-reset", "")
    remaining = response.headers.get("x-rate-limit-remaining", "0")
    # A 429 for another reason, such as a second connection, carries a window that is not used up.
    return float(reset) - clock.time() if reset.isdecimal() and remaining == "0" else None


def _reason(error: BaseException) -> str:
    """Say why a request got no answer: the innermost cause, without the library's wrapping."""
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    return f"{type(cause).__name__}: {' '.join(str(cause).split())}"[:300]
