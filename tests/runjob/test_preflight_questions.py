"""What a preflight asks: each thing once, and nothing that is no name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.preflight.data import Object, Right
from runjob.preflight.questions import QUOTAS, RANGES, after_refusal, is_name, questions, rights
from tests.runjob.preflight_facts import brought, job, of, told


def test_the_rights_of_what_the_manifest_brings_are_asked_once_for_each_kind() -> None:
    request = of(job(), brought("Secret", "a"), brought("Secret", "b"))
    assert [str(each) for each in rights(request)][-4:] == [
        "the right to create secrets",
        "the right to get secrets",
        "the right to patch secrets",
        "the right to delete secrets",
    ]


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "A", "a..b", "a?b", "-a", "a" * 254])
def test_what_is_no_name_never_becomes_a_part_of_an_address(name: str) -> None:
    body = job(
        {"name": "main", "envFrom": [{"secretRef": {"name": name}}]},
        priorityClassName=name,
        serviceAccountName=name,
        imagePullSecrets=[{"name": name}],
    )
    assert not is_name(name)
    asked = [each for each in questions(of(body)) if isinstance(each, Object)]
    assert asked == [Object("batch/v1", "Job", "hello")]


@given(st.text(max_size=20))
def test_a_name_that_may_be_asked_for_stays_one_part_of_a_path(name: str) -> None:
    if is_name(name):
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert name not in (".", "..")


def test_what_is_no_name_is_a_finding() -> None:
    body = job({"name": "main", "envFrom": [{"secretRef": {"name": "a/b"}}]})
    assert told(of(body)) == [
        ("error", "Secret 'a/b' can be no name (for envFrom of container main)", 12)
    ]


def test_a_refusal_for_want_of_rights_asks_for_rights_and_any_other_for_objects() -> None:
    request = of(job(imagePullSecrets=[{"name": "regcred"}]))
    message = 'jobs.batch is forbidden: User "u" cannot create resource "jobs"'
    assert all(isinstance(each, Right) for each in after_refusal(request, message))
    asked = after_refusal(request, 'jobs.batch "hello" is forbidden: exceeded quota: q')
    assert asked == (Object("v1", "Secret", "regcred"), QUOTAS, RANGES)


def test_no_refusal_asks_more_than_a_few_questions() -> None:
    uses = [{"secretRef": {"name": f"s{number}"}} for number in range(40)]
    request = of(job({"name": "main", "envFrom": uses}))
    assert len(after_refusal(request, "the API refused")) == 15


def test_each_object_is_asked_for_once() -> None:
    uses = [{"secretRef": {"name": "s"}}, {"secretRef": {"name": "s"}}]
    body = job({"name": "main", "envFrom": uses}, serviceAccountName="sa", priorityClassName="high")
    assert [str(each) for each in questions(of(body)) if not isinstance(each, Right)] == [
        "ServiceAccount sa",
        "Secret s",
        "ResourceQuotas",
        "LimitRanges",
        "PriorityClass high",
        "Job hello",
        "a dry run of Job hello",
    ]
