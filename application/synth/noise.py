"""How people really write: slips, slang, small letters, emoji, hashtags, links."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping

from application.records import Feeling
from application.synth import texts

_EMOJI: Mapping[Feeling, str] = {
    "positive": "😊🎉🙌🚀💚😁🥳",
    "negative": "😤😡😩🤬😞💸👎",
    "neutral": "🤔📊👀🏦",
}
_OF_MONEY = "🚀💚💸📊🏦"
_SARCASM = "🙃🙄👏🤡😂"
_TAGS = {
    "en": "#investing #money #personalfinance #retirement #stocks #CT #Connecticut #banking",
    "es": "#inversiones #ahorro #dinero #finanzas #bolsa #Connecticut #bancos",
    "fr": "#bourse #épargne #argent #banque #investir #Connecticut",
}
# What is written out, and how it is written in a hurry.
_SLANG = {
    "en": "you u|your ur|because bc|right now rn|honestly tbh|really rly|about abt|people ppl|"
    "please pls|going to gonna|want to wanna|thank you ty|with w/|and &",
    "es": "que q|porque xq|por favor xfa|también tmb|para pa|estoy toy|gracias grax",
    "fr": "je suis jsuis|je n'ose j'ose|parce que pcq|quelqu'un qqn|beaucoup bcp|"
    "c'est c|pourquoi pk",
}
_SHORTER = {
    lang: [
        (re.compile(rf"(?<![\w@#$]){re.escape(long)}(?!\w)", re.IGNORECASE), short)
        for pair in table.split("|")
        for long, _, short in [pair.rpartition(" ")]
    ]
    for lang, table in _SLANG.items()
}
_LETTERS = "abcdefghkmnpqrstuvwxyzABCDEF23456789"
_WORD = re.compile(r"(?<![\w@#$/.])[^\W\d_]{5,}(?!\w)")


def rough(said: texts.Said, lang: str, chance: random.Random) -> str:
    """Write a text as one person would at one moment; what it means stays."""
    text, label = said.text, said.label
    if chance.random() < 0.12:
        text = f"{texts.slot(lang, 'opener', chance)} {text}"
    if chance.random() < 0.55:
        text = text[0].upper() + text[1:]
    if chance.random() < 0.18:
        for long, short in _SHORTER[lang]:
            text = long.sub(short, text)
    if chance.random() < 0.14:
        text = slip(text, chance)
    if lang != "en" and chance.random() < 0.3:
        text = bare(text)
    if chance.random() < 0.08:
        text = text.lower()
    elif label.feeling == "negative" and not label.sarcastic and chance.random() < 0.04:
        text = text.upper()
    if chance.random() < 0.15 and text[-1] not in "?!…":
        text = text.rstrip(".") + chance.choice(
            ("...", "!", "!!", ".", " lol" if lang == "en" else "…")
        )
    if chance.random() < 0.3:
        text = f"{text} {_sign(label, chance)}"
    if label.about_money and chance.random() < 0.22:
        tags = chance.sample(_TAGS[lang].split(), chance.choice((1, 1, 2)))
        text = f"{text} {' '.join(tags)}"
    if chance.random() < 0.05:
        text = f"{text} https://t.co/{''.join(chance.choices(_LETTERS, k=10))}"
    return text


def slip(text: str, chance: random.Random) -> str:
    """Misspell one word: two letters swapped, one left out, or one twice."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = chance.choice(words)
    at = chance.randrange(word.start() + 1, word.end() - 1)
    way = chance.randrange(3)
    if way == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if way == 1 else text[:at] + text[at] + text[at:]


def bare(text: str) -> str:
    """Leave accents out, and the signs that open a question, as on a keyboard without them."""
    letters = unicodedata.normalize("NFD", text)
    return "".join(each for each in letters if not unicodedata.combining(each) and each not in "¿¡")


def _sign(label: texts.Label, chance: random.Random) -> str:
    signs = _SARCASM if label.sarcastic else _EMOJI[label.feeling]
    if not label.about_money:
        signs = "".join(each for each in signs if each not in _OF_MONEY)
    return chance.choice(signs) * chance.choice((1, 1, 1, 2, 3))
