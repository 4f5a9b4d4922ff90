"""Types of Application Integrator that are described by a .ctmai file of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ctm.lint.vendor import TEXT, Catalogue, ItemType, Property, Shape
from misc.jobtype import JobType, Parameter

_JOB = "Job:ApplicationIntegrator"
_PROFILE = "ConnectionProfile"


def with_job_types(catalogue: Catalogue, job_types: Iterable[JobType]) -> Catalogue:
    """Return a catalogue that knows these job types' labels, for jobs and their profiles."""
    return catalogue.extended(
        each for job_type in job_types for each in _described(catalogue, job_type)
    )


def _described(catalogue: Catalogue, job_type: JobType) -> Iterator[ItemType]:
    profile_type = f"{_PROFILE}:ApplicationIntegrator:{job_type.display_name}"
    for name, family, parameters in (
        (job_type.type, _JOB, job_type.form),
        (profile_type, _PROFILE, job_type.profile),
    ):
        base = catalogue.find(family)
        assert base is not None
        ours = {parameter.key: _property(parameter) for parameter in parameters}
        yield replace(base, name=name, properties={**base.properties, **ours})


def _property(parameter: Parameter) -> Property:
    names = tuple(name for name, _ in parameter.options)
    shape = Shape("choice", words=names) if names else TEXT
    return Property(shape, required=parameter.mandatory and not parameter.default)
