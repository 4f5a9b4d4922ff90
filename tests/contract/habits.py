"""Naive launchers: each runs a plain Job well, and has one habit that a lesson warns of.

`python -m tests.contract.habits HABIT OPTIONS…` takes the options that runjob takes.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NoReturn

from runjob.errors import ApiError
from runjob.flags import parse
from runjob.options import Options
from runjob.request import EVENT, JOB, Body
from tests.contract.naive import Ended, Killed, Naive, bare, end_of, pause, say, states, write

# -- logs ------------------------------------------------------------------------------------------


class WaitsForTheLog(Naive):
    """Asks how the Job ended once its log has come to an end, whenever that is."""


class WholeSeconds(Naive):
    """After a break asks for the log from the last second on, and prints what comes."""

    def show(self, pod: Body) -> None:
        since = None
        while True:
            try:
                for line in self.stamped(pod, since):
                    write(bare(line))
                    since = f"{line[:19].decode()}Z"
                return
            except ApiError:
                pause()


class ThreeStreams(Naive):
    """Leaves out what it has printed, but opens a broken log three times and no more."""

    def show(self, pod: Body) -> None:
        seen = 0
        for _ in range(3):
            try:
                for number, line in enumerate(self.lines(pod)):
                    if number >= seen:
                        write(line)
                        seen += 1
                return
            except ApiError:
                pause()


class DecodesByChunk(Naive):
    """Makes text of each thousand bytes as they come."""

    def chunks(self, pod: Body, since: str | None = None) -> Iterator[bytes]:
        for chunk in super().chunks(pod, since):
            for at in range(0, len(chunk), 1000):
                yield chunk[at : at + 1000].decode().encode()


class LetsTheClientDecode(Naive):
    """Reads a log as the official client does, which makes an object of what is JSON."""

    def show(self, pod: Body) -> None:
        text = b"\n".join(self.lines(pod)).decode()
        try:
            say(str(json.loads(text)))
        except ValueError:
            say(text)


class DeletesFirst(Naive):
    """Deletes the Job when it has ended, however far its log has been read."""

    def follow(self) -> int:
        pod = self.first_pod()
        threading.Thread(target=self.show, args=(pod,), daemon=True).start()
        return self.judge()


class WholeLog(Naive):
    """Reads the log as one text."""

    def show(self, pod: Body) -> None:
        say(b"\n".join(self.lines(pod)).decode())


# -- the API ---------------------------------------------------------------------------------------


class OneWatch(Naive):
    """Opens one watch; its error is the launch's."""

    def judge(self) -> int:
        for job in self.changes():
            if (end := end_of(job)) is not None:
                return 0 if end == "Complete" else 1
        return self.judge()


class ThreeAttempts(Naive):
    """Tries each request three times."""

    tries = 3


class DeletesInTrouble(Naive):
    """Tidies up when the API fails, and calls it the Job's failure."""

    def in_trouble(self, error: ApiError) -> int:
        while True:
            try:
                self.remove()
                return super().in_trouble(error)
            except ApiError:
                pause()


class CreatesAgain(Naive):
    """Repeats a create that got no answer, and takes a 409 for a refusal."""

    def create_once(self) -> Body:
        while True:
            try:
                return super().create_once()
            except ApiError as error:
                if error.status != 0:
                    raise


# -- the Job's state -------------------------------------------------------------------------------


class BelievesTheWatch(Naive):
    """Takes the end of a watch for the end of the Job; it did not fail, as far as was seen."""

    def follow(self) -> int:
        end = None
        for job in self.changes():
            if (end := end_of(job)) is not None:
                break
        for pod in self.pods():
            self.show(pod)
        return 1 if end == "Failed" else 0


class WaitsForComplete(Naive):
    """Waits for the condition Complete, as `kubectl wait --for=condition=complete` does."""

    def judge(self) -> int:
        while True:
            try:
                if end_of(self.job()) == "Complete":
                    return 0
            except ApiError as error:
                if error.status != 404:
                    raise
            pause()


class LooksNowAndThen(Naive):
    """Asks how the Job ended some time after its log has ended."""

    def judge(self) -> int:
        pause(1.0)
        return super().judge()


class GivesUpWithoutPod(Naive):
    """Looks for a pod three times."""

    looks = 3

    def look_at(self, pods: list[Body]) -> None:
        if not pods:
            self.looks -= 1
        if not self.looks:
            raise Ended(1)


class WaitsForEachPod(Naive):
    """Waits until there are as many pods as may run at once."""

    def first_pod(self) -> Body:
        while len(self.pods()) < self.body["spec"].get("parallelism", 1):
            pause()
        return super().first_pod()


