"""What posts say: texts from a grammar whose pieces carry the truth about feeling and topics."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import get_args

from application.records import Feeling, Topic

LANGUAGES = ("en", "es", "fr")
_ENDS = ".?!"
_PIECE = re.compile(r"([\[\]|]|\{\w+\})")
# How many of the posts about money are what, the most frequent first.
_SHARES: Mapping[str, int] = {
    "negative complaint": 22, "neutral": 20, "neutral product_interest": 14, "positive": 12,
    "positive praise": 12, "negative": 9, "negative complaint sarcastic": 5, "neutral moving": 4,
    "positive moving": 2,
}  # fmt: skip
_SHARES_OFF: Mapping[str, int] = {"neutral off": 4, "positive off": 3, "negative off": 3}


@dataclass(frozen=True)
class Slot:
    """Another part of the grammar, by its name."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of several sequences."""

    ways: tuple[tuple[str | Slot | Choice, ...], ...]


@dataclass(frozen=True)
class Label:
    """What is true of every post of a section."""

    feeling: Feeling
    topics: tuple[Topic, ...]
    about_money: bool
    sarcastic: bool


@dataclass(frozen=True)
class Said:
    """A text and its label."""

    text: str
    label: Label


@dataclass(frozen=True)
class Grammar:
    """The sections of a language, by their headings, and the slots, by their names."""

    sections: Mapping[str, tuple[Choice, ...]]
    labels: Mapping[str, Label]
    slots: Mapping[str, Choice]


def say(lang: str, about_money: bool, chance: random.Random, length: int = 1) -> Said:
    """Say something about money, or about anything else, in so many sentences or so."""
    shares = _SHARES if about_money else _SHARES_OFF
    heading = chance.choices(tuple(shares), tuple(shares.values()))[0]
    grammar = read(lang)
    lines = grammar.sections[heading]
    said = chance.sample(lines, min(length, len(lines)))
    sentences = [" ".join(_expanded(each, grammar, chance).split()) for each in said]
    text = " ".join(each if each[-1] in _ENDS else f"{each}." for each in sentences[:-1])
    return Said(f"{text} {sentences[-1]}".strip(), grammar.labels[heading])


def slot(lang: str, name: str, chance: random.Random) -> str:
    """Return one of the texts of a slot."""
    grammar = read(lang)
    return _expanded(grammar.slots[name], grammar, chance)


@cache
def read(lang: str) -> Grammar:
    """Read the grammar of a language, once a process."""
    text = (files(__package__) / "grammar" / f"{lang}.txt").read_text(encoding="utf-8")
    sections: dict[str, list[Choice]] = {}
    slots: dict[str, list[Choice]] = {}
    into: list[Choice] = []
    for line in text.splitlines():
        if line.startswith("== slot "):
            into = slots.setdefault(line.removeprefix("== slot "), [])
        elif line.startswith("== "):
            into = sections.setdefault(line.removeprefix("== "), [])
        elif line and not line.startswith("#"):
            into.append(parse(line))
    return Grammar(
        {name: tuple(lines) for name, lines in sections.items()},
        {name: _label(name) for name in sections},
        {name: Choice(tuple((line,) for line in lines)) for name, lines in slots.items()},
    )


def parse(line: str) -> Choice:
    """Parse a line with [choices|of texts] and {slots} into a choice of one way."""
    # Each open bracket has its ways; the last way of the last bracket grows.
    open_: list[list[list[str | Slot | Choice]]] = [[[]]]
    for piece in filter(None, _PIECE.split(line)):
        if piece == "[":
            open_.append([[]])
        elif piece == "|" and len(open_) > 1:
            open_[-1].append([])
        elif piece == "]":
            ways = open_.pop()
            open_[-1][-1].append(Choice(tuple(map(tuple, ways))))
        else:
            is_slot = piece.startswith("{") and piece.endswith("}")
            open_[-1][-1].append(Slot(piece[1:-1]) if is_slot else piece)
    ((whole,),) = open_
    return Choice((tuple(whole),))


def _expanded(choice: Choice, grammar: Grammar, chance: random.Random) -> str:
    way = choice.ways[0] if len(choice.ways) == 1 else chance.choice(choice.ways)
    parts: list[str] = []
    for piece in way:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            named = grammar.slots[piece.name] if isinstance(piece, Slot) else piece
            parts.append(_expanded(named, grammar, chance))
    return "".join(parts)


def _label(heading: str) -> Label:
    feeling, *words = heading.split()
    known: Sequence[Topic] = get_args(Topic)
    return Label(
        next(each for each in get_args(Feeling) if each == feeling),
        tuple(each for each in known if each in words),
        "off" not in words,
        "sarcastic" in words,
    )
