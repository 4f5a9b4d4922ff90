"""Who a post is from: the rules, over an index of addresses and customers.

The first of these that finds something decides; a confidence is the table's, and falls with the
distance, with the size of the area and among namesakes.

| the author's | evidence | category | confidence |
|---|---|---|---|
| handle | is in the CRM | customer | 0.95, towards 0.99 near home |
| position tells an address | full name of a customer within the radius | customer | 0.95 |
| | family name and initial | customer | 0.85 |
| | family name | household member | 0.80 |
| | given name alone, of a customer at the address | customer | 0.60 |
| | no customer's name, but a customer lives at the address | household member | 0.40 |
| | full name of one customer within 5 km | customer | 0.45 |
| | full name of one customer of the profile's town | customer | 0.40 |
| | customers in the building, none of that name | prospect | 0.35 |
| | no customer at the address | prospect | 0.70 |
| position is a wider box | full name of one customer in the box | customer | 0.60 |
| | family name and initial of one | customer | 0.30 |
| | several of that name, one household | household member | 0.40 |
| | full name of one customer of the profile's town | customer | 0.40 |
| | several, or none, and addresses of ours | prospect | 0.25 |
| profile names a town | full name of one customer of the town | customer | 0.40 |
| | family name and initial of one | customer | 0.20 |
| anything else | | unknown | 0 |

customer_id is the customer that the author is, or, for a household member, whom they live with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from application.addresses import Index, Sight
from application.directory import handle
from application.geometry import DEGREE_M, HOUSE_M, Area, area, distance_m
from application.household import Resident, building, one_household, parts
from application.names import Likeness, Profile, fold, likeness, profile
from application.records import Author, Category, Match, Post


@dataclass(frozen=True, slots=True)
class Rule:
    """What a piece of evidence makes of an author, and how to say so."""

    category: Category
    confidence: float
    says: str


HANDLE = Rule("customer", 0.95, "the CRM has the handle {}")
AT_HOME_TOO = 0.99  # with the handle
# Within the radius of a position that tells an address.
NEAR = {
    Likeness.FULL: Rule("customer", 0.95, "name matches a customer's there"),
    Likeness.INITIAL: Rule("customer", 0.85, "family name and initial match a customer's there"),
    Likeness.FAMILY: Rule("household_member", 0.80, "family name matches a customer's there"),
}
# At the nearest address, when it is the only one there and the position tells houses apart.
AT_HOME = {
    Likeness.GIVEN: Rule("customer", 0.60, "given name matches a customer's there"),
    Likeness.OTHER: Rule("household_member", 0.40, "a customer of another name lives there"),
}
IN_THE_BUILDING = Rule("prospect", 0.35, "customers live there, none of that name")
NOBODY = Rule("prospect", 0.70, "no customer lives there")
IN_THE_BOX = {
    Likeness.FULL: Rule("customer", 0.60, "the only customer of that name there"),
    Likeness.INITIAL: Rule(
        "customer", 0.30, "the only customer of that family name and initial there"
    ),
}
ONE_HOUSEHOLD = Rule("household_member", 0.40, "{} customers of that name there, one household")
AMBIGUOUS = Rule("prospect", 0.25, "{} customers of that name there, so which is not known")
NO_NAMESAKE = Rule("prospect", 0.25, "no customer there of that name")
# Not at home, but about: what a box of a town tells, a point in it tells as well.
AROUND = Rule("customer", 0.45, "the only customer of that name within 5 km of the position")
AROUND_M = 5_000.0
IN_THE_TOWN = {
    Likeness.FULL: Rule("customer", 0.40, "the only customer of that name there"),
    Likeness.INITIAL: Rule(
        "customer", 0.20, "the only customer of that family name and initial there"
    ),
}

# Addresses that much farther than the nearest are as good: units and twins of one house.
AS_NEAR_M = 10.0
# Several customers with one name at one address: a father and a son, or one person twice.
AMONG_NAMESAKES = 0.6
# What remains of a confidence far away, and where half of the rest is lost.
REMAINS, HALF_M = 0.6, 500.0
HALF_BOX_M = 50_000.0
# What a profile writes behind the town; Manchester, UK is none of ours.
COUNTRY_AND_STATE = frozenset({"ct", "conn", "connecticut", "us", "usa", "united", "states"})


def match_all(posts: Sequence[Post], index: Index) -> list[Match]:
    """Return who each post is from, in the order of the posts."""
    areas = [area(post.position) for post in posts]
    sights = iter(index.look([each for each in areas if each is not None]))
    return [
        _match(post.author, where, next(sights) if where else None, index)
        for post, where in zip(posts, areas, strict=True)
    ]


def closeness(distance: float, where: Area) -> float:
    """Return from 1 to REMAINS how near an address may be: the author is as far as the precision.

    A smaller distance and a better precision never make it less.
    """
    return REMAINS + (1 - REMAINS) / (1 + (distance + where.precision_m) / HALF_M)


def _match(author: Author, where: Area | None, sight: Sight | None, index: Index) -> Match:
    known = index.directory.by_handle.get(handle(author.username))
    if known:
        return _by_handle(known, where, index)
    if where is None or sight is None:
        return _by_town(author, index)
    if not where.local:
        return _by_box(author, where, sight, index)
    told = _read(author)
    near = sight.near and (
        _by_name(told, where, sight, index) or _by_home(told, where, sight, index)
    )
    return near or _from_elsewhere(author, told, where, index) or _by_address(where, sight, index)


def _read(author: Author) -> Profile:
    return profile(author.name, author.username)


def _by_handle(known: Resident, where: Area | None, index: Index) -> Match:
    says = HANDLE.says.format(known.customer.handle)
    home = known.home
    if where is None or not where.local or home is None:
        return _of(known, HANDLE.category, HANDLE.confidence, says, index)
    distance = distance_m(where.lon, where.lat, home.lon, home.lat)
    nearer = (AT_HOME_TOO - HANDLE.confidence) * (closeness(distance, where) - REMAINS)
    confidence = HANDLE.confidence + nearer / (1 - REMAINS)
    says = f"{_way(distance, known.address_key)}; {says}"
    return _of(known, HANDLE.category, confidence, says, index, distance)


def _by_name(author: Profile, where: Area, sight: Sight, index: Index) -> Match | None:
    """Take the likeliest of the customers within the radius whose name fits."""
    alike = [
        (how, distance_m(where.lon, where.lat, site.lon, site.lat), resident)
        for site in sight.near
        if author.may_be_of(site.families)
        for resident in site.residents
        if (how := likeness(resident.name, author)) >= Likeness.FAMILY
    ]
    if not alike:
        return None

    def confidence(how: Likeness, distance: float, resident: Resident) -> float:
        namesakes = {
            each.customer.id
            for likewise, _, each in alike
            if likewise is how and each.address_key == resident.address_key
        }
        alone = how is Likeness.FAMILY or len(namesakes) == 1
        return NEAR[how].confidence * closeness(distance, where) * (alone or AMONG_NAMESAKES)

    best = min(alike, key=lambda each: (-confidence(*each), each[2].customer.id))
    how, distance, resident = best
    says = f"{_way(distance, resident.address_key)}; {NEAR[how].says}"
    return _of(resident, NEAR[how].category, confidence(*best), says, index, distance)


def _by_home(author: Profile, where: Area, sight: Sight, index: Index) -> Match | None:
    """Take a customer of the nearest address, if it is the only one there, though no name fits."""
    row, distance = sight.row, sight.distance_m
    if row is None or distance is None or distance + where.precision_m > HOUSE_M:
        return None
    home = next((site for site in sight.near if site.row == row), None)
    if home is None or not index.alone(row, where, distance + AS_NEAR_M):
        return None
    # No name fits but a given one; without that the first stands for the address.
    here = home.residents
    alike = [likeness(each.name, author) for each in here]
    resident, rule = here[alike.index(max(alike))], AT_HOME[max(alike)]
    says = f"{_way(distance, resident.address_key)}; {rule.says}"
    confidence = rule.confidence * closeness(distance, where)
    return _of(resident, rule.category, confidence, says, index, distance)


def _from_elsewhere(who: Author, author: Profile, where: Area | None, index: Index) -> Match | None:
    """Take a customer by the full name who lives around, or in the town that the profile names."""
    perhaps = index.directory.wholly(author)
    if not perhaps:
        return None
    if where is not None:
        around = [
            (distance, each)
            for each in perhaps
            if (home := each.home)
            and abs(home.lat - where.lat) * DEGREE_M <= AROUND_M  # most are far, and this is quick
            and (distance := distance_m(where.lon, where.lat, home.lon, home.lat)) <= AROUND_M
            and likeness(each.name, author) is Likeness.FULL
        ]
        if len(around) == 1:
            ((distance, resident),) = around
            return _of(resident, AROUND.category, AROUND.confidence, AROUND.says, index, distance)
        if around:
            return None
    town = _town(who.location, index.directory.towns)
    there = town and [
        (Likeness.FULL, each)
        for each in perhaps
        if each.town == town and likeness(each.name, author) is Likeness.FULL
    ]
    if not (town and there and len(there) == 1):
        return None
    return _only(there[0], IN_THE_TOWN, 1.0, f"the profile names {town.upper()}", index)


def _by_address(where: Area, sight: Sight, index: Index) -> Match:
    """Judge by the nearest address, the author being none of its customers."""
    if sight.row is None or sight.distance_m is None:
        return _unknown(f"no address within {where.radius_m:.0f} m of the position")
    key, distance = index.address_keys[sight.row], sight.distance_m
    way, close = _way(distance, key), closeness(distance, where)
    shared = sight.near and building(key) in index.directory.by_building
    rule = IN_THE_BUILDING if shared else NOBODY
    return Match(
        rule.category,
        round(rule.confidence * close, 3),
        f"{way}; {rule.says}",
        round(distance, 1),
        index.address_ids[sight.row],
    )


def _by_box(who: Author, where: Area, sight: Sight, index: Index) -> Match:
    """Judge by the customers of that name in a box that is too wide for an address."""
    author = _read(who)
    place = where.name or "the area of the position"
    close = 1 / (1 + where.precision_m / HALF_BOX_M)
    found = _most_alike(
        author,
        (
            resident
            for resident in index.directory.perhaps(author)
            if (home := resident.home) and where.holds(home.lon, home.lat)
        ),
    )
    if len(found) == 1:
        return _only(found[0], IN_THE_BOX, close, f"in {place}", index)
    if found and one_household(residents := [resident for _, resident in found]):
        says = f"in {place}: {ONE_HOUSEHOLD.says.format(len(found))}"
        confidence = ONE_HOUSEHOLD.confidence * close
        return _of(residents[0], ONE_HOUSEHOLD.category, confidence, says, index)
    if not found and (elsewhere := _from_elsewhere(who, author, None, index)):
        return elsewhere
    if sight.row is None:
        return _unknown(f"in {place}: no address of ours around")
    rule = AMBIGUOUS if found else NO_NAMESAKE
    says = f"in {place}: {rule.says.format(len(found))}"
    return Match(rule.category, round(rule.confidence * close, 3), says)


def _by_town(who: Author, index: Index) -> Match:
    """Judge by the town that a profile names, the post having no position that tells any."""
    town = _town(who.location, index.directory.towns)
    if town is None:
        return _unknown(
            "no position that tells a place, and the profile names no town of a customer"
        )
    author = _read(who)
    found = _most_alike(
        author, (each for each in index.directory.perhaps(author) if each.town == town)
    )
    if len(found) == 1:
        return _only(found[0], IN_THE_TOWN, 1.0, f"the profile names {town.upper()}", index)
    many = f"{len(found)} customers" if found else "no customer"
    return _unknown(f"the profile names {town.upper()}: {many} of that name there")


def _town(location: str, towns: Collection[str]) -> str | None:
    """Return the town of customers that a location is, with or without its state."""
    town = _without_state(location)
    return town if town in towns else None


@lru_cache(1 << 12)  # many write the same few
def _without_state(location: str) -> str:
    words = fold(location).split()
    while words and words[-1] in COUNTRY_AND_STATE:
        words.pop()
    return " ".join(words)


def _most_alike(author: Profile, residents: Iterable[Resident]) -> list[tuple[Likeness, Resident]]:
    """Return those whose names are the most alike, an INITIAL at least, in the order of ids."""
    found = [
        (how, each)
        for each in residents
        if (how := likeness(each.name, author)) >= Likeness.INITIAL
    ]
    best = max((how for how, _ in found), default=None)
    return sorted((each for each in found if each[0] is best), key=lambda each: each[1].customer.id)


def _only(
    found: tuple[Likeness, Resident],
    rules: Mapping[Likeness, Rule],
    close: float,
    where: str,
    index: Index,
) -> Match:
    how, resident = found
    rule = rules[how]
    return _of(resident, rule.category, rule.confidence * close, f"{where}: {rule.says}", index)


def _of(
    resident: Resident,
    category: Category,
    confidence: float,
    evidence: str,
    index: Index,
    distance: float | None = None,
) -> Match:
    """Return a match with a customer, and with those who belong to them."""
    customer = resident.customer
    return Match(
        category=category,
        confidence=round(confidence, 3),
        evidence=evidence,
        distance_m=None if distance is None else round(distance, 1),
        address_id=customer.address_id,
        customer_id=customer.id,
        household_id=customer.household_id,
        kin=index.directory.kin(resident),
    )


def _unknown(evidence: str) -> Match:
    return Match("unknown", 0.0, evidence)


def _way(distance: float, address_key: str) -> str:
    """Say how far it is to an address: 31 m from 12 MAPLE ST UNIT 4B, MANCHESTER."""
    number, street, unit, city, _ = parts(address_key)
    far = f"{distance:.0f} m" if distance < 1000 else f"{distance / 1000:.1f} km"
    house = f"{number} {street} UNIT {unit}" if unit else f"{number} {street}"
    place = f"{house.strip()}, {city}" if city else house.strip()
    return f"{far} from {place or 'an address'}"
