"""Validation: what a well-formed object may still not say."""

from __future__ import annotations

from .refusals import Cause
from .resources import Json, Resource


def new_refused(resource: Resource, item: Json) -> list[Cause]:
    return []


def changes_refused(resource: Resource, stored: Json, item: Json) -> list[Cause]:
    return []
