"""How the producer can end badly, and the exit code of each ending."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the producer."""

    DONE = 0
    BAD_INPUT = 2
    UNREACHABLE = 3
    REFUSED = 4
    INTERRUPTED = 130


class ProducerError(Exception):
    """One clear line for the user: what was attempted, on what, what came back, what to do."""

    exit_code = Exit.REFUSED


class BadInputError(ProducerError):
    """A setting, a file or an option cannot be used as it is written."""

    exit_code = Exit.BAD_INPUT


class UnreachableError(ProducerError):
    """X or the broker gave no answer within its budget."""

    exit_code = Exit.UNREACHABLE


class RefusedError(ProducerError):
    """X or the broker answered and said no: a wrong token, a missing topic, a right."""
