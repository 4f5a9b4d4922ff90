"""The v2 API of X as a web application over the state of a world.

Paths, parameters, answers and words are those of docs.x.com and of answers that people reported.
`/stand-in/…` is not X: there tests push posts, order faults and read counters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from misc.engines.x_fields import ParameterError
from misc.engines.x_rules import RuleError, parse
from misc.engines.x_search import page
from misc.engines.x_stream import Stream, wanted_of
from misc.engines.x_world import Window, World

PROBLEMS = "https://api.twitter.com/2/problems/"


class Api:
    """The endpoints over one world."""

    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token
        limits = world.limits
        self._windows = {
            "stream": Window(limits.connects, limits.window_seconds),
            "search": Window(limits.searches, limits.window_seconds),
            "rules": Window(limits.rule_requests, limits.window_seconds),
        }
        self._news = asyncio.Event()

    def routes(self) -> list[Route]:
        return [
            Route("/2/tweets/search/stream", self.stream),
            Route("/2/tweets/search/stream/rules", self.list_rules),
            Route("/2/tweets/search/stream/rules", self.change_rules, methods=["POST"]),
            Route("/2/tweets/search/recent", self.search),
            Route("/stand-in/posts", self.push, methods=["POST"]),
            Route("/stand-in/faults", self.fail, methods=["POST"]),
            Route("/stand-in/counts", self.count),
        ]

    async def stream(self, request: Request) -> Response:
        if refusal := self._refusal("stream", request):
            return refusal
        try:
            fields = wanted_of(request.query_params)
        except ParameterError as error:
            return self._invalid("stream", error)
        if not self._world.rules:
            return self._connection_problem(
                409,
                "RuleConfigurationIssue",
                "You must define rules using the POST /2/tweets/search/stream/rules endpoint "
                "before connecting to filtered stream.",
            )
        if self._world.streaming:
            return self._connection_problem(
                429,
                "TooManyConnections",
                "This stream is currently at the maximum allowed connection limit.",
            )
        return Stream(self._world, fields, self._news, self._windows["stream"].headers())

    async def list_rules(self, request: Request) -> Response:
        if refusal := self._refusal("rules", request):
            return refusal
        asked = request.query_params.get("ids")
        ids = asked.split(",") if asked else list(self._world.rules)
        rules = [self._world.rules[each].named() for each in ids if each in self._world.rules]
        body: dict[str, Any] = {"data": rules} if rules else {}
        body["meta"] = {"sent": _now(), "result_count": len(rules)}
        return self._answer("rules", body)

    async def change_rules(self, request: Request) -> Response:
        if refusal := self._refusal("rules", request):
            return refusal
        try:
            body = await request.json()
            dry_run = request.query_params.get("dry_run") == "true"
            if "delete" in body:
                return self._answer("rules", self._delete(body["delete"], dry_run))
            status, answer = self._add(body["add"], dry_run)
            return self._answer("rules", answer, status)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = ParameterError("body", "", f"The body is no rules request: {error!r}")
            return self._invalid("rules", problem)

    async def search(self, request: Request) -> Response:
        if refusal := self._refusal("search", request):
            return refusal
        posts = self._world.for_search()
        query = request.query_params
        try:
            body = page(posts, query, time.time(), self._world.limits)
        except ParameterError as error:
            return self._invalid("search", error)
        return self._answer("search", body)

    async def push(self, request: Request) -> Response:
        posts = await request.json()
        self._world.push(posts if isinstance(posts, list) else [posts])
        self._news.set()
        return JSONResponse({}, 201)

    async def fail(self, request: Request) -> Response:
        faults = await request.json()
        self._world.faults.extend(faults if isinstance(faults, list) else [faults])
        self._news.set()
        return JSONResponse({}, 201)

    async def count(self, _: Request) -> Response:
        world = self._world
        names = ("stream", "search", "rules", "connected", "delivered", "keep_alives")
        counts = {name: world.counts[name] for name in names}
        return JSONResponse(
            {
                **counts,
                "open": world.streaming,
                "rules_held": len(world.rules),
                "faults": world.faults,
            }
        )

    # -- rules -----------------------------------------------------------------------------------

    def _add(self, wanted: list[dict[str, str]], dry_run: bool) -> tuple[int, dict[str, Any]]:
        """Add rules: one that is invalid keeps out the whole request, a duplicate only itself."""
        world = self._world
        present = {rule.value: rule.id for rule in world.rules.values()}
        errors: list[dict[str, Any]] = []
        new: list[dict[str, str]] = []
        invalid = False
        for each in wanted:
            value = each["value"]
            if value in present:
                errors.append(
                    _problem("DuplicateRule", "duplicate-rules", value=value, id=present[value])
                )
            elif details := self._why_invalid(value):
                invalid = True
                errors.append(
                    _problem("UnprocessableEntity", "invalid-rules", value=value, details=details)
                )
            else:
                present[value] = "0"
                new.append(each)
        if len(world.rules) + len(new) > world.limits.rules:
            detail = f"Rule limit exceeded: at most {world.limits.rules} rules"
            invalid = True
            errors.append(_problem("RulesCapProblem", "rule-cap", detail=detail))
        made = []
        if not invalid:
            made = [world.add_rule(each["value"], each.get("tag")) for each in new]
        body: dict[str, Any] = {"data": [rule.named() for rule in made]} if made else {}
        if dry_run:
            for rule in made:
                del world.rules[rule.id]
        body["meta"] = {
            "sent": _now(),
            "summary": {
                "created": len(made),
                "not_created": len(wanted) - len(made),
                "valid": len(new),
                "invalid": len(wanted) - len(new),
            },
        }
        if errors:
            body["errors"] = errors
        return (200 if invalid else 201), body

    def _delete(self, wanted: dict[str, list[str]], dry_run: bool) -> dict[str, Any]:
        rules = self._world.rules
        by_value = {rule.value: rule.id for rule in rules.values()}
        asked = [
            *wanted.get("ids", ()),
            *(by_value.get(each, each) for each in wanted.get("values", ())),
        ]
        found = [each for each in asked if each in rules]
        if not dry_run:
            for each in found:
                rules.pop(each, None)
        missing = len(asked) - len(found)
        body: dict[str, Any] = {
            "meta": {
                "sent": _now(),
                "summary": {"deleted": len(found), "not_deleted": missing},
            }
        }
        if missing:
            detail = "One or more parameters to your request was invalid."
            problem = _problem("Invalid Request", "invalid-request", detail=detail)
            inner = [{"parameters": {}, "message": "Rule does not exist"}] * missing
            body["errors"] = [{"errors": inner, **problem}]
        return body

    def _why_invalid(self, value: str) -> list[str]:
        most = self._world.limits.rule_length
        if len(value) > most:
            return [f"Rule '{value}' is {len(value)} characters long; the maximum is {most}"]
        try:
            parse(value)
        except RuleError as error:
            return [str(error)]
        return []

    # -- answers ---------------------------------------------------------------------------------

    def _refusal(self, path: str, request: Request) -> Response | None:
        """Count a request; return what speaks against answering it, None when nothing does."""
        self._world.counts[path] += 1
        if fault := self._world.take_fault(path, ("refuse",)):
            return _plain_problem(fault["status"], fault.get("headers"))
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _plain_problem(401)
        window = self._windows[path]
        if not window.take():
            return _plain_problem(429, window.headers())
        return None

    def _answer(self, path: str, body: Mapping[str, Any], status: int = 200) -> Response:
        return JSONResponse(body, status, self._windows[path].headers())

    def _invalid(self, path: str, error: ParameterError) -> Response:
        inner = [{"parameters": {error.name: [error.value]}, "message": str(error)}]
        detail = "One or more parameters to your request was invalid."
        problem = _problem("Invalid Request", "invalid-request", detail=detail)
        return self._answer(path, {"errors": inner, **problem}, 400)

    def _connection_problem(self, status: int, issue: str, detail: str) -> Response:
        body = _problem(
            "ConnectionException", "streaming-connection", detail=detail, connection_issue=issue
        )
        return self._answer("stream", body, status)


def _problem(title: str, kind: str, **more: Any) -> dict[str, Any]:
    return {**more, "title": title, "type": PROBLEMS + kind}


_TITLES = {401: "Unauthorized", 429: "Too Many Requests", 503: "Service Unavailable"}


def _plain_problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    title = _TITLES.get(status, "Error")
    body = {"title": title, "detail": title, "type": "about:blank", "status": status}
    return JSONResponse(body, status, headers)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
