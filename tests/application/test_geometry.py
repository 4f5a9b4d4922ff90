"""Positions, their precision and their distances."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.geometry import DEGREE_M, EARTH_M, HOUSE_M, LOCAL_M, area, distance_m
from application.records import Place, Point

LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


@pytest.mark.parametrize(
    ("point", "precision"),
    [
        pytest.param(Point(-72.5212345, 41.7812345), 0, id="GPS"),
        pytest.param(Point(-72.5212, 41.7812), 6, id="4 decimals"),
        pytest.param(Point(-72.521, 41.781), 56, id="3 decimals"),
        pytest.param(Point(-72.52, 41.7812), 6, id="zeros at the end are lost"),
        pytest.param(Point(-72.52, 41.78), 556, id="2 decimals"),
        pytest.param(Point(-72.5, 41.8), 5560, id="1 decimal"),
        pytest.param(Point(-72.0, 41.0), 55597, id="no decimal"),
        pytest.param(Point(1e-7, 41.0), 0, id="a small number"),
    ],
)
def test_the_decimals_tell_how_precise_a_point_is(point: Point, precision: float) -> None:
    found = area(point)
    assert found is not None
    assert found.precision_m == pytest.approx(precision, abs=1)
    assert found.radius_m == pytest.approx(precision + 150, abs=1)
    assert found.local == (precision < LOCAL_M)
    assert found.holds(point.lon, point.lat)


def box(west: float, south: float, east: float, north: float, kind: str = "city") -> Place:
    return Place("1", "Somewhere", kind, west, south, east, north)


def test_a_box_is_as_precise_as_it_is_small() -> None:
    poi = area(box(-72.5, 41.7, -72.5, 41.7, "poi"))
    house = area(box(-72.501, 41.7, -72.5, 41.7005))
    park = area(box(-72.51, 41.7, -72.5, 41.705))
    city = area(box(-72.6, 41.7, -72.5, 41.8))
    assert poi is not None
    assert house is not None
    assert park is not None
    assert city is not None
    assert poi.precision_m == 0
    assert 0 < house.precision_m < HOUSE_M < park.precision_m < LOCAL_M < city.precision_m
    assert [each.local for each in (poi, house, park, city)] == [True, True, True, False]
    assert (city.lon, city.lat) == pytest.approx((-72.55, 41.75))
    assert city.holds(-72.6, 41.8)
    assert not city.holds(-72.61, 41.8)
    assert not city.holds(math.nan, 41.75)


@given(st.floats(-179, 179), st.floats(-89, 89), st.floats(0, 0.5), st.floats(0, 0.5))
def test_no_corner_is_farther_than_the_precision(
    lon: float, lat: float, width: float, height: float
) -> None:
    found = area(box(lon - width, lat - height, lon + width, lat + height))
    assert found is not None
    for corner in itertools.product((found.west, found.east), (found.south, found.north)):
        assert distance_m(found.lon, found.lat, *corner) <= found.precision_m + 0.01


def test_the_state_is_a_box_and_a_country_is_none() -> None:
    state = area(box(-73.73, 40.98, -71.78, 42.06, "admin"))
    assert state is not None
    assert not state.local
    assert area(box(-179, 18, -66, 71, "admin")) is None
    assert area(box(9.47, 47.04, 9.64, 47.28, "country")) is None


@pytest.mark.parametrize(
    "nowhere",
    [
        pytest.param(None, id="none"),
        pytest.param(Point(math.nan, 41.7), id="NaN"),
        pytest.param(Point(-72.5, math.inf), id="infinity"),
        pytest.param(Point(-72.51234, 91.12345), id="beyond the pole"),
        pytest.param(box(-72.5, 41.7, -72.6, 41.8), id="east of itself"),
        pytest.param(box(-72.6, 41.7, math.nan, 41.8), id="a box with NaN"),
    ],
)
def test_what_is_no_place_on_earth_has_no_area(nowhere: Point | Place | None) -> None:
    assert area(nowhere) is None


def test_distances_are_known() -> None:
    assert distance_m(0, 0, 1, 0) == pytest.approx(DEGREE_M)
    assert distance_m(-180, 0, 180, 0) == pytest.approx(0, abs=1e-6)
    assert distance_m(0, 90, 0, -90) == pytest.approx(math.pi * EARTH_M)
    # From Hartford to New Haven.
    assert distance_m(-72.6851, 41.7637, -72.9279, 41.3083) == pytest.approx(54_500, abs=500)


@given(LON, LAT, LON, LAT)
def test_there_is_as_far_as_back(lon: float, lat: float, to_lon: float, to_lat: float) -> None:
    there = distance_m(lon, lat, to_lon, to_lat)
    assert there == pytest.approx(distance_m(to_lon, to_lat, lon, lat), abs=1e-3)
    assert 0 <= there <= math.pi * EARTH_M
