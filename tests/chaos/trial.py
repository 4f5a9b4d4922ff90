"""The trial: producers, broker, consumers and warehouse run, are broken, and must add up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException

from misc.engines import apache, snowflake
from tests.chaos.crew import Hand, crew
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.schedule import Event, schedule
from tests.pipeline import lake, posts
from tests.pipeline.account import Books, faults
from tests.pipeline.programs import consumer, producer
from tests.pipeline.topics import DEAD_LETTERS, TOPIC, Topics

POISON_SHARE = 0.005
CONSUMERS = 2
# Shares of the time: until all is produced, until nothing more is broken; the rest is for draining.
PRODUCED, BROKEN = 0.40, 0.55
_TICK = 0.05
_READING = "; reading "  # what a consumer says when it joins
_TELL_SECONDS = 10.0
_END_SECONDS = 40.0
_JOB_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How large a trial is, and how long it may take."""

    posts: int
    seconds: float
    seed: int
    properties: str = apache.PROPERTIES


@dataclass
class Outcome:
    """What was counted, by its label, and what is wrong, in words."""

    counted: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run a whole trial in an empty folder; its logs stay there."""
    began = time.monotonic()
    made = posts.write(folder, plan.posts, plan.seed)
    say(f"{len(made.accepted):,} posts are written")
    with (
        apache.broker(folder / "kafka") as broker,
        snowflake.embedded(folder / "lake") as warehouse,
        proxy((warehouse["SNOWFLAKE_HOST"], int(warehouse["SNOWFLAKE_PORT"]))) as way,
        ThreadPoolExecutor(1) as operator,
    ):
        with lake.opened(warehouse) as client:
            lake.fill(client)
            lake.unlock(client)
        say("broker and warehouse are up")
        trial = _Trial(plan, folder, began, say, broker, warehouse, way, operator, made)
        with crew(trial.hands):
            return trial.run()


class _Trial:
    """One run over engines that are up."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        began: float,
        say: Callable[[str], None],
        broker: apache.Broker,
        warehouse: dict[str, str],
        way: Proxy,
        operator: ThreadPoolExecutor,
        made: posts.Input,
    ) -> None:
        self._plan = plan
        self._began = began
        self._say = say
        self._broker = broker
        self._warehouse = warehouse
        self._way = way
        self._operator = operator
        self._made = made
        self._restarts: list[Future[None]] = []
        self._happened: Counter[str] = Counter()
        self._topics = Topics(broker.settings)
        self._outcome = Outcome()
        self._next_word = time.monotonic() + _TELL_SECONDS
        environment = {
            **broker.settings,
            **warehouse,
            "KAFKA_PROPERTIES": plan.properties,
            "SNOWFLAKE_PORT": str(way.port),
            "SECRETS": str(folder),
        }
        rate = plan.posts * (1 + posts.TWICE) / (PRODUCED * plan.seconds) / len(made.files)
        self._producers = [
            Hand(
                producer(
                    f"producer-{name}", name, environment, folder,
                    "--file", str(path), "--rate", f"{rate:.1f}",
                ),
                lasting=False,
            )
            for name, path in made.files.items()
        ]  # fmt: skip
        self._consumers = [
            Hand(consumer(f"consumer-{number}", environment, folder), lasting=True)
            for number in range(1, CONSUMERS + 1)
        ]
        self._environment = environment
        self._folder = folder
        self._guests: list[Hand] = []
        self.hands = [*self._producers, *self._consumers]
        self._late: list[dict[bytes, bytes]] = []  # the poison that a job is to read
        self._poison = posts.poison(max(10, int(plan.posts * POISON_SHARE)), plan.seed)

    def run(self) -> Outcome:
        for each in self.hands:
            each.start()
        self._flow()
        self._break()
        drained = self._drain()
        self._say("all is read" if drained else "time is over")
        if drained:
            self._leave()
            self._retry()
            self._read_again()
        self._close_books(drained)
        return self._outcome

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def _flow(self) -> None:
        """Wait until the first posts are in the lake: before that there is nothing to break."""
        with lake.opened(self._warehouse) as client:
            while not lake.count(client) and self._passed() < BROKEN * self._plan.seconds:
                self._watch(until=self._passed() + 0.5)
        self._say("the first posts are in the lake")

    def _break(self) -> None:
        """Let the schedule happen, and poison be sent meanwhile."""
        start = self._passed()
        events = schedule(self._plan.seed, max(5.0, BROKEN * self._plan.seconds - start))
        poison = _shares(self._poison, sum(each.kind == "poison" for each in events) + 2)
        self._late = [next(poison), next(poison)]
        ends: list[tuple[float, Callable[[], None]]] = []
        for event in events:
            self._watch(until=start + event.at, ends=ends)
            self._happened[event.kind] += 1
            if event.kind == "poison":
                self._topics.send(TOPIC, next(poison))
            elif (undo := self._do(event)) is not None:
                ends.append((start + event.at + event.lasts, undo))
        for _, undo in ends:
            undo()
        self._say("nothing more is broken")

    def _do(self, event: Event) -> Callable[[], None] | None:
        """Do what an event says; return what ends it."""
        if event.kind == "kill producer":
            _pick(self._producers, event.which).kill()
        elif event.kind == "kill consumer":
            _pick(self._consumers, event.which).kill()
        elif event.kind == "kill broker":
            self._restarts.append(self._operator.submit(self._restart, event.lasts))
        elif event.kind == "rebalance":
            name = f"consumer-guest-{len(self._guests) + 1}"
            guest = Hand(consumer(name, self._environment, self._folder), lasting=True)
            self._guests.append(guest)
            self.hands.append(guest)
            guest.start()
            return guest.tell
        elif event.kind == "lose":
            self._way.lose("body" if event.which % 2 else "answer")
        elif event.kind == "refuse":
            return self._way.refuse()
        elif event.kind == "slow":
            return self._way.slow()
        return None

    def _restart(self, seconds: float) -> None:
        self._broker.kill()
        time.sleep(seconds)  # a machine that is away; nobody waits here
        self._broker.start()

    def _watch(
        self, *, until: float, ends: list[tuple[float, Callable[[], None]]] | None = None
    ) -> None:
        """Keep everything running until a time, and end what is to end by then."""
        while (now := self._passed()) < until:
            for each in [each for each in ends or () if each[0] <= now]:
                each[1]()
                (ends or []).remove(each)
            self._tick()

    def _tick(self) -> None:
        for each in self.hands:
            each.look()
        if time.monotonic() >= self._next_word:
            self._next_word = time.monotonic() + _TELL_SECONDS
            kills = sum(each.kills for each in self.hands)
            going = sum(not each.done for each in self._producers)
            behind = self._behind()
            left = "the broker is away" if behind is None else f"{behind:,} messages wait"
            self._say(f"{going} producers go on, {left}, {kills} kills")
        time.sleep(_TICK)

    def _behind(self) -> int | None:
        try:
            return self._topics.behind(timeout=1)
        except KafkaException:
            return None

    def _drain(self) -> bool:
        """Wait until all is produced and read; tell whether it came to that in time."""
        for each in self._restarts:
            each.result()
        limit = self._plan.seconds - min(15.0, 0.1 * self._plan.seconds)
        while self._passed() < limit:
            self._tick()
            if not all(each.done for each in self._producers):
                continue
            self._topics.settle()
            if self._behind() == 0:
                return True
        return False

    def _leave(self) -> None:
        lasting = [*self._consumers, *self._guests]
        for each in lasting:
            each.tell()
        limit = time.monotonic() + _END_SECONDS
        while any(each.running for each in lasting) and time.monotonic() < limit:
            self._tick()
        self._outcome.wrong += [
            f"{each.program.name} did not end within {_END_SECONDS:.0f} s of SIGTERM"
            for each in lasting
            if each.running
        ]

    def _retry(self) -> None:
        """Kill a job that has the partitions; started again, it is to read what came since."""
        program = consumer("consumer-job", self._environment, self._folder, "--until-idle", "5")
        job = Hand(program, lasting=False)
        self.hands.append(job)
        before, after = self._late
        self._topics.send(TOPIC, before)
        self._topics.settle()
        job.start()
        self._until(lambda: self._behind() == 0)
        job.kill()
        self._topics.send(TOPIC, after)
        self._topics.settle()
        self._until(lambda: job.done)
        if not job.done or self._behind():
            self._outcome.wrong.append(f"a retried job leaves messages: {program.last_words()}")

    def _until(self, happened: Callable[[], bool]) -> None:
        limit = time.monotonic() + _JOB_SECONDS
        while not happened() and time.monotonic() < limit:
            self._tick()

    def _read_again(self) -> None:
        """Let one more consumer look, which must find nothing to do."""
        last = consumer("consumer-last", self._environment, self._folder, "--until-idle", "1")
        try:
            said = last.run(60)
        except AssertionError as error:
            self._outcome.wrong.append(str(error))
            return
        if "0 read" not in said.split(": ")[-1]:
            self._outcome.wrong.append(f"a consumer started anew reads again: {last.last_words()}")

    def _close_books(self, drained: bool) -> None:
        sent = self._topics.read(TOPIC)
        letters = self._topics.read(DEAD_LETTERS)
        with lake.opened(self._warehouse) as client:
            rows, actions = lake.rows(client), lake.actions(client)
        books = Books(
            self._made.accepted, self._made.malformed, self._poison, rows, letters, actions
        )
        wrong = self._outcome.wrong
        if not drained:
            wrong.append(
                f"after {self._plan.seconds:.0f} s {self._behind()} messages are not read, "
                f"{sum(not each.done for each in self._producers)} producers are not done"
            )
        wrong += faults(books)
        wrong += [f"the trial proves too little: {each}" for each in self._not_broken()]
        wrong += [trouble for each in self.hands for trouble in each.troubles]
        once = len({each.headers.get("id", each.key) for each in sent})
        self._outcome.counted.update(
            {
                "posts accepted": f"{len(books.accepted):,}",
                "rows in TWEETS": f"{len(rows):,} of {len(set(rows)):,} posts",
                "messages on the topic": f"{len(sent):,}, {len(sent) - once:,} of them again",
                "poison messages": f"{len(books.poison):,}",
                "malformed posts": f"{len(books.malformed):,}",
                "dead letters": f"{len(letters):,}",
                "actions shown": f"{len(actions):,}",
                "producers killed": str(sum(each.kills for each in self._producers)),
                "consumers killed": str(sum(each.kills for each in self._consumers)),
                "broker killed": str(self._happened["kill broker"]),
                "consumers that joined and left": str(self._joined()),
                "warehouse refused": f"{self._way.refused} requests",
                "warehouse slow": f"{self._way.slowed} answers",
                "warehouse's answer lost": f"{self._way.lost} times",
                "seconds": f"{self._passed():.0f}",
            }
        )

    def _joined(self) -> int:
        """Count the guests that came so far as to read; each forced two rebalances."""
        return sum(_READING in each.program.log.read_text("utf-8") for each in self._guests)

    def _not_broken(self) -> list[str]:
        """Say what was to be broken, but never was."""
        times = {
            "no producer was killed": sum(each.kills for each in self._producers),
            "no consumer was killed": sum(each.kills for each in self._consumers),
            "no consumer joined and left": self._joined(),
            "the warehouse refused nothing": self._way.refused,
            "the warehouse was never slow": self._way.slowed,
            "no answer of the warehouse was lost": self._way.lost,
        }
        return [what for what, happened in times.items() if not happened]


def _pick(hands: list[Hand], which: int) -> Hand:
    """Return one that runs where one does: killing what is done proves nothing."""
    going = [each for each in hands if each.running] or hands
    return going[which % len(going)]


def _shares(whole: dict[bytes, bytes], count: int) -> Iterator[dict[bytes, bytes]]:
    keys = list(whole)
    for number in range(count):
        yield {key: whole[key] for key in keys[number::count]}
