"""The consumer without its decisions: what a post costs before any is made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import application.decide
from application.cli import main
from application.message import Reading
from application.records import Decision, Match, Origin, Sentiment


class Undecided:
    """Makes nothing of posts; stands where the decider does."""

    def __init__(self, *_: Any) -> None:
        pass

    def recall(self) -> None:
        pass

    def __call__(self, posts: Sequence[tuple[Reading, Origin]]) -> list[Decision]:
        nobody, calm = Match("unknown", 0.0, "not asked"), Sentiment("neutral", 0.0)
        return [
            Decision(each.post, each.raw, nobody, calm, frozenset(), (), origin)
            for each, origin in posts
        ]


if __name__ == "__main__":
    application.decide.Decider = Undecided  # type: ignore[misc,assignment]  # for this process only
    sys.exit(main())
