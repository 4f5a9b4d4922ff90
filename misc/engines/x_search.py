"""Recent search: from the parameters of a request to the page that answers it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from misc.engines.x_fields import ParameterError, chosen, wanted
from misc.engines.x_rules import RuleError, facts, parse
from misc.engines.x_world import Limits, Post, id_at

DAYS = 7
_SECONDS = DAYS * 86_400
_KNOWN = frozenset(
    {"query", "since_id", "until_id", "start_time", "end_time", "max_results", "next_token"}
    | {"pagination_token", "sort_order", "tweet.fields", "user.fields", "place.fields"}
    | {"expansions", "media.fields", "poll.fields"}
)


def page(
    posts: Sequence[Post], query: Mapping[str, str], now: float, limits: Limits
) -> dict[str, Any]:
    """Answer a search, newest first; ParameterError where X would answer 400.

    Posts of the last seven days are found, the newest only where end_time asks for them; since_id,
    until_id and end_time are exclusive.
    """
    for name in query:
        if name not in _KNOWN:
            raise ParameterError(
                name,
                query[name],
                f"The query parameter [{name}] is not one of [{','.join(sorted(_KNOWN))}]",
            )
    fields = wanted(query)
    clause = _query(query, limits.query_length)
    size = _size(query)
    low, high = _bounds(query, now)
    oldest = now - _SECONDS
    start = _time("start_time", query, oldest) or oldest
    end = _time("end_time", query, oldest) or math.inf
    if "end_time" not in query:
        high = min(high, id_at(now - limits.search_delay_seconds))
    within = [post for post in posts if low < int(post["data"]["id"]) < high]
    within.sort(key=lambda post: int(post["data"]["id"]), reverse=True)
    matching = (
        post for post in within if start <= _moment(post) < end and clause.matches(facts(post))
    )
    # One more tells that there is another page; what is on that is not looked for yet.
    found = list(islice(matching, size + 1))
    shown = found[:size]
    if not shown:
        return {"meta": {"result_count": 0}}
    data, includes = chosen(shown, fields)
    meta = {
        "newest_id": data[0]["id"],
        "oldest_id": data[-1]["id"],
        "result_count": len(data),
    }
    if len(found) > size:
        meta["next_token"] = base64.b32encode(data[-1]["id"].encode()).decode().lower().strip("=")
    return {"data": data, **({"includes": includes} if includes else {}), "meta": meta}


def _query(query: Mapping[str, str], query_length: int) -> Any:
    text = query.get("query", "")
    if not text:
        raise ParameterError("query", "", "The `query` query parameter can not be empty")
    if len(text) > query_length:
        raise ParameterError(
            "query",
            text,
            f"The `query` query parameter is {len(text)} characters long; at most {query_length}",
        )
    try:
        return parse(text)
    except RuleError as error:
        raise ParameterError("query", text, str(error)) from error


def _size(query: Mapping[str, str]) -> int:
    text = query.get("max_results", "10")
    if not text.isdecimal() or not 10 <= int(text) <= 100:
        raise ParameterError(
            "max_results",
            text,
            f"The `max_results` query parameter value [{text}] is not between 10 and 100",
        )
    return int(text)


def _bounds(query: Mapping[str, str], now: float) -> tuple[int, int]:
    """Return the ids between which a post's id lies."""
    ids = {"since_id": 0, "until_id": 1 << 63}
    for name in ids:
        if text := query.get(name):
            if not text.isdecimal():
                raise ParameterError(
                    name, text, f"The `{name}` query parameter value [{text}] is not valid"
                )
            ids[name] = int(text)
    if ("since_id" in query or "until_id" in query) and (
        "start_time" in query or "end_time" in query
    ):
        name = next(each for each in ids if each in query)
        raise ParameterError(
            name,
            query[name],
            "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or "
            "'end_time'.",
        )
    oldest = id_at(now - _SECONDS)
    if "since_id" in query and ids["since_id"] < oldest:
        moment = datetime.fromtimestamp(now - _SECONDS, timezone.utc)
        raise ParameterError(
            "since_id",
            query["since_id"],
            f"'since_id' must be a tweet id created after {moment:%Y-%m-%dT%H:%MZ}. Please use a "
            f"'since_id' that is larger than {oldest}",
        )
    if token := query.get("next_token") or query.get("pagination_token"):
        ids["until_id"] = min(ids["until_id"], _position(token))
    return ids["since_id"], ids["until_id"]


def _position(token: str) -> int:
    padded = token.upper() + "=" * (-len(token) % 8)
    with contextlib.suppress(binascii.Error, ValueError):
        return int(base64.b32decode(padded))
    raise ParameterError(
        "next_token", token, f"The `next_token` query parameter value [{token}] is not valid"
    )


def _time(name: str, query: Mapping[str, str], oldest: float) -> float | None:
    if (text := query.get(name)) is None:
        return None
    try:
        moment = _parsed(text)
    except ValueError as error:
        raise ParameterError(
            name, text, f"The `{name}` query parameter value [{text}] is not RFC 3339"
        ) from error
    if moment < oldest:
        floor = datetime.fromtimestamp(oldest, timezone.utc)
        raise ParameterError(
            name,
            text,
            f"Invalid '{name}':'{text}'. '{name}' must be on or after {floor:%Y-%m-%dT%H:%MZ}",
        )
    return moment


def _moment(post: Post) -> float:
    return _parsed(post["data"]["created_at"])


def _parsed(text: str) -> float:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()
