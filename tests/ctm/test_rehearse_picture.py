"""The picture of a rehearsal, whatever names and reasons are in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ctm.rehearse.picture import LEFT, LETTER, gantt
from ctm.rehearse.plan import Node, Plan
from ctm.rehearse.record import Rehearsed
from ctm.rehearse.state import Phase

_TEXT = "{http://www.w3.org/2000/svg}text"


def picture(name: str, why: str) -> ET.Element:
    plan = Plan({name: Node(name, "Job:Dummy")})
    told = Rehearsed((), "now", 1.0, False, {name: Phase.WAITING}, waiting={name: why})
    return ET.fromstring(gantt(plan, told))


def test_a_long_reason_is_cut_before_it_is_escaped() -> None:
    for length in range(140, 160):
        [why] = [each for each in picture("J", "x" * length + "&" * 9) .iter(_TEXT)
                 if each.get("class") == "why"]  # fmt: skip
        assert why.text is not None
        assert len(why.text) <= 160


def test_a_long_name_does_not_run_under_the_bars_and_is_told_in_full() -> None:
    name = "a-name-that-has-more-than-thirty-characters"
    [text] = [each for each in picture(name, "it").iter(_TEXT) if each.get("x") == "16"][1:]
    assert text.text is not None
    assert 16 + LETTER * len(text.text) <= LEFT
    assert "".join(each.text or "" for each in text) == name
