"""Who of the people is on X, how they show themselves, and which handles the CRM knows."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.records import Category
from application.synth.people import Person, Population
from application.synth.profiles import Profile, firm, profile

_ON_X = 0.34  # of the people
_FIRMS = 0.012  # of the authors
_KNOWN = 0.3  # of the handles of customers are in the CRM
_STALE = 0.08  # of these are no longer the customer's
_FIRM_LANGUAGES = (("en", 0.7), ("es", 0.2), ("fr", 0.1))


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody on X, and what is true of them; person is None for a firm.

    handled says that the CRM has the user name as the customer's.
    """

    profile: Profile
    person: Person | None
    category: Category
    customer_id: str | None
    household_id: str | None
    lives_with: tuple[str, ...]
    handled: bool
    languages: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Cast:
    """All authors, and the handles that the CRM has, by the customer's id."""

    authors: Sequence[Author]
    handles: Mapping[str, str]


def cast(population: Population, chance: random.Random) -> Cast:
    """Choose who is on X; there is always somebody."""
    taken: set[str] = set()
    found: list[Author] = []
    handles: dict[str, str] = {}
    households = {
        each.client.id: each.client.household_id for each in population.people if each.client
    }
    for person in population.people:
        if chance.random() >= _ON_X and found:
            continue
        shown = profile(person, taken, chance)
        own = person.customer_id
        handled = False
        if person.client and chance.random() < _KNOWN:
            handled = chance.random() >= _STALE
            known = (
                shown.username if handled else f"{shown.username[:12]}{chance.randrange(100, 999)}"
            )
            handles[person.client.id] = chance.choice(("", "", "@")) + (
                known.upper() if chance.random() < 0.05 else known
            )
        together = population.lives_with(person)
        found.append(
            Author(
                profile=shown,
                person=person,
                category=population.category(person),
                customer_id=own or next(iter(together), None),
                household_id=households.get(own or next(iter(together), "")),
                lives_with=together,
                handled=handled and own is not None,
                languages=person.culture.languages,
            )
        )
    for number in range(max(round(len(found) * _FIRMS), 1)):
        shown = firm(number, taken, chance)
        found.append(Author(shown, None, "unknown", None, None, (), False, _FIRM_LANGUAGES))
    chance.shuffle(found)
    return Cast(tuple(found), handles)
