"""What a post is about, by patterns that are read from `application/words`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import get_args

from application.lexicon import fold
from application.records import Sentiment, Topic
from application.sentiment import feel, plain

# From which score on a feeling where a service is named is a complaint or praise.
STRONG = 0.3

LANGUAGES = ("en", "es", "fr")


def topics(text: str, lang: str, sentiment: Sentiment | None = None) -> frozenset[Topic]:
    """Tell what a text is about; one in a language without patterns is read with those of all.

    A customer who is leaving complains and is interested in no product; the words that say so
    count for no other topic, since "moving to another bank" is no moving house.
    Besides its patterns, a complaint is a strong bad feeling in a text that names a service, and
    praise a strong good one; a question is neither. Interest is in a product that is named. The
    sentiment is rated here, unless it is known already.
    """
    folded = _folded(text)
    patterns = _patterns((lang,) if lang in LANGUAGES else LANGUAGES)
    staying = patterns["leaving"].sub("", folded)
    leaves = staying != folded
    found: set[Topic] = {topic for topic in get_args(Topic) if patterns[topic].search(staying)}
    if leaves:
        found.add("complaint")
    if "product_interest" in found and (leaves or not named_products(text)):
        found.discard("product_interest")
    if found.isdisjoint({"complaint", "product_interest"}) and patterns["service"].search(folded):
        score = (sentiment or feel(text, lang)).score
        if score <= -STRONG:
            found.add("complaint")
        elif score >= STRONG:
            found.add("praise")
    if "complaint" in found:
        found.discard("praise")
    return frozenset(found)


def named_products(text: str) -> tuple[str, ...]:
    """Return the products that a text names, the most particular first (brokerage last)."""
    folded = _folded(text)
    return tuple(product for product, finds in _products().items() if finds.search(folded))


def _folded(text: str) -> str:
    return " ".join(fold(plain(text)).lower().split())


@cache
def _patterns(languages: tuple[str, ...]) -> Mapping[str, re.Pattern[str]]:
    """Compile the patterns of one language or of all: once a process, four tables at most."""
    gathered: dict[str, list[str]] = {}
    for language in languages:
        sections = _sections(f"topics-{language}")
        named = {f"{{{name}}}": _any(sections.pop(name)) for name in ("home", "provider")}
        for topic, patterns in sections.items():
            gathered.setdefault(topic, []).extend(_filled(pattern, named) for pattern in patterns)
    return _compiled(gathered)


def _filled(pattern: str, named: Mapping[str, str]) -> str:
    for name, stands_for in named.items():
        pattern = pattern.replace(name, stands_for)
    return pattern


@cache
def _products() -> Mapping[str, re.Pattern[str]]:
    return _compiled(_sections("products"))


def _sections(name: str) -> dict[str, list[str]]:
    """Read a file of patterns: `[section]`, then a pattern a line."""
    text = (files("application") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            sections[section] = []
        elif line and not line.startswith("#"):
            sections[section].append(line)
    return sections


def _compiled(sections: Mapping[str, Iterable[str]]) -> Mapping[str, re.Pattern[str]]:
    return MappingProxyType(
        {name: re.compile(rf"(?<!\w){_any(patterns)}(?!\w)") for name, patterns in sections.items()}
    )


def _any(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"
