"""How far a rehearsal is, what can happen to it, and what can be decided, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ctm.rehearse.events import Event


class Phase(str, Enum):
    """Where a job or a folder is; PAUSED is between two runs."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    OK = "ended OK"
    NOT_OK = "ended not OK"


ENDS = (Phase.OK, Phase.NOT_OK)
# What a signal has ended causes nothing any more, and so has no phase of its own.
BROKEN_OFF = "broken off"


@dataclass(frozen=True)
class Run:
    """How far a job or a folder is.

    tries counts runs since it was ordered, orders how often it was ordered again; due is when a
    PAUSED one goes on; warned holds what was already said about its time.
    """

    phase: Phase = Phase.WAITING
    tries: int = 0
    failures: int = 0
    orders: int = 0
    began: float | None = None
    ended: float | None = None
    due: float | None = None
    asked: bool = False
    confirmed: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    warned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """Everything that changes."""

    runs: Mapping[str, Run]
    events: frozenset[Event]
    began: float


@dataclass(frozen=True)
class Ended:
    """A job's run has ended; values are variables that it has set."""

    job: str
    ok: bool
    code: int = 0
    output: str = ""
    submitted: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Confirmed:
    """A person has let a job start."""

    job: str


@dataclass(frozen=True)
class Passed:
    """Time has passed."""


Happening = Ended | Confirmed | Passed


@dataclass(frozen=True)
class Start:
    """Start a job, for the so-manieth time, with these variables."""

    job: str
    number: int
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """Ask a person whether a job may start."""

    job: str


@dataclass(frozen=True)
class Say:
    """Tell what follows, of which nobody else would learn."""

    job: str
    kind: str
    text: str


Decision = Start | Ask | Say
