"""The way of a post and the pipeline's exit codes, as programs, Jobs and settings have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from pathlib import Path

import yaml

from application.crm_records import KINDS
from application.errors import Exit
from application.settings import KafkaSettings
from docs.parts import lake
from docs.parts.graph import Box, Graph, direct, svg
from docs.parts.markdown import code, table

_MEANINGS = {
    Exit.DONE: "done",
    Exit.BAD_INPUT: "a setting, an option or a file cannot be used as it is written",
    Exit.UNREACHABLE: "an engine gave no answer for too long",
    Exit.REFUSED: "an engine answered and refused, or a file was refused",
    Exit.REFUSED_BEFORE: "only files that were refused before are left; no new one was",
}
# What each program reads from outside; what it writes stands in its own SQL.
_SOURCES = {"geo_load": "S3 bucket", "crm_extract": "CRM"}


def exits() -> str:
    """Tell every exit code of the pipeline's commands."""
    return table(
        ("code", "name", "meaning"),
        ((f"{each.value}", code(each.name.lower()), _MEANINGS[each]) for each in Exit),
    )


def _jobs(root: Path) -> Counter[str]:
    """Count the Jobs of k8s/jobs by what they are called without their last part."""
    names = [
        yaml.safe_load(path.read_text("utf-8"))["metadata"]["name"]
        for path in (root / "k8s" / "jobs").glob("*.yaml")
        if path.name != "kustomization.yaml"
    ]
    return Counter(name.rpartition("-")[0] for name in names)


def drawn(root: Path) -> str:
    """Draw who reads what and who merges into what."""
    defaults = {field.name: str(field.default) for field in fields(KafkaSettings)}
    topic, dead = defaults["topic"], defaults["dead_letter_topic"]
    count = _jobs(root)
    producer = f"bmctwitter ({count['bmctwitter']} Jobs)"
    consumer = f"KafkaSnowflake ({count['kafkasnowflake']} Jobs)"
    arrows = {
        ("X", producer): "",
        (producer, topic): "",
        (topic, consumer): "",
        (producer, dead): "failed",
        (consumer, dead): "failed",
    }
    # The consumer's index of whom to match.
    index = lake.readers(root / "application")["addresses"]
    arrows |= {(name, consumer): "" for name in sorted(index)}
    relations = {each.name: each for each in lake.relations(root / "application" / "sql")}
    for program, written in lake.writers(root / "application").items():
        name = {"warehouse": consumer}.get(program, program)
        if name == "loads":  # what both loaders share
            continue
        for target in sorted(written - {"REJECTS"}):
            arrows[name, target] = ""
        if source := _SOURCES.get(name):
            arrows[source, name] = ""
        if name == "dead_letters":
            arrows[dead, name] = ""
    arrows |= {("crm_extract", kind.target): "" for kind in KINDS}
    for target in {end for _, end in arrows} & set(relations):
        for view in relations.values():
            if target in _far(view.name, relations) and view.name == "CUST360":
                arrows[target, view.name] = ""
    names = dict.fromkeys(name for arrow in arrows for name in arrow)
    graph = direct(Graph(tuple(Box(name, "", _kind(name, relations)) for name in names), arrows))
    return svg(
        graph,
        "The way of a post",
        " ".join(f"{start} leads to {end}." for start, end in graph.arrows),
        (
            "broken box: a topic or a table; strong box: the view to read",
            "broken arrow: what is no post",
        ),
    )


def _kind(name: str, relations: dict[str, lake.Relation]) -> str:
    if name in relations:
        return "strong" if relations[name].kind == "view" else "store"
    return "store" if name.startswith("tweets") else ""


def _far(name: str, relations: dict[str, lake.Relation]) -> set[str]:
    """Return all that a view reads, through other views too."""
    reads = relations[name].reads if name in relations else ()
    return set(reads).union(*(_far(each, relations) for each in reads))
