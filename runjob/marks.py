"""The lines of ours that stand within a log, which all begin alike."""

from __future__ import annotations

BEGINNING = "--- runjob:"


def mark(text: str) -> str:
    """Return the line that says this within a log."""
    return f"{BEGINNING} {text} ---"
