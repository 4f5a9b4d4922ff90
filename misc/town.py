"""Make the data of a try-out: a geo file in the bucket, and a CRM whose customers post.

`python -m misc.town FOLDER` writes FOLDER/crm.sqlite and uploads Geo-try-out.dat to GEO_BUCKET.
The authors of `misc.engines.sample` become customers with an address in the town that they post
from; nobody real is among them.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from application.synth import connecticut
from misc.engines import sample

ROWS = 20_000
SEED = 1
PRODUCTS = ("brokerage", "retirement", "college", "bonds", "insurance", "managed")

SCHEMA = """
create table households (household_id text primary key, name text, advisor text,
    updated_at text, deleted integer);
create table customers (customer_id text primary key, first_name text, last_name text,
    handle text, email text, phone text, number text, street text, unit text, city text,
    region text, postcode text, household_id text, contact_consent integer,
    marketing_consent integer, updated_at text, deleted integer);
create table portfolios (customer_id text, product text, balance numeric, opened_on text,
    updated_at text, deleted integer, primary key (customer_id, product));
"""


def people(chance: random.Random) -> Iterator[tuple[str, str, str]]:
    """Yield a customer's id and names, for two of three names that the sample's authors have."""
    for first in sample.FIRST_NAMES:
        for last in sample.LAST_NAMES:
            if chance.random() < 2 / 3:
                yield f"C-{first[:2]}{last[:4]}".upper(), first, last


def write_crm(path: Path, homes: list[connecticut.Row], chance: random.Random) -> int:
    """Write the CRM and return how many customers it has; some share a home, few a household."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    path.unlink(missing_ok=True)
    count = 0
    with sqlite3.connect(path) as crm:
        crm.executescript(SCHEMA)
        for number, (customer, first, last) in enumerate(people(chance)):
            _, _, house, street, unit, city, _, region, postcode, *_ = homes[number // 2]
            household = f"H-{number:03}" if chance.random() < 1 / 3 else None
            if household:
                crm.execute(
                    "insert into households values (?, ?, ?, ?, 0)",
                    (household, f"{last} family", "Advisor 1", now),
                )
            crm.execute(
                f"insert into customers values ({', '.join('?' * 16)}, 0)",
                (customer, first, last, None, None, None, house, street, unit, city, region,
                 postcode, household, chance.random() < 0.8, chance.random() < 0.6, now),
            )  # fmt: skip
            for product in chance.sample(PRODUCTS, chance.randrange(3)):
                crm.execute(
                    "insert into portfolios values (?, ?, ?, '2020-01-02', ?, 0)",
                    (customer, product, chance.randrange(1_000, 90_000), now),
                )
            count += 1
    crm.close()
    return count


def main() -> int:
    """Make it all from one seed, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m misc.town", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if "GEO_BUCKET" not in os.environ:
        parser.error("GEO_BUCKET is not set; `python -m misc.engines` prints embedded settings")
    import boto3

    chance = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    geo = folder / "Geo-try-out.dat"
    connecticut.write(geo, ROWS, SEED)
    towns = {name.upper() for name, *_ in sample.TOWNS}
    homes = [row for row in connecticut.addresses(ROWS, SEED) if row[5].upper() in towns]
    chance.shuffle(homes)
    customers = write_crm(folder / "crm.sqlite", homes, chance)
    boto3.client("s3").upload_file(str(geo), os.environ["GEO_BUCKET"], geo.name)
    print(f"town: {ROWS:,} addresses in the bucket, {customers} customers in the CRM")
    return 0


if __name__ == "__main__":
    sys.exit(main())
