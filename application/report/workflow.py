"""A rehearsal's record as the rows of a Gantt chart: a pure decision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from application.errors import BadInputError
from application.report.data import Bar, JobRow, Workflow
from application.report.timescale import span

_KINDS = {
    "Job:ApplicationIntegrator:AI runKjob": "Kubernetes Job",
    "Job:Script": "script",
    "Job:Command": "command",
    "Job:FileTransfer": "file transfer",
    "Job:SLAManagement": "service level",
    "Job:Database:EmbeddedQuery": "query",
}
# A tick is one of these, times a power of ten, so that at most six fit.
_STEPS = (1, 2, 5)


def workflow(record: Mapping[str, Any], verdicts: Mapping[str, str]) -> Workflow:
    """Shape the record of `ctm.rehearse`, version 1; verdicts are by the logs' names."""
    try:
        return _workflow(record, verdicts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"--rehearsal: record.json is no record: {error!r}") from error


def _workflow(record: Mapping[str, Any], verdicts: Mapping[str, str]) -> Workflow:
    seconds = float(record["seconds"])
    ends = [run["ended"] or 0.0 for job in record["jobs"] for run in job["runs"]]
    whole = max([seconds, 0.1, *ends])
    rows = tuple(_row(job, verdicts, seconds, whole) for job in record["jobs"])
    how = "open" if record["interrupted"] else "ok" if record["ok"] else "bad"
    end = {"open": "interrupted", "ok": "ended OK", "bad": "ended not OK"}[how]
    states = [row.status for row in rows]
    counts = [f"{states.count(each)} {each}" for each in dict.fromkeys(states)]
    began = datetime.fromisoformat(re.sub("Z$", "+00:00", record["began"]))
    return Workflow(
        title=f"{', '.join(record['folders'])} {end}",
        began=f"{began.day} {began:%b %Y, %H:%M:%S}",
        seconds=seconds,
        how=how,
        summary=", ".join(counts),
        rows=rows,
        ticks=_ticks(whole),
        remarks=tuple((each["job"], f"{each['kind']}: {each['text']}")
            for each in record.get("remarks", ())),
    )  # fmt: skip


def _row(job: Mapping[str, Any], verdicts: Mapping[str, str], now: float, whole: float) -> JobRow:
    bars = tuple(_bar(run, now, whole) for run in job["runs"])
    took = sum(
        (now if run["ended"] is None else run["ended"]) - run["began"] for run in job["runs"]
    )
    status = job["status"]
    how = bars[-1].how if bars else "wait"
    if status == "ended OK":
        how = "ok"
    elif status == "ended not OK":
        how = "bad"
    return JobRow(
        name=job["name"],
        kind=_KINDS.get(job["type"], job["type"].removeprefix("Job:")),
        how=how,
        status=status,
        took=span(took) if bars else "",
        verdict=_verdict(job, verdicts),
        bars=bars,
    )


def _verdict(job: Mapping[str, Any], verdicts: Mapping[str, str]) -> str:
    """Say how a job ended: in the launcher's words, or by its code and last line."""
    if told := verdicts.get(re.sub(r"[^A-Za-z0-9._-]", "_", job["name"])):
        return told
    if "waits_for" in job:
        return f"waits for {job['waits_for']}"
    if not job["runs"]:
        return ""
    last = job["runs"][-1]
    if last["code"] == 0 and last["ok"]:
        return ""
    words = last.get("last_words") or [""]
    return f"exit code {last['code']}" + (f": {words[-1]}" if words[-1] else "")


def _bar(run: Mapping[str, Any], now: float, whole: float) -> Bar:
    end = now if run["ended"] is None else run["ended"]
    how = "open" if run["ended"] is None else "ok" if run["ok"] else "bad"
    words = "was broken off" if run["ended"] is None else f"ended with {run['code']}"
    return Bar(
        left=round(100 * run["began"] / whole, 2),
        width=round(max(0.4, 100 * (end - run["began"]) / whole), 2),
        how=how,
        words=f"run {run['number']}, {run['began']:.1f} s to {end:.1f} s, {words}",
    )


def _ticks(whole: float) -> tuple[tuple[float, str], ...]:
    step = next(
        base * 10.0**power
        for power in range(-1, 9)
        for base in _STEPS
        if whole / (base * 10.0**power) <= 6
    )
    return tuple(
        (round(100 * number * step / whole, 2), span(number * step) if number else "0")
        for number in range(int(whole / step) + 1)
    )
