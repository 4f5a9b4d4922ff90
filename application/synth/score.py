"""How well it was told who posts are from and how they feel: precision, recall and F1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from application.records import Category, Feeling
from application.synth.truth import Truth, read

CATEGORIES: tuple[Category, ...] = get_args(Category)
Told = tuple[str, str | None]  # category and customer_id


@dataclass(frozen=True)
class Score:
    """One category: posts that are of it, posts that were told to be, and those that are both.

    right_person counts the right ones whose customer is the author, or lives with the author; it
    is 0 where a category names nobody.
    """

    category: str
    true: int
    told: int
    right: int
    right_person: int

    @property
    def precision(self) -> float | None:
        """The share of right ones among those told; None where none was told."""
        return self.right / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """The share of right ones among those that are; None where there is none."""
        return self.right / self.true if self.true else None

    @property
    def person(self) -> float | None:
        """The share of the right person among right ones; None where none is named."""
        names = self.category in ("customer", "household_member")
        return self.right_person / self.right if names and self.right else None


def read_truth(path: Path) -> Mapping[str, Truth]:
    """Read truth.jsonl, or the one in a folder; raise what reading a file or its JSON raises."""
    file = path / "truth.jsonl" if path.is_dir() else path
    with file.open(encoding="utf-8") as lines:
        return {each.id: each for each in map(read, lines)}


def score(truth: Mapping[str, Truth], told: Mapping[str, Told]) -> tuple[Score, ...]:
    """Score each category over the posts that were told of; posts without truth do not count."""
    pairs = [(truth[post], said) for post, said in told.items() if post in truth]
    return tuple(_score(category, pairs) for category in CATEGORIES)


def feeling_f1(truth: Mapping[str, Truth], told: Mapping[str, str]) -> float:
    """Return the macro-F1 of the three feelings, retweets left out: they are others' words."""
    pairs = [
        (truth[post].feeling, feeling)
        for post, feeling in told.items()
        if post in truth and truth[post].kind != "retweet"
    ]
    return sum(_f1(each, pairs) for each in get_args(Feeling)) / len(get_args(Feeling))


def strangers(truth: Mapping[str, Truth], told: Mapping[str, Told]) -> tuple[int, int]:
    """Count the posts of which a customer was named, and those whose author they are no kin of.

    Kin is the author, and whoever lives where the author does.
    """
    named = [
        (truth[post], customer)
        for post, (_, customer) in told.items()
        if customer is not None and post in truth
    ]
    return len(named), sum(
        customer != each.customer_id and customer not in each.lives_with for each, customer in named
    )


def _score(category: str, pairs: Iterable[tuple[Truth, Told]]) -> Score:
    true = told = right = person = 0
    for each, (said, customer) in pairs:
        true += each.category == category
        told += said == category
        if each.category == said == category:
            right += 1
            person += customer is not None and customer in _persons(each)
    return Score(category, true, told, right, person)


def _persons(truth: Truth) -> tuple[str | None, ...]:
    """Return the customers whom it is right to name: of a customer only the one."""
    return truth.lives_with if truth.category == "household_member" else (truth.customer_id,)


def _f1(feeling: str, pairs: Iterable[tuple[str, str]]) -> float:
    counts = [(true == feeling, told == feeling) for true, told in pairs]
    both = sum(true and told for true, told in counts)
    either = sum(true + told for true, told in counts)
    return 2 * both / either if either else 1.0
