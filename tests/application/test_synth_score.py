"""The score of what was told against the truth, and who may know of the truth."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.records import Category, Feeling
from application.synth.score import Told, feeling_f1, read_truth, score, strangers
from application.synth.truth import Truth, line

ROOT = Path(__file__).parents[2]
PLAIN = Truth(
    id="1", category="prospect", customer_id=None, household_id=None, lang="en",
    feeling="neutral", topics=(), kind="original", of=None, clue="nothing", about_money=True,
    position="none", in_state=None, sarcastic=False,
)  # fmt: skip
CUSTOMER = replace(PLAIN, id="2", category="customer", customer_id="C-1", lives_with=("C-2",))
MEMBER = replace(
    PLAIN, id="3", category="household_member", customer_id="C-1", lives_with=("C-1", "C-2")
)
TRUTH = {each.id: each for each in (PLAIN, CUSTOMER, MEMBER)}

categories = st.sampled_from(get_args(Category))
worlds = st.lists(st.tuples(categories, categories), max_size=40)


def world(pairs: Sequence[tuple[Category, Category]]) -> tuple[dict[str, Truth], dict[str, Told]]:
    truth = {
        str(at): replace(PLAIN, id=str(at), category=true) for at, (true, _) in enumerate(pairs)
    }
    return truth, {str(at): (said, None) for at, (_, said) in enumerate(pairs)}


@pytest.mark.parametrize(
    ("told", "category", "counts"),
    [
        pytest.param({"2": ("customer", "C-1")}, "customer", (1, 1, 1, 1), id="right"),
        pytest.param({"2": ("customer", "C-2")}, "customer", (1, 1, 1, 0), id="another person"),
        pytest.param({"2": ("prospect", None)}, "customer", (1, 0, 0, 0), id="missed"),
        pytest.param({"1": ("customer", "C-1")}, "customer", (0, 1, 0, 0), id="made up"),
        pytest.param(
            {"3": ("household_member", "C-2")}, "household_member", (1, 1, 1, 1), id="any of them"
        ),
        pytest.param(
            {"3": ("household_member", "C-9")}, "household_member", (1, 1, 1, 0), id="not with them"
        ),
        pytest.param({"1": ("prospect", None)}, "prospect", (1, 1, 1, 0), id="nobody to name"),
        pytest.param({"9": ("customer", "C-1")}, "customer", (0, 0, 0, 0), id="no truth of it"),
    ],
)
def test_a_post_counts(
    told: dict[str, Told], category: str, counts: tuple[int, int, int, int]
) -> None:
    found = next(each for each in score(TRUTH, told) if each.category == category)
    assert (found.true, found.told, found.right, found.right_person) == counts


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        pytest.param({"2": ("customer", "C-1")}, (1, 0), id="the author"),
        pytest.param({"2": ("customer", "C-2")}, (1, 0), id="who lives with the author"),
        pytest.param({"3": ("customer", "C-2")}, (1, 0), id="whom the author lives with"),
        pytest.param({"2": ("household_member", "C-9")}, (1, 1), id="somebody else"),
        pytest.param({"1": ("customer", "C-1")}, (1, 1), id="of a stranger's post"),
        pytest.param({"2": ("prospect", None), "9": ("customer", "C-1")}, (0, 0), id="nobody"),
    ],
)
def test_a_person_is_named_for_a_post(told: dict[str, Told], counts: tuple[int, int]) -> None:
    assert strangers(TRUTH, told) == counts


def test_shares_of_nothing_are_none_and_not_perfect() -> None:
    assert {(each.precision, each.recall, each.person) for each in score(TRUTH, {})} == {
        (None, None, None)
    }


@given(worlds)
def test_each_post_is_in_one_category_and_told_to_be_in_one(
    pairs: list[tuple[Category, Category]],
) -> None:
    found = score(*world(pairs))
    assert sum(each.true for each in found) == sum(each.told for each in found) == len(pairs)
    assert all(each.right_person <= each.right <= min(each.true, each.told) for each in found)


@given(worlds)
def test_the_truth_told_is_perfect(pairs: list[tuple[Category, Category]]) -> None:
    truth, _ = world(pairs)
    found = score(truth, {post: (each.category, None) for post, each in truth.items()})
    assert {each.precision for each in found} | {each.recall for each in found} <= {1.0, None}


@given(worlds)
def test_what_is_precision_is_recall_the_other_way_round(
    pairs: list[tuple[Category, Category]],
) -> None:
    there = score(*world(pairs))
    back = score(*world([(said, true) for true, said in pairs]))
    assert [each.precision for each in there] == [each.recall for each in back]


def test_feelings_are_averaged_over_the_three_and_retweets_do_not_count() -> None:
    feelings: tuple[Feeling, ...] = ("positive", "negative", "neutral", "positive")
    truth = {str(at): replace(PLAIN, id=str(at), feeling=each) for at, each in enumerate(feelings)}
    told = {"0": "positive", "1": "negative", "2": "negative", "3": "positive"}
    assert feeling_f1(truth, told) == pytest.approx((1 + 2 / 3 + 0) / 3)
    truth["2"] = replace(truth["2"], kind="retweet")
    assert feeling_f1(truth, told) == 1.0


def test_the_truth_is_read_from_its_file_or_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text("".join(f"{line(each)}\n" for each in TRUTH.values()), encoding="utf-8")
    assert read_truth(file) == read_truth(tmp_path) == TRUTH


def test_the_pipeline_knows_nothing_of_the_truth() -> None:
    files = [
        *(ROOT / "pythonapp").rglob("*.py"),
        *(ROOT / "application").glob("*.py"),
    ]
    assert len(files) > 40
    assert not [str(file) for file in files for name in imported(file) if "synth" in name]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}"
            yield from (each.name for each in node.names)
