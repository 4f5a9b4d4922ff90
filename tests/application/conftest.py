"""Engines that the tests of the application share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from application.lake import apply
from application.settings import SnowflakeSettings, snowflake_settings
from application.warehouse import Warehouse
from misc.engines import snowflake

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Lake:
    """An embedded lake with its tables, and the variables by which a process finds it."""

    warehouse: Warehouse
    environment: dict[str, str] = field(repr=False)

    @property
    def settings(self) -> SnowflakeSettings:
        return snowflake_settings(self.environment)


@pytest.fixture(scope="session")
def _lake() -> Iterator[Lake]:
    with (
        snowflake.embedded() as environment,
        Warehouse(snowflake_settings(environment)) as warehouse,
    ):
        apply(warehouse)
        yield Lake(warehouse, environment)


@pytest.fixture
def lake(_lake: Lake) -> Lake:
    """Return the lake of the session, empty."""
    for table in ("TWEETS", "CUSTOMERS", "ADDRESSES", "HOUSEHOLDS"):
        _lake.warehouse.run(f"delete from {table}")
    return _lake
