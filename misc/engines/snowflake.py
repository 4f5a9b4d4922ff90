"""An embedded Snowflake: fakesnow's server, which the real connector logs in to over HTTP."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from misc.engines.process import start
from misc.engines.trouble import Trouble, troubled

__all__ = ["Trouble", "embedded", "troubled"]


@contextlib.contextmanager
def embedded(
    folder: Path | None = None,
    *,
    port: int = 0,
    database: str = "CUST360",
    schema: str = "PUBLIC",
    password: str | None = None,
) -> Iterator[dict[str, str]]:
    """Run a warehouse and yield the SNOWFLAKE_ variables of a client.

    With a folder the tables outlast the server, however it ends; what was put into stages does
    not. The database and the schema are there from the start. A wrong password is refused; the
    right one is made up, unless it is given for a server that comes back.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "folder": str(folder.resolve()) if folder else None,
        "port": port,
        "database": database,
        "schema": schema,
        "password": password or secrets.token_urlsafe(12),
    }
    with start("misc.engines.fakesnow_server", options) as engine:
        yield engine.settings
