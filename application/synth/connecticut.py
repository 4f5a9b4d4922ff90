"""Make a file of Connecticut's addresses, in the columns of OpenAddresses.

`python -m application.synth.connecticut --rows 1200000 --seed 1 FILE`. Towns, postcodes and their
middles are real, of the zipcodes package; streets, houses and flats are made up, the same for the
same seed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "LON", "LAT", "NUMBER", "STREET", "UNIT", "CITY", "DISTRICT", "REGION", "POSTCODE", "ID", "HASH"
)  # fmt: skip
Row = tuple[str, ...]

# Where the state lies, in degrees: west, south, east, north.
BOX = (-73.73, 40.98, -71.78, 42.06)
DEGREE_M = 111_195.0
_MARGIN = 0.02  # no street is that long, so none leaves the box

_NAMES = """
Maple Oak Elm Pine Cedar Birch Chestnut Walnut Spruce Hickory Willow Ash Laurel Hemlock Main Church
School Center Mill River Lake Pond Brook Spring Hill Ridge Valley Forest Meadow Orchard Farm Garden
Park Pleasant Prospect Highland Summit Union Franklin Washington Adams Jefferson Madison Monroe
Jackson Lincoln Grant Cleveland Wilson Harrison Hamilton Putnam Hale Trumbull Wolcott Webster
Whitney Colt Stowe Twain Barnum Bushnell Hooker Winthrop Saybrook Charter Liberty Federal State
Court Market Bridge Water Dock Harbor Shore Beach Sound Bayberry Sachem Mohegan Pequot Quinnipiac
Hop Wheeler Burnham Keeney Hillstown Porter Olcott Wetherell Parker Vernon Tolland Slater Deming
Buckland Hartford Windsor Farmington Litchfield Norwich Danbury Fairfield Old Quarry Stone Rock Fox
Deer Wolf Eagle Hawk Robin Cardinal Partridge Pheasant Turkey Beaver Otter Trout Salmon Sunset
Sunrise Sunnyside Fern Ivy Rose Lilac Daisy Clover Holly Juniper Sycamore Magnolia Poplar Dogwood
"""
_SUFFIXES = ("Street", "Road", "Avenue", "Drive", "Lane", "Court", "Terrace", "Circle", "Place")
_PREFIXES = ("", "North ", "South ", "East ", "West ", "Upper ", "Lower ")

_STREETS = [  # plain names are drawn up first, so that they are in every town
    f"{prefix}{name} {suffix}"
    for prefix in _PREFIXES
    for suffix in _SUFFIXES
    for name in _NAMES.split()
]
_HOUSES = 24  # on a street, in the mean
_APART_M = 24.0  # along one side
_ASIDE_M = 18.0  # from the middle of the street
_BUILDINGS = 0.02  # of all houses have flats, which are at one position
_FLATS = (4, 40)


@dataclass(frozen=True)
class Zip:
    """A postcode, its town, and its middle."""

    code: str
    town: str
    lon: float
    lat: float


def zips() -> list[Zip]:
    """Return the postcodes of the state at which people live."""
    import zipcodes

    return [
        Zip(each["zip_code"], each["city"], float(each["long"]), float(each["lat"]))
        for each in zipcodes.filter_by(state="CT", zip_code_type="STANDARD", active=True)
    ]


def addresses(rows: int, seed: int) -> Iterator[Row]:
    """Yield that many addresses, a town after another, in the order of COLUMNS."""
    chance = random.Random(seed)
    places = zips()
    # Towns differ as in life: the largest has a hundred times the addresses of the smallest.
    weights = [chance.lognormvariate(0, 0.9) for _ in places]
    total, before, numbers = sum(weights), 0.0, itertools.count(1)
    for place, weight in zip(places, weights, strict=True):
        share = round(rows * (before + weight) / total) - round(rows * before / total)
        before += weight
        for lon, lat, number, street, unit in itertools.islice(_town(place, share, chance), share):
            told = f"{number}|{street}|{unit}|{place.town}|{place.code}"
            yield (
                f"{lon:.7f}", f"{lat:.7f}", number, street, unit, place.town, "", "CT", place.code,
                str(next(numbers)), hashlib.blake2b(told.encode(), digest_size=8).hexdigest(),
            )  # fmt: skip


def spoilt(row: Row, number: int) -> Row:
    """Return what is no address any more: by turns cut off, nowhere, or off the globe."""
    match number % 3:
        case 0:
            return row[:4]
        case 1:
            return ("", "", *row[2:])
    return ("-272.5", *row[1:])


def write(path: Path, rows: int, seed: int) -> None:
    """Write the file, its columns named in the first line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(addresses(rows, seed))


def _town(
    place: Zip, size: int, chance: random.Random
) -> Iterator[tuple[float, float, str, str, str]]:
    """Yield at least size addresses, street after street; no street is there twice."""
    wide = 400.0 * math.sqrt(1 + size / 150)
    for street in _streets(size, chance):
        aim, far = chance.uniform(0, 2 * math.pi), wide * math.sqrt(chance.random())
        lon, lat = _moved(place.lon, place.lat, far * math.cos(aim), far * math.sin(aim))
        lon = min(max(lon, BOX[0] + _MARGIN), BOX[2] - _MARGIN)
        lat = min(max(lat, BOX[1] + _MARGIN), BOX[3] - _MARGIN)
        yield from _street(lon, lat, street, chance)


def _streets(size: int, chance: random.Random) -> Iterator[str]:
    needed = min(len(_STREETS), 60 + 2 * size // _HOUSES)
    yield from chance.sample(_STREETS[:needed], needed)
    # A town that is larger than all names: its streets are numbered.
    yield from (f"{number}th Avenue" for number in itertools.count(100))


def _street(
    lon: float, lat: float, street: str, chance: random.Random
) -> Iterator[tuple[float, float, str, str, str]]:
    """Yield the houses of one street, odd numbers on the left and even ones on the right."""
    heading = chance.uniform(0, 2 * math.pi)
    along_x, along_y = math.cos(heading), math.sin(heading)
    for house in range(1, chance.randint(6, 2 * _HOUSES - 6) + 1):
        along = house // 2 * _APART_M + chance.uniform(-5, 5)
        aside = (_ASIDE_M if house % 2 else -_ASIDE_M) + chance.uniform(-4, 4)
        x, y = along * along_x - aside * along_y, along * along_y + aside * along_x
        here = (*_moved(lon, lat, x, y), str(house), street)
        if chance.random() < _BUILDINGS:
            for flat in range(chance.randint(*_FLATS)):
                yield (*here, f"{flat // 4 + 1}{'ABCD'[flat % 4]}")
        else:
            yield (*here, "")


def _moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    return lon + east_m / (DEGREE_M * math.cos(math.radians(lat))), lat + north_m / DEGREE_M


def main(arguments: list[str] | None = None) -> int:
    """Write the file that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="connecticut", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_200_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("file", type=Path)
    asked = parser.parse_args(arguments)
    if asked.rows < 0:
        parser.error(f"--rows: {asked.rows} is less than none")
    try:
        write(asked.file, asked.rows, asked.seed)
    except OSError as error:
        print(
            f"connecticut: error: {asked.file} cannot be written ({error.strerror})",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
