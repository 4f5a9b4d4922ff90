"""What of a job's output may be shown: its last lines, without secrets and control characters."""

from __future__ import annotations

import re
from collections.abc import Mapping

LAST_WORDS = 8
LONGEST_LINE = 300
_SECRET = re.compile(r"(?:^|_)(?:PASSWORD|TOKEN|SECRET|KEY)(?:_|$)(?!FILE$)")
# What is shorter would blot out words that are no secret.
_SHORTEST_SECRET = 4


def last_words(output: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the last lines, with the values of variables such as X_TOKEN masked."""
    secrets = {
        value
        for name, value in environment.items()
        if _SECRET.search(name.upper()) and len(value) >= _SHORTEST_SECRET
    }
    # The longest first, for one may be a part of another.
    for secret in sorted(secrets, key=len, reverse=True):
        output = output.replace(secret, "***")
    return tuple(_shown(line) for line in output.splitlines()[-LAST_WORDS:])


def _shown(line: str) -> str:
    cut = line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
    # A terminal would obey escape sequences.
    return "".join(each if each.isprintable() else " " if each == "\t" else "?" for each in cut)
