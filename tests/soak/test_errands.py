"""A seed tells all Jobs, and the end that each must come to."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runjob.flags import parse
from runjob.options import Options
from runjob.plan import plan
from tests.soak.errands import KINDS, Errand, errands

SEEDS = st.integers(0, 1_000)


@settings(deadline=None)  # how fast it is depends on the machine
@given(SEEDS, st.floats(1, 4_000))
def test_a_seed_makes_the_same_jobs_again_in_order(seed: int, seconds: float) -> None:
    made = errands(seed, seconds)
    assert made == errands(seed, seconds)
    assert [each.at for each in made] == sorted(each.at for each in made)
    assert len({each.name for each in made}) == len(made)


def test_an_hour_has_five_hundred_jobs_and_every_kind_of_them() -> None:
    made = Counter(each.kind for each in errands(1, 3_600))
    assert sum(made.values()) >= 500
    assert set(made) == set(KINDS)
    assert min(made.values()) > 20


def test_five_minutes_have_every_kind_of_job() -> None:
    assert {each.kind for each in errands(7, 250)} == set(KINDS)


@pytest.mark.parametrize("errand", errands(3, 110), ids=lambda each: each.kind)
def test_the_launcher_takes_every_kind_of_job(errand: Errand) -> None:
    manifest = yaml.safe_dump_all(errand.bodies)
    more = ("-y", "a.yaml") if errand.bodies else ()
    options = parse([*errand.options, *more])
    assert isinstance(options, Options)
    request, _ = plan(options, lambda _: None, lambda _: manifest)
    assert request.name == errand.name


def test_a_job_of_several_pods_expects_the_lines_of_all() -> None:
    made = {each.kind: each for each in errands(3, 110)}
    completions, retries = made["completions"].expected, made["retries"].expected
    assert completions.succeeded == 3
    assert (completions.lines or 0) % 3 == 0
    assert (retries.failed, (retries.lines or 0) % 2) == (2, 0)
