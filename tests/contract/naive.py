"""A launcher as one writes it first; habits.py has those that a lesson warns of."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.options import Options
from runjob.plan import plan
from runjob.request import JOB, POD, Body

T = TypeVar("T")


class Ended(Exception):  # noqa: N818  # no error: the launch is over
    """The launch ends with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Killed(Exception):  # noqa: N818
    """SIGTERM came."""


class Naive:
    """A launcher as one writes it first: create, wait for a pod, show its log, ask for the end."""

    tries = 1

    def __init__(self, options: Options) -> None:
        self.options = options
        request, _ = plan(options, lambda _: None, lambda _: "")
        self.body, self.name, self.namespace = request.job, request.name, request.namespace
        self.cluster = Cluster(login(options.connection), "naive/1")
        self.uid = ""
        self.words = "so it ended"

    # -- the story -------------------------------------------------------------------------------

    def main(self) -> int:
        """Run the Job, print the closing lines and return the exit code."""
        signal.signal(signal.SIGTERM, lambda *_: self.on_signal())
        try:
            code = self.run()
        except Killed:
            code = self.killed()
        except Ended as end:
            self.remove()
            code = end.code
        except ApiError as error:
            code = self.in_trouble(error)
        say("Pods Statuses: 0 Running / 0 Succeeded / 0 Failed")
        say(f"Job Completion status: {code}")
        say(f"Verdict: {self.words}")
        return code

    def run(self) -> int:
        self.create()
        say("Job created")
        code = self.follow()
        self.remove()
        return code

    def create(self) -> None:
        self.uid = self.ask(self.create_once)["metadata"]["uid"]

    def create_once(self) -> Body:
        return self.cluster.create(self.body, self.namespace)

    def follow(self) -> int:
        self.show(self.first_pod())
        return self.judge()

    def first_pod(self) -> Body:
        """Wait for as long as it takes until a pod has started."""
        while True:
            started = [pod for pod in self.pods() if pod["status"].get("phase") != "Pending"]
            if started:
                return started[0]
            self.look_at(self.pods())
            pause()

    def look_at(self, pods: list[Body]) -> None:
        """Think about pods of which none has started."""

    def show(self, pod: Body) -> None:
        for line in self.lines(pod):
            write(line)

    def judge(self) -> int:
        while (end := end_of(self.job())) is None:
            pause()
        return 0 if end == "Complete" else 1

    def remove(self) -> None:
        if self.uid:
            self.ask(lambda: self.cluster.delete(self.body, self.namespace, self.uid))

    def on_signal(self) -> None:
        raise Killed

    def killed(self) -> int:
        self.remove()
        return 8

    def in_trouble(self, error: ApiError) -> int:
        print(f"naive: {error}", file=sys.stderr)
        return 1

    # -- what it asks for ------------------------------------------------------------------------

    def ask(self, call: Callable[[], T]) -> T:
        """Make a request, as often as it tries."""
        for _ in range(self.tries - 1):
            try:
                return call()
            except ApiError:
                pause()
        return call()

    def job(self) -> Body:
        return self.ask(lambda: self.cluster.read(self.body, self.namespace))

    def pods(self, **more: str) -> list[Body]:
        query = {"labelSelector": f"job-name={self.name}", **more}
        return self.ask(lambda: self.cluster.list(POD, self.namespace, query))[0]

    def changes(self) -> Iterator[Body]:
        """Watch the Job."""
        query = {"fieldSelector": f"metadata.name={self.name}"}
        for change in self.cluster.watch(JOB, self.namespace, query, "0"):
            yield change.body

    def stamped(self, pod: Body, since: str | None = None) -> Iterator[bytes]:
        """Read a log to its end, line by line."""
        rest = b""
        for chunk in self.chunks(pod, since):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def chunks(self, pod: Body, since: str | None = None) -> Iterator[bytes]:
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
        yield from self.cluster.log(self.namespace, name, container, since=since, follow=True)

    def lines(self, pod: Body) -> Iterator[bytes]:
        return map(bare, self.stamped(pod))


def end_of(job: Body) -> str | None:
    conditions = (job.get("status") or {}).get("conditions") or ()
    ends = [each["type"] for each in conditions if each["status"] == "True"]
    return next((each for each in ends if each in ("Complete", "Failed")), None)


def bare(line: bytes) -> bytes:
    """Take the time stamp off a line."""
    return line.partition(b" ")[2]


def states(pods: list[Body]) -> list[Body]:
    """Return the states of the pods' containers."""
    return [
        each.get("state") or {}
        for pod in pods
        for each in pod["status"].get("containerStatuses") or ()
    ]


def write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    write(text.encode())


def pause(seconds: float = 0.05) -> None:
    time.sleep(seconds)
