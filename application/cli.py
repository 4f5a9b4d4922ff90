"""The consumer's command: read the line, open the parts, run, return the exit code."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import FrameType
from typing import NoReturn

from application.batch import Limits
from application.errors import ApplicationError, BadInputError, Exit
from application.settings import (
    KafkaSettings,
    SnowflakeSettings,
    kafka_settings,
    snowflake_settings,
)
from application.ticker import Ticker

NAME = "KafkaSnowflake"
HURRIED = 130
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; -h lists the options")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code.

    The first SIGTERM or SIGINT finishes the batch at hand; a second one abandons it, which loses
    nothing: what is not committed is read again.
    """
    stopped = _listen()
    ticker = Ticker(NAME, sys.stderr)
    try:
        options = parse(sys.argv[1:] if argv is None else argv, datetime.now().astimezone())
        kafka, snowflake = kafka_settings(os.environ), snowflake_settings(os.environ)
        _run(options, kafka, snowflake, ticker, stopped.is_set)
    except ApplicationError as error:
        ticker.note(f"error: {error}")
        return int(error.exit_code)
    return int(Exit.DONE)


def parse(argv: Sequence[str], now: datetime) -> argparse.Namespace:
    """Read the command line; raise BadInputError in one line."""
    parser = _Parser(
        prog=NAME,
        description="Read posts from Kafka, find who wrote them, write them to Snowflake.",
        epilog="Settings are environment variables: KAFKA_… and SNOWFLAKE_…. "
        "Exit codes: 0 done, 2 bad input, 3 an engine gave no answer, 4 an engine refused.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--until-idle", metavar="TIME", help="end when nothing came for so long: 60, 5m, 1h")
    add("--max-messages", metavar="N", help="end after so many messages")
    add("--until", metavar="TIME", help="end at a time: 18:30 or 2026-03-01T18:30:00+01:00")
    add("--batch", metavar="N", default="2000", help="messages a MERGE at most (default: 2000)")
    add("--refresh", metavar="TIME", default="15m",
        help="load addresses and customers again so often (default: 15m)")  # fmt: skip
    add("--patience", metavar="TIME", default="2m",
        help="give up an engine that gives no answer for so long (default: 2m)")  # fmt: skip
    options = parser.parse_args(argv)
    if options.until_idle is not None:
        options.until_idle = seconds("--until-idle", options.until_idle)
    if options.max_messages is not None:
        options.max_messages = _count("--max-messages", options.max_messages)
    if options.until is not None:
        options.until = moment("--until", options.until, now)
    options.batch = _count("--batch", options.batch, 1_000_000)
    options.refresh = seconds("--refresh", options.refresh)
    options.patience = seconds("--patience", options.patience)
    return options


def seconds(option: str, text: str) -> float:
    """Return a span such as 60, 90s, 15m, 2h or 1d in seconds."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text)
    if not found:
        raise BadInputError(f"{option} {text:.50}: a time is a number with s, m, h or d, as 15m")
    return float(found[1]) * _UNITS[found[2]]


def moment(option: str, text: str, now: datetime) -> datetime:
    """Return a time of ISO 8601, or the next HH:MM; without an offset it is local, as now is."""
    try:
        if found := re.fullmatch(r"(\d{1,2}):(\d{2})", text):
            today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
            return today if today > now else today + timedelta(days=1)
        # Python before 3.11 does not know the Z.
        told = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    except ValueError as error:
        raise BadInputError(
            f"{option} {text:.50}: a time is HH:MM, or as 2026-03-01T18:30:00+01:00"
        ) from error
    return told if told.tzinfo else told.replace(tzinfo=now.tzinfo)


def _count(option: str, text: str, most: int = 10**12) -> int:
    if not re.fullmatch(r"[1-9]\d{0,12}", text) or int(text) > most:
        raise BadInputError(f"{option} {text:.50}: it takes a whole number from 1 to {most:,}")
    return int(text)


def _listen() -> threading.Event:
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            # A thread may wait for the lake for long, and an ordinary end would wait for it.
            os.write(2, f"{NAME}: abandoned; the batch at hand is read again\n".encode())
            os._exit(HURRIED)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped


def _run(
    options: argparse.Namespace,
    kafka: KafkaSettings,
    snowflake: SnowflakeSettings,
    ticker: Ticker,
    stop: Callable[[], bool],
) -> None:
    # Loaded here: a wrong setting is told at once, without half a second of libraries.
    from application.addresses import load_index
    from application.consumer import Consumer, Ends
    from application.decide import Decider, Knowledge, Renewal, learn
    from application.source import DeadLetters, Source
    from application.warehouse import Warehouse

    def load() -> Knowledge:
        with Warehouse(snowflake, options.patience, stop) as lake:
            return learn(lake)

    source = Source(kafka, options.patience, stop)
    letters = DeadLetters(kafka, options.patience)
    begun = time.monotonic()
    with Warehouse(snowflake, options.patience, stop) as lake:
        index = load_index(lake)
        ticker.note(
            f"{len(index):,} addresses and {len(index.customers):,} customers "
            f"in {time.monotonic() - begun:.1f} s; reading {kafka.topic} as {kafka.group}"
        )
        if not len(index) and not index.customers:
            ticker.note(
                "the lake has no addresses and no customers, so nobody will be matched; "
                "run geo_load and crm_extract"
            )
        summary = Consumer(
            source,
            lake,
            letters,
            Decider(index, Renewal(load, options.refresh, ticker.note), lake),
            limits=Limits(count=options.batch),
            ends=Ends(options.until_idle, options.max_messages, options.until),
            stop=stop,
            moved=ticker.moved,
        ).run()
    ticker.note(str(summary))


if __name__ == "__main__":
    sys.exit(main())
