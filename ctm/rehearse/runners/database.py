"""Database jobs, through Snowflake's connector: a script on the agent, or a query."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctm.rehearse.task import FAILED, OK, Result, Task

SHOWN_ROWS = 1000


def script(task: Task) -> Result:
    """Run a file of statements."""
    path = Path(task.text("SQLScript"))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        task.say(f"{path}: {error.strerror}")
        return Result(1, ok=False, submitted=False)
    return _run(task, with_parameters(text, task.properties.get("Parameters") or []))


def query(task: Task) -> Result:
    """Run the statements that the definition holds."""
    return _run(task, task.text("Query").replace("\\n", "\n"))


def with_parameters(text: str, parameters: Any) -> str:
    """Replace :name by the value of each parameter `[{"name": "value"}, …]`, as text in quotes.

    What an agent does with quotes is not documented; a value that is a number stays one.
    """
    values = {str(k): str(v) for each in parameters for k, v in each.items()}

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        told = values[found[1]]
        if re.fullmatch(r"-?\d+(\.\d+)?", told):
            return told
        return "'" + told.replace("'", "''") + "'"

    return re.sub(r"(?<![\w:]):([A-Za-z_]\w*)", value, text)


def _run(task: Task, text: str) -> Result:
    import snowflake.connector
    from snowflake.connector import errors

    try:
        given = login(task.stage.environment)
        commits = str(task.properties.get("Autocommit", "Y")).upper() != "N"
        with snowflake.connector.connect(**given, autocommit=commits) as connection:
            for cursor in connection.execute_string(text, remove_comments=True):
                if task.stopped.is_set():
                    return FAILED
                if str(task.properties.get("OutputSQLOutput", "Y")).upper() != "N":
                    task.say(_shown(cursor, task.text("SQLOutputFormat", "Text")))
            if not commits:
                connection.commit()
    except (errors.Error, OSError, ValueError) as error:
        task.say(f"Snowflake: {' '.join(str(error).split())[:500]}")
        return FAILED
    return OK


def login(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the connector's arguments, by the SNOWFLAKE_ variables; ValueError without any."""
    names = (
        "account",
        "user",
        "database",
        "schema",
        "warehouse",
        "role",
        "host",
        "port",
        "protocol",
    )
    told = {name: environment.get(f"SNOWFLAKE_{name.upper()}") for name in names}
    given: dict[str, Any] = {name: value for name, value in told.items() if value}
    if "account" not in given:
        raise ValueError("SNOWFLAKE_ACCOUNT is not set")
    if key := environment.get("SNOWFLAKE_PRIVATE_KEY_FILE"):
        return {**given, "private_key_file": key}
    for name in ("token", "password"):
        if value := _secret(f"SNOWFLAKE_{name.upper()}", environment):
            kind = {"authenticator": "oauth"} if name == "token" else {}
            return {**given, **kind, name: value}
    raise ValueError("no login: set SNOWFLAKE_PRIVATE_KEY_FILE, SNOWFLAKE_TOKEN or _PASSWORD")


def _secret(name: str, environment: Mapping[str, str]) -> str | None:
    if value := environment.get(name, "").strip():
        return value
    named = environment.get(f"{name}_FILE")
    return Path(named).read_text(encoding="utf-8").strip() if named else None


def _shown(cursor: Any, form: str) -> str:
    """Write a result's first rows, as columns or as CSV."""
    names = [each[0] for each in cursor.description or []]
    rows = [["" if v is None else str(v) for v in row] for row in cursor.fetchmany(SHOWN_ROWS)]
    if form.upper() == "CSV":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([names, *rows])
        return text.getvalue().rstrip("\n")
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip()
        for row in [names, *rows]
    ]
    return "\n".join(lines)
