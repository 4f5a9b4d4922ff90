"""The command: read the line, make everything from one seed, say what there is."""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

from application.errors import ApplicationError, BadInputError, Exit
from application.synth import connecticut, crm, people, places, truth
from application.synth.authors import cast
from application.synth.posts import posts

NAME = "python -m application.synth"
_SPOILT_EVERY = 2_500  # rows, as a county's file has them
_FIRST = datetime(2007, 1, 1, tzinfo=timezone.utc)  # X began in 2006
_LAST = datetime(2100, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Asked:
    """What the line asks for; days is the time over which the posts are spread, up to until."""

    folder: Path
    posts: int
    addresses: int
    seed: int
    until: datetime
    days: int


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; -h lists the options")


def main(argv: Sequence[str] | None = None) -> int:
    """Make what one command line asks for and return the exit code."""
    try:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        print(make(parse(sys.argv[1:] if argv is None else argv, now)))
    except ApplicationError as error:
        print(f"synth: error: {error}", file=sys.stderr)
        return int(error.exit_code)
    return int(Exit.DONE)


def parse(argv: Sequence[str], now: datetime) -> Asked:
    """Read the command line; raise BadInputError in one line."""
    parser = _Parser(
        prog=NAME,
        description="Make addresses, a CRM and posts of invented people, always the same for the "
        "same options, and the truth about each post.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("folder", metavar="FOLDER", type=Path)
    add("--posts", metavar="N", default="2000", help="default: %(default)s")
    add("--addresses", metavar="N", default="20000", help="default: %(default)s")
    add("--seed", metavar="N", default="1", help="default: %(default)s")
    add(
        "--until",
        metavar="TIME",
        help="of the last post, as 2026-03-01T18:30:00Z (default: now, so that each run differs)",
    )
    add(
        "--days", metavar="N", default="6", help="that posts are spread over (default: %(default)s)"
    )
    told = parser.parse_args(argv)
    return Asked(
        told.folder,
        _count("--posts", told.posts, 1, 10**9),
        _count("--addresses", told.addresses, 1, 10**8),
        _count("--seed", told.seed, 0, 10**18),
        now if told.until is None else _moment(told.until),
        _count("--days", told.days, 1, 3650),
    )


def make(asked: Asked) -> str:
    """Write everything into the folder, a post at a time; return one line that says what there is.

    Raise BadInputError where the folder cannot be written.
    """
    try:
        for name in ("geo", "truth"):
            (asked.folder / name).mkdir(parents=True, exist_ok=True)
        return _written(asked)
    except OSError as error:
        where = error.filename or asked.folder
        raise BadInputError(f"{where} cannot be written ({error.strerror})") from error
    except sqlite3.Error as error:
        raise BadInputError(f"{asked.folder}/crm.sqlite cannot be written ({error})") from error


def _written(asked: Asked) -> str:
    chance = random.Random(f"people {asked.seed}")
    try:
        boxes = places.towns(connecticut.zips())
    except ImportError as error:
        raise BadInputError(
            "the towns are in the package zipcodes, which is not installed: pip install zipcodes"
        ) from error
    with (asked.folder / "geo" / "Geo-synth.dat").open("w", encoding="utf-8", newline="") as file:
        rows = _through(asked, csv.writer(file, lineterminator="\n"))
        population = people.populate(tuple(people.homes(rows, chance)), chance)
    them = cast(population, chance)
    clients = [each.client for each in population.people if each.client]
    crm.write(asked.folder / "crm.sqlite", clients, them.handles, asked.until, chance)
    with (
        (asked.folder / "posts.jsonl").open("w", encoding="utf-8") as file,
        (asked.folder / "truth" / "truth.jsonl").open("w", encoding="utf-8") as labels,
    ):
        for made in posts(asked.posts, them, boxes, asked.until, asked.days, asked.seed):
            file.write(json.dumps(made.payload, ensure_ascii=False, separators=(",", ":")) + "\n")
            labels.write(truth.line(made.truth) + "\n")
    return (
        f"synth: {asked.addresses:,} addresses, {len(population.people):,} people, "
        f"{len(clients):,} customers, {len(them.authors):,} authors, {asked.posts:,} posts "
        f"in {asked.folder}"
    )


def _through(asked: Asked, writer: Any) -> Iterator[connecticut.Row]:
    """Write each address, and hand it on; now and then write a row too that is none."""
    writer.writerow(connecticut.COLUMNS)
    for number, row in enumerate(connecticut.addresses(asked.addresses, asked.seed), 1):
        writer.writerow(row)
        yield row
        if number % _SPOILT_EVERY == 0:
            writer.writerow(connecticut.spoilt(row, number // _SPOILT_EVERY))


def _count(option: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"\d{1,19}", text) or not least <= int(text) <= most:
        raise BadInputError(
            f"{option} {text:.50}: it takes a whole number from {least} to {most:,}"
        )
    return int(text)


def _moment(text: str) -> datetime:
    try:
        # Python before 3.11 does not know the Z.
        told = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    except ValueError as error:
        raise BadInputError(
            f"--until {text:.50}: a time is written as 2026-03-01T18:30:00Z"
        ) from error
    told = told if told.tzinfo else told.replace(tzinfo=timezone.utc)
    if not _FIRST <= told <= _LAST:
        raise BadInputError(f"--until {text:.50}: no time of a post")
    return told.astimezone(timezone.utc)
