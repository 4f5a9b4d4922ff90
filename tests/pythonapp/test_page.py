"""A page is taken apart, whatever X put into it."""

from __future__ import annotations

from typing import Any

import pytest

from pythonapp.page import posts_of


@pytest.mark.parametrize("includes", [None, 1, {}, {"users": 1}, {"users": [1, {"id": 2}]}])
def test_a_post_without_its_includes_comes_without(includes: Any) -> None:
    page = {"data": [{"id": "1", "author_id": "2"}], "includes": includes}
    (only,) = posts_of(page)
    assert isinstance(only, dict)
    assert only["includes"] == {"users": [], "places": []}


def test_what_is_no_post_is_told_as_it_is() -> None:
    assert list(posts_of({"data": [1]})) == [{"data": 1}]
    assert list(posts_of(b"x")) == [b"x"]
    assert list(posts_of({"errors": []})) == [{"errors": []}]
    assert list(posts_of({"data": []})) == []
