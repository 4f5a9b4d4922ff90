"""The words of feeling of a language: word lists read once into one frozen table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

# How much a word such as "very" or "hardly" adds to the next one: measured for VADER (Hutto &
# Gilbert 2014, table 3).
RAISE = 0.293

# A chunk between blanks that is no plain word: words, with apostrophes, hyphens or asterisks
# inside ("can't", "f**k"), runs of marks, single signs such as emoji.
_PIECES = re.compile(r"[^\W_]+(?:['*-]+[^\W_]+)*|[.,;:!?]+|[^\w\s]")
_ELISIONS = re.compile(r"\b([ldnjmtsc]|qu)'", re.IGNORECASE)
# Latin letters without their accents, marks that combine, typographic ' and dots; variation
# selectors, joiners and skin tones change how a sign looks, not what it says.
_FOLDED: dict[int, str | None] = {
    code: unicodedata.normalize("NFD", chr(code))[0] for code in range(0xC0, 0x250)
}
_FOLDED |= dict.fromkeys([*range(0x300, 0x370), 0xFE0E, 0xFE0F, 0x200D, *range(0x1F3FB, 0x1F400)])
_FOLDED |= {0x2019: "'", 0x2026: ".", 0x152: "OE", 0x153: "oe"}

Inflect = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Lexicon:
    """What the words of one language say; every word is folded: lower case, without accents.

    valences go from -4 to 4. weights are what a word adds to the feeling of the words after it.
    negations turn the words after them, afters the word before them; turns start what counts more
    ("but"). common words tell the language. phrases lists, by its first word, every entry of
    several words, the longest first; such an entry is one token, its words joined by blanks.
    """

    valences: Mapping[str, float]
    weights: Mapping[str, float]
    negations: frozenset[str]
    afters: frozenset[str]
    turns: frozenset[str]
    common: frozenset[str]
    phrases: Mapping[str, tuple[tuple[str, ...], ...]]

    def tokens(self, text: str) -> list[str]:
        """Split a text into words, phrases, signs and runs of punctuation, cased as they came."""
        found: list[str] = []
        for chunk in _elided(fold(text)).split():
            if chunk.isalpha() or chunk.lower() in self.valences:
                found.append(chunk)
            else:
                found += _PIECES.findall(chunk)
        return self._joined(found)

    def _joined(self, words: list[str]) -> list[str]:
        lowered = [word.lower() for word in words]
        found = []
        position, end = 0, len(words)
        while position < end:
            length = 1
            for phrase in self.phrases.get(lowered[position], ()):
                if tuple(lowered[position : position + len(phrase)]) == phrase:
                    length = len(phrase)
                    break
            found.append(" ".join(words[position : position + length]))
            position += length
        return found


def fold(text: str) -> str:
    """Take accents and the looks of signs away; case stays, since capitals say something."""
    return text if text.isascii() else text.translate(_FOLDED)


def read(name: str, base: Mapping[str, float], inflect: Inflect = lambda _: ()) -> Lexicon:
    """Read a list of `application/words` on top of base, which it overrules.

    A listed word also stands for the forms that inflect makes of it; a word that is listed itself
    overrules a form.
    """
    listed: dict[str, dict[str, str]] = {}
    for key, entry in _entries(name):
        listed.setdefault(key, {})[fold(entry).lower()] = key
    valences: dict[str, float] = {}
    forms: dict[str, float] = {}
    for key in [key for key in listed if _is_number(key)]:
        for entry in listed.pop(key):
            word = _key(entry)
            valences[word] = float(key)
            if " " not in word:
                forms |= {form: float(key) for form in inflect(word)}
    valences = {**base, **forms, **valences}
    groups = {key: frozenset(map(_key, entries)) for key, entries in listed.items()}
    none: frozenset[str] = frozenset()
    more, less, turns = (groups.pop(key, none) for key in ("more", "less", "but"))
    weights = dict.fromkeys(more, RAISE) | dict.fromkeys(less, -RAISE)
    return Lexicon(
        valences=MappingProxyType(valences),
        weights=MappingProxyType(weights),
        negations=groups.pop("not", none),
        afters=groups.pop("after", none),
        turns=turns,
        common=groups.pop("common", none),
        phrases=_phrases({*valences, *weights, *turns}),
    )


def _entries(name: str) -> Iterator[tuple[str, str]]:
    """Yield key and entry of every `key: entry, entry` line; signs stand between blanks."""
    text = (files("application") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, _, entries = line.partition(": ")
            for entry in entries.split() if name == "signs" else entries.split(", "):
                yield key, entry


def _is_number(key: str) -> bool:
    return key.lstrip("-").replace(".", "").isdecimal()


def _key(entry: str) -> str:
    """Write an entry as its tokens are joined: "d'accord" is "d accord"."""
    return _elided(entry).strip()


def _elided(text: str) -> str:
    return _ELISIONS.sub(r"\1 ", text) if "'" in text else text


def _phrases(entries: Iterable[str]) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for entry in entries:
        words = tuple(entry.split(" "))
        if len(words) > 1:
            found.setdefault(words[0], []).append(words)
    return MappingProxyType(
        {first: tuple(sorted(several, key=len, reverse=True)) for first, several in found.items()}
    )


# -- the usual endings: a form that nobody writes does no harm -----------------------------------

_SPANISH_VERBS = {
    "ar": "o as a amos an e aste o aron aba abas aban are ara aran aria aste es en ado ada ados "
    "adas ando ar",
    "er": "o es e emos en i iste io ieron ia ias ian ere era eran eria a as an ido ida idos idas "
    "iendo er",
    "ir": "o es e imos en i iste io ieron ia ias ian ire ira iran iria a as an ido ida idos idas "
    "iendo ir",
}
_SPANISH_PRONOUNS = ("me", "te", "se", "lo", "la", "los", "las", "le", "les", "nos")
_FRENCH_VERBS = {
    "er": "e es ons ez ent ee ees ais ait aient ant era erai eront erait",
    "ir": "i is it ie ies issons issez issent issait issant ira irai",
}
# An ending, and the endings that take its place; the first that fits counts.
_SPANISH_NAMES = (
    ("ion", "iones"),
    ("o", "a os as amente isimo isima"),
    ("a", "as"),
    ("e", "es emente"),
    ("z", "ces"),
    ("or", "ora ores oras"),
    ("l", "les lmente"),
    ("n", "nes na"),
)
_FRENCH_NAMES = (
    ("eux", "euse euses"),
    ("if", "ive ives ifs"),
    ("el", "elle els elles"),
    ("en", "enne ens ennes"),
    ("eur", "euse eurs euses"),
    ("al", "ale ales aux"),
    ("e", "es ee ees"),
    ("s", "se ses"),
    ("", "s e es"),
)


def spanish(word: str) -> Iterator[str]:
    """Yield the forms of a Spanish word: gender, number, regular conjugation, joined pronouns."""
    if len(word) > 4 and (endings := _SPANISH_VERBS.get(word[-2:])):
        yield from (word[:-2] + ending for ending in endings.split())
        yield from (word + pronoun for pronoun in _SPANISH_PRONOUNS)
    yield from _named(word, _SPANISH_NAMES)


def french(word: str) -> Iterator[str]:
    """Yield the forms of a French word: gender, number, regular conjugation."""
    if len(word) > 4 and (endings := _FRENCH_VERBS.get(word[-2:])):
        yield from (word[:-2] + ending for ending in endings.split())
    yield from _named(word, _FRENCH_NAMES)


def _named(word: str, table: Iterable[tuple[str, str]]) -> Iterator[str]:
    for ending, others in table:
        if word.endswith(ending):
            stem = word[: len(word) - len(ending)]
            yield from (stem + other for other in others.split())
            return
