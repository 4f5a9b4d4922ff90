"""Where posts come from: places as X knows them, from a shop to a country."""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from application.synth.connecticut import Zip

Precision = Literal["point", "poi", "neighborhood", "city", "admin", "country", "none"]
Box = tuple[float, float, float, float]  # west, south, east, north

_AROUND = 0.034  # degrees that a town goes on behind the middle of its postcodes
_CELL = 0.018  # the side of a neighbourhood
_METRE = 1 / 111_195
_NEIGHBOURHOODS = (
    "Downtown", "West End", "North End", "East Side", "South End", "Mill Hill", "The Green",
    "Harbor District", "Old Orchard", "College Hill", "Parkville", "Clay Hill", "Rockview",
)  # fmt: skip
_SHOPS = (
    "Blue Heron Coffee", "Long Wharf Diner", "The Ledger Tap Room", "Sal's Apizza", "Copper Kettle",
    "Riverside Gym", "Nutmeg Books", "Panadería La Luna", "Station Deli", "Harbor Brew",
)  # fmt: skip
STATE = ("Connecticut, USA", (-73.727776, 40.980144, -71.786994, 42.050587))
_NATION = ("United States", (-179.231086, 13.182335, 179.859685, 71.434357))
# Cities out of the state: name, country, middle, half a side.
_OUTSIDE = (
    ("Manhattan, NY", "US", -73.9712, 40.7831, 0.06),
    ("Boston, MA", "US", -71.0589, 42.3601, 0.07),
    ("Springfield, MA", "US", -72.5898, 42.1215, 0.04),
    ("Providence, RI", "US", -71.4128, 41.824, 0.04),
    ("Miami, FL", "US", -80.1918, 25.7617, 0.08),
    ("San Juan, Puerto Rico", "PR", -66.1057, 18.4655, 0.06),
    ("Paris, France", "FR", 2.3522, 48.8566, 0.08),
    ("Madrid, España", "ES", -3.7038, 40.4168, 0.1),
    ("Montréal, Québec", "CA", -73.5673, 45.5017, 0.1),
)


@dataclass(frozen=True)
class Spot:
    """Where somebody is while posting; in_state tells of Connecticut, home of the own address."""

    lon: float
    lat: float
    town: str
    in_state: bool
    home: bool = False


@dataclass(frozen=True)
class Position:
    """What a post tells of it: X's geo object, and its place."""

    precision: Precision
    geo: dict[str, Any] | None = None
    place: dict[str, Any] | None = None
    in_state: bool | None = None
    exact: bool = False  # tells houses apart


def towns(zips: Iterable[Zip]) -> Mapping[str, Box]:
    """Return a box a town, around the middles of its postcodes."""
    middles = defaultdict(list)
    for each in zips:
        middles[each.town].append((each.lon, each.lat))
    return {
        town: (
            round(min(lon for lon, _ in found) - _AROUND, 6),
            round(min(lat for _, lat in found) - _AROUND, 6),
            round(max(lon for lon, _ in found) + _AROUND, 6),
            round(max(lat for _, lat in found) + _AROUND, 6),
        )
        for town, found in middles.items()
    }


def away(spots: Mapping[str, Box], town: str, chance: random.Random) -> Spot:
    """Return somewhere in a town that is nobody's home in particular."""
    west, south, east, north = spots[town]
    return Spot(chance.uniform(west, east), chance.uniform(south, north), town, True)


def outside(chance: random.Random) -> Spot:
    """Return somewhere out of the state."""
    name, _, lon, lat, half = chance.choice(_OUTSIDE)
    return Spot(
        lon + chance.uniform(-half, half) / 2, lat + chance.uniform(-half, half) / 2, name, False
    )


def position(
    spot: Spot, precision: Precision, boxes: Mapping[str, Box], chance: random.Random
) -> Position:
    """Tell a spot as precisely as that."""
    if precision == "none":
        return Position("none")
    if precision == "point":
        return _point(spot, boxes, chance)
    if precision == "poi":  # a shop is not the house, but around the corner
        lon, lat = _moved(spot.lon, spot.lat, chance.uniform(80, 700), chance)
        spot = replace(spot, lon=lon, lat=lat)
    place = _place(spot, precision, boxes, chance)
    return Position(precision, {"place_id": place["id"]}, place, spot.in_state)


def _point(spot: Spot, boxes: Mapping[str, Box], chance: random.Random) -> Position:
    # A phone is off by some metres, indoors by more.
    off = chance.gauss(0, 12 if chance.random() < 0.8 else 45)
    lon, lat = _moved(spot.lon, spot.lat, off, chance)
    decimals = chance.choices((6, 4, 3, 2), (84, 9, 4, 3))[0]
    place = _place(spot, "city", boxes, chance)
    coordinates = [round(lon, decimals), round(lat, decimals)]
    geo = {
        "place_id": place["id"],
        "coordinates": {"type": "Point", "coordinates": coordinates},
    }
    return Position("point", geo, place, spot.in_state, exact=decimals >= 3)


def _moved(lon: float, lat: float, metres: float, chance: random.Random) -> tuple[float, float]:
    """Go so far in any direction."""
    aim = chance.uniform(0, 2 * math.pi)
    east = metres * math.cos(aim) * _METRE / math.cos(math.radians(lat))
    return lon + east, lat + metres * math.sin(aim) * _METRE


def _place(
    spot: Spot, precision: Precision, boxes: Mapping[str, Box], chance: random.Random
) -> dict[str, Any]:
    if precision == "country":
        name, box = _NATION
        return _made(name, name, "country", box, "US")
    if precision == "admin" and spot.in_state:
        return _made("Connecticut", STATE[0], "admin", STATE[1], "US")
    if not spot.in_state:
        name, code, lon, lat, half = next(each for each in _OUTSIDE if each[0] == spot.town)
        return _made(
            name.split(",")[0], name, "city", (lon - half, lat - half, lon + half, lat + half), code
        )
    if precision == "neighborhood":
        x, y = math.floor(spot.lon / _CELL), math.floor(spot.lat / _CELL)
        name = _NEIGHBOURHOODS[(x * 7 + y * 3) % len(_NEIGHBOURHOODS)]
        box = (x * _CELL, y * _CELL, (x + 1) * _CELL, (y + 1) * _CELL)
        return _made(name, f"{name}, {spot.town}", "neighborhood", box, "US")
    if precision == "poi":
        name = chance.choice(_SHOPS)
        half = chance.choice((0.0, 0.0002, 0.0006))
        box = (spot.lon - half, spot.lat - half, spot.lon + half, spot.lat + half)
        return _made(name, name, "poi", box, "US")
    return _made(spot.town, f"{spot.town}, CT", "city", boxes[spot.town], "US")


def _made(name: str, full_name: str, place_type: str, box: Box, code: str) -> dict[str, Any]:
    corners = [round(each, 6) for each in box]
    identity = hashlib.blake2b(f"{full_name}{corners}".encode(), digest_size=8).hexdigest()
    return {
        "id": identity,
        "name": name,
        "full_name": full_name,
        "place_type": place_type,
        "country": {"US": "United States", "PR": "Puerto Rico"}.get(
            code, full_name.split(", ")[-1]
        ),
        "country_code": code,
        "geo": {"type": "Feature", "bbox": corners, "properties": {}},
    }
