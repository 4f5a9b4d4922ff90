"""The telling failures of other launchers: a scenario each, played by ours and by a naive one."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Effect, Injection
from tests.cluster import controls
from tests.contract.fronts import Front
from tests.contract.launches import RUNJOB, Run, Started, wait_until
from tests.contract.naive import Naive
from tests.contract.targets import EmbeddedTarget, Target

ROOT = Path(__file__).parents[2]
# How long a naive launcher may take, in seconds; some of them never end.
SHORT = 4.0


def naive_program(habit: type[Naive]) -> tuple[str, ...]:
    """Return the command that starts a launcher of that habit."""
    return (sys.executable, "-m", habit.__module__, habit.__name__)


class Stage:
    """Where a scenario is played: a cluster, a name for the Job, and a launcher as a command."""

    def __init__(
        self,
        target: Target,
        name: str,
        program: Sequence[str] = RUNJOB,
        patience: float | None = None,
    ) -> None:
        self.target = target
        self.name = name
        self.kubeconfig = target.kubeconfig
        self._program = program
        self._patience = patience or 60.0
        self._started: list[Started] = []
        self._faults: list[Injection] = []
        self._labelled = False
        self._front: Front | None = None

    @property
    def gate(self) -> Sandbox:
        """What breaks on demand: the embedded cluster, or the gate before a real one.

        A launcher that is started after this was asked for goes through it.
        """
        if isinstance(self.target, EmbeddedTarget):
            return self.target.sandbox
        if self._front is None:
            assert not self._started, "a launcher has passed by the gate already"
            self._front = Front(self.target.kubeconfig)
            self._front.start()
            self.kubeconfig = self._front.kubeconfig
        return self._front

    def start(self, *options: str, name: str = "", program: Sequence[str] | None = None) -> Started:
        """Start the launcher, or another one."""
        common = ("-n", self.target.namespace, "--kubeconfig", str(self.kubeconfig))
        line = (*common, "--api-timeout", "90", "-j", name or self.name, *options)
        started = Started(line, self._patience, program=program or self._program, cwd=ROOT)
        self._started.append(started)
        return started

    def run(self, *options: str) -> Run:
        """Run the launcher to its end."""
        return self.start(*options).end()

    def fault(
        self,
        effect: Effect,
        verb: str | None = None,
        resource: str | None = None,
        times: int | None = 1,
    ) -> Injection:
        """Put a fault in force, which must hit something for the scenario to be one."""
        injection = self.gate.inject(Fault(effect, verb=verb, resource=resource, times=times))
        self._faults.append(injection)
        return injection

    def wait(self, started: Started, happened: Callable[[], object], what: str) -> None:
        """Wait until something has happened, or the launcher has ended, which ends the wait."""
        wait_until(lambda: happened() or started.process.poll() is not None, what, self._patience)

    @property
    def too_much(self) -> tuple[str, ...]:
        """Options of a pod that no node takes, until there is room for it."""
        if self.target.real:
            return ("--node-selector", f"{self.name}=room")
        return ("--requests", "cpu=40")

    def make_room(self) -> None:
        """Give the node what such a pod asks for."""
        if self.target.real:
            self._labelled = True
            controls.add_node_label(self.name, "room")
        else:
            self.gate.resize_node(cpu="64")

    def resume(self) -> None:
        """Let a Job run that was created with spec.suspend."""
        api = self.target.api
        assert api.job(self.name) is not None, "the Job is gone"
        change = {"spec": {"suspend": False}}
        api.call("PATCH", api.path("jobs", self.name), change, "application/merge-patch+json")

    def asked(self, method: str, end: str = "", status: int = 0) -> int:
        """Count the requests to paths that end so (with that answer) that a launcher made."""
        return sum(
            each.method == method
            and each.path.endswith(end)
            and status in (0, each.status)
            and not each.user_agent.startswith("contract")
            for each in self.gate.requests
        )

    @property
    def hits(self) -> list[int]:
        """How often each fault has hit something."""
        return [each.hits for each in self._faults]

    def close(self) -> None:
        for each in self._started:
            each.process.kill()  # some would not hear a SIGTERM
            each.close()
        if self._labelled:
            controls.add_node_label(self.name, None)
        if self._front is not None:
            self._front.close()


Scenario = Callable[[Stage], None]


@dataclass(frozen=True)
class Lesson:
    """A failure of others: its number in the list, and who fails in its scenario."""

    number: int
    scenario: Scenario
    naive: type[Naive]

    @property
    def name(self) -> str:
        return self.scenario.__name__.removeprefix("test_")


LESSONS: list[Lesson] = []


def lesson(naive: type[Naive]) -> Callable[[Scenario], Scenario]:
    """Make a test of a scenario whose name begins with `test_lesson_NN_`.

    naive fails in it, which a test of its own proves.
    """

    def made(scenario: Scenario) -> Scenario:
        LESSONS.append(Lesson(int(scenario.__name__.split("_")[2]), scenario, naive))

        @functools.wraps(scenario)
        def test(stage: Stage) -> None:
            scenario(stage)
            assert all(stage.hits), "a fault that hit nothing taught nothing"

        return test

    return made
