"""What the threads of a launch tell its story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runjob.errors import ApiError, LaunchError
from runjob.request import Body

if TYPE_CHECKING:
    from runjob.observed import Seen


@dataclass(frozen=True)
class Created:
    """The Job stands; ours are the prerequisites that are to go with it.

    concluded tells that an earlier launch of the run had come to the end, and that its verdict is
    known: all that is left is to remove what is there yet.
    """

    job: Body
    ours: tuple[Body, ...]
    concluded: bool = False


@dataclass(frozen=True)
class NotCreated:
    """There is no Job; ours are the prerequisites that had been created before.

    unsure tells that the API may yet create it, since it did not answer; leaving names an earlier
    Job that is being removed, and was waited for.
    """

    error: LaunchError
    ours: tuple[Body, ...] = ()
    unsure: bool = False
    leaving: str = ""


@dataclass(frozen=True)
class Named:
    """The Job is to have this name, and not the one that it was asked for with."""

    name: str


@dataclass(frozen=True)
class Prepared:
    """A prerequisite was created, which did not exist before."""

    body: Body


@dataclass(frozen=True)
class Observed:
    """An object was seen, for the last time when gone."""

    seen: Seen
    gone: bool = False


@dataclass(frozen=True)
class Listed:
    """These are all the objects of that kind there are; others that were known are gone."""

    kind: str
    uids: frozenset[str]


@dataclass(frozen=True)
class Trouble:
    """The API did not answer as it should; whoever says so tries again.

    silence tells that it counts as no answer of the API at all; a log that is not given does not.
    since is when the last byte came where nothing has come since, None where it begins now.
    """

    error: ApiError
    what: str
    silence: bool = True
    since: float | None = None


@dataclass(frozen=True)
class Answered:
    """The API answered what had, or might have had, Trouble."""

    what: str


@dataclass(frozen=True)
class LogRead:
    """All that there is to read of a container was read."""

    pod: str
    container: str


@dataclass(frozen=True)
class LogGap:
    """Something of a container's log cannot be read any more; what, in words."""

    pod: str
    container: str
    what: str


@dataclass(frozen=True)
class Removed:
    """The Job and what we created with it are deleted; refusal tells in words what may not be.

    held tells, by uid, what the API has accepted to delete and others hold, and what to do.
    """

    refusal: str = ""
    held: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settled:
    """It was tried to have no later launch tell the Job's end; left tells what is left to do."""

    left: str = ""


@dataclass(frozen=True)
class Signalled:
    """This process got a signal."""

    number: int


Message = (
    Created
    | NotCreated
    | Named
    | Prepared
    | Observed
    | Listed
    | Trouble
    | Answered
    | LogGap
    | LogRead
    | Removed
    | Settled
    | Signalled
)
