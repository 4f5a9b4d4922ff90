"""How the author of a post feels, by word lists and the rules of VADER in three languages.

The rules follow Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text" (ICWSM 2014). English valences are the package vaderSentiment's, rated by people;
Spanish and French ones are our own. The package's scorer knows English only, and reaches less of
the paper's agreement with people than these rules do (`python -m tests.bench language`).
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from application.lexicon import Lexicon, fold, french, read, spanish
from application.records import Feeling, Sentiment

# From which score on a post is positive, and from which down negative; VADER's own.
THRESHOLD = 0.05

# VADER's weights, for capitals, question marks, words before "but", and how a raising word fades
# over the three words after it.
_CAPITALS = 0.733
_QUESTIONED = 0.18
_BEFORE_BUT = 0.5
_FADING = (1.0, 0.95, 0.9)
# The sum of valences that makes a score of 1/sqrt(2); VADER's alpha.
_HALFWAY_SQUARED = 15.0

# Where VADER has -0.74, 0.292 and 0, in this order, these agree better with people, on either half
# of its rated tweets. Every further word of feeling adds less: the sum is divided by their count to
# this power. VADER also lets a negation reach over a comma, and gives what follows "but" more.
_TURNED = -0.5
_EXCLAIMED = 0.45
_CROWDED = 0.3
_STOPS = frozenset(".,:;!?")

# An upside-down smile, rolled eyes, a clown: praise with one of them is meant the other way round.
_IRONY = frozenset("\U0001f643\U0001f644\U0001f921")

_ADDRESSED = re.compile(r"^RT @\w+:?\s*|https?://\S+|\bwww\.\S+|@\w+")
_WORD = re.compile(r"\w+")
_HASHTAG = re.compile(r"#(\w+)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STRETCHED = re.compile(r"([a-zA-Z])\1{2,}")


def feel(text: str, lang: str) -> Sentiment:
    """Rate a text; lang is X's code, and one without a list of its own is told by its words.

    The score goes from -1 to 1: at least THRESHOLD is positive, at most -THRESHOLD negative. Links,
    mentions and the prefix of a retweet say nothing.
    """
    text = plain(text)
    lexicon = lexicons().get(lang) or _told_by_words(text)
    score = _score(lexicon.tokens(text), lexicon, text)
    return Sentiment(_feeling(score), round(score, 4))


def plain(text: str) -> str:
    """Strip what is no language: links, mentions, a retweet's prefix, the # of hashtags.

    >>> plain("RT @ann: #HiddenFees again &amp; again https://t.co/x")
    'Hidden Fees again & again '
    """
    if "&" in text:
        text = html.unescape(text)
    if any(sign in text for sign in ("@", "http", "www.")):
        text = _ADDRESSED.sub("", text)
    if "#" in text:
        text = _HASHTAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]).replace("_", " "), text)
    return _STRETCHED.sub(r"\1\1", text)


@cache
def lexicons() -> Mapping[str, Lexicon]:
    """Read the word lists, once a process: they take 50 ms, never change and are read only."""
    signs = read("signs", {}).valences
    return MappingProxyType(
        {
            "en": read("en", {**SentimentIntensityAnalyzer().lexicon, **signs}),
            "es": read("es", signs, spanish),
            "fr": read("fr", signs, french),
        }
    )


def _told_by_words(text: str) -> Lexicon:
    """Return the lexicon whose common words a text has most of; the first for a text of none."""
    words = frozenset(_WORD.findall(fold(text).lower()))
    return max(lexicons().values(), key=lambda lexicon: len(words & lexicon.common))


def _feeling(score: float) -> Feeling:
    if score >= THRESHOLD:
        return "positive"
    return "negative" if score <= -THRESHOLD else "neutral"


def _score(tokens: Sequence[str], lexicon: Lexicon, text: str) -> float:
    words = [token.lower() for token in tokens]
    loud = text.upper() == text
    turn = 0
    if not lexicon.turns.isdisjoint(words):
        turn = next(at for at, word in enumerate(words) if word in lexicon.turns)
    total, felt = 0.0, 0
    for at, word in enumerate(words):
        valence = lexicon.valences.get(word)
        if not valence or _only_raises(at, words, lexicon):
            continue
        valence = _in_context(valence, at, words, lexicon)
        if tokens[at].isupper() and not loud:
            valence += math.copysign(_CAPITALS, valence)
        if at < turn:
            valence *= _BEFORE_BUT
        total, felt = total + valence, felt + 1
    if not total:
        return 0.0
    total /= math.pow(felt, _CROWDED)
    if total > 0 and not _IRONY.isdisjoint(words):
        total = -total
    total += math.copysign(_emphasis(text), total)
    return total / math.sqrt(total * total + _HALFWAY_SQUARED)


def _only_raises(at: int, words: Sequence[str], lexicon: Lexicon) -> bool:
    """Tell whether a word that feels by itself only raises the next: "super" in "super bad"."""
    return (
        words[at] in lexicon.weights
        and at + 1 < len(words)
        and bool(lexicon.valences.get(words[at + 1]))
    )


def _in_context(valence: float, at: int, words: Sequence[str], lexicon: Lexicon) -> float:
    """Apply the three words before a word, within its sentence, and a negation right after it.

    A sign stands by itself: "would not believe it 😊" is as glad as its smile.
    """
    if not words[at][0].isalnum():
        return valence
    turned = at + 1 < len(words) and words[at + 1] in lexicon.afters
    added = 0.0
    for fading, before in zip(_FADING, reversed(words[max(0, at - 3) : at]), strict=False):
        if before[0] in _STOPS:
            break
        added += lexicon.weights.get(before, 0.0) * fading
        turned = turned or before in lexicon.negations
    valence += math.copysign(1.0, valence) * added
    return valence * _TURNED if turned else valence


def _emphasis(text: str) -> float:
    questions = text.count("?")
    asked = 0.0 if questions < 2 else min(questions * _QUESTIONED, 0.96)
    return min(text.count("!"), 4) * _EXCLAIMED + asked
