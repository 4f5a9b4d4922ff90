"""Who there is: homes at addresses of the geo file, people in them, what the CRM has of both."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from application.records import Category
from application.synth import names
from application.synth.connecticut import Row

PRODUCTS = ("brokerage", "retirement", "college", "bonds", "insurance", "managed")
# Every so many addresses is a home whose people are told of.
HOME_EVERY = 12
_NEXT_DOOR = 0.06  # of these homes have kin at the next address
_BANKED = 0.6  # of them have a customer

# Where the CRM says that a customer lives: at home as the geo file has it, at home in another
# spelling, at home as it was before a move, or at what is no address of the geo file.
Listed = Literal["home", "spelled", "old", "nowhere"]


@dataclass(frozen=True, slots=True)
class Home:
    """An address, by its row of the geo file, and who lives there; a home next door has kin."""

    number: int
    row: Row
    kin: int | None = None

    @property
    def lon(self) -> float:
        return float(self.row[0])

    @property
    def lat(self) -> float:
        return float(self.row[1])

    @property
    def town(self) -> str:
        return self.row[5]


@dataclass(frozen=True, slots=True)
class Client:
    """A person as the CRM has them; address is number, street, unit, city, region, postcode."""

    id: str
    first: str
    last: str
    address: tuple[str, ...]
    listed: Listed
    household_id: str | None
    contact_consent: bool
    marketing_consent: bool
    deleted: bool
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody; home is None for who lives at no address of the geo file, client for no client."""

    number: int
    given: str
    family: str
    culture: names.Culture
    home: Home | None = None
    client: Client | None = None

    @property
    def customer_id(self) -> str | None:
        return self.client.id if self.client and not self.client.deleted else None


@dataclass(frozen=True)
class Population:
    """Everybody, and by the number of a home who lives there."""

    homes: Sequence[Home]
    people: Sequence[Person]
    at_home: Mapping[int, Sequence[Person]]

    def lives_with(self, person: Person) -> tuple[str, ...]:
        """Return the customers who live where a person does, without the person."""
        if person.home is None:
            return ()
        others = (each for each in self.at_home[person.home.number] if each is not person)
        return tuple(each.customer_id for each in others if each.customer_id)

    def category(self, person: Person) -> Category:
        """Return what is true of a person."""
        if person.customer_id:
            return "customer"
        if person.home is None:
            return "unknown"
        return "household_member" if self.lives_with(person) else "prospect"


def homes(rows: Iterable[Row], chance: random.Random) -> Iterator[Home]:
    """Yield some of the addresses, now and then the next one too."""
    number, wait, kin = 0, 0, False
    for row in rows:
        if wait:
            wait -= 1
            continue
        yield Home(number, row, number - 1 if kin else None)
        number += 1
        kin = chance.random() < _NEXT_DOOR
        wait = 0 if kin else chance.randrange(2 * HOME_EVERY - 1)


