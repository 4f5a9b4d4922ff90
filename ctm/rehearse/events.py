"""Events, and the expressions of them that jobs wait for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctm.rehearse.errors import PlanError

ORDER_DATE = "OrderDate"
# What a list of events may hold beside events.
WORDS = ("(", ")", "OR", "AND")
# A rehearsal is one order date, so that these name the same event.
_TODAY = ("OrderDate", "AnyDate", "NoDate")


@dataclass(frozen=True)
class Event:
    """An event: its name, and its date where that is not the rehearsal's own.

    short is how one with a long name is shown.
    """

    name: str
    date: str = ORDER_DATE
    short: str = field(default="", compare=False)

    def __str__(self) -> str:
        name = self.short or self.name
        return name if self.date == ORDER_DATE else f"{name} of {self.date}"


@dataclass(frozen=True)
class All:
    """Every part must be there; with no part it is true."""

    parts: tuple[Wait, ...] = ()


@dataclass(frozen=True)
class Either:
    """One part is enough."""

    parts: tuple[Wait, ...]


Wait = Event | All | Either


def flow_event(flow: str, folder: str, first: str, then: str) -> str:
    """Name the event that Control-M makes of a flow's step.

    It is what the vendor's example of jobs that run in turns adds by hand.
    """
    return f"{flow}_from_{folder}_folder_job_{first}_to_{folder}_folder_job_{then}"


def event_of(entry: Any, where: str) -> Event:
    """Read `{"Event": name, "Date": date}`; raise PlanError where it is none."""
    if not isinstance(entry, dict) or not isinstance(entry.get("Event"), str):
        raise PlanError(f'{where}: {entry!r:.60} is no event; write {{"Event": "name"}}')
    date = entry.get("Date") or ORDER_DATE
    return Event(entry["Event"], ORDER_DATE if date in _TODAY else str(date))


def wait_of(entries: Sequence[Any], where: str) -> Wait:
    """Read a WaitForEvents list: events with AND, OR and parentheses between them.

    Two events side by side mean AND, which binds tighter than OR.
    """
    rest = list(entries)
    found = _either(rest, where)
    if rest:
        raise PlanError(f'{where}: a ")" closes nothing')
    return found


def _either(rest: list[Any], where: str) -> Wait:
    parts = [_all(rest, where)]
    while rest and rest[0] == "OR":
        del rest[0]
        parts.append(_all(rest, where))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _all(rest: list[Any], where: str) -> Wait:
    parts = [_one(rest, where)]
    while rest and rest[0] not in ("OR", ")"):
        if rest[0] == "AND":
            del rest[0]
        parts.append(_one(rest, where))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _one(rest: list[Any], where: str) -> Wait:
    if not rest or rest[0] in ("AND", "OR", ")"):
        found = f'"{rest[0]}"' if rest else "the end"
        raise PlanError(f"{where}: an event is missing before {found}")
    first = rest.pop(0)
    if first != "(":
        return event_of(first, where)
    inner = _either(rest, where)
    if not rest:
        raise PlanError(f'{where}: a "(" is never closed')
    del rest[0]
    return inner


def satisfied(wait: Wait, there: Collection[Event]) -> bool:
    """Tell whether the events that are there are enough."""
    if isinstance(wait, Event):
        return wait in there
    if isinstance(wait, All):
        return all(satisfied(part, there) for part in wait.parts)
    return any(satisfied(part, there) for part in wait.parts)


def events_in(wait: Wait) -> Iterator[Event]:
    """Yield the events of an expression, as they stand."""
    if isinstance(wait, Event):
        yield wait
    else:
        for part in wait.parts:
            yield from events_in(part)
