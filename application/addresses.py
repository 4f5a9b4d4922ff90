"""The index: every address by position, every customer by address, loaded from the lake.

Positions are points of the unit sphere, so that distances are right everywhere to the 0.6 % of
`geometry.EARTH_M`, without a projection whose error grows away from its middle. Texts stay in
Arrow's buffers; a Python string is made only for an address that a post hits.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from application.directory import Directory, Group, directory
from application.geometry import EARTH_M, Area
from application.household import Resident, building
from application.names import family_keys, fold, name
from application.records import Customer, Point

Floats = npt.NDArray[np.float64]

ADDRESSES = """
select ADDRESS_ID, LON, LAT, coalesce(ADDRESS_KEY, '') as ADDRESS_KEY
from ADDRESSES
where ADDRESS_ID is not null and LON between -180 and 180 and LAT between -90 and 90
"""
CUSTOMERS = """
select
    CUSTOMER_ID,
    coalesce(FIRST_NAME, '') as FIRST_NAME,
    coalesce(LAST_NAME, '') as LAST_NAME,
    HANDLE,
    coalesce(CITY, '') as CITY,
    coalesce(ADDRESS_KEY, '') as ADDRESS_KEY,
    HOUSEHOLD_ID,
    coalesce(CONTACT_CONSENT, false) as CONTACT_CONSENT,
    coalesce(MARKETING_CONSENT, false) as MARKETING_CONSENT
from CUSTOMERS
where CUSTOMER_ID is not null
"""
PORTFOLIOS = "select CUSTOMER_ID, PRODUCT from PORTFOLIOS"
_COLUMNS = (
    "CUSTOMER_ID",
    "FIRST_NAME",
    "LAST_NAME",
    "HANDLE",
    "CITY",
    "ADDRESS_KEY",
    "HOUSEHOLD_ID",
    "CONTACT_CONSENT",
    "MARKETING_CONSENT",
)
# Puts a 0 between any two of 32 bits: halves move apart, then quarters, down to single bits.
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


class Lake(Protocol):
    """Where tables are read: a Warehouse, or what stands in for one."""

    def arrow(self, sql: str) -> Any:
        """Run one query; return a pyarrow.Table."""
        ...

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        ...


class Texts:
    """A column of texts that stays in Arrow's two buffers, and makes a string of what is asked."""

    def __init__(self, column: Any) -> None:
        whole = column.cast(pa.large_string()).combine_chunks()
        _, offsets, letters = whole.buffers()
        size = whole.offset + len(whole) + 1
        # A memoryview gives a number faster than NumPy, which makes an object of its own.
        self._offsets = (
            memoryview(offsets or bytes(8 * size)).cast("B").cast("q")[whole.offset : size]
        )
        self._letters = memoryview(letters or b"")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[str]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> str:
        return str(self._letters[self._offsets[row] : self._offsets[row + 1]], "utf-8")


class Site(NamedTuple):
    """An address of customers; families are the ways in which their family names are written."""

    row: int
    lon: float
    lat: float
    families: tuple[str, ...]
    residents: Group


class Sight(NamedTuple):
    """What there is around a position.

    row is the nearest address within the radius and distance_m the way there, both None without
    one; near are the sites within the radius, in no order.
    """

    row: int | None
    distance_m: float | None
    near: tuple[Site, ...]