def populate(found: Sequence[Home], chance: random.Random) -> Population:
    """Let people live in homes, some of whom are customers, and let others live elsewhere."""
    people: list[Person] = []
    at_home: dict[int, Sequence[Person]] = {}
    for home in found:
        kin = at_home[home.kin] if home.kin is not None else ()
        living = _family(home, len(people), kin, chance)
        at_home[home.number] = living = _banked(living, found, chance)
        people += living
    for _ in range(max(len(people) // 10, 1)):
        of = names.culture(chance)
        family = _family_name(of, chance)
        people.append(Person(len(people), names.given(of, chance), family, of))
    return Population(found, tuple(people), at_home)


def _family(home: Home, first: int, kin: Sequence[Person], chance: random.Random) -> list[Person]:
    """Return who lives in a home: alone, a couple, a family with the grown-up young, or a flat."""
    of = kin[0].culture if kin else names.culture(chance)
    family = kin[0].family if kin else _family_name(of, chance)
    way = chance.choices(
        ("alone", "one name", "two names", "grown up", "flat"), (30, 26, 18, 16, 10)
    )
    found = [(names.given(of, chance), family, of)]
    match way[0]:
        case "one name":
            found.append((names.given(of, chance), family, of))
        case "two names":
            other = names.culture(chance)
            found.append((names.given(other, chance), _family_name(other, chance), other))
        case "grown up":
            mother = _family_name(of, chance) if of.two_surnames else family
            found.append((names.given(of, chance), mother, of))
            young = family
            if of.two_surnames:
                young = f"{family.split()[0]} {mother.split()[0]}"
            # A son who is called as his father is.
            junior = chance.random() < 0.08
            found.append((found[0][0] if junior else names.given(of, chance), young, of))
            if chance.random() < 0.4:
                found.append((names.given(of, chance), young, of))
        case "flat":
            for _ in range(chance.choice((1, 2, 2, 3))):
                other = names.culture(chance)
                found.append((names.given(other, chance), _family_name(other, chance), other))
    return [Person(first + at, *each, home) for at, each in enumerate(found)]


def _family_name(of: names.Culture, chance: random.Random) -> str:
    one = names.surname(of, chance)
    return f"{one} {names.surname(of, chance)}" if of.two_surnames else one


def _banked(living: Sequence[Person], found: Sequence[Home], chance: random.Random) -> list[Person]:
    """Make customers of some who live in a home."""
    if chance.random() >= _BANKED:
        return list(living)
    sure = chance.randrange(len(living))
    household = f"H-{living[0].number:06}" if chance.random() < 0.55 else None
    return [
        Person(each.number, each.given, each.family, each.culture, each.home,
               _client(each, household, found, chance))
        if at == sure or chance.random() < 0.55 else each
        for at, each in enumerate(living)
    ]  # fmt: skip


def _client(
    person: Person, household: str | None, found: Sequence[Home], chance: random.Random
) -> Client:
    assert person.home is not None
    listed: Listed = chance.choices(("home", "spelled", "old", "nowhere"), (62, 30, 5, 3))[0]
    row = chance.choice(found).row if listed == "old" else person.home.row
    if row == person.home.row and listed == "old":
        listed = "home"
    address: tuple[str, ...] = (row[2], row[3], row[4], row[5], row[7], row[8])
    if listed == "spelled":
        address = _respelled(address, chance)
    elif listed == "nowhere":
        address = _nowhere(address, chance)
    first, last = person.given, person.family
    nicknames = names.SHORT.get(first)
    if nicknames and chance.random() < 0.12:
        first = chance.choice(nicknames)
    elif chance.random() < 0.15:
        first = f"{first} {chance.choice('ABCDEFGHJKLMNPRST')}."
    if chance.random() < 0.05:
        first, last = first.upper(), last.upper()
    elif chance.random() < 0.04:
        last = names.surname(person.culture, chance)  # the name from before a wedding
    if household and chance.random() < 0.15:
        household = None  # opened an account alone
    return Client(
        f"C-{person.number:06}", first, last, address, listed, household,
        chance.random() < 0.82, chance.random() < 0.6, chance.random() < 0.04,
        tuple(chance.sample(PRODUCTS, chance.choice((0, 1, 1, 1, 2, 2, 3)))),
    )  # fmt: skip


_SPELLED = {
    "Street": ("St", "St.", "STREET"), "Road": ("Rd", "Rd."), "Avenue": ("Ave", "Av", "AVE."),
    "Drive": ("Dr", "Dr."), "Lane": ("Ln", "LN"), "Court": ("Ct", "CT"), "Terrace": ("Ter", "Terr"),
    "Circle": ("Cir", "Circ"), "Place": ("Pl", "PL"),
}  # fmt: skip


def _respelled(address: tuple[str, ...], chance: random.Random) -> tuple[str, ...]:
    number, street, unit, city, region, postcode = address
    name, _, suffix = street.rpartition(" ")
    street = f"{name} {chance.choice(_SPELLED.get(suffix, (suffix,)))}"
    for long, short in (("North ", "N. "), ("South ", "S "), ("East ", "E "), ("West ", "W. ")):
        street = street.replace(long, short, 1) if street.startswith(long) else street
    unit = f"{chance.choice(('Apt ', 'Unit ', '#', 'apt. '))}{unit}" if unit else ""
    city = city.upper() if chance.random() < 0.4 else city
    if chance.random() < 0.2:
        postcode = f"{postcode}-{chance.randrange(1000, 9999)}"
    elif chance.random() < 0.1:
        postcode = postcode.lstrip("0")
    return number, street.upper() if chance.random() < 0.2 else street, unit, city, region, postcode


def _nowhere(address: tuple[str, ...], chance: random.Random) -> tuple[str, ...]:
    number, street, _, city, region, postcode = address
    if chance.random() < 0.5:
        return "", f"PO Box {chance.randrange(10, 2000)}", "", city, region, postcode
    return f"{int(number) + 5000}", street, "", city, region, postcode  # a slip in the number
