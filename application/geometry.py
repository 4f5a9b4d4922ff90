"""Where a position is, how precise it is, and how far things are apart."""

from __future__ import annotations

from math import asin, cos, isfinite, radians, sin, sqrt
from typing import NamedTuple

from application.records import Place, Point

# The mean radius (IUGG). A sphere is wrong by up to 0.6 %: one metre in a radius of 150.
EARTH_M = 6_371_008.8
DEGREE_M = EARTH_M * radians(1)

# How far from an address its people post, at a perfect position: a phone is off by 5 to 50 m, more
# indoors, and an address point lies anywhere on its parcel, often 50 to 100 m from the house.
POINT_M = 150.0
FINEST = 5
# Up to here a position tells houses apart: with 4 decimals, with 3 (56 m), a small building's box.
HOUSE_M = 100.0
# Up to here it still works like a point: with 2 decimals (556 m), a shop's or a park's box.
LOCAL_M = 600.0
# Up to here a box tells anything: the half-diagonal of Connecticut is 101 km.
WIDE_M = 150_000.0


class Area(NamedTuple):  # a tuple, because a frozen dataclass takes longer to make than to use
    """Where an author may have been: at most precision_m around a centre, within the box."""

    lon: float
    lat: float
    precision_m: float
    west: float
    south: float
    east: float
    north: float
    name: str = ""

    @property
    def radius_m(self) -> float:
        """How far from the centre the author's address may be."""
        return self.precision_m + POINT_M

    @property
    def local(self) -> bool:
        """Tell whether addresses near the centre mean something."""
        return self.precision_m <= LOCAL_M

    def holds(self, lon: float, lat: float) -> bool:
        """Tell whether a place is in the box; its border belongs to it, NaN is nowhere."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


def area(position: Point | Place | None) -> Area | None:
    """Return where the author was; None where that is unknown, no place on earth, or too wide."""
    if position is None:
        return None
    if isinstance(position, Point):
        lon, lat = position.lon, position.lat
        if not on_earth(lon, lat):
            return None
        half = _half_step(lon, lat)
        found = Area(lon, lat, half * DEGREE_M, lon - half, lat - half, lon + half, lat + half)
    else:
        west, south, east, north = position.west, position.south, position.east, position.north
        if position.place_type == "country" or not (west <= east and south <= north):
            return None
        lon, lat = (west + east) / 2, (south + north) / 2
        reach = distance_m(lon, lat, west, min(south, north, key=abs))  # the wider side's corner
        found = Area(lon, lat, reach, west, south, east, north, position.full_name)
    return found if on_earth(found.lon, found.lat) and found.precision_m <= WIDE_M else None


def on_earth(lon: float, lat: float) -> bool:
    """Tell whether these are degrees of a place; NaN and infinity are not."""
    return isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the metres between two places along a great circle (haversine)."""
    up, across = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    chord = sin(up) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(across) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(chord)))


def _half_step(lon: float, lat: float) -> float:
    """Return half a unit of the last decimal given, in degrees.

    The finer of both counts: a number loses the zeros at its end, both hardly ever do. Beyond
    FINEST decimals (0.6 m) nothing gets better.
    """
    decimals = FINEST
    while decimals and round(lon, decimals - 1) == lon and round(lat, decimals - 1) == lat:
        decimals -= 1
    return 0.5 * 10.0**-decimals
