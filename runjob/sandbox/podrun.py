"""The life of one pod on the node, from its arrival to its last status."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .containers import Container, StartError
from .environment import ConfigError, environment_of, expanded
from .events import Recorder
from .images import Images, resolved, why_invalid
from .memory import MemoryGuard
from .moments import stamp
from .node import Timings
from .podlogs import PodLogs
from .podrecord import PodRecord
from .podstatus import should_restart
from .quantity import quantity
from .resources import PODS, SECRETS, Json, Resource, key_of, uid_of
from .store import Store
from .volumes import why_not_mounted

EPOCH = "1970-01-01T00:00:00Z"
MESSAGE_BYTES, MESSAGE_LINES = 2048, 80
DEADLINE = "Pod was active on the node longer than the specified deadline"


@dataclass(frozen=True)
class Workshop:
    """What pods are run with: the parts of the node that they share."""

    store: Store
    images: Images
    logs: PodLogs
    recorder: Recorder
    guard: MemoryGuard
    timings: Timings
    folder: Path


class PodRun:
    """Runs the containers of one pod and keeps its status."""

    def __init__(self, pod: Json, shop: Workshop) -> None:
        self._pod = pod
        self._shop = shop
        self._key = key_of(pod)
        self._uid = uid_of(pod)
        spec = pod["spec"]
        self._policy: str = spec["restartPolicy"]
        self._initial: list[Json] = spec.get("initContainers") or []
        self._main: list[Json] = spec["containers"]
        self._sidecars = frozenset(
            each["name"] for each in self._initial if each.get("restartPolicy") == "Always"
        )
        self._record = PodRecord(pod, self._sidecars, shop.store, shop.recorder)
        self._running: dict[str, Container] = {}
        self._oom: set[int] = set()
        self._halt = asyncio.Event()
        self._wind_down = asyncio.Event()
        self._folder = shop.folder / self._uid
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> None:
        """Bring the pod up, wait for its end, and let its object go if it is being deleted."""
        seconds = self._pod["spec"].get("activeDeadlineSeconds")
        if seconds is not None:
            self._later(seconds, self._exceed_deadline)
        sidecars: list[asyncio.Task[None]] = []
        try:
            self._record.publish()
            if await self._mount():
                self._record.sandboxed = True
                if await self._initialize(sidecars):
                    self._record.initialized = True
                    await asyncio.gather(
                        *(self._keep(each, self._policy, self._halt) for each in self._main)
                    )
            await self._stop_sidecars(sidecars)
            self._record.publish(last=True, halted=self._halt.is_set())
        finally:
            for timer in self._timers:
                timer.cancel()
            for container in self._running.values():
                container.signal(signal.SIGKILL)
            for sidecar in sidecars:
                sidecar.cancel()
            shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self, grace: float) -> None:
        """End the containers: SIGTERM now, SIGKILL after ``grace`` seconds."""
        if not self._halt.is_set():
            self._halt.set()
            for name, container in self._running.items():
                text = f"Stopping container {name}"
                self._record.say("Killing", text, container=self._record.field(name))
                container.signal(signal.SIGTERM if grace else signal.SIGKILL)
        self._later(grace, self.kill)

    def vanish(self) -> None:
        """End the containers as a node does that loses its power: nobody is told."""
        self._record.silent = True
        self.kill()

    def kill(self) -> None:
        self._halt.set()
        for container in self._running.values():
            container.signal(signal.SIGKILL)

    def _exceed_deadline(self) -> None:
        self._record.failure = {"reason": "DeadlineExceeded", "message": DEADLINE}
        self._record.say("DeadlineExceeded", DEADLINE)
        self.stop(self._pod["spec"]["terminationGracePeriodSeconds"])

    def _later(self, seconds: float, call: Any) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, call))

    async def _mount(self) -> bool:
        """Wait until the volumes could be mounted; False when the pod ends before."""
        while why := why_not_mounted(self._pod, self._find):
            self._record.say("FailedMount", why, warning=True)
            if await self._pause(self._shop.timings.retry, self._halt):
                return False
        return not self._halt.is_set()

    async def _initialize(self, sidecars: list[asyncio.Task[None]]) -> bool:
        """Run the init containers one after the other; False when one failed for good."""
        policy = "Never" if self._policy == "Never" else "OnFailure"
        for each in self._initial:
            if each["name"] in self._sidecars:
                up = asyncio.get_running_loop().create_future()
                keeping = self._keep(each, "Always", self._wind_down, up)
                sidecars.append(asyncio.ensure_future(keeping))
                await asyncio.wait({up, sidecars[-1]}, return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._keep(each, policy, self._halt)
                end = self._record.states[each["name"]].terminated
                if end is None or end["exitCode"] != 0:
                    return False
            if self._halt.is_set():
                return False
        return True

    async def _stop_sidecars(self, sidecars: list[asyncio.Task[None]]) -> None:
        self._wind_down.set()
        for each in reversed(self._initial):
            if running := self._running.get(each["name"]):
                running.signal(signal.SIGTERM)
                self._later(self._pod["spec"]["terminationGracePeriodSeconds"], self.kill)
        await asyncio.gather(*sidecars)

    async def _keep(
        self,
        container: Json,
        policy: str,
        halt: asyncio.Event,
        up: asyncio.Future[None] | None = None,
    ) -> None:
        """Run a container, and again as long as the policy wants it."""
        name, crashes = container["name"], 0
        while not halt.is_set():
            if not await self._obtain_image(container, halt):
                return
            environment = await self._configure(container, halt)
            if environment is None:
                return
            code = await self._run_once(container, environment, up)
            if halt.is_set() or not should_restart(policy, code):
                return
            if crashes:
                # The first restart is at once; only a container that crashes again has to wait.
                seconds = self._shop.timings.doubled(self._shop.timings.crash_backoff, crashes - 1)
                where = f"{self._key[1]}_{self._key[0]}({self._uid})"
                text = f"back-off {seconds:g}s restarting failed container={name} pod={where}"
                self._record.set(name, self._record.states[name].waiting("CrashLoopBackOff", text))
                text = f"Back-off restarting failed container {name} in pod {where}"
                self._record.say("BackOff", text, warning=True, container=self._record.field(name))
                await self._pause(seconds, halt)
            crashes += 1

    async def _obtain_image(self, container: Json, halt: asyncio.Event) -> bool:
        """Make the image present, however long that takes; False when the pod ends before."""
        name, image = container["name"], container["image"]
        field = self._record.field(name)
        policy, attempts = container["imagePullPolicy"], 0
        while True:
            why = why_invalid(image)
            if why is not None:
                self._record.say("InspectFailed", why, warning=True, container=field)
                self._record.refuse(name, "InvalidImageName", why)
            elif policy != "Always" and self._shop.images.present(image):
                text = f'Container image "{image}" already present on machine '
                text += "and can be accessed by the pod"
                self._record.say("Pulled", text, container=field)
                return True
            elif policy == "Never":
                text = f'Container image "{image}" is not present with pull policy of Never'
                self._record.say("ErrImageNeverPull", text, warning=True, container=field)
                self._record.refuse(name, "ErrImageNeverPull", text)
            else:
                error = await self._pull(image, field, halt)
                if halt.is_set():
                    return False
                if error is None:
                    return True
                text = f'Failed to pull image "{image}": {error}'
                self._record.say("Failed", text, warning=True, container=field)
                self._record.refuse(name, "ErrImagePull", error)
                seconds = self._shop.timings.doubled(self._shop.timings.pull_backoff, attempts)
                if await self._pause(seconds / 2, halt):
                    return False
                text = f'Back-off pulling image "{image}"'
                self._record.say("BackOff", text, container=field)
                self._record.refuse(name, "ImagePullBackOff", f"{text}: ErrImagePull: {error}")
                if await self._pause(seconds / 2, halt):
                    return False
                attempts += 1
                continue
            timings = self._shop.timings
            if await self._pause(timings.doubled(timings.retry, attempts), halt):
                return False
            attempts += 1

    async def _pull(self, image: str, field: str, halt: asyncio.Event) -> str | None:
        self._record.say("Pulling", f'Pulling image "{image}"', container=field)
        for secret in self._pod["spec"].get("imagePullSecrets") or ():
            if self._find(SECRETS, secret["name"]) is None:
                text = (
                    f"Unable to retrieve some image pull secrets ({secret['name']}); "
                    "attempting to pull the image may not succeed."
                )
                self._record.say("FailedToRetrieveImagePullSecret", text, warning=True)
        began = time.monotonic()
        await self._pause(self._shop.images.find(image).pull_seconds, halt)
        if halt.is_set():
            return None
        error = self._shop.images.pull(image)
        if error is None:
            took = f"{(time.monotonic() - began) * 1000:.0f}ms"
            text = f'Successfully pulled image "{image}" in {took} ({took} including waiting). '
            self._record.say("Pulled", text + "Image size: 0 bytes.", container=field)
        return error

    async def _configure(self, container: Json, halt: asyncio.Event) -> dict[str, str] | None:
        """Compute the environment, waiting for what is missing; None when the pod ends before."""
        name = container["name"]
        image = self._shop.images.find(container["image"])
        base = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOSTNAME": self._pod["spec"].get("hostname") or self._key[1],
            "HOME": str(self._folder / name),
            **image.environment,
        }
        current = self._shop.store.find(PODS, self._key) or self._pod
        while not halt.is_set():
            try:
                return environment_of(container, current, self._find, base)
            except ConfigError as error:
                text = str(error)
                field = self._record.field(name)
                self._record.say("Failed", f"Error: {text}", warning=True, container=field)
                waiting = self._record.states[name].waiting("CreateContainerConfigError", text)
                self._record.set(name, waiting)
                await self._pause(self._shop.timings.retry, halt)
        return None

    async def _run_once(
        self, container: Json, environment: dict[str, str], up: asyncio.Future[None] | None
    ) -> int:
        """Run one instance to its end; return its exit code."""
        name, shop = container["name"], self._shop
        before = self._record.states[name]
        again = bool(before.terminated or before.last)
        last = {"terminated": before.terminated} if before.terminated else before.last
        number = before.restarts + 1 if again else 0
        identity = f"containerd://{uuid.uuid4().hex}{uuid.uuid4().hex}"
        state = replace(
            before,
            last=last,
            restarts=number,
            container_id=identity,
            image_id=f"{resolved(container['image'])}",
        )
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        log = shop.logs.open(self._uid, name, number)
        field = self._record.field(name)
        self._record.say("Created", "Container created", container=field)
        began = stamp()
        try:
            running = Container(
                self._command(container, environment),
                environment,
                _working_folder(container, folder),
                log,
            )
        except StartError as error:
            log.finish()
            self._record.say("Failed", f"Error: {error}", warning=True, container=field)
            end = _end(128, "StartError", EPOCH, identity, str(error))
            self._record.set(name, replace(state, state={"terminated": end}))
            return 128
        self._running[name] = running
        self._limit_memory(container, running)
        self._record.say("Started", "Container started", container=field)
        self._record.set(name, replace(state, state={"running": {"startedAt": began}}))
        if up is not None and not up.done():
            up.set_result(None)
        code = await asyncio.shield(running.ended)
        del self._running[name]
        shop.guard.forget(running.pid)
        reason = "Completed" if code == 0 else "Error"
        if running.pid in self._oom:
            reason, code = "OOMKilled", 137
        message = ""
        if code and container["terminationMessagePolicy"] == "FallbackToLogsOnError":
            message = log.last_text(MESSAGE_LINES, MESSAGE_BYTES)
        end = _end(code, reason, began, identity, message)
        self._record.set(name, replace(state, state={"terminated": end}))
        return code

    def _limit_memory(self, container: Json, running: Container) -> None:
        limits = (container.get("resources") or {}).get("limits") or {}
        if "memory" not in limits:
            return

        def exceeded() -> None:
            self._oom.add(running.pid)
            running.signal(signal.SIGKILL)

        self._shop.guard.watch(running.pid, int(quantity(limits["memory"])), exceeded)

    def _command(self, container: Json, environment: dict[str, str]) -> list[str]:
        image = self._shop.images.find(container["image"])
        command = [expanded(part, environment) for part in container.get("command") or ()]
        args = [expanded(part, environment) for part in container.get("args") or ()]
        if command:
            return [*command, *args]
        return [*image.command, *(args or image.args)]

    def _find(self, resource: Resource, name: str) -> Json | None:
        return self._shop.store.find(resource, (self._key[0], name))

    async def _pause(self, seconds: float, halt: asyncio.Event) -> bool:
        """Wait that long, or until the halt; tell whether it was the halt."""
        if seconds > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(halt.wait(), seconds)
        return halt.is_set()


def _working_folder(container: Json, private: Path) -> str:
    """Use workingDir where this machine has it; a runtime would create it in the image."""
    wanted = container.get("workingDir")
    return wanted if wanted and os.path.isdir(wanted) else str(private)


def _end(code: int, reason: str, began: str, identity: str, message: str) -> Json:
    return {
        "exitCode": code,
        "reason": reason,
        **({"message": message} if message else {}),
        "startedAt": began,
        "finishedAt": stamp(),
        "containerID": identity,
    }
