"""One sandbox for the tests of a module, and names that no other test uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from runjob.sandbox import Image, Sandbox
from runjob.sandbox.images import denied, over_quota, unavailable

from .talk import Talk

IMAGES = (
    Image("hello:1", command=("echo",), args=("hello",), environment={"FROM": "image"}),
    Image("slow:1", args=("true",), pull_seconds=60),
    denied("secret/app:1"),
    unavailable(Image("flaky:1", args=("true",)), failures=2),
    over_quota(Image("busy:1", args=("true",)), failures=1),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(images=IMAGES) as started:
        yield started


@pytest.fixture
def talk(sandbox: Sandbox) -> Talk:
    return Talk(sandbox)


@pytest.fixture(scope="session")
def fresh() -> Callable[[], str]:
    """Give a name at each call."""
    numbers = itertools.count()
    return lambda: f"job-{next(numbers)}"
