"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from misc.engines.process import EngineError

# Nothing is timed here, on whatever machine: speed lives in tests/bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

NO_SNOWFLAKE = sys.version_info < (3, 11)  # fakesnow needs it


class Spread(LoadFileScheduling):  # type: ignore[misc]  # it carries no types
    """Hands out whole files, whose tests share what is dear, but the contract's test by test.

    Those share a cluster that is made in no time, and wait for most of theirs; the cases of one
    may share more. What has the fewest cases is handed out last, so that single tests fill the
    end, when no worker has a long file left.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/contract/"):
            return nodeid.partition("[")[0]
        scope: str = super()._split_scope(nodeid)
        return scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread | None:
    """Say how tests are spread over the workers of --dist loadfile."""
    return Spread(config, log) if config.getvalue("dist") == "loadfile" else None


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
