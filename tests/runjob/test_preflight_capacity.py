"""Whether a namespace has room for a Job: quantities, limit ranges and quotas."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import Exit
from runjob.preflight.capacity import admitted, at_once, limited
from runjob.preflight.data import Answer, Object
from runjob.preflight.demand import containers_demands, pod_demand
from runjob.preflight.quantity import quantity, written
from runjob.preflight.questions import QUOTAS
from tests.runjob.preflight_facts import ABSENT, asking, brought, found, job, of, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", Fraction(1)), (2, Fraction(2)), ("500m", Fraction(1, 2)), ("1Ki", Fraction(1024)),
        ("1k", Fraction(1000)), ("1.5Gi", Fraction(3 * 2**29)), ("2e3", Fraction(2000)),
        ("100n", Fraction(1, 10**7)), ("5u", Fraction(5, 10**6)), (".5", Fraction(1, 2)),
        ("x", None), (True, None), ("1e999", None), ("1KiB", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_quantity_is_read_exactly(text: Any, expected: Fraction | None) -> None:
    assert quantity(text) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("500m", "500m"), ("128Mi", "128Mi"), ("2Gi", "2Gi"), ("0", "0"), ("3", "3"), ("1Ki", "1Ki")],
)
def test_a_quantity_is_written_for_people(amount: str, expected: str) -> None:
    read = quantity(amount)
    assert read is not None
    assert written(read) == expected


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=1000))
def test_a_written_quantity_is_near_what_was_read(amount: Fraction) -> None:
    again = quantity(written(amount))
    assert again is not None
    assert amount <= again < amount + Fraction(1, 1000)


def test_a_pod_asks_for_its_hungriest_step() -> None:
    body = job(
        asking(cpu="1"),
        asking(cpu="1", memory="1Gi"),
        init=({**asking(cpu="1"), "restartPolicy": "Always"}, asking(cpu="4"), asking(cpu="500m")),
    )
    demand = pod_demand(body, containers_demands(body, ()))
    assert demand.requests == {"cpu": Fraction(5), "memory": Fraction(2**30)}


def test_what_is_not_said_comes_from_the_limit_and_the_limit_range() -> None:
    item = {"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"cpu": "1"},
            "max": {"disk": "5"}, "min": {"net": "2"}}  # fmt: skip
    body = job({"name": "main", "resources": {"limits": {"cpu": "2"}}})
    (demand,) = containers_demands(body, [{"spec": {"limits": [item]}}])
    assert demand.limits == {"cpu": 2, "memory": 2**30, "disk": 5}
    assert demand.requests == {"cpu": 2, "memory": 2**30, "disk": 5, "net": 2}


def limit_range(**item: Any) -> list[dict[str, Any]]:
    return [{"metadata": {"name": "r"}, "spec": {"limits": [item]}}]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}, []),
        ({"type": "Container", "max": {"cpu": "500m"}}, ["at most 500m of cpu, and wants 1"]),
        ({"type": "Container", "min": {"cpu": "2"}}, ["at least 2 of cpu, and requests 1"]),
        ({"type": "Pod", "max": {"cpu": "2"}}, ["the pod has no limit of cpu, and must have one"]),
        ({"type": "Pod", "min": {"memory": "2"}}, ["the pod requests no memory, and must"]),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1"}}, []),
    ],
)  # fmt: skip
def test_a_limit_range_is_kept(item: dict[str, Any], expected: list[str]) -> None:
    told_ = [each.text for each in limited(job(asking(cpu="1")), limit_range(**item))]
    assert len(told_) == len(expected)
    for text, end in zip(told_, expected, strict=True):
        assert text.endswith(end)


def room(body: dict[str, Any], *others: dict[str, Any], **quota: Any) -> list[tuple[str, int, str]]:
    """Return what a quota with these fields of its spec and status says."""
    status = quota.pop("status", {})
    quotas = [{"metadata": {"name": "q"}, "spec": quota, "status": status}]
    return [
        (each.severity, int(each.code), each.text)
        for each in admitted(body, others, quotas, (), Exit.REFUSED)
    ]


@pytest.mark.parametrize(
    ("hard", "used", "expected"),
    [
        pytest.param({"pods": "2"}, {"pods": "0"}, [], id="room for two pods"),
        pytest.param({"pods": "2"}, {"pods": "1"}, [("warning", 3)], id="room for one"),
        pytest.param({"count/pods": "2"}, {"count/pods": "3"}, [("error", 17)], id="overdrawn"),
        pytest.param({"cpu": "1"}, {}, [("warning", 3)], id="half of the cpu"),
        pytest.param({"requests.cpu": "500m"}, {}, [("error", 17)], id="too little cpu"),
        pytest.param({"limits.cpu": "9"}, {}, [("error", 12)], id="a limit that must be said"),
        pytest.param({"requests.gpu": "0"}, {}, [], id="what nobody asks for"),
        pytest.param({"secrets": "5"}, {"secrets": "5"}, [], id="no Secret is made"),
        pytest.param({"count/jobs.batch": "1"}, {}, [], id="one Job"),
        pytest.param({"count/jobs.batch": "1"}, {"count/jobs.batch": "1"}, [("error", 3)],
                     id="no Job more"),
        pytest.param({"configmaps": "1"}, {"configmaps": "1"}, [("error", 3)], id="ConfigMaps"),
    ],
)  # fmt: skip
def test_a_quota_is_kept(hard: Any, used: Any, expected: list[Any]) -> None:
    body = job(asking(cpu="1"), spec_parallelism=2)
    config = brought("ConfigMap", "c")
    said = room(body, config, hard=hard, status={"hard": hard, "used": used})
    assert [each[:2] for each in said] == expected


@pytest.mark.parametrize(
    ("quota", "pod", "counts"),
    [
        ({"scopes": ["BestEffort"]}, {}, False),
        ({"scopes": ["NotBestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort", "Terminating"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({"scopeSelector": {"matchExpressions": []}}, {}, True),
        ({"scopeSelector": {"matchExpressions": [{}]}}, {}, False),
        ({"scopes": "x"}, {}, True),
    ],
)
def test_a_quota_counts_the_pods_of_its_scopes(quota: Any, pod: Any, counts: bool) -> None:
    body = job(asking(cpu="1"), **pod)
    assert bool(room(body, hard={"pods": "0"}, **quota)) is counts


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, 1), ({"spec_parallelism": 4}, 4), ({"spec_parallelism": 4, "spec_completions": 2}, 2),
     ({"spec_parallelism": True}, 1), ({"spec_parallelism": 0}, 0),
     ({"spec_completions": 3}, 1)],
)  # fmt: skip
def test_so_many_pods_run_at_once(spec: Any, expected: int) -> None:
    assert at_once(job(**spec)) == expected


def test_objects_that_are_there_take_no_more_room() -> None:
    config = brought("ConfigMap", "c", data={})
    quotas = [{"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "0"}}}]
    at = Object("v1", "ConfigMap", "c")
    request = of(job(), config)
    assert told(request, (QUOTAS, found(quotas)), (at, Answer(config))) == []
    assert [each[2] for each in told(request, (QUOTAS, found(quotas)), (at, ABSENT))] == [5]
