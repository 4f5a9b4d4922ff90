"""The Jobs of a soak: made from a seed, each with the end that it must come to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

# Seconds between two of them; ten a minute are 600 an hour.
EVERY = 6.0
IMAGE = "busybox:1"
# Where a container that is restarted finds what it left; by that it counts its runs.
_STATE = "/soak"
_RUN = f"r=$(cat {_STATE}/$1 2>/dev/null || echo 0); echo $((r+1)) > {_STATE}/$1"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must come of a Job, when nothing but the launcher's own way is disturbed.

    code is the launcher's exit code, None for any but 0; lines are what its containers print in
    all, None where it is not known; succeeded and failed count pods, None where that hangs on the
    moment; cut tells that the containers are ended from outside, so that the ends of their logs go
    with them.
    """

    code: int | None
    lines: int | None
    succeeded: int | None = 1
    failed: int | None = 0
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One Job to be launched.

    at is when, in seconds after the start; options are what the launcher is told beyond where the
    cluster is; bodies are the manifest's documents, none where the options tell all; term_after are
    the seconds from the Job's creation to a SIGTERM for the launcher, None for none.
    """

    number: int
    kind: str
    at: float
    name: str
    options: tuple[str, ...]
    expected: Expected
    bodies: tuple[Json, ...] = field(default=(), repr=False)
    term_after: float | None = None

    @property
    def appends(self) -> bool:
        """Whether its launchers print to one file, instead of one each."""
        return self.number % 2 == 0


def errands(seed: int, seconds: float) -> list[Errand]:
    """Return the Jobs that begin within so many seconds, in order; all kinds come in turn."""
    chance = random.Random(f"errands {seed}")
    made = []
    kinds: Iterator[str] = iter(())
    for number in range(max(1, round(seconds / EVERY))):
        kind = next(kinds, None)
        if kind is None:
            kinds = iter(chance.sample(list(KINDS), len(KINDS)))
            kind = next(kinds)
        at = round(EVERY * (number + chance.random()), 2)
        made.append(KINDS[kind](_Plan(number, kind, at, f"j{number:04}"), chance))
    return sorted(made, key=lambda each: each.at)


@dataclass(frozen=True)
class _Plan:
    number: int
    kind: str
    at: float
    name: str

    def by_flags(self, script: str, expected: Expected, *more: str, term: float = 0.0) -> Errand:
        """Return it as a Job of one container that the options describe."""
        words = ("-i", IMAGE, "-p", "IfNotPresent", "-s", "none", "-k", "sh", "-k", "-c", "-k")
        return Errand(
            number=self.number, kind=self.kind, at=self.at, name=self.name, expected=expected,
            options=("-j", self.name, *words, script, *more), term_after=term or None,
        )  # fmt: skip

    def by_manifest(
        self, spec: Json, expected: Expected, *more: str, before: tuple[Json, ...] = ()
    ) -> Errand:
        """Return it as a Job that a manifest describes, with what must be there before it."""
        metadata = {"name": self.name}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
        return Errand(
            number=self.number, kind=self.kind, at=self.at, name=self.name, expected=expected,
            options=more, bodies=(*before, job),
        )  # fmt: skip


# -- what a container does ---------------------------------------------------------------------
# Each line of a log is `@ pod container run stream number`: no two are the same.


def _says(container: str = "main", run: str = "0") -> str:
    return f'h="@ $HOSTNAME {container} {run}"; '


def _counts(lines: int, pause: float = 0.0, *, both: bool = False) -> str:
    """Return a loop that prints so many lines; every third one to stderr where it uses both."""
    say = 'echo "$h o $i"'
    if both:
        say = f'if [ $((i%3)) = 0 ]; then echo "$h e $i" >&2; else {say}; fi'
    rest = f"sleep {pause}; " if pause else ""
    return f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); {say}; {rest}done; "


def _container(name: str, script: str, **more: Any) -> Json:
    return {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        **more,
    }


def _pod(*containers: Json, restart: str = "Never", **more: Any) -> Json:
    spec = {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, **more}
    return {"template": {"spec": {**spec, "containers": list(containers)}}}


# -- the kinds ---------------------------------------------------------------------------------


def _fast(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(2_000, 20_000)
    script = _says() + _counts(lines, both=chance.random() < 0.3) + "sleep 1"
    return plan.by_flags(script, Expected(code=0, lines=lines))


def _slow(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(50, 150)
    script = _says() + _counts(lines, 0.1, both=True)
    return plan.by_flags(script, Expected(code=0, lines=lines))


def _bursts(plan: _Plan, chance: random.Random) -> Errand:
    bursts, each = chance.randint(3, 8), chance.randint(200, 800)
    lines = bursts * each
    pause = f"[ $((i%{each})) = 0 ] && sleep {chance.uniform(0.5, 2):.1f}; "
    script = _says() + _counts(lines).replace("done; ", pause + "done; ") + "sleep 0.5"
    return plan.by_flags(script, Expected(code=0, lines=lines))


def _silent(plan: _Plan, chance: random.Random) -> Errand:
    pause = chance.uniform(6, 14)
    script = _says() + f'echo "$h o 1"; sleep {pause:.1f}; echo "$h e 2" >&2; exec sleep 0.5'
    return plan.by_flags(script, Expected(code=0, lines=2))


def _empty(plan: _Plan, chance: random.Random) -> Errand:
    return plan.by_flags(f"sleep {chance.uniform(0, 4):.1f}", Expected(code=0, lines=0))


def _brief(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(1, 20)
    return plan.by_flags(_says() + _counts(lines), Expected(code=0, lines=lines))


def _fails(plan: _Plan, chance: random.Random) -> Errand:
    lines, code = chance.randint(5, 60), chance.choice([1, 2, 7, 42, 126, 200])
    told, more = chance.choice(
        [(1, ()), (code, ("--exit-code", "container")), (0, ("--map-exit", f"{code}=0"))]
    )
    if more[:1] == ("--map-exit",):
        more = ("--exit-code", "container", *more)
    script = _says() + _counts(lines, 0.05, both=True) + f"exit {code}"
    expected = Expected(code=told, lines=lines, succeeded=0, failed=1)
    return plan.by_flags(script, expected, *more)


def _long_lines(plan: _Plan, chance: random.Random) -> Errand:
    lines, longest = chance.randint(5, 40), chance.choice([900, 16_000, 16_384, 60_000])
    say = f'printf "%s %0{longest}d\\n" "$h o $i" $i'
    script = _says() + _counts(lines, 0.2).replace('echo "$h o $i"', say)
    return plan.by_flags(script, Expected(code=0, lines=lines))


def _no_newline(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(0, 30)
    script = _says() + _counts(lines, 0.1) + f'printf "%s" "$h o {lines + 1}"; sleep 0.5'
    return plan.by_flags(script, Expected(code=0, lines=lines + 1))


def _retries(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(10, 40)
    script = _says() + _counts(lines, 0.05, both=True) + "exit 9"
    expected = Expected(code=9, lines=2 * lines, succeeded=0, failed=2)
    return plan.by_flags(script, expected, "-b", "1", "--exit-code", "container")


def _restarts(plan: _Plan, chance: random.Random) -> Errand:
    lines, failing = chance.randint(10, 40), chance.randint(1, 2)
    state = {"volumes": [{"name": "state", "emptyDir": {}}]}
    script = (
        f"set -- main; {_RUN}; {_says(run='$r')}{_counts(lines, 0.1, both=True)}"
        f"[ $r -lt {failing} ] && exit 3; exit 0"
    )
    mount = [{"name": "state", "mountPath": _STATE}]
    spec = _pod(_container("main", script, volumeMounts=mount), restart="OnFailure", **state)
    expected = Expected(code=0, lines=lines * (failing + 1))
    return plan.by_manifest({"backoffLimit": 4, **spec}, expected)


def _containers(plan: _Plan, chance: random.Random) -> Errand:
    names = ("main", "second", "third")
    lines = [chance.randint(20, 120) for _ in names]
    containers = [
        _container(name, _says(name) + _counts(count, 0.05, both=True) + "sleep 0.2")
        for name, count in zip(names, lines, strict=True)
    ]
    before = _container("first", _says("first") + _counts(15) + "sleep 0.5")
    spec = _pod(*containers, initContainers=[before])
    return plan.by_manifest({"backoffLimit": 0, **spec}, Expected(code=0, lines=sum(lines) + 15))


def _completions(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(20, 60)
    container = _container("main", _says() + _counts(lines, 0.05, both=True))
    mode = {"completionMode": "Indexed"} if chance.random() < 0.5 else {}
    spec = {"completions": 3, "parallelism": 2, "backoffLimit": 0, **mode, **_pod(container)}
    return plan.by_manifest(spec, Expected(code=0, lines=3 * lines, succeeded=3))


def _prerequisites(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(10, 60)
    name = {"name": plan.name}
    before: tuple[Json, ...] = (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"LINES": f"{lines}"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": {"CODE": "5"}},
    )
    given = [{"configMapRef": name}, {"secretRef": name}]
    script = _says() + _counts(lines, 0.05).replace(f"-lt {lines}", "-lt $LINES") + "exit $CODE"
    spec = _pod(_container("main", script, envFrom=given))
    expected = Expected(code=5, lines=lines, succeeded=0, failed=1)
    more = ("--exit-code", "container")
    return plan.by_manifest({"backoffLimit": 0, **spec}, expected, *more, before=before)


def _deadline(plan: _Plan, chance: random.Random) -> Errand:
    seconds = chance.randint(4, 9)
    spec = _pod(_container("main", _says() + _counts(1_000, 0.1)))
    expected = Expected(code=13, lines=None, succeeded=0, failed=None, cut=True)
    return plan.by_manifest({"backoffLimit": 0, "activeDeadlineSeconds": seconds, **spec}, expected)


def _out_of_memory(plan: _Plan, chance: random.Random) -> Errand:
    lines = chance.randint(5, 30)
    script = _says() + _counts(lines, 0.05) + "exec dd if=/dev/zero of=/dev/null bs=200M count=1"
    expected = Expected(code=137, lines=lines, succeeded=0, failed=1)
    return plan.by_flags(script, expected, "--limits", "memory=30Mi", "--exit-code", "container")


def _ended(plan: _Plan, chance: random.Random) -> Errand:
    script = f"trap 'exit 0' TERM; {_says()}{_counts(1_000, 0.1)}"
    expected = Expected(code=8, lines=None, succeeded=None, failed=None, cut=True)
    return plan.by_flags(script, expected, term=round(chance.uniform(0, 8), 2))


KINDS: dict[str, Callable[[_Plan, random.Random], Errand]] = {
    "fast": _fast,
    "slow": _slow,
    "bursts": _bursts,
    "silent": _silent,
    "empty": _empty,
    "brief": _brief,
    "fails": _fails,
    "long lines": _long_lines,
    "no newline": _no_newline,
    "retries": _retries,
    "restarts": _restarts,
    "containers": _containers,
    "completions": _completions,
    "prerequisites": _prerequisites,
    "deadline": _deadline,
    "out of memory": _out_of_memory,
    "ended": _ended,
}
