"""What goes in: files of posts for the producers, some of them spoilt, and messages of poison."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from misc.engines import sample

QUADRANTS = ("ctne", "ctnw", "ctse", "ctsw")
MARK = re.compile(rb"malformed-\d+")
# A share of the lines, each.
TWICE = 0.01
MALFORMED = 0.001


@dataclass(frozen=True)
class Input:
    """One file a quadrant; accepted are the ids of its good posts, malformed marks of the rest."""

    files: Mapping[str, Path]
    accepted: frozenset[str]
    malformed: frozenset[bytes]


def write(folder: Path, count: int, seed: int) -> Input:
    """Write so many different posts, spread over the quadrants' files.

    Some stand in two files, as a post that is found by two rules; some lines are no posts.
    """
    chance = random.Random(seed)
    lines: dict[str, list[bytes]] = {name: [] for name in QUADRANTS}
    accepted, malformed = set(), set()
    for number, post in enumerate(sample.posts(count, seed=seed)):
        line = json.dumps(post, ensure_ascii=False).encode()
        accepted.add(post["data"]["id"])
        first, second = chance.sample(QUADRANTS, 2)
        lines[first].append(line)
        if chance.random() < TWICE:
            lines[second].append(line)
        if number == 0 or chance.random() < MALFORMED:
            mark = f"malformed-{number}"
            malformed.add(mark.encode())
            lines[first].append(_spoilt(chance, mark))
    files = {name: folder / f"{name}.jsonl" for name in QUADRANTS}
    for name, path in files.items():
        path.write_bytes(b"".join(line + b"\n" for line in lines[name]))
    return Input(files, frozenset(accepted), frozenset(malformed))


def poison(count: int, seed: int) -> dict[bytes, bytes]:
    """Return messages that are no posts, by their keys."""
    chance = random.Random(seed)
    return {f"poison-{number}".encode(): _poison(chance, number) for number in range(count)}


def _spoilt(chance: random.Random, mark: str) -> bytes:
    kinds = (
        f'{{"data": {{"text": "{mark}',
        json.dumps({"data": {"id": "1", "text": mark}}),
        json.dumps({"errors": [{"title": mark}]}),
        json.dumps([mark]),
    )
    return chance.choice(kinds).encode()


def _poison(chance: random.Random, number: int) -> bytes:
    kinds = (
        b"",
        b"\xff\xfe" + str(number).encode(),
        b'{"version": 1, "id": "%d"' % number,
        json.dumps({"version": 2, "id": str(number)}).encode(),
        json.dumps({"version": 1, "id": str(number), "text": ""}).encode(),
        json.dumps([number]).encode(),
        b"[" * 5_000,
    )
    return chance.choice(kinds)
