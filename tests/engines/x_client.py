"""One account's requests to the stand-in for X."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import requests

from misc.engines import sample, x
from misc.engines.x_rules import facts, parse

BEGUN = datetime.now(timezone.utc) - timedelta(seconds=400)
POSTS = list(sample.posts(300, seed=11, start=BEGUN))
HARTFORD = "bounding_box:[-72.75 41.7 -72.6 41.85]"
FIELDS = {
    "tweet.fields": "created_at,geo,lang,entities,author_id",
    "expansions": "author_id,geo.place_id",
    "place.fields": "geo,full_name,place_type,name",
    "user.fields": "username,name,location",
}
RULES, STREAM, SEARCH = (
    "/2/tweets/search/stream/rules",
    "/2/tweets/search/stream",
    "/2/tweets/search/recent",
)


class Client:
    """One account's requests."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._url = settings["X_API_URL"]
        self._token = settings["X_BEARER_TOKEN"]

    def ask(self, path: str, token: str | None = None, **query: Any) -> requests.Response:
        return requests.get(
            self._url + path, params=query, headers=self._headers(token), timeout=10
        )

    def rules(self, body: Any, **query: str) -> requests.Response:
        return requests.post(
            self._url + RULES, params=query, json=body, headers=self._headers(), timeout=10
        )

    def add(self, *values: str) -> None:
        answer = self.rules({"add": [{"value": value, "tag": value[:8]} for value in values]})
        assert answer.status_code == 201, answer.text

    def stream(self, **query: str) -> requests.Response:
        return requests.get(
            self._url + STREAM, params=query, headers=self._headers(), stream=True, timeout=10
        )

    def order(self, *faults: dict[str, Any]) -> None:
        requests.post(f"{self._url}/stand-in/faults", json=faults, timeout=10).raise_for_status()

    def push(self, *posts: Any) -> None:
        requests.post(f"{self._url}/stand-in/posts", json=posts, timeout=10).raise_for_status()

    def counts(self) -> Any:
        return requests.get(f"{self._url}/stand-in/counts", timeout=10).json()

    def _headers(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self._token}"}


def serve(**options: Any) -> Iterator[Client]:
    with x.embedded(**options) as settings:
        yield Client(settings)


def expected(rule: str, posts: list[Any] = POSTS) -> list[str]:
    clause = parse(rule)
    return [each["data"]["id"] for each in posts if clause.matches(facts(each))]


def read(answer: requests.Response, count: int) -> list[Any]:
    """Return the next posts of a stream, as they were sent."""
    found: list[Any] = []
    for line in answer.iter_lines():
        if line:
            found.append(json.loads(line))
        if len(found) == count:
            return found
    return found
