"""Posts to try things out with: about money, in three languages, in Connecticut, made from a seed.

`python -m misc.engines.sample --count 1000 --seed 7` prints them as JSON lines. Nobody real posts
here: names are put together from two short lists.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from misc.engines.x_world import EPOCH_MS

# Name, longitude and latitude of the middle, and half the side of the box in degrees.
TOWNS = (
    ("Hartford", -72.6734, 41.7658, 0.035),
    ("New Haven", -72.9279, 41.3083, 0.045),
    ("Stamford", -73.5387, 41.0534, 0.050),
    ("Bridgeport", -73.1952, 41.1865, 0.035),
    ("Waterbury", -73.0515, 41.5582, 0.040),
    ("Norwich", -72.0759, 41.5243, 0.045),
    ("New London", -72.0995, 41.3557, 0.025),
    ("Torrington", -73.1212, 41.8007, 0.045),
    ("Putnam", -71.9092, 41.9151, 0.040),
    ("Danbury", -73.4540, 41.3948, 0.050),
)
FIRST_NAMES = ("Ana", "Bruno", "Chloe", "Dario", "Elise", "Femi", "Greta", "Hugo", "Ines", "Jamal")
LAST_NAMES = ("Ashgrove", "Brookwell", "Castellane", "Dunmore", "Elmsworth", "Fairlake", "Garonne")
TEXTS = {
    "en": (
        "My {product} fees went up again, I am done with {word}",
        "Happy with how my {product} did this year #investing",
        "Thinking about moving my {product} to another bank",
        "Is now the time to buy bonds? $SPY is all over the place",
        "First house, first mortgage, and a {product} to think about",
    ),
    "es": (
        "Las comisiones de mi {product} son demasiado altas, estoy harto",
        "Muy contento con mi {product} este año #inversiones",
        "Quiero cambiar de banco y llevarme mi {product}",
        "¿Es buen momento para comprar bonos? El mercado está loco",
    ),
    "fr": (
        "Les frais de mon {product} sont trop élevés, je suis déçu",
        "Très content de mon {product} cette année #investissement",
        "Je pense changer de banque pour mon {product}",
        "Faut-il acheter des obligations ? La bourse me fait peur",
    ),
}
PRODUCTS = {
    "en": ("brokerage account", "retirement plan", "college fund", "insurance"),
    "es": ("cuenta de inversión", "plan de jubilación", "seguro"),
    "fr": ("compte d'investissement", "plan de retraite", "contrat d'assurance"),
}
WORDS = ("this broker", "Wall Street", "paying for nothing")


def posts(
    count: int, *, seed: int = 0, start: datetime | None = None, seconds_apart: float = 1.0
) -> Iterator[dict[str, Any]]:
    """Yield posts as X's stream sends them, `data` with `includes`, in the order of their ids.

    The first is written at start, by default so early that the last is written now.
    """
    chance = random.Random(seed)
    step = timedelta(seconds=seconds_apart)
    first = start or datetime.now(timezone.utc) - count * step
    for number in range(count):
        yield _post(chance, number, first + number * step)


def _post(chance: random.Random, number: int, moment: datetime) -> dict[str, Any]:
    author = _author(chance)
    lang = chance.choices(("en", "es", "fr"), (70, 20, 10))[0]
    text = chance.choice(TEXTS[lang]).format(
        product=chance.choice(PRODUCTS[lang]), word=chance.choice(WORDS)
    )
    post_id = (int(moment.timestamp() * 1000) - EPOCH_MS << 22) | (number & 0x3FFFFF)
    data: dict[str, Any] = {
        "id": str(post_id),
        "text": text,
        "author_id": author["id"],
        "created_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lang": lang,
    }
    includes: dict[str, Any] = {"users": [author]}
    kind = chance.choices(("point", "place", "none"), (30, 50, 20))[0]
    if kind != "none":
        name, longitude, latitude, half = chance.choice(TOWNS)
        place = _place(name, longitude, latitude, half)
        includes["places"] = [place]
        data["geo"] = {"place_id": place["id"]}
        if kind == "point":
            point = [
                round(longitude + chance.uniform(-half, half), 6),
                round(latitude + chance.uniform(-half, half), 6),
            ]
            data["geo"]["coordinates"] = {"type": "Point", "coordinates": point}
    return {"data": data, "includes": includes}


def _author(chance: random.Random) -> dict[str, str]:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    number = chance.randrange(1000)
    town = chance.choice(TOWNS)[0]
    return {
        "id": str(10_000_000 + _number_of(first, last) * 1000 + number),
        "username": f"{first}{last}{number}"[:15],
        "name": f"{first} {last}",
        "location": chance.choice((f"{town}, CT", "Connecticut, USA", "")),
    }


def _number_of(first: str, last: str) -> int:
    """Return a number that is the same for the same name in every process."""
    return FIRST_NAMES.index(first) * len(LAST_NAMES) + LAST_NAMES.index(last)


def _place(name: str, longitude: float, latitude: float, half: float) -> dict[str, Any]:
    box = [longitude - half, latitude - half, longitude + half, latitude + half]
    return {
        "id": name.encode().hex()[:16].ljust(16, "0"),
        "name": name,
        "full_name": f"{name}, CT",
        "place_type": "city",
        "country": "United States",
        "country_code": "US",
        "geo": {"type": "Feature", "bbox": [round(each, 6) for each in box], "properties": {}},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print posts as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m misc.engines.sample", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    for post in posts(arguments.count, seed=arguments.seed):
        print(json.dumps(post, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
