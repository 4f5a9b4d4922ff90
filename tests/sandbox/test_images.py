"""Image names and pulls."""

from __future__ import annotations

import pytest

from runjob.sandbox.images import (
    Image,
    Images,
    denied,
    missing,
    over_quota,
    resolved,
    unavailable,
    why_invalid,
)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("me/app:2", "docker.io/me/app:2"),
        ("registry.example:5000/app", "registry.example:5000/app:latest"),
        ("localhost/app:1", "localhost/app:1"),
        ("app@sha256:" + "0" * 64, "docker.io/library/app@sha256:" + "0" * 64),
    ],
)
def test_names_are_written_out_as_a_runtime_does(name: str, full: str) -> None:
    assert why_invalid(name) is None
    assert resolved(name) == full


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a b", "invalid reference format"),
        ("", "invalid reference format"),
        ("BadImage:1", "repository name (library/BadImage) must be lowercase"),
        ("me/Bad:1", "repository name (me/Bad) must be lowercase"),
    ],
)
def test_other_names_are_refused_in_the_kubelets_words(name: str, why: str) -> None:
    text = why_invalid(name)
    assert text is not None
    assert text.startswith(f'Failed to apply default image tag "{name}": ')
    assert text.endswith(why)


def test_a_name_outside_the_table_is_not_found() -> None:
    assert Images(()).pull("nosuch:1") == missing("nosuch:1").pull_error
    assert "docker.io/library/nosuch:1: not found" in str(missing("nosuch:1").pull_error)


def test_a_denied_image_stays_denied() -> None:
    images = Images([denied("x:1")])
    assert images.pull("x:1") == images.pull("x:1")
    assert "pull access denied" in str(images.pull("x:1"))
    assert not images.present("x:1")


@pytest.mark.parametrize("make", [unavailable, over_quota])
def test_a_passing_trouble_heals_after_so_many_pulls(make: type) -> None:
    images = Images([make(Image("x:1"), failures=2)])
    outcomes = [images.pull("x:1") is None for _ in range(3)]
    assert outcomes == [False, False, True]
    assert images.present("x:1")


def test_a_replaced_image_is_pulled_anew() -> None:
    images = Images([Image("x:1")])
    images.pull("x:1")
    images.add(Image("x:1", ("other",)))
    assert not images.present("x:1")
    assert images.find("x:1").command == ("other",)
