"""The consumer as a process, on embedded engines: every post is in the lake once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from application import lake as lake_sql
from application.cli import moment, parse, seconds
from application.errors import BadInputError
from application.settings import snowflake_settings
from application.warehouse import Warehouse
from misc.engines import snowflake
from tests.application.conftest import ROOT, Lake, Topics
from tests.application.messages import message
from tests.engines.waiting import free_port, until

SCRIPT = ROOT / "application" / "KafkaSnowflake.py"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=1)))

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(lake: Lake, topics: Topics) -> Iterator[Start]:
    """Start consumers; those that a test leaves running are killed."""
    with ExitStack() as stack:

        def begin(*options: str, **settings: str) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(SCRIPT), *options],
                    env=os.environ | lake.environment | topics.environment | settings,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield begin


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Return the exit code and what was told."""
    told, errors = process.communicate(timeout=90)
    assert told == ""
    return process.returncode, errors.splitlines()


def counted(lake: Lake) -> int:
    [(rows, posts)] = lake.warehouse.run("select count(*), count(distinct TWEET_ID) from TWEETS")
    assert rows == posts, "no post is there twice"
    return int(rows)


def test_posts_go_to_the_lake_the_rest_to_the_dead_letters_and_the_run_ends(
    start: Start, lake: Lake, topics: Topics
) -> None:
    topics.send(message(number) for number in range(1, 301))
    topics.send([b"rubbish", None, message(1)])
    code, told = ended(start("--until-idle", "0", "--batch", "100"))
    assert code == 0
    nobody = "the lake has no addresses and no customers, so nobody will be matched; "
    assert told.count(f"KafkaSnowflake: {nobody}run geo_load and crm_extract") == 1
    assert told[-1].startswith("KafkaSnowflake: 303 read, 301 merged, 2 dead letters, ")
    assert told[-1].endswith(" a second, 0 left on Kafka")
    assert counted(lake) == 300
    assert topics.committed() == 303
    reasons = {dict(each.headers())["reason"] for each in topics.dead_letters(2)}
    assert {reason.partition(b":")[0] for reason in reasons} == {
        b"not JSON",
        b"the message is empty",
    }


def test_a_lake_with_customers_is_no_empty_one(start: Start, lake: Lake) -> None:
    lake.warehouse.run("insert into CUSTOMERS (CUSTOMER_ID, LAST_NAME) values ('c1', 'Smith')")
    code, told = ended(start("--until-idle", "0"))
    assert code == 0, told
    assert "0 addresses and 1 customers" in told[0]
    assert not [line for line in told if "nobody will be matched" in line]


def test_a_kill_between_merge_and_commit_doubles_nothing(
    start: Start, lake: Lake, topics: Topics
) -> None:
    topics.send(message(number) for number in range(1, 51))
    with snowflake.troubled(lake.environment) as trouble:
        trouble.delay(60, matching="merge")
        victim = start("--batch", "20", SNOWFLAKE_PORT=trouble.settings["SNOWFLAKE_PORT"])
        until(lambda: trouble.ran["MERGE"], 60)
        victim.kill()
        victim.wait()
    assert counted(lake) == 20
    assert topics.committed() == 0
    code, told = ended(start("--max-messages", "50"))
    assert code == 0, told
    assert counted(lake) == 50
    assert topics.committed() == 50


def test_a_job_that_is_retried_after_a_kill_reads_all(
    start: Start, lake: Lake, topics: Topics
) -> None:
    topics.send([message(1)])
    victim = start()
    until(lambda: topics.committed() == 1, 60)
    victim.kill()
    victim.wait()
    topics.send(message(number) for number in range(2, 42))
    code, told = ended(start("--until-idle", "0"))
    assert code == 0
    assert told[-1].startswith("KafkaSnowflake: 40 read, "), "a dead member's partitions count"
    assert counted(lake) == topics.committed() == 41


def test_sigterm_finishes_the_batch_at_hand_and_leaves_the_group(
    start: Start, lake: Lake, topics: Topics
) -> None:
    topics.send(message(number) for number in range(1, 51))
    with snowflake.troubled(lake.environment) as trouble:
        trouble.delay(1, matching="merge")
        process = start("--batch", "20", SNOWFLAKE_PORT=trouble.settings["SNOWFLAKE_PORT"])
        until(lambda: trouble.ran["MERGE"], 60)
        process.send_signal(signal.SIGTERM)
        code, told = ended(process)
    assert code == 0, told
    assert counted(lake) == topics.committed() >= 20


def test_a_second_signal_abandons_the_batch(start: Start, lake: Lake, topics: Topics) -> None:
    topics.send([message(1)])
    with snowflake.troubled(lake.environment) as trouble:
        trouble.delay(60, matching="merge")
        process = start(SNOWFLAKE_PORT=trouble.settings["SNOWFLAKE_PORT"])
        until(lambda: trouble.ran["MERGE"], 60)

        def gone() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        until(gone)
    code, told = ended(process)
    assert code == 130
    assert told[-1].endswith("abandoned; the batch at hand is read again")
    assert topics.committed() == 0