@dataclass(frozen=True, eq=False)
class Index:
    """Addresses in rows, those of one position together and in the order of their ids.

    Positions lie along a curve, so that what is near is near in memory too.

    spots is a tree over the distinct positions, starts their first rows and, behind the last, the
    number of rows; near_sites is a tree over the sites.
    """

    address_ids: Texts
    address_keys: Texts
    spots: Any
    starts: npt.NDArray[np.int64]
    sites: tuple[Site, ...]
    near_sites: Any
    directory: Directory

    @property
    def customers(self) -> Mapping[str, Customer]:
        """All customers by id."""
        return self.directory.customers

    def __len__(self) -> int:
        return len(self.address_ids)

    def look(self, areas: Sequence[Area]) -> list[Sight]:
        """Look around many positions at once, as far as the radius of each goes.

        Customers are looked for only around positions that are local.
        """
        if not areas:
            return []
        centres = _sphere(*np.array([(area.lon, area.lat) for area in areas]).T)
        radii = np.array([area.radius_m for area in areas])
        chords, spots = self.spots.query(centres, distance_upper_bound=_chord(radii.max()) * 1.01)
        metres = _metres(chords)
        within = metres <= radii
        rows = self.starts[np.where(within, spots, 0)]
        local = [area.local for area in areas]
        sites = iter(self.near_sites.query_ball_point(centres[local], _chord(radii[local])))
        return [
            Sight(
                row=row if hit else None,
                distance_m=metre if hit else None,
                near=tuple(map(self.sites.__getitem__, next(sites))) if close else (),
            )
            for close, hit, row, metre in zip(
                local, within.tolist(), rows.tolist(), metres.tolist(), strict=True
            )
        ]

    def alone(self, row: int, area: Area, within_m: float) -> bool:
        """Tell whether all addresses within some metres of a centre are the one of a row."""
        across, up = radians(area.lon), radians(area.lat)  # NumPy is slow where there is but one
        centre = (cos(up) * cos(across), cos(up) * sin(across), sin(up))
        spots = self.spots.query_ball_point(centre, _chord(within_m))
        key = self.address_keys[row]
        return all(
            self.address_keys[other] == key
            for spot in spots
            for other in range(self.starts[spot], self.starts[spot + 1])
        )


def load_index(warehouse: Lake) -> Index:
    """Load addresses, customers and what these own.

    Raise what the warehouse raises: UnreachableError, RefusedError.
    """
    loaded = index(
        warehouse.arrow(ADDRESSES), warehouse.arrow(CUSTOMERS), warehouse.arrow(PORTFOLIOS)
    )
    # It stays as long as the process: the collector need not walk through every customer again.
    gc.freeze()
    return loaded


def index(addresses: Any, customers: Any, portfolios: Any) -> Index:
    """Make the index from the columns that the queries above name.

    The order of rows does not count. Addresses without a place on earth, and customers without an
    address of ours, are nowhere; of customers with one id only one is kept.
    """
    lon, lat = _floats(addresses["LON"]), _floats(addresses["LAT"])
    order = _order(lon, lat, addresses["ADDRESS_ID"])
    lon, lat = lon[order], lat[order]
    taken = pa.array(order)
    all_keys = pc.take(addresses["ADDRESS_KEY"], taken)
    rows = _rows_of(all_keys, set(customers["ADDRESS_KEY"].to_pylist()))
    ids, keys = Texts(pc.take(addresses["ADDRESS_ID"], taken)), Texts(all_keys)
    # Of several addresses with one key the one with the least id is home: it comes last.
    homes = {
        keys[row]: (ids[row], Point(lon[row].item(), lat[row].item()))
        for row in sorted(rows, key=ids.__getitem__, reverse=True)
    }
    people = directory(_residents(customers, _products(portfolios), homes))
    same: dict[tuple[str, ...], tuple[str, ...]] = {}
    sites = {
        row: Site(row, lon[row].item(), lat[row].item(), _families(group, same), group)
        for row in rows
        if (group := people.by_address.get(keys[row]))
    }
    starts = _starts(lon, lat)
    return Index(
        address_ids=ids,
        address_keys=keys,
        spots=cKDTree(_sphere(lon[starts], lat[starts])),
        starts=np.append(starts, len(lon)),
        sites=tuple(sites.values()),
        near_sites=cKDTree(_sphere(lon[list(sites)], lat[list(sites)])),
        directory=people,
    )


