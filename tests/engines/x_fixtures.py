"""A stand-in for X for each test, with posts or quiet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.x_client import POSTS, Client, serve


@pytest.fixture
def client() -> Iterator[Client]:
    yield from serve(posts=POSTS)


@pytest.fixture
def quiet() -> Iterator[Client]:
    """Serve no posts but those that are pushed, and often an empty line."""
    yield from serve(limits={"keep_alive_seconds": 0.05})
