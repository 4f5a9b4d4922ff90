"""Bring the dead letters from Kafka to the lake: `python -m application.dead_letters`.

It reads as a group of its own, from where the last run ended to where the topic ends when this one
begins. Each batch is one MERGE by key, and its offsets are committed after that: what is read
twice, or merged twice because an answer was lost, is one row all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NoReturn, Protocol

from application.errors import ApplicationError, BadInputError, Exit, UnreachableError
from application.kafka_message import Message, Partition
from application.settings import kafka_settings, snowflake_settings
from application.stopping import Patience, Stop
from application.ticker import Ticker

NAME = "dead_letters"
# Messages of one MERGE, and seconds to wait for one. A message may have megabytes.
BATCH = 200
LOOK = 1.0
# Characters that are kept of a value and of a header; headers that are kept, the last ones.
RECORD, HEADER, HEADERS = 4_000, 500, 50
# Characters of one MERGE's JSON: Snowflake takes 16 MB of it, and whoever writes to the topic may
# fill headers with what JSON escapes, for a MB a letter.
JSON = 4_000_000
# FLATTEN tells each row the whole that it is from; an embedded warehouse is quicker over slices.
_SLICE = 32
_MERGE = """
merge into DEAD_LETTERS t using (
    select
        f.value:topic::varchar as TOPIC,
        f.value:partition::number as PARTITION,
        f.value:offset::number as KAFKA_OFFSET,
        f.value:published_at::timestamp_ntz as PUBLISHED_AT,
        f.value:reason::varchar as REASON,
        f.value:origin as ORIGIN,
        f.value:record::varchar as RECORD
    from (select parse_json(?) as BATCH) b,
        lateral flatten(input => b.BATCH) slice,
        lateral flatten(input => slice.value) f
) s on t.TOPIC = s.TOPIC and t.PARTITION = s.PARTITION and t.KAFKA_OFFSET = s.KAFKA_OFFSET
    and t.PUBLISHED_AT is not distinct from s.PUBLISHED_AT
when not matched then insert (
    TOPIC, PARTITION, KAFKA_OFFSET, PUBLISHED_AT, REASON, ORIGIN, RECORD, LOADED_AT
) values (
    s.TOPIC, s.PARTITION, s.KAFKA_OFFSET, s.PUBLISHED_AT, s.REASON, s.ORIGIN, s.RECORD, sysdate()
)
"""


class Letters(Protocol):
    """Where the dead letters are read: a Source of their topic."""

    def open_alone(self) -> None: ...
    def ends(self) -> dict[Partition, int]: ...
    def waiting(self, until: Mapping[Partition, int]) -> int | None: ...
    def poll(self, most: int, timeout: float) -> list[Message]: ...
    def commit(self, offsets: Mapping[Partition, int]) -> None: ...
    def close(self) -> None: ...
    def leave(self) -> None: ...


class Lake(Protocol):
    """What runs statements: a Warehouse."""

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...


def bring(
    letters: Letters,
    lake: Lake,
    budget: float,
    stop: Callable[[], bool] = lambda: False,
    moved: Callable[[str], object] = lambda _: None,
) -> int:
    """Merge what is on the topic now and was not yet; return how many letters that were.

    Raise UnreachableError where something waits and nothing comes for budget seconds.
    """
    try:
        count = _bring(letters, lake, budget, stop, moved)
    except ApplicationError:
        letters.leave()
        raise
    letters.close()
    return count


def _bring(
    letters: Letters,
    lake: Lake,
    budget: float,
    stop: Callable[[], bool],
    moved: Callable[[str], object],
) -> int:
    letters.open_alone()
    ends = letters.ends()
    count, before, patience = 0, None, Patience(budget, stop)
    while not stop() and (left := letters.waiting(ends)) != 0:
        if left is not None and left != before:
            before, patience = left, Patience(budget, stop)
        elif patience.left() < 0:
            raise UnreachableError(
                f"Kafka gave no dead letter for {patience.waited():.0f} s, and {left or 'some'} "
                "wait; check the broker"
            )
        found = [
            each
            for each in letters.poll(BATCH, LOOK)
            if each.origin.offset < ends.get(each.partition, 0)
        ]
        if found:
            for batch in batches([row(each) for each in found]):
                lake.run(_MERGE, (batch,))
            letters.commit({each.partition: each.origin.offset + 1 for each in found})
            count += len(found)
            moved(f"{count:,} dead letters brought")
    return count


def row(message: Message) -> dict[str, Any]:
    """Return what the lake keeps of a dead letter, as text: a value may be anything.

    Of headers with one name the last counts: who kept the letter put its own on top.
    """
    origin = message.origin
    told = {
        name.removeprefix("origin.")[:HEADER]: None if content is None else text(content, HEADER)
        for name, content in message.headers[-HEADERS:]
    }
    return {
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "published_at": origin.published_at and _utc(origin.published_at),
        "reason": told.pop("reason", None),
        "origin": told,
        "record": None if message.value is None else text(message.value, RECORD),
    }


def text(content: bytes, most: int) -> str:
    """Return the first so many characters; what is none, or a NUL, becomes a replacement."""
    # No character of UTF-8 has more than four bytes.
    found = content[: 4 * most].decode("utf-8", "replace")[:most]
    return found.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _utc(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def batches(rows: Sequence[Mapping[str, Any]], most: int = JSON) -> Iterator[str]:
    """Yield the rows as JSON, in slices, a text of at most so many characters or of one row."""
    waiting: list[str] = []
    size = 0
    for each in map(json.dumps, rows):
        if waiting and size + len(each) > most:
            yield _sliced(waiting)
            waiting, size = [], 0
        waiting.append(each)
        size += len(each) + 3  # a comma, and the brackets of a slice
    yield _sliced(waiting)


def _sliced(rows: Sequence[str]) -> str:
    slices = (",".join(rows[at : at + _SLICE]) for at in range(0, len(rows), _SLICE))
    return f"[{','.join(f'[{each}]' for each in slices)}]"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; see --help")


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 86400")
    return float(text)


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run one command line and return the exit code."""
    ticker = Ticker(NAME, sys.stderr)
    stop = Stop()
    stop.install()
    try:
        parser = _Parser(
            prog=f"python -m application.{NAME}", description=(__doc__ or "").partition("\n")[0]
        )
        parser.add_argument(
            "--patience",
            type=_seconds,
            metavar="SECONDS",
            default="120",
            help="give up an engine that gives no answer for so long (default: 120)",
        )
        options = parser.parse_args(sys.argv[1:] if argv is None else argv)
        return _run(options.patience, environment, ticker, stop)
    except KeyboardInterrupt:
        return 130
    except ApplicationError as error:
        ticker.note(f"error: {error}")
        return int(error.exit_code)


def _run(budget: float, environment: Mapping[str, str], ticker: Ticker, stop: Stop) -> int:
    kafka, snowflake = kafka_settings(environment), snowflake_settings(environment)
    topic = kafka.dead_letter_topic
    ours = replace(kafka, topic=topic, group=f"{kafka.group}-{NAME}")
    # Loaded here: a wrong setting is told at once, without half a second of libraries.
    from application.source import Source
    from application.warehouse import Warehouse

    with Warehouse(snowflake, budget, stop.asked) as lake:
        source = Source(ours, budget, stop.asked)
        count = bring(source, lake, budget, stop.asked, ticker.moved)
    if stop.asked():
        ticker.note(f"stopped after {count:,} dead letters; the next run goes on behind them")
        return 128 + stop.signal
    ticker.note(f"{count:,} dead letters of {topic} brought to DEAD_LETTERS")
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
