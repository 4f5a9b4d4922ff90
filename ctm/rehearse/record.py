"""What a rehearsal came to, as frozen data and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctm.rehearse.plan import Plan
from ctm.rehearse.state import BROKEN_OFF, Phase, State
from ctm.rehearse.waiting import why_waiting

VERSION = 1
_LIVE = (Phase.RUNNING, Phase.PAUSED)


@dataclass(frozen=True)
class Attempt:
    """One run of a job; times are seconds from the start of the rehearsal, ended None meanwhile.

    last_words are the end of its output, where it failed.
    """

    job: str
    number: int
    began: float
    ended: float | None = None
    ok: bool = False
    code: int = 0
    last_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """A line that somebody would have got: mail, alert, a service that is late."""

    at: float
    job: str
    kind: str
    text: str


@dataclass(frozen=True)
class Rehearsed:
    """A whole rehearsal; began is a time of day in ISO 8601, waiting says why each job waits."""

    names: tuple[str, ...]
    began: str
    seconds: float
    interrupted: bool
    phases: Mapping[str, Phase]
    attempts: tuple[Attempt, ...] = ()
    remarks: tuple[Remark, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.interrupted and all(each is Phase.OK for each in self.phases.values())


def rehearsed(
    plan: Plan,
    state: State,
    *,
    began: str,
    seconds: float,
    interrupted: bool,
    attempts: tuple[Attempt, ...],
    remarks: tuple[Remark, ...],
) -> Rehearsed:
    """Sum a rehearsal up."""
    broken = [name for name, run in state.runs.items() if interrupted and run.phase in _LIVE]
    waiting = {
        job.name: why_waiting(plan, state, job.name, broken)
        for job in plan.jobs
        if state.runs[job.name].phase is Phase.WAITING
    }
    return Rehearsed(
        tuple(node.name for node in plan.nodes.values() if node.parent is None),
        began,
        seconds,
        interrupted,
        {name: run.phase for name, run in state.runs.items()},
        attempts,
        remarks,
        waiting,
        tuple(sorted(map(str, state.events))),
    )


def as_json(plan: Plan, told: Rehearsed) -> dict[str, Any]:
    """Return the record that --out keeps; times are seconds from the start."""
    return {
        "version": VERSION,
        "folders": list(told.names),
        "began": told.began,
        "seconds": round(told.seconds, 3),
        "ok": told.ok,
        "interrupted": told.interrupted,
        "jobs": [
            {
                "name": job.name,
                "folder": job.parent,
                "type": job.kind,
                "status": status(told, job.name),
                **({"waits_for": told.waiting[job.name]} if job.name in told.waiting else {}),
                "runs": [_attempt(each) for each in told.attempts if each.job == job.name],
            }
            for job in plan.jobs
        ],
        "folder_status": {
            node.name: status(told, node.name) for node in plan.nodes.values() if node.is_folder
        },
        "remarks": [
            {"at": round(each.at, 3), "job": each.job, "kind": each.kind, "text": each.text}
            for each in told.remarks
        ],
        "events": list(told.events),
        "notes": list(plan.notes),
    }


def _attempt(each: Attempt) -> dict[str, Any]:
    return {
        "number": each.number,
        "began": round(each.began, 3),
        "ended": None if each.ended is None else round(each.ended, 3),
        "ok": each.ok,
        "code": each.code,
        **({"last_words": list(each.last_words)} if each.last_words else {}),
    }


def status(told: Rehearsed, name: str) -> str:
    """Return how a job or folder ended; what a signal ended is broken off."""
    phase = told.phases[name]
    return BROKEN_OFF if told.interrupted and phase in _LIVE else phase.value


def summary(told: Rehearsed, plan: Plan, *, words: bool = True) -> list[str]:
    """Tell the end in lines: what failed and why, what waits and for what, how many ended OK.

    Without words, what a failed job has said is left to whoever tells it next.
    """
    lines = []
    for job in plan.jobs:
        if told.phases[job.name] is Phase.NOT_OK:
            last = [each for each in told.attempts if each.job == job.name][-1]
            how = f"{job.name} ended not OK ({_code(last.code)})"
            lines.append(f"{how}; it said last:" if words else how)
            if words:
                lines.extend(f"    {line}" for line in last.last_words or ("nothing",))
    lines.extend(f"{name} waits for {why}" for name, why in told.waiting.items())
    jobs = [status(told, job.name) for job in plan.jobs]
    counts = [f"{jobs.count(each)} {each}" for each in sorted(set(jobs), key=jobs.index)]
    how = "interrupted" if told.interrupted else "done" if told.ok else "not done"
    lines.append(f"{how} in {told.seconds:.1f} s: {', '.join(counts)}")
    return lines


def _code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
