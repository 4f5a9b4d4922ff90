"""Find what is wrong in Control-M definitions before Control-M, or nobody, does."""

from __future__ import annotations

from collections.abc import Sequence

from ctm.definition import Definition
from ctm.lint.conduct import ifs, lengths, resources, secrets
from ctm.lint.deadlocks import deadlocks
from ctm.lint.descriptors import descriptors, is_descriptor
from ctm.lint.events import events, expressions
from ctm.lint.finding import Finding
from ctm.lint.flows import sequences
from ctm.lint.launches import Agent, launches
from ctm.lint.numbers import numbers
from ctm.lint.own import with_job_types
from ctm.lint.references import drivers, profiles, runs
from ctm.lint.structure import structure
from ctm.lint.tree import grow
from ctm.lint.vendor import Catalogue
from misc.jobtype import JobType

__all__ = ["Agent", "Finding", "lint"]


def lint(
    definitions: Sequence[Definition],
    catalogue: Catalogue,
    job_types: Sequence[JobType],
    agent: Agent,
) -> list[Finding]:
    """Check definitions that belong together; findings come sorted by file and line."""
    described = [each for each in definitions if is_descriptor(each)]
    trees = [grow(each) for each in definitions if not is_descriptor(each)]
    built = list(structure(trees, with_job_types(catalogue, job_types)))
    ours = {each.type: each for each in job_types}
    return sorted(
        {
            *descriptors(described),
            *built,
            *events(trees),
            *expressions(trees),
            *sequences(trees),
            *deadlocks(trees),
            *profiles(trees),
            *drivers(trees),
            *runs(trees),
            *launches(trees, agent, ours, built),
            *secrets(trees),
            *resources(trees),
            *ifs(trees),
            *lengths(trees),
            *numbers(trees),
        },
        key=lambda finding: (finding.file, finding.line, str(finding)),
    )
