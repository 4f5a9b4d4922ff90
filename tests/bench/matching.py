"""Measure the matching: `python -m tests.bench.matching`.

Connecticut in the embedded warehouse, whose server has a process of its own; the index and the
matching in another one, which has one core. A rate is by the seconds that the process had of it,
so that a busy machine changes it little. The peers are two ways to find the nearest address without
a tree, in the same process: every address by NumPy, and a grid of lists in plain Python.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from application import lake
from application.addresses import Index, load_index
from application.geometry import DEGREE_M, EARTH_M, Area, area, distance_m
from application.match import match_all
from application.postal import address_key
from application.records import Author, Customer, Place, Point, Post
from application.settings import snowflake_settings
from application.synth import connecticut
from application.warehouse import Warehouse
from misc.engines import snowflake
from tests.bench.table import Row, say, table

ADDRESSES, CUSTOMERS = 1_200_000, 50_000
ROUNDS, POSTS = 20, 5_000  # of posts that were not seen before; the best round counts
BATCH = 500  # posts, as the consumer hands them over
SCANNED = 100  # posts that every address is looked at for
CELL = 0.002  # degrees, wider than the radius of a precise point

FIRST = """
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard
Susan Joseph Jessica Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Sandra José
María Luis Ana Carlos Carmen Juan Rosa Pierre Chloé Wei Priya Ahmed Olga Sofía Zoë Anthony Ashley
"""
STEMS = """
Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Thomas Taylor Moore Martin Thompson
White Clark Lewis Robin Walker Young Allen King Wright Scott Hill Green Adams Baker Nelson Carter
Mitch Robert Turn Phillip Parker Collin Edward Stew Morris Rogers Reed Cook Morgan Bell Murph Bail
"""
ENDINGS = ("", "s", "son", "man", "er", "ley", "ford", "well", "ton", "wood", "field", "berg")
SPANISH = ("García López", "Rodríguez", "Martínez Ruiz", "Hernández", "de la Cruz", "Núñez Ortiz")
FAMILIES = [stem + ending for stem in STEMS.split() for ending in ENDINGS] + list(SPANISH)


def measures() -> list[Row]:
    """Fill a warehouse, start the process that is measured, and judge its figures."""
    with snowflake.embedded() as settings:
        environment = {**os.environ, **settings}
        with tempfile.TemporaryDirectory() as folder:
            _fill(Path(folder), settings)
        say("matching: loading the index, matching on one core")
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.matching", "measured"],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
    return _rows(json.loads(done.stdout))


def _rows(found: Mapping[str, Any]) -> list[Row]:
    what = f"{found['addresses']:,} addresses, {found['customers']:,} customers"
    rate, look = found["matches"], found["look"]
    return [
        Row(
            f"load the index: {what}",
            f"{found['load']:.1f} s, {found['load_cpu']:.1f} s of them ours",
            f"the grid alone {found['grid_load']:.1f} s",
            "at most 10 s",
            found["load"] <= 10,
        ),
        Row(
            "memory for it, at the peak of the load",
            f"{found['peak']:.0f} MB, then {found['kept']:.0f} MB",
            f"{found['grid_memory']:.0f} MB more for the grid",
            "at most 600 MB",
            found["peak"] <= 600,
        ),
        Row(
            f"matches a second on one core, {BATCH} posts a batch",
            f"{rate:,.0f}",
            " ".join(f"{count:,} {name}" for name, count in found["categories"].items()),
            "at least 20,000",
            rate >= 20_000,
        ),
        Row(
            "nearest addresses a second, against a scan by NumPy",
            f"{look:,.0f}",
            f"{found['scan']:,.0f}: {look / found['scan']:,.0f} times",
            "at least 50 times",
            look >= 50 * found["scan"],
        ),
        Row(
            "nearest addresses a second, against a grid in plain Python",
            f"{look:,.0f}",
            f"{found['grid']:,.0f}: {look / found['grid']:.1f} times",
            "at least 2 times",
            look >= 2 * found["grid"],
        ),
    ]


# -- the warehouse -------------------------------------------------------------------------------


def _fill(folder: Path, settings: Mapping[str, str]) -> None:
    say(f"matching: making {ADDRESSES:,} addresses and {CUSTOMERS:,} customers")
    chance = random.Random(1)
    homes = set(chance.sample(range(ADDRESSES), CUSTOMERS * 7 // 10))
    with (
        _csv(folder / "addresses.csv") as addresses,
        _csv(folder / "customers.csv") as customers,
        _csv(folder / "portfolios.csv") as portfolios,
    ):
        people = 0
        for place, row in enumerate(connecticut.addresses(ADDRESSES, 1)):
            lon, lat, number, street, unit, city, _, region, postcode, _, key_hash = row
            key = address_key(number, street, unit, city, postcode)
            addresses.writerow((key_hash, lon, lat, key))
            if place in homes:
                family = chance.choice(FAMILIES)
                for _ in range(min(chance.choice((1, 1, 2)), CUSTOMERS - people)):
                    people += 1
                    who, first = f"C{people:06}", chance.choice(FIRST.split())
                    household = f"H{place}" if chance.random() < 0.6 else ""
                    handle = f"@{first}{people}" if chance.random() < 0.1 else ""
                    customers.writerow((who, first, family, handle, city, region, key, household))
                    portfolios.writerow((who, "brokerage"))
    say(f"matching: loading them and {people:,} customers into the embedded warehouse")
    columns = {
        "addresses": "ADDRESS_ID, LON, LAT, ADDRESS_KEY",
        "customers": "CUSTOMER_ID, FIRST_NAME, LAST_NAME, HANDLE, CITY, REGION, ADDRESS_KEY, "
        "HOUSEHOLD_ID",
        "portfolios": "CUSTOMER_ID, PRODUCT",
    }
    with Warehouse(snowflake_settings(settings)) as warehouse:
        lake.apply(warehouse)
        warehouse.run("create stage if not exists BENCH")
        for name, listed in columns.items():
            warehouse.put(folder / f"{name}.csv", "BENCH")
            warehouse.run(
                f"copy into {name.upper()} ({listed}) from @BENCH/{name}.csv "
                "file_format = (type = csv field_delimiter = ',' "
                "field_optionally_enclosed_by = '\"' empty_field_as_null = true)"
            )


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Any]:
    with path.open("w", encoding="utf-8", newline="") as file:
        # A key has | inside, which a reader without quotes might take for the delimiter.
        yield csv.writer(file, quoting=csv.QUOTE_ALL)


# -- the process that is measured ----------------------------------------------------------------


def measured() -> dict[str, Any]:
    """Load, match, and look for the nearest in other ways, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with Warehouse(snowflake_settings(os.environ)) as warehouse:
        before, start, cpu = _peak(), time.perf_counter(), time.process_time()
        index = load_index(warehouse)
        load, load_cpu = time.perf_counter() - start, time.process_time() - cpu
        peak, kept = _peak() - before, _resident() - before
    posts = _posts(index)
    categories: Counter[str] = Counter()
    rounds = []
    for _ in range(ROUNDS):
        spent = 0.0
        for _ in range(POSTS // BATCH):
            batch = list(itertools.islice(posts, BATCH))
            start = time.process_time()
            found = match_all(batch, index)
            spent += time.process_time() - start
            categories.update(each.category for each in found)
        rounds.append(spent)
    positions = (post.position for post in itertools.islice(posts, POSTS))
    areas = [where for each in positions if (where := area(each)) and where.local]
    look = _seconds(
        lambda: [index.look(areas[at : at + BATCH]) for at in range(0, len(areas), BATCH)]
    )
    lon, lat = _positions(index)
    scan = _seconds(lambda: [_scan(each, lon, lat) for each in areas[:SCANNED]])
    before_grid, start = _resident(), time.process_time()
    grid = _grid(lon.tolist(), lat.tolist())
    grid_load, grid_memory = time.process_time() - start, _resident() - before_grid
    precise = [each for each in areas if each.radius_m < CELL * DEGREE_M * 0.74]
    return {
        "addresses": len(index),
        "customers": len(index.customers),
        "load": load,
        "load_cpu": load_cpu,
        "peak": peak,
        "kept": kept,
        "matches": POSTS / min(rounds),
        "categories": dict(sorted(categories.items())),
        "look": len(areas) / look,
        "scan": SCANNED / scan,
        "grid": len(precise) / _seconds(lambda: [_in_grid(each, grid) for each in precise]),
        "grid_load": grid_load,
        "grid_memory": grid_memory,
    }


def _posts(index: Index) -> Iterator[Post]:
    """Yield posts without an end: at points, shops, towns and nowhere, by anybody."""
    chance = random.Random(2)
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    lon, lat = _positions(index)
    for number in itertools.count():
        site = chance.choice(index.sites)
        customer = chance.choice(site.residents).customer
        if chance.random() < 0.5:  # somewhere, by anybody
            row = chance.randrange(len(lon))
            here = lon[row].item(), lat[row].item()
        else:
            here = site.lon, site.lat
        here = chance.gauss(here[0], 0.0003), chance.gauss(here[1], 0.0002)
        author = _author(customer, chance, number)
        yield Post(str(number), "text", "en", now, author, _position(here, chance), "ct")


def _author(customer: Customer, chance: random.Random, number: int) -> Author:
    first, last = chance.choice(FIRST.split()), chance.choice(FAMILIES)
    name = chance.choice(
        (
            f"{customer.first_name} {customer.last_name}",
            f"{first} {customer.last_name} 📈",
            f"{first} {last}",
            f"{first[0]}. {last}",
            "Sunny Side Up",
            first,
        )
    )
    user = chance.choice((f"{first}{last}", f"{first[0]}{last}{number % 90}", f"moon{number}"))
    username = customer.handle[1:] if customer.handle and chance.random() < 0.5 else user
    return Author(str(number), username, name, chance.choice(("", "Manchester, CT", "Earth")))


def _position(here: tuple[float, float], chance: random.Random) -> Point | Place | None:
    lon, lat = here
    kind = chance.random()
    if kind < 0.6:
        return Point(round(lon, 6), round(lat, 6))
    if kind < 0.7:
        return Place("1", "a shop", "poi", lon, lat, lon, lat)
    if kind < 0.9:
        return Place("1", "a town", "city", lon - 0.06, lat - 0.05, lon + 0.06, lat + 0.05)
    return None


# -- the peers -----------------------------------------------------------------------------------

Grid = Mapping[tuple[int, int], Sequence[tuple[float, float]]]


def _scan(where: Area, lon: Any, lat: Any) -> float:
    up, across = np.radians(lat - where.lat) / 2, np.radians(lon - where.lon) / 2
    chord = np.sin(up) ** 2 + np.cos(np.radians(lat)) * (
        math.cos(math.radians(where.lat)) * np.sin(across) ** 2
    )
    return float(2 * EARTH_M * math.asin(math.sqrt(chord.min())))


def _grid(lon: Sequence[float], lat: Sequence[float]) -> Grid:
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for place in zip(lon, lat, strict=True):
        cells.setdefault((int(place[0] / CELL), int(place[1] / CELL)), []).append(place)
    return cells


def _in_grid(where: Area, grid: Grid) -> float:
    x, y = int(where.lon / CELL), int(where.lat / CELL)
    return min(
        (
            distance_m(where.lon, where.lat, *place)
            for column in (x - 1, x, x + 1)
            for line in (y - 1, y, y + 1)
            for place in grid.get((column, line), ())
        ),
        default=math.inf,
    )


# -- small tools ---------------------------------------------------------------------------------


def _positions(index: Index) -> tuple[Any, Any]:
    """Return longitudes and latitudes of the spots, back from the unit sphere."""
    x, y, z = index.spots.data.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z))


def _seconds(work: Callable[[], object]) -> float:
    """Return the seconds of a core that some work takes, however busy the machine is."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    if sys.argv[1:] == ["measured"]:
        print(json.dumps(measured()))
    else:
        rows = measures()
        print(table(rows))
        sys.exit(0 if all(row.kept for row in rows) else 1)
