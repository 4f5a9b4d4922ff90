"""What breaks the cluster and the way to it, and writes down when it did."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import controls, network
from tests.cluster.errors import ClusterError
from tests.contract.api import RefusedError
from tests.contract.targets import RealTarget
from tests.soak.schedule import Fault, Kind
from tests.soak.way import Way

# The share of packets that are lost, each way, where the network is lossy.
LOSS = 0.08
_DAEMONS: dict[Kind, str] = {
    "API server killed": "kube-apiserver",
    "kubelet killed": "kubelet",
    "controller manager killed": "kube-controller-manager",
    "scheduler killed": "kube-scheduler",
}


@dataclass(frozen=True)
class Happened:
    """One fault as it was: from when to when, in seconds after the start, and what came of it."""

    kind: Kind
    began: float
    ended: float
    words: str = ""

    def __str__(self) -> str:
        return f"{self.began:7.1f} to {self.ended:7.1f} s  {self.kind} {self.words}".rstrip()


class Breaker:
    """Does what the schedule says, except to launchers; each fault in a thread that waits for it.

    now tells the seconds after the start; done gets what happened. Daemons are killed one at a
    time: each must have been up before the next goes, or nothing would ever run.
    """

    def __init__(
        self,
        way: Way,
        tokens: Tokens,
        now: Callable[[], float],
        done: Callable[[Happened], None],
    ) -> None:
        self._way = way
        self._tokens = tokens
        self._now = now
        self._done = done
        self._operator = ThreadPoolExecutor(1)
        self._locksmith = ThreadPoolExecutor(1)
        self._others = ThreadPoolExecutor(8)

    def begin(self, fault: Fault) -> None:
        """Begin a fault; returns at once."""
        if fault.kind in _DAEMONS:
            self._operator.submit(self._happen, fault, self._bounce)
        elif fault.kind == "token replaced":
            self._locksmith.submit(self._happen, fault, self._replace_token)
        else:
            self._others.submit(self._happen, fault, self._disturb)

    def end(self) -> None:
        """Wait until all that was begun is over, and all runs again."""
        for each in (self._operator, self._locksmith, self._others):
            each.shutdown()

    def _happen(self, fault: Fault, do: Callable[[Fault], str]) -> None:
        began = self._now()
        try:
            words = do(fault)
        except (ClusterError, RefusedError, OSError) as error:
            words = f"failed: {error}"
        self._done(Happened(fault.kind, began, self._now(), words))

    def _bounce(self, fault: Fault) -> str:
        controls.bounce(_DAEMONS[fault.kind], fault.lasts)
        return f"(away for {fault.lasts:.1f} s before its start)"

    def _replace_token(self, fault: Fault) -> str:
        self._tokens.revoke()
        time.sleep(fault.lasts)
        self._tokens.issue()
        return f"(a new one {fault.lasts:.1f} s after the old one's end)"

    def _disturb(self, fault: Fault) -> str:
        if fault.kind == "connections reset":
            return f"({self._way.reset()} of them)"
        begin = {
            "network slow": self._way.slow,
            "network silent": self._way.silence,
            "connections dead": self._way.kill,
            "network lossy": lossy,
        }[fault.kind]
        end = begin()
        try:
            time.sleep(fault.lasts)
        finally:
            end()
        return ""


class Tokens:
    """The file with the launchers' token; each token is bound to a Secret, and ends with it."""

    def __init__(self, target: RealTarget, file: Path) -> None:
        self._target = target
        self.file = file
        self._number = 0
        self._lock = threading.Lock()
        self.issue()

    @property
    def binding(self) -> str:
        """The Secret that the present token hangs on."""
        return f"soak-token-{self._number}"

    def issue(self) -> None:
        """Put a new token in the place of the old one, in one step as the kubelet does."""
        with self._lock:
            self._number += 1
            try:
                self._target.api.create("secrets", {"metadata": {"name": self.binding}})
            except RefusedError as error:
                if error.status != 409:  # the answer to an earlier try was lost
                    raise
            fresh = self.file.with_suffix(".part")
            fresh.touch(mode=0o600)
            fresh.write_text(self._target.new_token(bound_to=self.binding))
            os.replace(fresh, self.file)

    def revoke(self) -> None:
        """End the present token, within the ten seconds that the API server remembers it."""
        with self._lock:
            self._target.api.delete("secrets", self.binding)


def lossy() -> Callable[[], None]:
    """Lose packets between this machine and the API server until what is returned is called."""
    rules = [
        [chain, side, network.INSIDE, "-p", "tcp", port, str(network.API_PORT),
         "-m", "statistic", "--mode", "random", "--probability", str(LOSS), "-j", "DROP"]
        for chain, side, port in (("INPUT", "-i", "--dport"), ("OUTPUT", "-o", "--sport"))
    ]  # fmt: skip

    def end() -> None:
        for rule in rules:
            _filter("-D", rule)

    for rule in rules:
        _filter("-I", rule)
    return end


def _filter(what: str, rule: list[str]) -> None:
    ended = subprocess.run(
        ["ip", "netns", "exec", network.NAMESPACE, "iptables", "-w", what, *rule],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        raise ClusterError(f"no packets can be lost: {ended.stderr.strip()}")
