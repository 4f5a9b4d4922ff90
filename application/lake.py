"""The lake's tables and views: `python -m application.lake` creates what is missing.

Each file of sql/ can run again at any time: tables are created where there are none, views are
replaced, data stays.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from application.errors import ApplicationError, BadInputError, Exit
from application.settings import SnowflakeSettings, snowflake_settings

SQL = Path(__file__).with_name("sql")


class Lake(Protocol):
    """What runs statements: a Warehouse."""

    def run(self, sql: str) -> list[tuple[Any, ...]]: ...


def statements(text: str) -> list[str]:
    """Split a file into its statements; a semicolon at the end of a line ends one."""
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [part.strip() for part in re.split(r";\s*(?:\n|$)", bare) if part.strip()]


def apply(warehouse: Lake, tell: Callable[[str], object] = lambda _: None) -> list[str]:
    """Run every file of sql/ in the order of its number, tell each name; return the names."""
    applied = []
    for file in sorted(SQL.glob("*.sql")):
        for statement in statements(file.read_text(encoding="utf-8")):
            warehouse.run(statement)
        applied.append(file.name)
        tell(file.name)
    return applied


def ensure_database(warehouse: Lake, settings: SnowflakeSettings) -> None:
    """Create the database and schema of the settings where the session found none.

    Only then: a role that may use them need not have the right to create them.
    """
    for name, value in (("DATABASE", settings.database), ("SCHEMA", settings.schema)):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", value):
            raise BadInputError(f"SNOWFLAKE_{name}: {value!r} is no plain Snowflake identifier")
    [(database, schema)] = warehouse.run("select current_database(), current_schema()")
    if database is None:
        warehouse.run(f"create database if not exists {settings.database}")
    if schema is None or database is None:
        warehouse.run(f"create schema if not exists {settings.database}.{settings.schema}")
        warehouse.run(f"use schema {settings.database}.{settings.schema}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; see --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Apply the SQL to the lake that the environment names; return the exit code."""
    parser = _Parser(
        prog="python -m application.lake",
        description="Create what is missing of the lake's tables and views; data stays.",
        epilog="Which lake: the SNOWFLAKE_ environment variables.",
    )
    # The connector is slow to load, and a wrong setting is told without it.
    try:
        parser.parse_args(argv)
        settings = snowflake_settings(os.environ)
        from application.warehouse import Warehouse

        with Warehouse(settings) as warehouse:
            ensure_database(warehouse, settings)
            apply(warehouse, lambda name: print(f"lake: {name} applied", file=sys.stderr))
    except ApplicationError as error:
        print(f"lake: error: {error}", file=sys.stderr)
        return int(error.exit_code)
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
