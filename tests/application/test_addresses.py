"""The index: what it finds is what looking at every address finds."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.addresses import Site, Texts, index, load_index
from application.geometry import Area, area, distance_m
from application.records import Point
from tests.application.neighbourhood import Address, Client, key, tables, town

NEAR_HERE = st.tuples(
    st.floats(-72.53, -72.51).map(lambda lon: round(lon, 4)),
    st.floats(41.77, 41.78).map(lambda lat: round(lat, 4)),
)
# The whole globe, and the places at which a projection would tear.
ANYWHERE = st.tuples(
    st.floats(-180, 180) | st.sampled_from([-180.0, 180.0]),
    st.floats(-90, 90) | st.sampled_from([-90.0, 90.0]),
)
PLACES = st.lists(NEAR_HERE | ANYWHERE, max_size=30)


def around(lon: float, lat: float, precision: float = 5.0) -> Area:
    return Area(lon, lat, precision, lon, lat, lon, lat)


def addresses(places: Sequence[tuple[float, float]]) -> list[Address]:
    return [Address(f"a{n:02}", lon, lat, key(n + 1)) for n, (lon, lat) in enumerate(places)]


@given(PLACES, st.lists(st.tuples(NEAR_HERE | ANYWHERE, st.floats(0, 3000)), max_size=8))
def test_the_nearest_is_the_nearest_of_all(
    places: list[tuple[float, float]], looks: list[tuple[tuple[float, float], float]]
) -> None:
    found = town(addresses(places))
    areas = [around(*centre, precision) for centre, precision in looks]
    for where, sight in zip(areas, found.look(areas), strict=True):
        ways = [distance_m(where.lon, where.lat, *place) for place in places]
        nearest = min(ways, default=math.inf)
        if abs(nearest - where.radius_m) < 0.01:
            continue  # on the border, a rounding decides
        if nearest > where.radius_m:
            assert sight.row is None
            assert sight.distance_m is None
        else:
            assert sight.row is not None
            assert sight.distance_m == pytest.approx(nearest, abs=0.01)
            number = int(found.address_ids[sight.row][1:])
            assert ways[number] == pytest.approx(nearest, abs=0.01)


@given(PLACES, NEAR_HERE | ANYWHERE, st.floats(0, 600))
def test_the_customers_around_are_all_of_them(
    places: list[tuple[float, float]], centre: tuple[float, float], precision: float
) -> None:
    everyone = [Client(f"c{n:02}", key=key(n + 1)) for n in range(len(places))]
    where = around(*centre, precision)
    (sight,) = town(addresses(places), everyone).look([where])
    near = {site.residents[0].customer.id: (site.lon, site.lat) for site in sight.near}
    for client, place in zip(everyone, places, strict=True):
        way = distance_m(*centre, *place)
        if abs(way - where.radius_m) > 0.01:
            assert (client.id in near) == (way < where.radius_m)
        if client.id in near:
            assert near[client.id] == place


HOUSE = [Address(f"u{unit}", -72.52, 41.77, key(12, unit)) for unit in "CAB"]


def test_of_one_position_the_least_id_counts() -> None:
    found = town(HOUSE)
    (sight,) = found.look([around(-72.5201, 41.77)])
    assert sight.row is not None
    assert found.address_ids[sight.row] == "uA"


def test_an_address_is_alone_where_no_other_is_as_near() -> None:
    twice = [Address("a", -72.52, 41.77, key(12)), Address("b", -72.52, 41.77, key(12))]
    found = town([*twice, Address("c", -72.521, 41.77, key(14))])
    (sight,) = found.look([around(-72.5201, 41.77)])
    assert sight.row is not None
    assert found.alone(sight.row, around(-72.5201, 41.77), 20.0)
    assert not found.alone(sight.row, around(-72.5201, 41.77), 100.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_does_not_count(seed: int) -> None:
    chance = random.Random(seed)
    rows = [*HOUSE, Address("b1", -72.52, 41.77, key(14)), Address("b0", -72.6, 41.8, key(14))]
    clients = [Client("c1", key=key(14)), Client("c2", key=key(12, "A")), Client("c3")]
    areas = [around(-72.52, 41.77), around(-72.6, 41.8)]
    expected = town(rows, clients)
    mixed = town(chance.sample(rows, len(rows)), chance.sample(clients, len(clients)))
    assert mixed.customers == expected.customers
    assert list(mixed.address_ids) == list(expected.address_ids)
    for one, other in zip(expected.look(areas), mixed.look(areas), strict=True):
        assert (one.row, one.distance_m) == (other.row, other.distance_m)
        assert sorted(map(lived_in, one.near)) == sorted(map(lived_in, other.near))


def lived_in(site: Site) -> tuple[int, list[str]]:
    return site.row, [each.customer.id for each in site.residents]


def test_customers_meet_addresses_by_their_key() -> None:
    found = town(
        [Address("a2", -72.5, 41.7, key(12)), Address("a1", -72.6, 41.8, key(12)), *HOUSE],
        [
            Client("twice", key=key(12)),
            Client("unit", key=key(12, "B"), handle="@Bob"),
            Client("elsewhere", key=key(99)),
            Client("nowhere", key="||||"),
        ],
        {"unit": ["bonds", "college"], "gone": ["bonds"]},
    )
    home = {who: customer.address_id for who, customer in found.customers.items()}
    assert home == {"twice": "a1", "unit": "uB", "elsewhere": None, "nowhere": None}
    assert found.customers["unit"].products == {"bonds", "college"}
    assert found.customers["twice"].products == frozenset()
    assert found.directory.by_handle["bob"].customer.id == "unit"
    # Both places of an address that is there twice lead to its customer.
    for lon, lat in ((-72.5, 41.7), (-72.6, 41.8)):
        (sight,) = found.look([around(lon, lat)])
        assert [site.residents[0].customer.id for site in sight.near] == ["twice"]


def test_an_address_without_a_number_is_nobodys_home() -> None:
    street = "|MAPLE ST||MANCHESTER|06040"
    found = town([Address("a", -72.5, 41.7, street)], [Client("c", key=street)])
    assert found.customers["c"].address_id is None


@pytest.mark.parametrize(
    ("lon", "lat"), [(None, 41.7), (-72.5, None), (math.nan, 41.7), (200.0, 41.7), (-72.5, -91.0)]
)
def test_what_is_nowhere_is_left_out(lon: float | None, lat: float | None) -> None:
    found = town([Address("a", lon, lat, key(12)), *HOUSE], [Client("c", key=key(12))])
    assert len(found) == len(HOUSE)
    assert found.customers["c"].address_id is None


def test_one_id_is_one_customer_and_a_handle_of_two_is_nobodys() -> None:
    found = town(HOUSE, [Client("c", last="A"), Client("c", last="B"), Client("d", handle="x"),
                         Client("e", handle="@X"), Client("f", handle=" ")])  # fmt: skip
    assert sorted(found.customers) == ["c", "d", "e", "f"]
    assert found.directory.by_handle == {}


def test_nothing_is_found_in_nothing() -> None:
    found = town([])
    assert len(found) == 0
    (sight,) = found.look([around(-72.5, 41.7)])
    assert (sight.row, sight.distance_m, sight.near) == (None, None, ())
    assert found.look([]) == []


class Shelf:
    """A lake of three tables."""

    def __init__(self, by_table: Mapping[str, Any]) -> None:
        self._by_table = by_table

    def arrow(self, sql: str) -> Any:
        table = sql.split("from", 1)[1].split()[0]
        return self._by_table[table]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        raise AssertionError(sql)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_text_is_what_the_column_has(kind: Any) -> None:
    words = ["12|MAPLE ST", "", "Núñez", "x" * 100]
    column = pa.chunked_array([pa.array(words[:1], kind), pa.array(words, kind)[1:]])
    assert list(Texts(column)) == words
    assert list(Texts(column[2:])) == words[2:]
    assert list(Texts(pa.chunked_array([], kind))) == []


def test_the_index_is_loaded_from_three_tables() -> None:
    made = tables(HOUSE, [Client("c", key=key(12, "A"))], {"c": ["bonds"]})
    loaded = load_index(
        Shelf(dict(zip(("ADDRESSES", "CUSTOMERS", "PORTFOLIOS"), made, strict=True)))
    )
    assert loaded.customers == index(*made).customers
    assert loaded.customers["c"].address_id == "uA"
    assert area(Point(-72.52, 41.77)) is not None
