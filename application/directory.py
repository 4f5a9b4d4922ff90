"""The customers, found by handle, name, address, building and town."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from application.household import Resident, building, kin
from application.names import Profile, customer_keys, family_keys, profile_keys, whole_keys
from application.records import Customer

Group = tuple[Resident, ...]


@dataclass(frozen=True)
class Directory:
    """Residents in the order of their ids, and the ways to them."""

    residents: Group
    customers: Mapping[str, Customer]
    by_handle: Mapping[str, Resident]
    by_address: Mapping[str, Group]
    by_building: Mapping[str, Group]
    by_name: Mapping[str, Group]
    families: frozenset[str]
    towns: frozenset[str]

    def perhaps(self, author: Profile) -> Collection[Resident]:
        """Return the customers of whose name a profile may tell the INITIAL or more."""
        keys = profile_keys(author, self.families)
        return {each for key in keys for each in self.by_name.get(key, ())}

    def wholly(self, author: Profile) -> Collection[Resident]:
        """Return the customers of whose name a profile may tell the FULL; they are much fewer."""
        found: set[Resident] = set()
        for key in whole_keys(author, self.families):
            found.update(self.by_name.get(key, ()))
        return found

    def kin(self, resident: Resident) -> tuple[str, ...]:
        """Return the ids of those who belong to a resident and are not managed with them."""
        return kin(resident, self.by_building.get(building(resident.address_key), ()))


def handle(text: str) -> str:
    """Return the one spelling of a handle: X does not tell case, people write an @."""
    return text.strip().removeprefix("@").casefold()


def directory(residents: Iterable[Resident]) -> Directory:
    """Make the ways to some residents; of those with one id, the first in order counts.

    A handle that several customers claim is no evidence, so it leads to none.
    """
    by_id: dict[str, Resident] = {}
    for each in sorted(residents, key=_rank):
        by_id.setdefault(each.customer.id, each)
    everyone = tuple(by_id.values())
    handles = _groups((handle(each.customer.handle or ""), each) for each in everyone)
    return Directory(
        residents=everyone,
        customers={each.customer.id: each.customer for each in everyone},
        by_handle={key: group[0] for key, group in handles.items() if len(group) == 1},
        by_address=_groups(
            (each.address_key if building(each.address_key) else "", each) for each in everyone
        ),
        by_building=_groups((building(each.address_key), each) for each in everyone),
        by_name=_groups((key, each) for each in everyone for key in customer_keys(each.name)),
        families=frozenset(key for each in everyone for key in family_keys(each.name)),
        towns=frozenset(each.town for each in everyone if each.town),
    )


def _rank(resident: Resident) -> tuple[str, ...]:
    customer = resident.customer
    return (
        customer.id,
        resident.address_key,
        resident.town,
        *resident.name.given,
        "",
        *resident.name.family,
        "",
        customer.handle or "",
        customer.household_id or "",
    )


def _groups(pairs: Iterable[tuple[str, Resident]]) -> dict[str, Group]:
    """Group residents by key, without those whose key is empty."""
    found: dict[str, list[Resident]] = {}
    for key, each in pairs:
        if key:
            found.setdefault(key, []).append(each)
    return {key: tuple(group) for key, group in found.items()}
