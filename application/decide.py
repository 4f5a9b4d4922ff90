"""Where the parts meet that decide on a post: who it is from, how they feel, what to do next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

from application.action import Recent, next_best
from application.addresses import Index, load_index
from application.addresses import Lake as WholeLake
from application.errors import ApplicationError
from application.match import match_all
from application.message import Reading
from application.records import ActionKind, Decision, Origin
from application.sentiment import feel
from application.topics import topics

# The actions whose caps have not run out, the latest of each, shown or not. Time is the posts' own,
# as far as they are not ahead of the clock.
RECENT = """
select KIND, SUBJECT, PRODUCT, POSTED_AT, TWEET_ID
from DECIDED
where CAP_DAYS > 0 and POSTED_AT >= dateadd(
    day, -CAP_DAYS, (select least(max(POSTED_AT), sysdate()) from TWEETS)
)
qualify row_number() over (partition by KIND, SUBJECT, PRODUCT order by POSTED_AT desc) = 1
"""


What = tuple[ActionKind, str, str | None]  # kind, subject and product of an action
Decided = tuple[datetime, str]  # when, by which post


class Lake(Protocol):
    """Where earlier actions are: a Warehouse."""

    def run(self, sql: str) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class Knowledge:
    """What the lake tells: whom we know, and what was decided on lately, by whichever consumer."""

    index: Index
    recent: Recent


def learn(lake: WholeLake) -> Knowledge:
    """Return all that the lake tells now."""
    return Knowledge(load_index(lake), _recent(lake))


def _recent(lake: Lake) -> dict[What, Decided]:
    return {
        (kind, subject, product): (posted_at.replace(tzinfo=timezone.utc), post)
        for kind, subject, product, posted_at, post in lake.run(RECENT)
    }


class Renewal:
    """Learns from the lake again now and then, beside the work; a failure keeps what is known."""

    def __init__(
        self,
        load: Callable[[], Knowledge],
        every: float,
        note: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._every = every
        self._note = note
        self._now = now
        self._begun = now()
        self._thread: threading.Thread | None = None
        self._fresh: Knowledge | None = None

    def take(self) -> Knowledge | None:
        """Return what was learnt since the last call, and begin to learn again when it is due."""
        if self._thread is None or not self._thread.is_alive():
            fresh, self._fresh = self._fresh, None
            if self._now() - self._begun >= self._every:
                self._begun = self._now()
                self._thread = threading.Thread(target=self._renew, daemon=True)
                self._thread.start()
            return fresh
        return None

    def _renew(self) -> None:
        try:
            self._fresh = self._load()
        except ApplicationError as error:
            self._note(f"the index stays as it is: {error}")


class Decider:
    """Decides on posts in their order; each sees the caps of those before it."""

    def __init__(self, index: Index, renewal: Renewal, lake: Lake) -> None:
        self._index = index
        self._renewal = renewal
        self._lake = lake
        self._recent: dict[What, Decided] = {}

    def recall(self) -> None:
        """Learn from the lake which actions were decided on, by whomever."""
        self._recent = _recent(self._lake)

    def __call__(self, posts: Sequence[tuple[Reading, Origin]]) -> list[Decision]:
        fresh = self._renewal.take()
        if fresh is not None:
            self._index = fresh.index
            # What was decided here since then may not be in the lake yet: it stays.
            for what, decided in fresh.recent.items():
                self._remember(what, decided)
        matches = match_all([reading.post for reading, _ in posts], self._index)
        decisions = []
        for (reading, origin), match in zip(posts, matches, strict=True):
            post = reading.post
            sentiment = feel(post.text, post.lang)
            about = topics(post.text, post.lang, sentiment)
            customer = self._index.customers.get(match.customer_id or "")
            actions = next_best(post, match, sentiment, about, customer, self._recent)
            for action in actions:
                if action.cap_days:
                    what = action.kind, action.subject, action.product
                    self._remember(what, (post.created_at, post.id))
            decisions.append(Decision(post, reading.raw, match, sentiment, about, actions, origin))
        return decisions

    def _remember(self, what: What, decided: Decided) -> None:
        """Keep of an action the latest that was decided on."""
        before = self._recent.get(what)
        if before is None or before[0] <= decided[0]:
            self._recent[what] = decided
