"""The process of the embedded Snowflake: fakesnow's web application, set up for this project."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

from misc.engines.process import Answer, EngineError, serve
from misc.engines.web import serving

# fakesnow has no warehouses and no roles. `alter session` is not among these: it has that.
IGNORED = [
    r"\s*(use|create|alter|drop|describe|show)\s+(or\s+replace\s+)?(warehouse|role)s?\b",
    r"\s*use\s+secondary\s+roles\b",
    r"\s*(grant|revoke)\b",
]
USER = "TRYOUT"
_LOGIN = "/session/v1/login-request"
# Snowflake's code and words for a login that it does not accept.
_WRONG_PASSWORD = {
    "data": None,
    "code": "390100",
    "message": "Incorrect username or password was specified.",
    "success": False,
}


class Guarded:
    """An ASGI application that lets only one user log in: fakesnow would let everyone."""

    def __init__(self, application: Any, user: str, password: str) -> None:
        self._application = application
        self._login = (user.upper(), password)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != _LOGIN:
            await self._application(scope, receive, send)
            return
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        request = Request(scope, receive)
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        data = json.loads(body)["data"]
        if (str(data.get("LOGIN_NAME")).upper(), data.get("PASSWORD")) != self._login:
            await JSONResponse(_WRONG_PASSWORD)(scope, receive, send)
            return

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [each for each in scope["headers"] if each[0] != b"content-encoding"]
        await self._application({**scope, "headers": headers}, again, send)


@contextlib.contextmanager
def run(options: Answer) -> Iterator[tuple[dict[str, str], Any]]:
    """Start the server; it takes no requests."""
    with tempfile.TemporaryDirectory(prefix="fakesnow-") as stages:
        # fakesnow makes its folder for stages where temporary files go, and leaves it there.
        tempfile.tempdir = stages
        application = _application(options["folder"], options["database"], options["schema"])
        guarded = Guarded(application, USER, options["password"])
        with serving(guarded, options["port"]) as port:
            yield (
                {
                    "SNOWFLAKE_ACCOUNT": "embedded",
                    "SNOWFLAKE_USER": USER,
                    "SNOWFLAKE_PASSWORD": options["password"],
                    "SNOWFLAKE_DATABASE": options["database"],
                    "SNOWFLAKE_SCHEMA": options["schema"],
                    "SNOWFLAKE_WAREHOUSE": "EMBEDDED",
                    "SNOWFLAKE_HOST": "127.0.0.1",
                    "SNOWFLAKE_PORT": str(port),
                    "SNOWFLAKE_PROTOCOL": "http",
                },
                _refuse,
            )


def _application(folder: str | None, database: str, schema: str) -> Any:
    try:
        import fakesnow.server
    except SyntaxError as error:  # it is written for a later Python
        raise ImportError("fakesnow", name="fakesnow") from error
    # An extra copy costs less than a word a statement.
    warnings.filterwarnings("ignore", "Arrow output on a DB-API", UserWarning)
    # It logs a refused statement with all its values, a batch of posts say; the client is told.
    logging.getLogger("fakesnow.server").setLevel(logging.CRITICAL)
    warehouse = fakesnow.server.FakeSnow(db_path=folder, nop_regexes=IGNORED)
    fakesnow.server.shared_fs = warehouse
    # What was there before comes back by being asked for.
    with warehouse.connect(database, schema):
        return fakesnow.server.app


def _refuse(request: Answer) -> Answer:
    raise EngineError(f"the embedded warehouse takes no {request.get('do')!r}")


if __name__ == "__main__":
    serve(run)
