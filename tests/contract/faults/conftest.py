"""A cluster of its own for each test here, which it may break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runjob.sandbox import Sandbox
from tests.contract.targets import EmbeddedTarget, wants_real


@pytest.fixture
def target() -> Iterator[EmbeddedTarget]:
    if wants_real():
        pytest.skip("only the embedded cluster breaks on demand")
    with Sandbox() as sandbox:
        yield EmbeddedTarget(sandbox)
