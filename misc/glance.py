"""A glance at the lake: posts by category and feeling, what to do next, and how good the data is.

It asks the lake by the connector alone, as any other reader would. `--rehearsal FOLDER`, as
`ctm.rehearse --out` wrote it, adds how the jobs ended; `--of N` tells of how many posts those in
the lake are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "glance"
WIDTH = 100
CATEGORIES = ("customer", "household_member", "prospect", "unknown")
FEELINGS = ("positive", "neutral", "negative")
ACTIONS = {
    "service_call": "calls to make",
    "offer": "offers to make",
    "household_merge": "households to join",
}

COUNTS = "select CATEGORY, FEELING, count(*) from CUST360 group by CATEGORY, FEELING"
# How many there are stands beside each, and the two newest that name a customer are examples.
EXAMPLES = """
select
    a.KIND, count(*) over (partition by a.KIND), coalesce(c.CUSTOMER, '@' || c.AUTHOR),
    a.PRODUCT, c.TEXT
from ACTIONS a join CUST360 c on c.TWEET_ID = a.TWEET_ID
where a.KIND <> 'none'
qualify row_number() over (
    partition by a.KIND
    order by iff(c.CUSTOMER is null, 1, 0), a.POSTED_AT desc, a.TWEET_ID desc
) <= 2
order by a.KIND, iff(c.CUSTOMER is null, 1, 0), a.POSTED_AT desc, a.TWEET_ID desc
"""
LOADS = "select KIND, sum(ROWS_LOADED), sum(ROWS_REJECTED) from LOADS group by KIND order by KIND"
DEAD_LETTERS = "select count(*) from DEAD_LETTERS"


@dataclass(frozen=True)
class Example:
    """A post that asks for something: kind, how many of that kind there are, who, which, what."""

    kind: str
    count: int
    who: str
    product: str | None
    text: str


@dataclass(frozen=True)
class Lake:
    """What there is: posts by category and feeling; loads are rows loaded and rejected by kind."""

    posts: Mapping[tuple[str, str], int]
    examples: Sequence[Example]
    loads: Mapping[str, tuple[int, int]]
    dead_letters: int


def main() -> int:
    """Print it."""
    parser = argparse.ArgumentParser(prog=f"python -m misc.{NAME}", description=__doc__)
    parser.add_argument("--rehearsal", type=Path, metavar="FOLDER")
    parser.add_argument("--of", type=int, metavar="N")
    options = parser.parse_args()
    folder = options.rehearsal
    if "SNOWFLAKE_ACCOUNT" not in os.environ:
        parser.error("SNOWFLAKE_ACCOUNT is not set; misc.engines prints embedded settings")
    try:
        record = json.loads((folder / "record.json").read_text("utf-8")) if folder else None
    except (OSError, ValueError) as error:
        parser.error(f"{folder}: no record of a rehearsal: {error}")
    for line in (*lake_lines(_lake(), options.of), *(job_lines(record) if record else ())):
        print(line)
    return 0


def lake_lines(lake: Lake, of: int | None = None) -> Iterator[str]:
    """Tell what is in the lake, in lines of a terminal; of is how many posts X has."""
    total = sum(lake.posts.values())
    if not total:
        yield "CUST360 is empty; run the producer and the consumer first"
        return
    head = "".join(f"{each:>10}" for each in (*FEELINGS, "all"))
    yield f"{f'{total:,} posts':24}{head}"
    for category in CATEGORIES:
        counts = [lake.posts.get((category, feeling), 0) for feeling in FEELINGS]
        row = "".join(f"{each:10,}" for each in (*counts, sum(counts)))
        yield f"  {category.replace('_', ' '):22}{row}"
    if of:
        yield f"  of X's {of:,}: those with a place in Connecticut and words about money"
    for kind, title in ACTIONS.items():
        found = [each for each in lake.examples if each.kind == kind]
        yield f"{title}: {found[0].count if found else 0:,}"
        yield from (f"  {_cut(_example(each), WIDTH - 2)}" for each in found)
    loads = [
        f"{kind} {loaded:,} rows, {rejected:,} rejected"
        for kind, (loaded, rejected) in lake.loads.items()
    ]
    yield f"data quality: {'; '.join([*loads, _of(lake.dead_letters, 'dead letter')])}"


def job_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell how the jobs of a rehearsal ended, and of those that did not end well, why."""
    jobs = record["jobs"]
    states = [job["status"] for job in jobs]
    counts = [f"{states.count(each)} {each}" for each in sorted(set(states), key=states.index)]
    yield f"jobs: {', '.join(counts)}, in {record['seconds']:.0f} s"
    for job in jobs:
        if job["status"] == "ended not OK":
            why = diagnosis(job["runs"][-1].get("last_words") or ["it said nothing"])
            yield from textwrap.wrap(
                f"{job['name']}: {why}", WIDTH, initial_indent="  ", subsequent_indent="    "
            )


def diagnosis(words: Sequence[str]) -> str:
    """Return what a job's last lines say of its end: the launcher's verdict, else the last one."""
    verdicts = [each for each in words if each.startswith("Verdict: ")]
    return verdicts[-1].removeprefix("Verdict: ") if verdicts else words[-1]


def _example(each: Example) -> str:
    product = f" ({each.product})" if each.product else ""
    return f'{each.who}{product}: "{" ".join(each.text.split())}"'


def _of(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _lake() -> Lake:
    import snowflake.connector

    variables = {name: os.environ.get(f"SNOWFLAKE_{name.upper()}") for name in (
        "account", "user", "password", "database", "schema", "host", "port", "protocol"
    )}  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in variables.items() if value}
    with snowflake.connector.connect(**given) as connection, connection.cursor() as cursor:

        def rows(query: str) -> list[Any]:
            found: list[Any] = cursor.execute(query).fetchall()
            return found

        return Lake(
            {(category, feeling): count for category, feeling, count in rows(COUNTS)},
            [Example(*row) for row in rows(EXAMPLES)],
            {kind: (int(loaded or 0), int(bad or 0)) for kind, loaded, bad in rows(LOADS)},
            int(rows(DEAD_LETTERS)[0][0]),
        )


if __name__ == "__main__":
    sys.exit(main())