class FirstPodDecides(Naive):
    """Takes the end of the first pod for the end of the Job."""

    def follow(self) -> int:
        pod = self.first_pod()
        self.show(pod)
        while True:
            phase = self.known(pod)["status"].get("phase")
            if phase in ("Succeeded", "Failed"):
                return 0 if phase == "Succeeded" else 1
            pause()

    def known(self, pod: Body) -> Body:
        """Return the pod of that name as it is now; one that is gone has failed."""
        found = self.pods(fieldSelector=f"metadata.name={pod['metadata']['name']}")
        return found[0] if found else {"status": {"phase": "Failed"}}


class KnowsPodByName(FirstPodDecides):
    """Waits for the pod that it saw first, by its name."""

    def first_pod(self) -> Body:
        while not (pods := self.pods()):
            pause()
        pod = pods[0]
        while (pod := self.known(pod))["status"].get("phase") == "Pending":
            pause()
        if "metadata" not in pod:
            raise Ended(1)
        return pod


# -- the start -------------------------------------------------------------------------------------


class GivesUpOnAnImage(Naive):
    """Takes each image that cannot be pulled for one that never can."""

    def look_at(self, pods: list[Body]) -> None:
        if any("Pull" in state.get("waiting", {}).get("reason", "") for state in states(pods)):
            raise Ended(10)


class OneBudget(Naive):
    """Gives a pod the start time-out and no more, whatever it waits for."""

    def first_pod(self) -> Body:
        self.until = time.monotonic() + self.options.run.start_timeout
        return super().first_pod()

    def look_at(self, _: list[Body]) -> None:
        if time.monotonic() > self.until:
            raise Ended(11)


class WaitsForEver(Naive):
    """Waits for a pod's start without an end."""


# -- diagnosis, cancel, rerun ----------------------------------------------------------------------


class ReadsEvents(Naive):
    """Explains a failure by the events."""

    def show(self, pod: Body) -> None:
        with contextlib.suppress(ApiError):  # its container may never have run
            super().show(pod)

    def judge(self) -> int:
        code = super().judge()
        events, _ = self.cluster.list(EVENT, self.namespace, {})
        texts = [each.get("message", "") for each in events]
        self.words = "; ".join(" ".join(text.split()) for text in texts) or "no event tells"
        return code


class EndsWell(Naive):
    """Tidies up after SIGTERM, and ends as whoever has done all that it had to do."""

    def killed(self) -> int:
        super().killed()
        return 0


class DeletesTheJobAlone(Naive):
    """Deletes the Job and does not say what shall become of its pods."""

    def remove(self) -> None:
        path = JOB.path(self.namespace, self.name)
        self.cluster._json("DELETE", path, None, {"kind": "DeleteOptions", "apiVersion": "v1"})


class ForgetsTheCreate(Naive):
    """Removes after SIGTERM what it knows of: a create that is under way is not that."""


class HeedsOnceItRuns(Naive):
    """Looks whether SIGTERM came once the pod runs."""

    came = False

    def on_signal(self) -> None:
        self.came = True

    def show(self, pod: Body) -> None:
        for line in self.lines(pod):
            if self.came:
                raise Killed
            write(line)


class WaitsForTheJob(Naive):
    """Knows of no container that decides: the Job ends when all of them have ended."""


class StartsAnother(Naive):
    """Runs the Job under another name, where there is one of that name."""

    def create_once(self) -> Body:
        try:
            return super().create_once()
        except ApiError as error:
            if error.status != 409:
                raise
        self.name = f"{self.name}-2"
        self.body = {**self.body, "metadata": {**self.body["metadata"], "name": self.name}}
        return super().create_once()


class TakesWhatIsThere(Naive):
    """Takes a 409 for the answer to its own create."""

    def create_once(self) -> Body:
        try:
            return super().create_once()
        except ApiError as error:
            if error.status != 409:
                raise
        return self.job()


class CodeOfTheJob(Naive):
    """Ends with 1 when the Job failed, whatever its container said."""


class OneLookForTheCode(Naive):
    """Reads the container's exit code once, when the Job has ended."""

    def follow(self) -> int:
        code = self.judge()
        try:
            pods = self.pods()
        except ApiError:
            return code
        for pod in pods:
            self.show(pod)
        return max(int(state["terminated"]["exitCode"]) for state in states(pods))


class OnlyAfterSuccess(Naive):
    """Shows the log and deletes the Job after it has succeeded."""

    def run(self) -> int:
        self.create()
        say("Job created")
        if self.judge():
            return 1
        for pod in self.pods():
            self.show(pod)
        self.remove()
        return 0


def habits() -> dict[str, type[Naive]]:
    """Return every habit by its name."""
    found: dict[str, type[Naive]] = {}
    known = [Naive]
    while known:
        each = known.pop()
        found[each.__name__] = each
        known.extend(each.__subclasses__())
    return found


def run(words: Sequence[str]) -> NoReturn:
    """Run one launch."""
    habit, *line = words
    options = parse(line)
    assert isinstance(options, Options), options
    sys.exit(habits()[habit](options).main())


if __name__ == "__main__":
    run(sys.argv[1:])
