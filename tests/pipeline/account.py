"""The account at the end: what went in against what lies in the lake and with the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.pipeline.posts import MARK
from tests.pipeline.topics import Letter


@dataclass(frozen=True)
class Shown:
    """An action as the view ACTIONS shows it."""

    post: str
    rank: int
    kind: str
    subject: str
    product: str | None
    cap_days: int
    posted_at: datetime


@dataclass(frozen=True)
class Books:
    """What went in (accepted, malformed, poison by its key) and what came out."""

    accepted: frozenset[str]
    malformed: frozenset[bytes]
    poison: Mapping[bytes, bytes]
    rows: Sequence[str]
    letters: Sequence[Letter]
    actions: Sequence[Shown]


def faults(books: Books) -> list[str]:
    """Say in words what does not add up; nothing when all does."""
    return [*_rows(books), *_letters(books), *_actions(books.actions)]


def _rows(books: Books) -> Iterable[str]:
    times = Counter(books.rows)
    yield from _some("posts are lost", books.accepted - times.keys())
    yield from _some("rows are of no post", times.keys() - books.accepted)
    yield from _some("posts are in the lake twice", (each for each in times if times[each] > 1))


def _letters(books: Books) -> Iterable[str]:
    refused = [each for each in books.letters if each.headers.get("stage") == b"producer"]
    poison = [each for each in books.letters if each.headers.get("stage") != b"producer"]
    marks = {found.group() for each in refused if (found := MARK.search(each.value))}
    yield from _some("malformed posts are lost", books.malformed - marks)
    yield from _some("dead letters are of no malformed post", marks - books.malformed)
    if unknown := sum(not MARK.search(each.value) for each in refused):
        yield f"{unknown} dead letters of the producers are of nothing that went in"
    kept = {each.key: each for each in poison}
    yield from _some("poison messages are lost", books.poison.keys() - kept.keys())
    yield from _some("dead letters are of no poison message", kept.keys() - books.poison.keys())
    yield from _some(
        "dead letters are not as they came",
        (key for key in books.poison.keys() & kept if kept[key].value != books.poison[key]),
    )
    yield from _some(
        "dead letters have no reason or no origin",
        {
            each.key
            for each in poison
            if not each.headers.get("reason")
            or not {"origin.topic", "origin.partition", "origin.offset"} <= each.headers.keys()
        },
    )
    # A letter can be written again after a crash, but it is of one message only.
    origins = {
        (each.key, each.headers.get("origin.partition"), each.headers.get("origin.offset"))
        for each in poison
    }
    keys = Counter(key for key, *_ in origins)
    yield from _some("poison messages have two origins", (key for key in keys if keys[key] > 1))


def _actions(actions: Sequence[Shown]) -> Iterable[str]:
    times = Counter((each.post, each.rank) for each in actions)
    yield from _some("actions are shown twice", (each for each in times if times[each] > 1))
    last: dict[tuple[str, str, str | None], datetime] = {}
    early = []
    for each in sorted(actions, key=lambda one: (one.posted_at, one.post)):
        what = (each.subject, each.kind, each.product)
        free = last.get(what, datetime.min) + timedelta(days=each.cap_days if what in last else 0)
        if each.posted_at < free:
            early.append((each.post, each.rank))
        last[what] = each.posted_at
    yield from _some("actions come before their cap allows", early)


def _some(what: str, which: Iterable[object]) -> Iterable[str]:
    found = sorted(map(_text, which))
    if found:
        yield f"{len(found):,} {what}, such as {', '.join(found[:3])}"


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
