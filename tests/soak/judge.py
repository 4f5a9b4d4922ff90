"""Judge what the launches of one Job printed against what lies on the node, and against its end."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from tests.soak.errands import Expected

Source = tuple[bytes, bytes, bytes]
"""Pod, container and run: what is written in order."""

_LINE = re.compile(rb"(?:\[[^\]]+\] )?(@ (\S+) (\S+) (\d+) [oe] \d+(?: \d+)?)")
# What the launcher says where lines come that another one may have printed.
_AGAIN = re.compile(
    rb"--- runjob: (?:up to (\d+) bytes|all) of \[(\S+)\] may stand above already ---"
)
_ALL = b" from its beginning; an earlier launcher may have printed a part of it ---"
_GAP = re.compile(
    rb"(?:\[[^\]]+\] )?--- runjob: a gap: (?:(?!\[).)*\[([^/\]]+)/([^\]]+)\][^\n]* ---"
)
_TORN = re.compile(rb"(?:\[[^\]]+\] )?@ ")
# What the launcher itself says on stdout.
_OWN = re.compile(
    rb"Options in effect: |Job (created|adopted)|Failed: |Event: |Pods Statuses: "
    rb"|Job Completion status: |Verdict: "
    rb"|--- runjob: log of Job \S+ goes on where the earlier launcher stopped ---$"
    rb"|--- runjob: of the next line a part stands above already ---$"
    rb"|(?:\[[^\]]+\] )?--- runjob: a gap: "
)
# What a kubelet says of a container that it could not start, or lost.
_BROKEN = ("StartError", "ContainerStatusUnknown", "ContainerCannotRun")
_OURS = ("DeadlineExceeded",)
_END = re.compile(
    rb"Pods Statuses: \d+ Running / (\d+) Succeeded / (\d+) Failed\n"
    rb"Job Completion status: (\d+)\n"
    rb"Verdict: [^\n]*\n\Z"
)


@dataclass(frozen=True)
class Attempt:
    """One launcher's whole output, and its exit code; negative: the signal that ended it."""

    out: bytes
    err: bytes
    code: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of one Job's lines and of its end.

    lines are those on the node; lost, doubled, disordered and strange are faults of the launcher's;
    wrong tells of a wrong end. again counts lines that were printed once more behind the launcher's
    own mark, cut those that went with a container that was ended from outside, gaps the launcher's
    marks that something is gone, removed the lines behind such a mark whose log the kubelet removed
    before it could be read, missing those that the containers should have written and the node
    never had.
    """

    lines: int
    lost: tuple[bytes, ...] = ()
    doubled: tuple[bytes, ...] = ()
    disordered: tuple[bytes, ...] = ()
    strange: tuple[bytes, ...] = ()
    wrong: tuple[str, ...] = ()
    again: int = 0
    cut: int = 0
    removed: int = 0
    gaps: tuple[bytes, ...] = ()
    missing: int = 0

    @property
    def faults(self) -> tuple[str, ...]:
        """Say what is not as it must be, a line each."""
        kinds = {
            "lost": self.lost,
            "doubled": self.doubled,
            "out of order": self.disordered,
            "of nobody": self.strange,
        }
        return (
            *(
                f"{len(lines)} line(s) {what}, the first: {lines[0][:120]!r}"
                for what, lines in kinds.items()
                if lines
            ),
            *self.wrong,
        )


def by_source(texts: Iterable[bytes]) -> dict[Source, list[bytes]]:
    """Return the lines of logs, in order for each source."""
    found: dict[Source, list[bytes]] = {}
    for text in texts:
        for line in text.splitlines():
            if source := _source(line):
                found.setdefault(source, []).append(line)
    return found


def judge(
    expected: Expected, attempts: Sequence[Attempt], truth: Mapping[Source, Sequence[bytes]]
) -> Account:
    """Return the account of one Job: its launches in order, and the node's lines by source."""
    known = {line for lines in truth.values() for line in lines}
    seen, strange, again = _read(attempts, known)
    lost: list[bytes] = []
    disordered: list[bytes] = []
    cut = removed = 0
    gaps = [gap for each in attempts for gap in map(_GAP.fullmatch, each.out.split(b"\n")) if gap]
    told = {(gap[1], gap[2]) for gap in gaps}
    for source, lines in truth.items():
        printed = list(dict.fromkeys(seen.get(source, ())))
        there = set(printed)
        if expected.cut:
            whole = len(lines)
            while whole and lines[whole - 1] not in there:
                whole -= 1
            cut += len(lines) - whole
            lines = lines[:whole]
        absent = [line for line in lines if line not in there]
        if source[:2] in told and _is_removed(source, truth):
            removed += len(absent)
        else:
            lost += absent
        disordered += _disordered(lines, printed)
    doubled = [
        line for lines in seen.values() for line, times in Counter(lines).items() if times > 1
    ]
    total = len(known)
    return Account(
        lines=total,
        lost=tuple(lost),
        doubled=tuple(doubled),
        disordered=tuple(disordered),
        strange=tuple(strange),
        wrong=tuple(_wrong(expected, attempts)),
        again=again,
        cut=cut,
        removed=removed,
        gaps=tuple(gap[0] for gap in gaps),
        missing=max(0, (expected.lines or 0) - total),
    )


