"""The soak: Jobs are launched, everything is broken meanwhile, each Job is judged at its end."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runjob.login import login
from runjob.options import Connection
from tests.cluster import controls
from tests.contract.api import RefusedError
from tests.contract.targets import RealTarget
from tests.soak.breaking import Breaker, Happened, Tokens
from tests.soak.crew import Hand
from tests.soak.errands import Errand, errands
from tests.soak.judge import Account, after, by_source, is_in_state, judge, recounted, spoiled
from tests.soak.schedule import EVERY, Fault, schedule
from tests.soak.watching import Eye, Truth
from tests.soak.way import Way, way

# The last part of the time nothing new begins: the longest Job takes about so long.
DRAINING = 45.0
# Launchers at a time: on a slow machine Jobs begin later rather than all at once.
AT_ONCE = 7
# Seconds within which a launch must be done, and within which what it removed must be gone.
LONGEST = 240.0
_GONE = 40.0
_SETTLED = 1.0
_TICK = 0.05
_TELL_SECONDS = 15.0


@dataclass(frozen=True)
class Plan:
    """What the soak is made from, how long it may take, and which faults are left out."""

    seed: int
    seconds: float
    without: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What was counted, by its label, and what is wrong, in words."""

    counted: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run a whole soak in an empty folder; what went wrong stays there."""
    (folder / "cluster").mkdir()
    admin = str(controls.here().kubeconfig)
    target = RealTarget(admin, folder / "cluster")
    target.api.patience = 120.0
    kept = controls.here().node / f"truth-{target.namespace}"
    truth = Truth(target.namespace, kept)
    eye = Eye(login(Connection(kubeconfig=admin))(), target.namespace, folder)
    host, _, port = target.host.removeprefix("https://").rpartition(":")
    try:
        with way((host, int(port))) as open_way:
            soak = _Soak(plan, folder, say, target, truth, eye, open_way)
            try:
                return soak.run()
            finally:
                soak.end()
    finally:
        truth.close()
        eye.close()
        shutil.rmtree(kept, ignore_errors=True)
        target.close()


class _Soak:
    """One soak on a cluster that is up."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        say: Callable[[str], None],
        target: RealTarget,
        truth: Truth,
        eye: Eye,
        open_way: Way,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._say = say
        self._target, self._truth, self._eye = target, truth, eye
        self._state = folder / "state"
        self._tokens = Tokens(target, folder / "token")
        self._kubeconfig = folder / "kubeconfig"
        self._kubeconfig.write_text(json.dumps(_kubeconfig(target, open_way.port, self._tokens)))
        self._began = time.monotonic()
        self._faults: list[Happened] = []
        self._breaker = Breaker(open_way, self._tokens, self._now, self._note)
        self._hands: list[Hand] = []
        self._done: list[Hand] = []
        self._accounts: dict[int, Account] = {}
        self._gone: dict[int, float] = {}
        self._totals: Counter[str] = Counter()
        self._outcome = Outcome()
        self._next_word = _TELL_SECONDS

    def run(self) -> Outcome:
        plan = self._plan
        working = max(plan.seconds - DRAINING, plan.seconds / 2)
        due = errands(plan.seed, working)
        coming = [each for each in schedule(plan.seed, working) if each.kind not in plan.without]
        self._say(f"{len(due)} Jobs and {len(coming)} faults in {working:.0f} s, seed {plan.seed}")
        while due or coming or self._hands:
            now = self._now()
            while due and due[0].at <= now and len(self._hands) < AT_ONCE:
                self._launch(due.pop(0))
            while coming and coming[0].at <= now:
                self._break(coming.pop(0))
            if now > working and due:
                self._say(f"{len(due)} Jobs were never launched: the machine is too slow")
                due = []
            self._look()
            self._speak(len(due))
            time.sleep(_TICK)
        self._breaker.end()
        self._say("all launches are done")
        self._close_books(working)
        return self._outcome

    def end(self) -> None:
        """Leave no launcher, and the cluster whole."""
        for each in self._hands:
            each.end()
        self._breaker.end()

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _note(self, happened: Happened) -> None:
        self._faults.append(happened)
        with (self._folder / "faults.log").open("a") as book:
            book.write(f"{happened}\n")

    # -- launches and faults -------------------------------------------------------------------

    def _launch(self, errand: Errand) -> None:
        line = [
            *errand.options,
            "-n", self._target.namespace, "--kubeconfig", str(self._kubeconfig),
            "--run-id", f"soak-{errand.name}", "--state-dir", str(self._state),
            "--api-timeout", "2m",
        ]  # fmt: skip
        folder = self._folder / "jobs" / errand.name
        hand = Hand(errand, line, folder)
        if errand.bodies:
            manifest = self._folder / f"{errand.name}.yaml"
            manifest.write_text("---\n".join(f"{json.dumps(body)}\n" for body in errand.bodies))
            hand.line += ["-y", str(manifest)]
        self._hands.append(hand)
        hand.start(self._now())

    def _break(self, fault: Fault) -> None:
        if fault.kind != "launcher killed":
            self._breaker.begin(fault)
            return
        alive = [each for each in self._hands if each.can_be_killed]
        if alive:
            now = self._now()
            hand = alive[fault.which % len(alive)]
            hand.kill(now + fault.lasts)
            self._note(Happened(fault.kind, now, now + fault.lasts, f"({hand.errand.name})"))

    def _look(self) -> None:
        now = self._now()
        for each in list(self._hands):
            each.look(now)
            if not each.done and now - each.began > LONGEST:
                each.end()
                self._fault(each, f"the launch did not end within {LONGEST:.0f} s")
            if each.done or now - each.began > LONGEST:
                self._hands.remove(each)
                self._done.append(each)
        for each in self._done:
            if each.errand.number not in self._accounts and now - each.ended > _SETTLED:
                self._judge(each)

    def _speak(self, due: int) -> None:
        if self._now() >= self._next_word:
            self._next_word += _TELL_SECONDS
            self._say(
                f"{len(self._accounts)} Jobs judged, {len(self._hands)} run, {due} to come; "
                f"{len(self._faults)} faults, {self._totals['lines']:,} lines, "
                f"{len(self._outcome.wrong)} findings"
            )

    # -- judging -------------------------------------------------------------------------------

    def _judge(self, hand: Hand) -> None:
        errand = hand.errand
        jobs = self._eye.jobs(errand.name)
        expected = errand.expected
        if why := spoiled(self._eye.pods(errand.name)):
            self._totals["spoiled"] += 1
            self._say(f"the cluster itself broke {errand.name} ({errand.kind}): {why}")
            expected = after(expected, any(is_in_state(job, "Complete") for job in jobs))
        for job in jobs:
            believed = recounted(expected, job, self._eye.pods(errand.name))
            self._totals["surplus"] += believed != expected
            expected = believed
        account = judge(expected, hand.attempts(), by_source(self._truth.texts(errand.name)))
        self._accounts[errand.number] = account
        self._totals.update(
            jobs=1,
            met=bool(self._met(hand)),
            lines=account.lines,
            lost=len(account.lost),
            doubled=len(account.doubled),
            disordered=len(account.disordered) + len(account.strange),
            wrong=bool(account.wrong),
            again=account.again,
            cut=account.cut,
            removed=account.removed,
            gaps=len(account.gaps),
            missing=account.missing,
            kills=hand.kills,
        )
        faults = list(account.faults)
        if account.gaps and not (account.removed or account.cut or account.lost):
            # Too much said, and nothing lost by it: counted, and to be read.
            self._totals["false"] += len(account.gaps)
            for gap in account.gaps:
                self._say(f"nothing is missing in {errand.name} ({errand.kind}): {gap.decode()}")
        if len(jobs) > 1:
            faults.append(f"{len(jobs)} Jobs were made instead of one")
            self._totals["twice"] += 1
        for each in faults:
            self._fault(hand, each)
        if faults:
            for file in self._truth.files(errand.name):
                shutil.copy(file, self._folder / "jobs" / errand.name)
        else:
            shutil.rmtree(self._folder / "jobs" / errand.name)

    def _met(self, hand: Hand) -> list[Happened]:
        """Return the faults that fell into a Job's time; of killed launchers, its own."""
        return [
            each
            for each in list(self._faults)
            if each.ended >= hand.began
            and each.began <= hand.ended
            and (each.kind != "launcher killed" or each.words == f"({hand.errand.name})")
        ]

    def _fault(self, hand: Hand, what: str) -> None:
        errand = hand.errand
        self._outcome.wrong.append(f"{errand.name} ({errand.kind}): {what}")
        self._say(f"WRONG: {self._outcome.wrong[-1]}")
        self._say(f"  expected {errand.expected}")
        for each in self._met(hand)[-8:]:
            self._say(f"  {each}")
        self._say(f"  its launchers' output: {self._folder / 'jobs' / errand.name}")

    # -- the end -------------------------------------------------------------------------------

    def _close_books(self, working: float) -> None:
        time.sleep(_SETTLED)
        self._look()
        left = self._left_behind()
        wrong, totals = self._outcome.wrong, self._totals
        wrong += [f"left behind: {each}" for each in left]
        if not totals["jobs"]:
            wrong.append("no Job was judged")
        broken = Counter(each.kind for each in self._faults if "failed:" not in each.words)
        failed = [each for each in self._faults if "failed:" in each.words]
        for each in failed:
            self._say(f"could not be done: {each}")
        counted = self._outcome.counted
        counted["Jobs"] = f"{totals['jobs']:,}, {totals['jobs'] / working * 3600:.0f} an hour"
        counted["Jobs that met a fault"] = f"{totals['met']:,}"
        counted["Jobs of which the cluster broke a pod"] = f"{totals['spoiled']:,}"
        counted["Jobs whose controller made a pod too many"] = f"{totals['surplus']:,}"
        for kind in EVERY:
            counted[kind] = f"{broken[kind]} times"
        counted["lines on the node"] = f"{totals['lines']:,}"
        counted["lines again behind the launcher's mark"] = f"{totals['again']:,}"
        counted["lines that went with a container that was ended"] = f"{totals['cut']:,}"
        counted["lines whose log the kubelet removed first, and told"] = f"{totals['removed']:,}"
        counted["gaps that the launcher marked"] = f"{totals['gaps']:,}"
        counted["marks of a gap in which nothing is missing"] = f"{totals['false']:,}"
        counted["lines that the node never had"] = f"{totals['missing']:,}"
        counted["lines lost"] = f"{totals['lost']:,}"
        counted["lines doubled"] = f"{totals['doubled']:,}"
        counted["lines mangled or out of order"] = f"{totals['disordered']:,}"
        counted["wrong verdicts"] = f"{totals['wrong']:,}"
        counted["Jobs made twice"] = f"{totals['twice']:,}"
        counted["objects left behind"] = f"{len(left):,}"
        little = "the soak proves too little:"
        if totals["met"] * 3 < totals["jobs"]:
            wrong.append(f"{little} two thirds of the Jobs met no fault")
        # A kernel may lack what packets are lost by.
        needed = set(EVERY) - self._plan.without - {"network lossy"}
        wrong += [f"{little} no {kind}" for kind in EVERY if kind in needed and not broken[kind]]

    def _left_behind(self) -> list[str]:
        """Wait a while, and name what is still there of any Job."""
        until = self._now() + _GONE
        while (left := self._remains()) and self._now() < until:
            time.sleep(0.5)
        return left

    def _remains(self) -> list[str]:
        own = {"kube-root-ca.crt", self._tokens.binding}
        kinds = ("jobs", "pods", "configmaps", "secrets")
        try:
            left = [
                f"{plural} {each['metadata']['name']}"
                for plural in kinds
                for each in self._target.api.items(plural)
                if each["metadata"]["name"] not in own
            ]
        except RefusedError as error:
            return [f"the API does not tell: {error}"]
        if self._state.exists():
            left += [
                f"state {each.relative_to(self._state)}"
                for each in self._state.rglob("*")
                if each.is_file()
            ]
        return left


def _kubeconfig(target: RealTarget, port: int, tokens: Tokens) -> dict[str, object]:
    """Return the launchers' kubeconfig: through our way, with the token of a file."""
    authority = tokens.file.with_name("ca.crt")
    authority.write_text(target.ca)
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(authority)}
    user = {"name": "launcher", "user": {"tokenFile": str(tokens.file)}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "soak", "cluster": cluster}],
        "users": [user],
        "contexts": [{"name": "soak", "context": {"cluster": "soak", "user": "launcher"}}],
        "current-context": "soak",
    }
