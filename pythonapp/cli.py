"""The command: read the line and the files, wire the parts, return the exit code."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pythonapp.clock import SystemClock
from pythonapp.console import Progress, closing
from pythonapp.environment import kafka_settings, x_settings
from pythonapp.errors import BadInputError, Exit, ProducerError
from pythonapp.producer import Producer, Source, Until
from pythonapp.settings import Replay, Search, Settings, parse, source_from

_HERE = Path(__file__).resolve().parent
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message}; -h lists the options")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code."""
    clock = SystemClock()
    try:
        options = _options(argv)
        quadrants = _quadrants(options, os.environ)
        with _Signals(clock):
            return _run(options, quadrants, clock, os.environ)
    except ProducerError as error:
        print(f"bmctwitter: error: {error}", file=sys.stderr)
        return int(error.exit_code)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; raise BadInputError in one line."""
    parser = _Parser(
        prog="bmctwitter.py",
        description="Send posts about investments and markets to a Kafka topic, a quadrant a file.",
        epilog="Exit codes: 0 done; 2 a setting or option is wrong; 3 X or Kafka gave no answer "
        "for too long; 4 one of them refused.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE.yaml", help="default: $BTCONF")
    parser.add_argument("--source", choices=("stream", "search", "replay"))
    parser.add_argument("--file", help="posts to replay, in JSON Lines; - for standard input")
    parser.add_argument("--rate", metavar="N", help="posts a second of a replay")
    parser.add_argument("--limit", metavar="N", help="end after N posts")
    parser.add_argument(
        "--until-idle", metavar="TIME", help="end after so long without a post: 60, 90s, 5m, 1h"
    )
    parser.add_argument(
        "--budget",
        default="2m",
        metavar="TIME",
        help="how long Kafka may give no answer (default: 2m)",
    )
    options = parser.parse_args(argv)
    if options.rate is not None:
        options.rate = _rate("--rate", options.rate)
    if options.limit is not None:
        options.limit = _count("--limit", options.limit)
    if options.until_idle is not None:
        options.until_idle = seconds("--until-idle", options.until_idle)
    options.budget = seconds("--budget", options.budget)
    return options


def seconds(option: str, text: str) -> float:
    """Return a span such as 60, 90s, 5m, 1h or 1d in seconds; raise BadInputError."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text)
    if not found:
        raise BadInputError(f"{option} {text:.50}: a time is a number with s, m, h or d, as 5m")
    return float(found[1]) * _UNITS[found[2]]


def _rate(option: str, text: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text):
        raise BadInputError(f"{option} {text:.50}: it takes a number of posts a second, as 100")
    return float(text)


def _count(option: str, text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,11}", text):
        raise BadInputError(f"{option} {text:.50}: it takes a whole number of posts, 1 or more")
    return int(text)


def _quadrants(options: argparse.Namespace, environment: Mapping[str, str]) -> list[Settings]:
    names = options.files or environment.get("BTCONF", "").split()
    if not names:
        raise BadInputError("name a quadrant's file, such as ctne.yaml, or set BTCONF to it")
    read = [_overridden(parse(_text(name), name), options) for name in names]
    first = read[0]
    for each, name in zip(read[1:], names[1:], strict=True):
        if each.source != first.source:
            raise BadInputError(f"{name}: one reader has one source, and {names[0]} has another")
    if len({each.quadrant for each in read}) < len(read):
        raise BadInputError(f"{' '.join(names)}: two files are of the same quadrant")
    return read


def _overridden(settings: Settings, options: argparse.Namespace) -> Settings:
    source = settings.source
    chosen = options.source or ("replay" if options.file else source.name)
    given = {"file": options.file, "rate": options.rate}
    named = {key: value for key, value in given.items() if value is not None}
    if named and chosen != "replay":
        raise BadInputError(f"--{next(iter(named))} is for a replay, and the source is {chosen}")
    if chosen == "replay" and isinstance(source, Replay):
        named = {"file": source.file, "rate": source.rate, **named}
    elif chosen == source.name:
        return settings
    return replace(settings, source=source_from(chosen, named))


def _text(name: str) -> str:
    """Read a file as it is named, else beside this script."""
    path = next((each for each in (Path(name), _HERE / name) if each.is_file()), None)
    if path is None:
        raise BadInputError(f"{name}: no such file, neither here nor in {_HERE}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise BadInputError(f"{name}: cannot be read ({error.strerror})") from error


class _Signals:
    """SIGTERM and SIGINT stop the clock; a second SIGINT ends the process at once."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._before = [(each, signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGINT)]

    def __enter__(self) -> None:
        for number, before in self._before:
            if before is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before:
            signal.signal(number, before)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._clock.stopped and number == signal.SIGINT:
            os._exit(Exit.INTERRUPTED)
        self._clock.stop()


def _run(
    options: argparse.Namespace,
    quadrants: Sequence[Settings],
    clock: SystemClock,
    environment: Mapping[str, str],
) -> int:
    # Loaded here: what is refused above is refused at once.
    from pythonapp.kafka import Bookmarks, Broker

    kafka = kafka_settings(environment)
    topics = {each.quadrant: kafka.topic or each.topic or "tweets" for each in quadrants}
    source = _source(quadrants, clock, environment)
    broker = Broker(kafka, clock, options.budget)
    broker.check(dict.fromkeys([*topics.values(), kafka.dead_letter_topic]))
    bookmarks = Bookmarks(kafka, topics[quadrants[0].quadrant], options.budget)
    saved = bookmarks.read(f"{each.quadrant}-{source.name}" for each in quadrants)
    producer = Producer(source, broker, topics, kafka.dead_letter_topic, bookmarks.save, clock)
    name = f"bmctwitter {'+'.join(each.quadrant for each in quadrants)}"
    progress = Progress(name, source, broker, clock)
    ended = False
    try:
        producer.run(saved, Until(options.limit, options.until_idle), progress)
        ended = True
    finally:
        progress.end()
        if ended or producer.counts.read:  # else the error that comes next says all there is
            line = closing(producer.counts, broker, kafka.dead_letter_topic, progress.seconds())
            print(f"{name}: {line}", flush=True)
        broker.discard()
        bookmarks.close()
    bookmarks.check()
    return int(Exit.DONE)


def _source(
    quadrants: Sequence[Settings], clock: SystemClock, environment: Mapping[str, str]
) -> Source:
    options = quadrants[0].source
    if isinstance(options, Replay):
        from pythonapp.replay import ReplaySource

        return ReplaySource(options, quadrants, clock)
    if isinstance(options, Search):
        from pythonapp.search import SearchSource

        return SearchSource(options, quadrants, x_settings(environment), clock)
    from pythonapp.stream import StreamSource

    return StreamSource(options, quadrants, x_settings(environment), clock)


if __name__ == "__main__":
    sys.exit(main())
