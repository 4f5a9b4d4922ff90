"""How a command of the application can end badly, and the exit code of each ending."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command in this package."""

    DONE = 0
    BAD_INPUT = 2
    UNREACHABLE = 3
    REFUSED = 4
    REFUSED_BEFORE = 5


class ApplicationError(Exception):
    """One clear line for the user: what was attempted, on what, what came back, what to do."""

    exit_code = Exit.REFUSED


class BadInputError(ApplicationError):
    """A setting, a file or an option cannot be used as it is written."""

    exit_code = Exit.BAD_INPUT


class UnreachableError(ApplicationError):
    """A broker, warehouse, bucket or database gave no answer within its budget."""

    exit_code = Exit.UNREACHABLE


class RefusedError(ApplicationError):
    """An engine answered and said no: a wrong password, a missing table or topic, a right."""
