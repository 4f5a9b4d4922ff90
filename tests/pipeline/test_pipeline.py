"""From X to the lake, through the real programs: every post once, whatever broker is between."""

from __future__ import annotations

import re
from pathlib import Path

from misc.engines import sample, x
from tests.pipeline import lake, posts
from tests.pipeline.account import Books, faults
from tests.pipeline.programs import Program, consumer, producer, together
from tests.pipeline.topics import DEAD_LETTERS, TOPIC, Topics

STREAMED, REPLAYED, POISON = 200, 600, 20


def test_what_x_and_files_send_is_in_the_lake_once_and_what_is_none_is_kept_aside(
    broker: dict[str, str], warehouse: dict[str, str], tmp_path: Path
) -> None:
    environment = {**broker, **warehouse, "SECRETS": str(tmp_path)}
    topics = Topics(broker)

    def consume(name: str) -> str:
        return consumer(name, environment, tmp_path, "--until-idle", "1").run()

    # X's stream, by rules: what has a position in the state and is about money.
    streamed = list(sample.posts(STREAMED, seed=1))
    for post in streamed[::4]:
        post["data"]["text"] = "Nice weather, and nothing else"
    about_money = [each for number, each in enumerate(streamed) if number % 4]
    for post in about_money:
        post["data"]["text"] = "My broker and my mortgage"
    found = {each["data"]["id"] for each in about_money if "geo" in each["data"]}
    with x.embedded(streamed) as account:
        stream = ("--source", "stream", "--until-idle", "1")
        producer("stream", "ct", {**environment, **account}, tmp_path, *stream).run()
    assert f"{len(found)} read" in consume("first")

    # Files, some of whose lines are no posts, and poison that no producer would send.
    made = posts.write(tmp_path, REPLAYED, seed=2)
    together(
        [
            producer(quadrant, quadrant, environment, tmp_path, "--file", str(path))
            for quadrant, path in made.files.items()
        ]
    )
    poison = posts.poison(POISON, seed=3)
    topics.send(TOPIC, poison)
    topics.settle()
    sent = topics.read(TOPIC)
    assert f"{len(sent) - len(found)} read" in consume("second")
    assert topics.behind() == 0
    assert re.search(r"\b0 read", consume("third"))

    with lake.opened(warehouse) as client:
        rows, actions = lake.rows(client), lake.actions(client)
    accepted = made.accepted | found
    letters = topics.read(DEAD_LETTERS)
    assert faults(Books(accepted, made.malformed, poison, rows, letters, actions)) == []
    assert len(rows) == len(accepted)
    assert len(letters) == len(poison) + len(made.malformed)
    assert actions

    # The dead letters too, which nobody sees on Kafka once it is down.
    line = ("-m", "application.dead_letters")
    for number, brought in enumerate((len(letters), 0)):
        said = Program(f"letters-{number}", line, environment, tmp_path).run()
        assert f"{brought} dead letters of {DEAD_LETTERS} brought to DEAD_LETTERS" in said
    with lake.opened(warehouse) as client:
        kept = lake.dead_letters(client)
    assert kept == {(each.offset, each.headers["reason"].decode()) for each in letters}
