"""How people show themselves on X: a name, a user name, and a place that may be one."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass

from application.synth import names
from application.synth.people import Person

_MOTTOS = (
    "Nutmeg Investor", "the quiet trader", "Sound Shore Dad", "bullish on pizza", "parent of 3",
    "Rust & Yield", "hartford night owl", "Compound Interest Club", "just here for $SPY",
    "papi de tres", "la vie en vert", "index & chill", "Not Financial Advice", "penny wise",
    "🐂 or 🐻", "Yard Goats forever", "frugal in fairfield", "sin filtro", "l'épargnant",
)  # fmt: skip
_FIRMS = (
    "Nutmeg Market Watch", "CT Money Daily", "Shoreline Finance News", "Long Wharf Capital Notes",
    "Ahorro en CT", "Bourse & Co", "Elm City Deals", "Rate Alert Bot",
)  # fmt: skip
_ELSEWHERE = (
    "Brooklyn, NY", "Boston", "NYC", "Providence, RI", "Miami", "Paris", "Madrid", "Montréal",
    "San Juan, PR", "Manchester, UK", "Earth 🌍", "", "",
)  # fmt: skip
_BEHIND = ("📈", "🇵🇷", ", CPA", "🦉", "☀️", " MBA", "⚾", "| she/her", "🏳️‍🌈", "🇺🇸")
_PLAIN = re.compile(r"[^a-z]")
_STROKES = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What X shows of an author; tells says whether the family name can be read from it."""

    user_id: str
    username: str
    name: str
    location: str
    tells: bool


def profile(person: Person, taken: set[str], chance: random.Random) -> Profile:
    """Make a person's profile; its user name is one that nobody has taken."""
    name, tells = _name(person, chance)
    stem, told = _username(person, chance)
    username = _free(stem, taken, chance)
    return Profile(_user_id(chance), username, name, _location(person, chance), tells or told)


def firm(number: int, taken: set[str], chance: random.Random) -> Profile:
    """Make the profile of a firm, or of a machine that repeats itself."""
    name = _FIRMS[number % len(_FIRMS)] + (
        f" {number // len(_FIRMS)}" if number >= len(_FIRMS) else ""
    )
    username = _free(plain(name), taken, chance)
    return Profile(
        _user_id(chance), username, name, chance.choice(("Connecticut", "CT", "")), False
    )


def plain(text: str) -> str:
    """Return the letters of a text, small and without accents."""
    return _PLAIN.sub("", unicodedata.normalize("NFD", text.lower()).translate(_STROKES))


def _name(person: Person, chance: random.Random) -> tuple[str, bool]:
    given, family = person.given, person.family
    short = chance.choice(names.SHORT.get(given, (given,)))
    if " " in family and chance.random() < 0.6:
        family = family.split()[0]
    ways = {
        "whole": (f"{given} {family}", True),
        "short": (f"{short} {family}", True),
        "behind": (f"{given} {family}{_spaced(chance.choice(_BEHIND))}", True),
        "initial": (f"{given[0]}. {family}", True),
        "middle": (f"{given} {chance.choice('ABCDEJKLMR')}. {family}", True),
        "reversed": (f"{family}, {given}", True),
        "small": (f"{short} {family}".lower(), True),
        "bare": (plain(given) + " " + " ".join(map(plain, family.split())), True),
        "given": (short, False),
        "family": (f"The {family.split()[0]}s" if chance.random() < 0.5 else family, True),
        "motto": (chance.choice(_MOTTOS), False),
    }
    way = chance.choices(tuple(ways), (40, 9, 7, 5, 4, 2, 5, 3, 9, 2, 14))[0]
    return ways[way]


def _spaced(behind: str) -> str:
    return behind if behind.startswith((",", " ")) else f" {behind}"


def _username(person: Person, chance: random.Random) -> tuple[str, bool]:
    given, family = plain(person.given), plain(person.family.split()[0])
    short = plain(chance.choice(names.SHORT.get(person.given, (person.given,))))
    nick = chance.choice(("moon", "yankee", "pizza", "hodl", "elmcity", "nutmeg", "sailor", "lobo"))
    ways = (
        (f"{given}{family}", True), (f"{given}_{family}", True), (f"{given[0]}{family}", True),
        (f"{short}{family}".capitalize(), True), (f"{given}{chance.randrange(60, 99)}", False),
        (f"{nick}{chance.randrange(1000)}", False), (f"{short}_{nick}", False),
    )  # fmt: skip
    stem, tells = chance.choices(ways, (18, 8, 12, 12, 14, 22, 14))[0]
    return stem, tells and len(stem) <= 15


def _free(stem: str, taken: set[str], chance: random.Random) -> str:
    """Return at most 15 letters, X's limit, and digits behind them until nobody has them."""
    username = stem[:15]
    while username.lower() in taken:
        digits = str(chance.randrange(10_000))
        username = stem[: 15 - len(digits)] + digits
    taken.add(username.lower())
    return username


def _user_id(chance: random.Random) -> str:
    return str(chance.randrange(10**8, 2 * 10**18))


def _location(person: Person, chance: random.Random) -> str:
    if person.home is None:
        return chance.choice(_ELSEWHERE)
    town = person.home.town
    ways = (
        f"{town}, CT", town, f"{town}, Connecticut", f"📍 {town}", f"{town} CT", "Connecticut",
        "CT, USA", "", "somewhere in New England", f"born in {town}", "🌊 the shoreline",
    )  # fmt: skip
    return chance.choices(ways, (22, 6, 5, 3, 4, 8, 4, 34, 4, 3, 3))[0]
