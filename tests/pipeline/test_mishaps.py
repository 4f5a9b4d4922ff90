"""What happens in a minute of a broker's or a warehouse's life ends no program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from misc.engines import kafka
from tests.chaos.proxy import Loss, proxy
from tests.pipeline import lake, posts
from tests.pipeline.conftest import TOPICS
from tests.pipeline.programs import consumer, producer
from tests.pipeline.topics import TOPIC, Topics

OFFSET_FETCH = 9


@pytest.fixture
def embedded() -> Iterator[kafka.Broker]:
    with kafka.broker(TOPICS) as running:
        yield running


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(KafkaError.NOT_COORDINATOR, id="it moved"),
        pytest.param(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, id="it is loading"),
        pytest.param(KafkaError.COORDINATOR_NOT_AVAILABLE, id="there is none yet"),
    ],
)
def test_a_producer_waits_for_the_coordinator_of_its_bookmark(
    embedded: kafka.Broker, tmp_path: Path, error: int
) -> None:
    made = posts.write(tmp_path, 40, seed=1)
    embedded.refuse(OFFSET_FETCH, [error])
    line = ("--file", str(made.files["ctne"]))
    producer("ctne", "ctne", embedded.settings, tmp_path, *line).run()
    sent = {each.headers["id"].decode() for each in Topics(embedded.settings).read(TOPIC)}
    assert sent
    assert sent <= made.accepted


@pytest.mark.parametrize("loss", ["answer", "body"])
@pytest.mark.parametrize("passing", [pytest.param(0, id="login"), pytest.param(4, id="later")])
def test_a_consumer_asks_again_when_an_answer_of_the_warehouse_is_lost(
    embedded: kafka.Broker, warehouse: dict[str, str], tmp_path: Path, loss: Loss, passing: int
) -> None:
    topics = Topics(embedded.settings)
    made = posts.write(tmp_path, 40, seed=1)
    line = ("--file", str(made.files["ctne"]))
    producer("ctne", "ctne", embedded.settings, tmp_path, *line).run()
    target = warehouse["SNOWFLAKE_HOST"], int(warehouse["SNOWFLAKE_PORT"])
    with proxy(target) as way:
        way.lose(loss, after=passing)
        environment = {**embedded.settings, **warehouse, "SNOWFLAKE_PORT": str(way.port)}
        consumer("consumer", environment, tmp_path, "--until-idle", "1").run()
        assert way.lost == 1
    with lake.opened(warehouse) as client:
        rows = lake.rows(client)
    assert sorted(rows) == sorted({each.headers["id"].decode() for each in topics.read(TOPIC)})
    assert topics.behind() == 0
