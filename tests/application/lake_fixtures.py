"""The embedded lake and bucket for the loaders' tests: one of each for all, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from application.lake import apply
from application.settings import snowflake_settings
from application.warehouse import Warehouse
from misc.engines import s3, snowflake
from tests.application.loading import Engines

TABLES = ("ADDRESSES", "CUSTOMERS", "PORTFOLIOS", "HOUSEHOLDS", "LOADS", "REJECTS", "GEO_STAGE")


@pytest.fixture(scope="session")
def shared_engines() -> Iterator[Engines]:
    with ExitStack() as stack:
        settings = stack.enter_context(snowflake.embedded())
        settings = {**settings, **stack.enter_context(s3.embedded())}
        lake = stack.enter_context(Warehouse(snowflake_settings(settings)))
        apply(lake)
        yield Engines(lake, settings)


@pytest.fixture
def engines(shared_engines: Engines) -> Engines:
    for table in TABLES:
        shared_engines.lake.run(f"delete from {table}")
    return shared_engines
