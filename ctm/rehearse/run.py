"""The rehearsal itself: what the schedule decides is done, and what happens is told to it."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from ctm.rehearse import schedule
from ctm.rehearse.engines import Stage
from ctm.rehearse.plan import Plan
from ctm.rehearse.record import Attempt, Rehearsed, Remark, rehearsed
from ctm.rehearse.runners import Runner
from ctm.rehearse.state import (
    BROKEN_OFF,
    Ask,
    Confirmed,
    Decision,
    Ended,
    Happening,
    Passed,
    Say,
    Start,
    State,
)
from ctm.rehearse.task import Result, Task
from ctm.rehearse.variables import expanded, given
from ctm.rehearse.words import last_words

# Who is asked to end may take as long as the launcher for its Job: 30 s of logs, 30 s for the pods
# to end, 15 s until they are gone. A second SIGTERM hurries it, and then it is killed.
FAREWELL_SECONDS, TERM_SECONDS = 80.0, 20.0
# Within it, a run whose processes are gone tells its end.
SETTLE_SECONDS = 1.0
LOOK_SECONDS = 0.5


class Audience(Protocol):
    """Who is shown the rehearsal; seconds count from its start."""

    def show(self, state: State, attempts: tuple[Attempt, ...], seconds: float) -> None:
        """Look at how far it is: often, and when something has changed."""

    def tell(self, seconds: float, job: str, text: str) -> None:
        """Hear a line."""

    def ask(self, job: str, answer: Callable[[bool], None]) -> bool:
        """Let a person decide whether a job may start; False where nobody can be asked.

        The answer may come later, and from any thread.
        """


class Interrupt:
    """How signals end the rehearsal: once kindly, twice at once."""

    def __init__(self) -> None:
        self.count = 0
        self.wake: Callable[[], None] = lambda: None

    def __call__(self, *_: object) -> None:
        self.count += 1
        self.wake()


class Rehearsal:
    """Runs a plan on a stage, each job in a thread of its own."""

    def __init__(
        self,
        plan: Plan,
        stage: Stage,
        runners: Mapping[str, Runner],
        audience: Audience,
        interrupt: Interrupt,
    ) -> None:
        self._plan = plan
        self._stage = stage
        self._runners = runners
        self._audience = audience
        self._interrupt = interrupt
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._tasks: dict[str, Task] = {}
        self._over: list[Task] = []
        self._attempts: list[Attempt] = []
        self._remarks: list[Remark] = []
        self._asked: set[str] = set()
        self._order = datetime.now().strftime("%H%M%S")
        self._began = time.monotonic()

    def run(self) -> Rehearsed:
        """Run it to its end, or to what a signal makes of it; then nothing that it started runs."""
        began = datetime.now().astimezone().isoformat(timespec="seconds")
        # A SimpleQueue may be put to within a signal's handler.
        self._interrupt.wake = lambda: self._happenings.put(Passed())
        state, decisions = schedule.begin(self._plan, self._now())
        try:
            self._follow(decisions)
            while self._interrupt.count == 0 and self._goes_on(state):
                self._audience.show(state, tuple(self._attempts), self._now())
                happening = self._next(state)
                for task in (*self._over, *self._tasks.values()):
                    task.forget_ended()
                self._note(happening)
                state, decisions = schedule.after(self._plan, state, happening, self._now())
                self._follow(decisions)
        finally:
            interrupted = self._interrupt.count > 0
            self._end_all(state)
        self._audience.show(state, tuple(self._attempts), self._now())
        return rehearsed(
            self._plan,
            state,
            began=began,
            seconds=self._now(),
            interrupted=interrupted,
            attempts=tuple(self._attempts),
            remarks=tuple(self._remarks),
        )

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _goes_on(self, state: State) -> bool:
        answered = not self._happenings.empty()
        return answered or bool(self._asked) or schedule.is_live(self._plan, state)

    def _next(self, state: State) -> Happening:
        due = schedule.next_due(self._plan, state)
        wait = LOOK_SECONDS if due is None else min(LOOK_SECONDS, max(0.0, due - self._now()))
        try:
            return self._happenings.get(timeout=wait)
        except queue.Empty:
            return Passed()

    def _follow(self, decisions: tuple[Decision, ...]) -> None:
        for each in decisions:
            if isinstance(each, Start):
                self._start(each)
            elif isinstance(each, Ask):
                self._ask(each.job)
            else:
                self._remark(each)

    def _ask(self, job: str) -> None:
        def answer(yes: bool) -> None:
            self._asked.discard(job)
            self._happenings.put(Confirmed(job) if yes else Passed())

        self._asked.add(job)
        if not self._audience.ask(job, answer):
            self._asked.discard(job)

    def _remark(self, said: Say) -> None:
        self._remarks.append(Remark(self._now(), said.job, said.kind, said.text))
        self._audience.tell(self._now(), said.job, f"{said.kind}: {said.text}")

    def _start(self, start: Start) -> None:
        node = self._plan.nodes[start.job]
        index = list(self._plan.nodes).index(start.job)
        variables = {
            **given(start.job, start.number, datetime.now()),
            "ORDERID": f"{self._order}{index:02}",
            **start.variables,
        }
        log = self._stage.work / "logs" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', start.job)}.log"
        task = Task(
            start.job,
            node.kind,
            expanded(node.properties, variables),
            self._stage,
            log,
            self._plan.profiles,
            variables,
        )
        if before := self._tasks.get(start.job):
            self._over.append(before)
        self._tasks[start.job] = task
        self._attempts.append(Attempt(start.job, start.number, self._now()))
        again = "" if start.number == 1 else f", run {start.number}"
        self._audience.tell(self._now(), start.job, f"starts{again}")
        runner = self._runners[node.kind]
        thread = threading.Thread(target=self._perform, args=(task, runner), daemon=True)
        thread.start()

    def _perform(self, task: Task, runner: Runner) -> None:
        try:
            result = runner(task)
        except Exception as error:  # noqa: BLE001  # whatever a job's own data makes a runner raise
            task.say(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
            result = Result(1, ok=False, submitted=False)
        end = Ended(
            task.name, result.ok, result.code, task.output(), result.submitted, result.values
        )
        self._happenings.put(end)

    def _note(self, happening: Happening, *, broken: bool = False) -> None:
        """Keep what the record tells of a happening, and say it; a signal has ended the broken."""
        if not isinstance(happening, Ended):
            return
        number = max(i for i, each in enumerate(self._attempts) if each.job == happening.job)
        said = "" if happening.ok else happening.output
        words = last_words(said, self._stage.environment)
        attempt = replace(
            self._attempts[number],
            ended=self._now(),
            ok=happening.ok,
            code=happening.code,
            last_words=words,
        )
        self._attempts[number] = attempt
        took = self._now() - attempt.began
        how = "ended OK" if happening.ok else f"ended not OK with {happening.code}"
        if broken:
            # To its launcher a kill command is somebody else; what that says would mislead.
            self._audience.tell(self._now(), happening.job, f"{BROKEN_OFF} after {took:.1f} s")
            return
        self._audience.tell(self._now(), happening.job, f"{how} after {took:.1f} s")
        for line in words:
            self._audience.tell(self._now(), happening.job, f"    {line}")

    def _end_all(self, state: State) -> None:
        """End what still runs, and what ended jobs have left running."""
        running = [self._tasks[each.job] for each in self._attempts if each.ended is None]
        left = [*self._over, *self._tasks.values()]
        if self._interrupt.count and running:
            names = ", ".join(task.name for task in running)
            text = f"what runs has {FAREWELL_SECONDS:.0f} s to end; once more kills it"
            for each in (f"interrupted: {text}", f"ends {names}"):
                self._audience.tell(self._now(), "", each)
        # What ended jobs have left may be the Kafka that those who run need in order to end.
        for task in running:
            task.stop()
        self._wait_while(
            lambda: any(each.forget_ended() for each in running), FAREWELL_SECONDS, state
        )
        for task in left:
            task.terminate()
        names = ", ".join(task.name for task in left if task.forget_ended())
        if self._interrupt.count and names:
            self._audience.tell(self._now(), "", f"ends what {names} left running")
        self._wait_while(lambda: any(each.forget_ended() for each in left), TERM_SECONDS, state)
        for task in left:
            task.kill()
        self._wait_while(
            lambda: any(each.ended is None for each in self._attempts), SETTLE_SECONDS, state
        )

    def _wait_while(self, true: Callable[[], bool], seconds: float, state: State) -> None:
        """Tell who ends meanwhile; a second signal ends the waiting."""
        deadline = time.monotonic() + seconds
        while True:
            while not self._happenings.empty():
                self._note(self._happenings.get(), broken=self._interrupt.count > 0)
            if not true() or time.monotonic() > deadline or self._interrupt.count > 1:
                return
            self._audience.show(state, tuple(self._attempts), self._now())
            threading.Event().wait(0.05)
