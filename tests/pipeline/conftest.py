"""The pipeline's engines, each broker in its turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from misc.engines import apache, kafka, snowflake
from tests.engines.real_broker import need_apache
from tests.pipeline import lake

TOPICS = {"tweets": 4, "tweets-dead-letters": 1}


@pytest.fixture(params=["embedded broker", "Apache Kafka"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the KAFKA_ variables of a broker that has the topics and no message."""
    if request.param == "embedded broker":
        with kafka.embedded(TOPICS) as settings:
            yield settings
        return
    need_apache()
    with apache.broker(tmp_path / "kafka", TOPICS) as running:
        yield running.settings


@pytest.fixture
def warehouse() -> Iterator[dict[str, str]]:
    """Yield the SNOWFLAKE_ variables of a lake with a few customers."""
    with snowflake.embedded() as settings:
        with lake.opened(settings) as client:
            lake.fill(client)
        yield settings
