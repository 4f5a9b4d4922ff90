"""What of a text may be shown: its last lines, without secrets and control characters, or a cut."""

from __future__ import annotations

import re
from collections.abc import Mapping

LAST_WORDS = 8
LONGEST_LINE = 300
# The launcher's line for programs; its Verdict says the same to people.
_FOR_PROGRAMS = "Result: {"
_SECRET = re.compile(r"(?:^|_)(?:PASSWORD|TOKEN|SECRET|KEY)(?:_|$)(?!FILE$)")
# What is shorter would blot out words that are no secret.
_SHORTEST_SECRET = 4


def last_words(output: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the last lines for people, with the values of variables such as X_TOKEN masked."""
    secrets = {
        value
        for name, value in environment.items()
        if _SECRET.search(name.upper()) and len(value) >= _SHORTEST_SECRET
    }
    # The longest first, for one may be a part of another.
    for secret in sorted(secrets, key=len, reverse=True):
        output = output.replace(secret, "***")
    lines = [line for line in output.splitlines() if not line.startswith(_FOR_PROGRAMS)]
    return tuple(_shown(line) for line in lines[-LAST_WORDS:])


def cut(text: str, width: int) -> str:
    """Cut a text that is too long at a word, and say so by an ellipsis."""
    if len(text) <= width:
        return text
    kept = text[: max(0, width - 1)]
    # A word that takes up most of it is cut itself.
    whole = kept if text[len(kept)].isspace() else kept[: kept.rfind(" ") + 1]
    return f"{(whole if len(whole) > width // 2 else kept).rstrip()}…"[: max(0, width)]


def _shown(line: str) -> str:
    cut = line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
    # A terminal would obey escape sequences.
    return "".join(each if each.isprintable() else " " if each == "\t" else "?" for each in cut)
