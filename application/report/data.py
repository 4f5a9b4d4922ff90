"""What is read and what is shown: frozen data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """The lake that the page is of, and when; nothing of it is secret."""

    account: str
    database: str
    schema: str
    as_of: datetime


@dataclass(frozen=True)
class Scale:
    """Time in slices of one length: slice n begins n steps after the start; times are UTC."""

    start: datetime
    seconds: int
    count: int

    def at(self, number: float) -> datetime:
        return self.start + timedelta(seconds=number * self.seconds)

    @property
    def end(self) -> datetime:
        return self.at(self.count)


@dataclass(frozen=True)
class Span:
    """How many posts the lake has, and from when to when; positioned ones have a place.

    The scales are of round lengths, so they begin before the first post and end after the last.
    """

    posts: int = 0
    posted: Scale | None = None
    loaded: Scale | None = None
    published: int = 0
    positioned: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True)
class Quality:
    """What was loaded and what was refused; dead is None in a lake without the table."""

    loads: Sequence[Row] = ()
    load_count: int = 0
    rejects: Sequence[Row] = ()
    reject_count: int = 0
    reject_reasons: int = 0
    dead: Sequence[Row] | None = None
    dead_count: int = 0
    dead_reasons: int = 0


@dataclass(frozen=True)
class Found:
    """Rows of the lake as the queries return them."""

    source: Source
    span: Span
    posts: Sequence[Row] = ()
    actions: Sequence[Row] = ()
    dots: Sequence[Row] = ()
    to_do: Sequence[Row] = ()
    kin: Sequence[Row] = ()
    loaded: Sequence[Row] = ()
    published: Sequence[Row] = ()
    lags: Row = (None, None, None)
    quality: Quality = field(default_factory=Quality)


@dataclass(frozen=True)
class Bar:
    """One run of a job, as shares of the whole; open is one that did not end."""

    left: float
    width: float
    how: str  # ok, bad or open
    words: str


@dataclass(frozen=True)
class JobRow:
    """One job of the workflow: its runs, how it ended, and what the launcher said of its Job."""

    name: str
    kind: str
    how: str  # ok, bad, wait or open
    status: str
    took: str
    verdict: str
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """A rehearsal of the workflow."""

    title: str
    began: str
    seconds: float
    how: str
    summary: str
    rows: tuple[JobRow, ...]
    ticks: tuple[tuple[float, str], ...]
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Value:
    """A value that a filter offers: as the lake has it, and as people read it."""

    key: str
    label: str


@dataclass(frozen=True)
class Page:
    """All that the template shows; data is what the page's script reads."""

    source: Source
    span: Span
    totals: Mapping[str, int] = field(default_factory=dict)
    dimensions: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    throughput: Mapping[str, Any] | None = None
    quality: Quality = field(default_factory=Quality)
    workflow: Workflow | None = None
    accuracy: Sequence[Any] | None = None
    # What a workflow that did not end well left out, in a sentence; empty where nothing is known.
    incomplete: str = ""
    dots_shown: int = 0
    sampled: bool = False
    listed: Mapping[str, int] = field(default_factory=dict)

    @property
    def invented(self) -> bool:
        """Tell whether the posts are a demonstration's: only of those is the truth known."""
        return self.accuracy is not None
