"""The daily run as its folder has it: jobs, and the events by which one waits for another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ctm.definition import load
from docs.parts.graph import Box, Graph, direct, svg

Json = Mapping[str, Any]


def drawn(path: Path) -> str:
    """Draw the first folder of a file."""
    folder = next(
        content for _, content in _members(load(path.read_text("utf-8"), path.name), "Folder")
    )
    graph = direct(read(folder))
    names = ", ".join(box.name for box in graph.boxes)
    return svg(
        graph,
        "The daily run",
        f"The jobs of the folder, from left to right in the order in which they may run: {names}. "
        + " ".join(f"{end} waits for {_all(graph, end)}." for end in _waiting(graph)),
        (
            "— waits until the job before has ended OK",
            "- - waits until the job before has ended, however it ended",
        ),
    )


def read(folder: Json) -> Graph:
    """Find who waits for whom: by events and by flows.

    An arrow is `any` where the event comes too when the job ended not OK, and `failed` where it
    comes only then.
    """
    jobs = dict(_members(folder, "Job:"))
    adders: dict[str, dict[str, set[bool]]] = {}
    for name, job in jobs.items():
        for event, well in _added(job):
            adders.setdefault(event, {}).setdefault(name, set()).add(well)
    arrows: dict[tuple[str, str], str] = {}
    for name, job in jobs.items():
        for event in _awaited(job):
            for adder, ways in adders.get(event, {}).items():
                kind = "" if ways == {True} else "failed" if ways == {False} else "any"
                arrows[adder, name] = kind
    for _, flow in _members(folder, "Flow"):
        sequence = flow["Sequence"]
        arrows |= dict.fromkeys(pairwise(sequence), "")
    return Graph(tuple(_box(name, job) for name, job in jobs.items()), arrows)


def _box(name: str, job: Json) -> Box:
    kind = str(job["Type"])
    inside = "runKjob" in kind or "Kubernetes" in kind
    return Box(name, str(job.get("Description") or kind), "strong" if inside else "")


def _members(content: Json, kind: str) -> Iterator[tuple[str, Json]]:
    for name, each in content.items():
        if isinstance(each, Mapping):
            found = str(each.get("Type", ""))
            if found.startswith(kind) if kind.endswith(":") else found == kind:
                yield name, each


def _added(job: Json) -> Iterator[tuple[str, bool]]:
    """Yield each event that a job adds, and whether it does so by ending OK."""
    for _, added in _members(job, "AddEvents"):
        yield from ((each["Event"], True) for each in added["Events"])
    for condition in job.values():
        if isinstance(condition, Mapping) and str(condition.get("Type")).startswith("If"):
            well = condition.get("CompletionStatus") == "OK"
            yield from ((each["Event"], well) for _, each in _members(condition, "Event:Add"))


def _awaited(job: Json) -> Iterator[str]:
    for _, waits in _members(job, "WaitForEvents"):
        yield from (each["Event"] for each in waits["Events"] if isinstance(each, Mapping))


def _waiting(graph: Graph) -> list[str]:
    return list(dict.fromkeys(end for _, end in graph.arrows))


def _all(graph: Graph, end: str) -> str:
    names = [start for start, other in graph.arrows if other == end]
    return re.sub(r", ([^,]+)$", r" and \1", ", ".join(names))
