"""Whether this machine can run Apache Kafka: a laptop without Java skips what needs it."""

from __future__ import annotations

import os

import pytest

from misc.engines import apache_node


def need_apache() -> None:
    """Skip the test where Java or Maven is missing; fail it where nothing may be missing, in CI."""
    lacking = apache_node.missing()
    if lacking is None:
        return
    if os.environ.get("CI"):
        pytest.fail(f"Apache Kafka must be tested here, but {lacking}")
    pytest.skip(lacking)
