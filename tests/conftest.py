"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from misc.engines.process import EngineError

# Nothing is timed here, on whatever machine: speed lives in tests/bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

NO_SNOWFLAKE = sys.version_info < (3, 11)  # fakesnow needs it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Skip what needs the embedded Snowflake, by its mark or a fixture, where Python has none."""
    if NO_SNOWFLAKE and item.get_closest_marker("embedded_snowflake"):
        pytest.skip("the embedded Snowflake needs Python 3.11")
    try:
        return (yield)
    except EngineError as error:
        if NO_SNOWFLAKE and "fakesnow is missing" in str(error):
            pytest.skip(str(error))
        raise