def spoiled(pods: Iterable[Mapping[str, Any]]) -> str:
    """Say how the cluster itself broke a pod, as a killed kubelet does; "" where it broke none."""
    for pod in pods:
        status = pod.get("status") or {}
        if (reason := status.get("reason")) and reason not in _OURS:
            return str(reason)
        for each in status.get("containerStatuses") or ():
            end = (each.get("state") or {}).get("terminated") or {}
            if end.get("reason") in _BROKEN:
                return f"{end['reason']}: {end.get('message', '')}"
    return ""


def after(expected: Expected, complete: bool) -> Expected:
    """Return what is to come of a Job of which the cluster broke a pod: what it says itself."""
    if complete:
        return replace(expected, lines=None, failed=None)
    return replace(expected, code=None, lines=None, succeeded=None, failed=None, cut=True)


def recounted(
    expected: Expected, job: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]
) -> Expected:
    """Return what is to come of a Job that itself counts more pods than it should have needed.

    A Job controller that has just started, or got no answer when it made a pod, may make one too
    many. It runs like any other and is counted, or is deleted before it has begun, which counts as
    failed. The Job's own number is believed where it is that of the pods that were seen, and beyond
    what the Job was made for: a launcher that asks for more pods is not.
    """
    spec, status = job.get("spec") or {}, job.get("status") or {}
    pods = list(pods)
    phases = Counter((pod.get("status") or {}).get("phase") for pod in pods)
    if is_in_state(job, "Complete"):
        succeeded = status.get("succeeded", 0)
        asked = max(expected.succeeded or succeeded, spec.get("completions", 1))
        if succeeded == phases["Succeeded"] > asked:
            return replace(expected, succeeded=succeeded)
    if is_in_state(job, "Failed"):
        failed = status.get("failed", 0)
        idle = [pod for pod in pods if pod["metadata"].get("deletionTimestamp")]
        idle = [pod for pod in idle if (pod.get("status") or {}).get("phase") == "Pending"]
        begun = len(pods) - phases["Pending"]
        beyond = idle or failed > spec.get("backoffLimit", 6) + 1
        if expected.failed is not None and beyond and failed == begun + len(idle) > expected.failed:
            return replace(expected, failed=failed)
    return expected


def is_in_state(job: Mapping[str, Any], state: str) -> bool:
    """Tell whether a Job has come to its end, Complete or Failed."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(each["type"] == state and each["status"] == "True" for each in conditions)


def _source(line: bytes) -> Source | None:
    found = _LINE.fullmatch(line)
    return (found[2], found[3], found[4]) if found else None


def _is_removed(source: Source, truth: Mapping[Source, object]) -> bool:
    """Tell whether the kubelet may have removed a run's log: it does when the next run ends."""
    pod, container, run = source
    return (pod, container, b"%d" % (int(run) + 1)) in truth


def _read(
    attempts: Sequence[Attempt], known: set[bytes]
) -> tuple[dict[Source, list[bytes]], list[bytes], int]:
    """Return the lines that were printed by source, those that are nobody's, and the repeated."""
    seen: dict[Source, list[bytes]] = {}
    strange: list[bytes] = []
    again = 0
    whole = {
        found[1]
        for attempt in attempts
        for line in attempt.out.split(b"\n")[:-1]
        if (found := _LINE.fullmatch(line))
    }
    for attempt in attempts:
        *lines, rest = attempt.out.split(b"\n")
        # A launcher that is killed while it writes leaves a part of a line, which comes again, or
        # one that has no newline.
        if rest and not ((found := _LINE.fullmatch(rest)) and found[1] in whole):
            lines.append(rest if found or not _TORN.match(rest) else b"")
        # How many bytes may come again, by pod/container.
        doubt: defaultdict[bytes, float] = defaultdict(float)
        for line in lines:
            found = _LINE.fullmatch(line)
            if found and found[1] in known:
                printed = seen.setdefault((found[2], found[3], found[4]), [])
                name = b"%s/%s" % (found[2], found[3])
                doubt[name] -= len(line) + 1
                if doubt[name] >= 0 and found[1] in printed:
                    again += 1
                else:
                    printed.append(found[1])
            elif found := _AGAIN.fullmatch(line):
                doubt[found[2]] = float(found[1] or inf)
            elif line.endswith(_ALL):
                doubt = defaultdict(lambda: inf)
            elif line and not _OWN.match(line):
                strange.append(line)
    return seen, strange, again


def _disordered(lines: Sequence[bytes], printed: Sequence[bytes]) -> list[bytes]:
    """Return the printed lines that stand before one that was written earlier."""
    place = {line: number for number, line in enumerate(lines)}
    wrong = []
    latest = -1
    for line in printed:
        at = place.get(line, latest)
        if at < latest:
            wrong.append(line)
        latest = max(latest, at)
    return wrong


def _wrong(expected: Expected, attempts: Sequence[Attempt]) -> Iterable[str]:
    last = attempts[-1]
    if last.code == 0 if expected.code is None else last.code != expected.code:
        yield f"exit code {last.code} instead of {expected.code}"
    end = _END.search(last.out)
    if end is None:
        yield "no closing lines at the end"
        return
    succeeded, failed, status = map(int, end.groups())
    if status != last.code:
        yield f"`Job Completion status: {status}` and exit code {last.code}"
    if expected.succeeded not in (None, succeeded):
        yield f"{succeeded} pods succeeded instead of {expected.succeeded}"
    if expected.failed not in (None, failed):
        yield f"{failed} pods failed instead of {expected.failed}"