def test_two_consumers_share_the_work(start: Start, lake: Lake, topics: Topics) -> None:
    first = start("--batch", "10")
    topics.send(message(number) for number in range(1, 41))
    until(lambda: counted(lake) == 40, 60)
    second = start("--until-idle", "5", "--batch", "10")
    number = 40

    def shared() -> bool:
        nonlocal number
        topics.send(message(each) for each in range(number + 1, number + 5))
        number += 4
        return second.poll() is not None or number > 1000

    until(shared, 60)
    code, told = ended(second)
    assert code == 0, told
    assert int(told[-1].split()[1].replace(",", "")) > 0, "the second one got its part"
    until(lambda: counted(lake) == number, 60)
    first.send_signal(signal.SIGTERM)
    code, told = ended(first)
    assert code == 0, told
    assert topics.committed() == number


def test_a_table_that_is_missing_leaves_the_posts_on_kafka(start: Start, topics: Topics) -> None:
    topics.send(message(number) for number in range(1, 6))
    with snowflake.embedded() as environment:
        with Warehouse(snowflake_settings(environment)) as warehouse:
            lake_sql.apply(warehouse)
            warehouse.run("drop view DECIDED")
        code, told = ended(start(**environment))
    assert code == 4
    assert told[-1].startswith("KafkaSnowflake: error: Snowflake (")
    assert "run `python -m application.lake`" in told[-1]
    assert told[-1].endswith("nothing of this batch is committed, 5 messages wait on Kafka")
    assert topics.committed() == 0


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        pytest.param({"SNOWFLAKE_PASSWORD": "no"}, 4, "check SNOWFLAKE_USER", id="password"),
        pytest.param({"SNOWFLAKE_PORT": "1"}, 3, "no answer within 1 s", id="no warehouse"),
        pytest.param({"KAFKA_TOPIC": "nowhere"}, 4, "create the topic", id="no topic"),
        pytest.param({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, 3, "within 1 s", id="no broker"),
        pytest.param({"KAFKA_BOOTSTRAP_SERVERS": ""}, 2, "is not set", id="no setting"),
        pytest.param({"KAFKA_PROPERTIES": "a.b=c"}, 2, "KAFKA_PROPERTIES", id="property"),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line(
    start: Start, settings: dict[str, str], code: int, told: str
) -> None:
    ending, lines = ended(start("--patience", "1", **settings))
    assert ending == code, lines
    assert lines[-1].startswith("KafkaSnowflake: error: ")
    assert told in lines[-1]
    assert len([line for line in lines if "error" in line]) == 1


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_it_starts_from_anywhere_by_whatever_name(tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / "app"
    shutil.copytree(SCRIPT.parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    linked = tmp_path / "consumer.py"
    linked.symlink_to(SCRIPT)
    ways: list[tuple[list[str], Path]] = [
        (["KafkaSnowflake.py"], SCRIPT.parent),
        ([str(SCRIPT)], tmp_path),
        ([str(linked)], tmp_path),
        ([str(copied / "KafkaSnowflake.py")], tmp_path),
        (["-m", "application.KafkaSnowflake"], ROOT),
    ]
    answers = {python(*way, "-h", cwd=folder).stdout for way, folder in ways}
    assert len(answers) == 1
    assert "usage: KafkaSnowflake" in answers.pop()


def test_a_missing_package_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['confluent_kafka'] = None\n"
    )
    environment = {
        "PYTHONPATH": str(tmp_path),
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "SNOWFLAKE_ACCOUNT": "a",
        "SNOWFLAKE_USER": "u",
        "SNOWFLAKE_PASSWORD": "p",
    }
    answer = python(str(SCRIPT), env=os.environ | environment)
    assert answer.returncode == 2
    [line] = answer.stderr.splitlines()
    assert line.startswith("KafkaSnowflake: error: the Python package 'confluent_kafka'")


@pytest.mark.parametrize(
    ("text", "value"), [("60", 60), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("1d", 86400)]
)
def test_a_span_is_a_number_with_a_unit(text: str, value: float) -> None:
    assert seconds("--until-idle", text) == value


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("18:30", "2026-03-01T18:30:00+01:00", id="today"),
        pytest.param("9:05", "2026-03-02T09:05:00+01:00", id="tomorrow"),
        pytest.param("2026-03-05T18:30:00Z", "2026-03-05T18:30:00+00:00", id="UTC"),
        pytest.param("2026-03-05T18:30", "2026-03-05T18:30:00+01:00", id="local"),
        pytest.param("2026-03-05", "2026-03-05T00:00:00+01:00", id="a day"),
    ],
)
def test_a_time_is_of_the_day_or_whole(text: str, time: str) -> None:
    assert moment("--until", text, NOW).isoformat() == time


@pytest.mark.parametrize(
    "line",
    [
        ["--until-idle", "soon"],
        ["--until-idle", "-5"],
        ["--max-messages", "0"],
        ["--max-messages", "1.5"],
        ["--until", "25:00"],
        ["--until", "tomorrow"],
        ["--batch", "x"],
        ["--batch", "1000001"],
        ["--refresh", ""],
        ["--unknown"],
        ["word"],
        ["--until"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_told_in_one_line(line: list[str]) -> None:
    with pytest.raises(BadInputError) as refusal:
        parse(line, NOW)
    assert "\n" not in str(refusal.value)
    assert line[0] in str(refusal.value)
