"""A post goes to the quadrant that holds it."""

from __future__ import annotations

from typing import Any

import pytest

from pythonapp.route import quadrant_of
from tests.pythonapp.scenes import BOXES, post, settings

ALL = [settings(name) for name in BOXES]


def tagged(*tags: str, **more: Any) -> dict[str, Any]:
    return {**post(**more), "matching_rules": [{"id": "1", "tag": tag} for tag in tags]}


@pytest.mark.parametrize("name", BOXES)
def test_the_position_tells_the_quadrant(name: str) -> None:
    assert quadrant_of(post(quadrant=name), ALL) == name


def test_a_place_goes_by_its_middle() -> None:
    payload = post(geo={"place_id": "place"})
    assert quadrant_of(payload, ALL) == "ctne"
    payload["includes"]["places"][0]["geo"]["bbox"] = [-72.718, 41.724, -72.64, 41.807]
    assert quadrant_of(payload, ALL) == "ctnw"


def test_a_post_that_two_quadrants_asked_for_is_of_one() -> None:
    both = tagged("cust360:ctne", "cust360:ctnw", quadrant="ctnw")
    assert quadrant_of(both, ALL) == "ctnw"
    assert quadrant_of(both, ALL[:1]) is None


def test_without_a_position_the_first_rule_that_matched_tells() -> None:
    assert quadrant_of(tagged("cust360:ctse", geo=None), ALL) == "ctse"


def test_what_only_rules_of_others_matched_is_not_ours() -> None:
    assert quadrant_of(tagged("somebody", "ctne"), ALL) is None


def test_what_is_no_post_goes_to_the_first() -> None:
    assert quadrant_of(b"{broken", ALL) == "ctne"
    assert quadrant_of({"data": {"geo": {"coordinates": {"coordinates": "x"}}}}, ALL) == "ctne"
