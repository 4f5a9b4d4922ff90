"""Who lives together: the customers of an address, a building and a family."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from application.names import Name, family_keys
from application.records import Customer, Point

# An address of more customers is a house whose flats nobody wrote down: neighbours, no household.
HOME = 6


@dataclass(frozen=True, slots=True, eq=False)  # one object a customer
class Resident:
    """A customer, and where the CRM says that they live; home is None where we know no place."""

    customer: Customer
    name: Name
    address_key: str
    town: str
    home: Point | None = None


def building(address_key: str) -> str:
    """Return the key of an address without its unit.

    It is empty where the key names no one house: without a number, a street, or both city and
    postcode, for every town has a 12 Main Street.
    """
    number, street, _, city, postcode = parts(address_key)
    one_house = number and street and (city or postcode)
    return "|".join((number, street, city, postcode)) if one_house else ""


def parts(address_key: str) -> tuple[str, str, str, str, str]:
    """Return number, street, unit, city and postcode; all empty for what is no key."""
    found = address_key.split("|")
    if len(found) != 5:
        return "", "", "", "", ""
    number, street, unit, city, postcode = found
    return number, street, unit, city, postcode


def one_family(one: Resident, other: Resident) -> bool:
    """Tell whether two share a family name; of two surnames one is enough."""
    return not set(family_keys(one.name)).isdisjoint(family_keys(other.name))


def one_household(residents: Collection[Resident]) -> bool:
    """Tell whether all of them are managed as one household, or are one family at one address."""
    first, *others = residents
    household = first.customer.household_id
    if household and all(each.customer.household_id == household for each in others):
        return True
    return bool(building(first.address_key)) and all(
        each.address_key == first.address_key and one_family(first, each) for each in others
    )


def kin(resident: Resident, neighbours: Iterable[Resident]) -> tuple[str, ...]:
    """Return the ids of those of a building who belong to a resident and are not managed with them.

    Belonging is the same address, or the same family name in another unit; at an address of more
    than HOME customers it is the family name as well. Managed together are those who share a
    household_id.
    """
    others = [each for each in neighbours if each.customer.id != resident.customer.id]
    if not others:
        return ()
    at_home = [each for each in others if each.address_key == resident.address_key]
    a_home = len(at_home) < HOME
    return tuple(
        sorted(
            each.customer.id
            for each in others
            if (a_home and each in at_home) or one_family(resident, each)
            if not _together(resident.customer, each.customer)
        )
    )


def _together(one: Customer, other: Customer) -> bool:
    return one.household_id is not None and one.household_id == other.household_id
