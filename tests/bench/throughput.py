"""What a post costs from Kafka to the lake: a real broker, the embedded warehouse.

Rates are those of the consumer's closing line: from the first message read to the last one stored.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from confluent_kafka import Producer

from application import lake
from application.settings import snowflake_settings
from application.synth import connecticut
from application.warehouse import Warehouse
from misc.engines import apache, sample, snowflake
from pythonapp.message import Message, message
from tests.bench.table import Row, say

ROOT = Path(__file__).parents[2]
POSTS = 60_000
ADDRESSES = 50_000
PARTITIONS = 4
LOOP_SECONDS = 15
MANY = 1_000_000
Settings = Mapping[str, str]

_ADDRESSES = """
insert into ADDRESSES
select f.value[10]::varchar, f.value[0]::float, f.value[1]::float, f.value[2]::varchar,
    f.value[3]::varchar, f.value[4]::varchar, f.value[5]::varchar, f.value[7]::varchar,
    f.value[8]::varchar, f.value[10]::varchar, sysdate()
from (select parse_json(?) as BATCH) b, lateral flatten(input => b.BATCH) f
"""


def measures() -> list[Row]:
    """Measure one consumer, two, one that does not match, and a loop of single INSERTs."""
    with ExitStack() as stack:
        settings, warehouse = _engines(stack, "tweets")
        _publish(settings, "tweets", POSTS)
        one = _rate(settings, warehouse, "one", 1)
        two = _rate(settings, warehouse, "two", 2)
        bare = _rate(settings, warehouse, "bare", 1, "-m", "tests.bench.unmatched")
        loop = _insert_loop(warehouse)
    return [
        Row("posts a second, one consumer", f"{one:,.0f}",
            f"single INSERTs {loop:,.0f}, without matching {bare:,.0f}", "3,000", one >= 3_000),
        Row("against a loop of single INSERTs", f"{one / loop:.1f} x", "", "5 x", one >= 5 * loop),
        Row("share of the rate without matching", f"{one / bare:.0%}", "", "", True),
        Row(f"two consumers, on {os.cpu_count()} cores with broker and warehouse",
            f"{two:,.0f}", f"{two / one:.2f} x one", "", True),
    ]  # fmt: skip


def memory() -> list[Row]:
    """Compare a consumer's memory after a tenth of many posts with that at their end."""
    with ExitStack() as stack:
        settings, warehouse = _engines(stack, "tweets")
        _publish(settings, "tweets", MANY)
        say(f"a consumer reads {MANY:,} posts")
        process = _consumer(settings, "flat")
        early = peak = 0.0
        while process.poll() is None:
            [(stored,)] = warehouse.run("select count(*) from TWEETS")
            peak = max(peak, _resident(process.pid))
            if stored <= MANY / 10:
                early = peak
            time.sleep(2)
        rate = _told(process)
    return [
        Row(f"consumer's memory over {MANY:,} posts", f"{peak:.0f} MB",
            f"{early:.0f} MB after a tenth", f"1.2 x, is {peak / early:.2f}", peak <= 1.2 * early),
        Row("posts a second meanwhile", f"{rate:,.0f}", "", "", True),
    ]  # fmt: skip


def _engines(stack: ExitStack, topic: str) -> tuple[dict[str, str], Warehouse]:
    say("a broker, a warehouse, and the addresses")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    topics = {topic: PARTITIONS, "tweets-dead-letters": 1}
    broker = stack.enter_context(apache.broker(folder / "kafka", topics))
    settings = {**broker.settings, **stack.enter_context(snowflake.embedded())}
    warehouse = stack.enter_context(Warehouse(snowflake_settings(settings)))
    lake.apply(warehouse)
    rows = list(connecticut.addresses(ADDRESSES, seed=1))
    for start in range(0, len(rows), 2_000):
        warehouse.run(_ADDRESSES, (json.dumps(rows[start : start + 2_000]),))
    return settings, warehouse


def _publish(settings: Settings, topic: str, count: int) -> None:
    say(f"{count:,} posts on {PARTITIONS} partitions")
    producer = Producer(
        {"bootstrap.servers": settings["KAFKA_BOOTSTRAP_SERVERS"], "compression.type": "zstd",
         "queue.buffering.max.messages": 200_000}
    )  # fmt: skip
    for number, each in enumerate(_messages(count)):
        producer.produce(topic, key=each.key, value=each.value)
        if number % 50_000 == 0:
            producer.flush()
    producer.flush()


def _messages(count: int) -> Iterator[Message]:
    for payload in sample.posts(count, seed=7):
        made = message(payload, "ct", "replay")
        if isinstance(made, Message):
            yield made


def _rate(
    settings: Settings, warehouse: Warehouse, group: str, consumers: int, *program: str
) -> float:
    say(f"{consumers} x {' '.join(program) or 'the consumer'}")
    warehouse.run("delete from TWEETS")
    processes = [_consumer(settings, group, *program) for _ in range(consumers)]
    with ThreadPoolExecutor(consumers) as pool:
        rates = list(pool.map(_told, processes))
    [(stored,)] = warehouse.run("select count(*) from TWEETS")
    if stored != POSTS:
        raise SystemExit(f"bench: {stored:,} of {POSTS:,} posts are in the lake")
    return sum(rates)


def _consumer(settings: Settings, group: str, *program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *(program or ("application/KafkaSnowflake.py",)), "--until-idle", "5"],
        cwd=ROOT,
        env={**os.environ, **settings, "KAFKA_GROUP": group},
        stderr=subprocess.PIPE,
        text=True,
    )


def _told(process: subprocess.Popen[str]) -> float:
    """Wait for a consumer's closing line and return its rate."""
    said = process.communicate()[1]
    rate = re.search(r"([\d,]+) a second, \S+ left on Kafka", said)
    if process.returncode or not rate:
        raise SystemExit(f"bench: the consumer ended with {process.returncode}: {said[-500:]}")
    return float(rate[1].replace(",", ""))


def _insert_loop(warehouse: Warehouse) -> float:
    """Store posts one by one, as the plainest of programs would."""
    say("a loop of single INSERTs")
    warehouse.run("create or replace table PLAIN (RAW variant)")
    count, start = 0, time.perf_counter()
    for each in _messages(POSTS):
        warehouse.run("insert into PLAIN select parse_json(?)", (each.value.decode(),))
        count += 1
        if time.perf_counter() - start > LOOP_SECONDS:
            break
    return count / (time.perf_counter() - start)


def _resident(pid: int) -> float:
    """Return the memory that a process has now, in MB; 0 once it has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
