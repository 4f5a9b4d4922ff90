"""Frozen data goes through JSON and comes back the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

from runjob.endings import Ending
from runjob.errors import Exit
from runjob.frozen import from_json, to_json
from runjob.observed import Condition, ContainerView, PodView, Terminated
from runjob.verdict import Verdict

AT = datetime(2026, 1, 31, 12, 0, 1, 250000, tzinfo=timezone.utc)
CONTAINER = ContainerView(
    name="main",
    waiting=("CrashLoopBackOff", "back-off"),
    running=AT,
    last=Terminated(exit_code=3, finished=AT),
)
POD = PodView(
    uid="p1",
    name="hello-1",
    created=AT,
    containers=(CONTAINER, ContainerView(name="side", role="sidecar")),
    conditions=(Condition(type="Ready", status="True", since=AT),),
)
VERDICT = Verdict(
    job="hello",
    namespace="here",
    exit_code=3,
    ending=Ending(code=Exit.FAILED, text="failed: é", final=True),
    queued_seconds=0.5,
    pulling_seconds=2,
    warnings=("a", "b"),
    pods=(POD,),
    container_code=3,
)


def test_a_verdict_comes_back_the_same() -> None:
    back = from_json(Verdict, json.loads(json.dumps(to_json(VERDICT))))
    assert back == VERDICT
    assert isinstance(back.ending.code, Exit)
    assert back.sentence == VERDICT.sentence


def test_what_another_version_knew_is_left_out_and_what_it_did_not_know_has_its_default() -> None:
    value = to_json(VERDICT)
    value["colour"] = "red"
    del value["warnings"]
    assert from_json(Verdict, value).warnings == ()


@dataclass(frozen=True)
class Pair:
    """Two of a kind."""

    both: tuple[str, int]


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        pytest.param(Verdict, {}, KeyError, id="a field is missing"),
        pytest.param(Verdict, {**to_json(VERDICT), "job": 1}, TypeError, id="a number as a name"),
        pytest.param(
            Verdict, {**to_json(VERDICT), "queued_seconds": "1"}, TypeError, id="a text as seconds"
        ),
        pytest.param(
            ContainerView, {"name": "x", "role": "boss"}, ValueError, id="a word that is none of it"
        ),
        pytest.param(Ending, {"code": 99, "text": ""}, ValueError, id="no exit code"),
        pytest.param(Pair, {"both": ["a"]}, ValueError, id="one of two"),
        pytest.param(Pair, [], TypeError, id="a list as an object"),
    ],
)
def test_what_is_no_such_data_is_refused(kind: Any, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        from_json(kind, value)
