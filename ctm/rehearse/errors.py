"""What can keep a rehearsal from starting, each told in one line."""

from __future__ import annotations


class RehearsalError(Exception):
    """The rehearsal cannot start; nothing has run."""


class PlanError(RehearsalError):
    """A folder holds what a rehearsal cannot run, or what could never run."""


class ProfileError(RehearsalError):
    """A profile file, or a setting that it asks for, cannot be used."""
