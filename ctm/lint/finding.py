"""What a rule found, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.definition import Path


@dataclass(frozen=True, order=True)
class Finding:
    """One fault at one place; `what` also says what to do about it.

    rule is the name that `--except` takes.
    """

    file: str
    line: int
    path: Path
    rule: str
    what: str

    @property
    def object(self) -> str:
        """Return the object's path from the top, as in folder/job/If/Mail."""
        return "/".join(str(step) for step in self.path)

    def __str__(self) -> str:
        told = f"{self.object}: {self.what}" if self.path else self.what
        # Names may hold anything, also newlines.
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in told)
        return f"{self.file}:{self.line}: {line}"