def _order(lon: Floats, lat: Floats, ids: Any) -> npt.NDArray[np.int64]:
    """Return the rows that are on earth, along the curve and, at one position, by id."""
    known = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)  # false for NaN
    along = _along(np.where(known, lon, 0), np.where(known, lat, 0))
    columns = {"along": along, "lon": lon, "lat": lat, "id": ids}
    by = [(each, "ascending") for each in columns]
    order = pc.sort_indices(pa.table(columns), sort_keys=by).to_numpy()
    return np.asarray(order[known[order]], dtype=np.int64)


def _along(lon: Floats, lat: Floats) -> npt.NDArray[np.uint64]:
    """Return how far along a Z-order curve a position is: its bits of lon and lat in turn."""
    found = np.zeros(len(lon), dtype=np.uint64)
    for turn, share in enumerate(((lon + 180) / 360, (lat + 90) / 180)):
        bits = (share * (2**32 - 1)).astype(np.uint64)
        for shift, mask in _SPREAD:
            bits = (bits | bits << np.uint64(shift)) & np.uint64(mask)
        found |= bits << np.uint64(turn)
    return found


def _starts(lon: Floats, lat: Floats) -> npt.NDArray[np.int64]:
    """Return the rows at which a position stands first."""
    new = np.ones(len(lon), dtype=bool)
    new[1:] = (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1])
    return np.flatnonzero(new)


def _rows_of(keys: Any, wanted: set[str]) -> list[int]:
    """Return the rows whose key is wanted and names a house."""
    houses = pa.array(sorted(key for key in wanted if building(key)), type=keys.type)
    found: list[int] = np.flatnonzero(pc.is_in(keys, value_set=houses).to_numpy(False)).tolist()
    return found


def _residents(
    customers: Any,
    products: Mapping[str, frozenset[str]],
    homes: Mapping[str, tuple[str, Point]],
) -> Iterator[Resident]:
    for row in zip(*(customers[each].to_pylist() for each in _COLUMNS), strict=True):
        who, first, last, account, city, key, household, contact, marketing = row
        address_id, home = homes.get(key, (None, None))
        customer = Customer(
            id=who,
            first_name=first,
            last_name=last,
            handle=account or None,
            address_id=address_id,
            household_id=household or None,
            contact_consent=contact,
            marketing_consent=marketing,
            products=products.get(who, frozenset()),
        )
        yield Resident(customer, name(first, last), key, fold(city), home)


def _families(residents: Group, same: dict[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
    """Return the family names that are there; equal ones are one object."""
    names = (sys.intern(each) for who in residents for each in family_keys(who.name))
    families = tuple(dict.fromkeys(names))
    return same.setdefault(families, families)


def _products(portfolios: Any) -> dict[str, frozenset[str]]:
    """Return what each customer owns; equal portfolios are one object."""
    owned: dict[str, frozenset[str]] = {}
    same: dict[frozenset[str], frozenset[str]] = {}
    columns = (portfolios["CUSTOMER_ID"].to_pylist(), portfolios["PRODUCT"].to_pylist())
    for who, product in zip(*columns, strict=True):
        products = owned.get(who, frozenset()) | {product}
        owned[who] = same.setdefault(products, products)
    return owned


def _floats(column: Any) -> Floats:
    """Return a column as numbers, NULL as NaN."""
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _sphere(lon: Any, lat: Any) -> Floats:
    """Return the points of the unit sphere, a row each."""
    across, up = np.radians(lon), np.radians(lat)
    return np.column_stack((np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)))


def _chord(metres: Any) -> Any:
    """Return the straight way through the unit sphere for a way along its surface."""
    return 2 * np.sin(np.minimum(metres / (2 * EARTH_M), np.pi / 2))


def _metres(chords: Any) -> Any:
    """Return the way along the surface, infinite where there is none."""
    near = np.arcsin(np.minimum(chords / 2, 1.0))
    return np.where(np.isfinite(chords), 2 * EARTH_M * near, np.inf)
