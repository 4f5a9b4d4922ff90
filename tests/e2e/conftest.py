"""What only a real cluster can show: the one that KUBECONFIG names."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract.conftest import common, folder, launch, name, pytest_configure, start
from tests.contract.targets import RealTarget

__all__ = ["common", "folder", "launch", "name", "pytest_configure", "start"]


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTarget]:
    """Make a namespace on the real cluster; without one, fail where all must run, else skip."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if not kubeconfig:
        missing = "KUBECONFIG names no cluster; make cluster brings one up"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    real = RealTarget(kubeconfig, tmp_path_factory.mktemp("real"))
    real.api.patience = 150.0
    yield real
    real.close()


@pytest.fixture
def breakable(target: RealTarget) -> RealTarget:
    """Give the cluster of tests/cluster, whose parts can be killed and whose disk can be read."""
    if not target.is_ours:
        missing = "this cluster is not the one of tests/cluster, which tests may break"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return target
