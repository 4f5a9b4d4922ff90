"""What is sent and not yet delivered, in the order of the source."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pythonapp.posts import Bookmark


class Ledger:
    """Tells how far everything is delivered, though deliveries come in any order."""

    def __init__(self) -> None:
        self._open: deque[list[Bookmark | bool]] = deque()
        self._position: Bookmark | None = None

    def sent(self, bookmark: Bookmark) -> Callable[[], None]:
        """Note a post on its way; call what is returned once it is delivered."""
        entry: list[Bookmark | bool] = [bookmark, False]
        self._open.append(entry)

        def delivered() -> None:
            entry[1] = True

        return delivered

    def position(self) -> Bookmark | None:
        """Return the last bookmark before which nothing is missing; None where there is none."""
        while self._open and self._open[0][1]:
            bookmark, _ = self._open.popleft()
            assert isinstance(bookmark, Bookmark)
            self._position = bookmark
        return self._position
