"""The manual page, in the man macros of roff."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from runjob.guide.text import Block, Code, Heading, Prose, Rows, bare
from runjob.guide.topics import TOPICS
from runjob.subcommands import SUBCOMMANDS
from runjob.version import VERSION

_SYNOPSIS = (
    ("-j", "NAME", "-i", "IMAGE", "[options]"),
    ("-y", "MANIFEST", "[-j NAME]", "[options]"),
    ("--kill --run-id", "ID", "-n", "NAME", "[options]"),
)

_DESCRIPTION = (
    "runjob runs one Kubernetes Job from a scheduler: it creates the Job, prints every line of its "
    "pods' logs once, tells how it ended in words and by its exit code, and removes it. It is "
    "called as `python3 runJob.py` from the launcher's folder, or as `runjob` once installed."
)

# The topics that are sections of the page, in its order; the others stand elsewhere in it.
_SECTIONS = (
    ("OUTPUT", "output"),
    ("RESULT FILE", "result"),
    ("MANIFESTS", "manifests"),
    ("LOGS", "logs"),
    ("WAITING", "waiting"),
    ("SIGNALS", "signals"),
    ("KILL", "kill"),
    ("SANDBOX", "sandbox"),
    ("COMPLETION", "completion"),
)

_FILES = Rows(
    (
        ("NAME.yaml", "manifest of `-j` NAME, in the current directory or beside runJob.py"),
        (
            "/var/run/secrets/kubernetes.io/serviceaccount",
            "token and authority of the cluster around us",
        ),
    )
)


def page() -> str:
    """Return the page; it is dated by SOURCE_DATE_EPOCH, without it not at all."""
    lines = [
        f'.TH RUNJOB 1 "{_date()}" "runjob {VERSION}" "User Commands"',
        # Names of options are looked for, and must be neither divided nor stretched.
        ".nh",
        ".ad l",
        ".SH NAME",
        r"runjob \- run one Kubernetes Job and tell how it ended",
        ".SH SYNOPSIS",
        *_synopsis(),
        ".SH DESCRIPTION",
        *_lines(_DESCRIPTION),
        ".SH OPTIONS",
        *_blocks(TOPICS["options"].blocks),
        ".SH SUBCOMMANDS",
        *_subcommands(),
        ".SH EXIT STATUS",
        *_blocks(TOPICS["exit-codes"].blocks),
    ]
    for title, topic in _SECTIONS:
        lines += [f".SH {title}", *_blocks(TOPICS[topic].blocks)]
    lines += [
        ".SH ENVIRONMENT",
        *_blocks(TOPICS["environment"].blocks),
        ".SH FILES",
        *_blocks([_FILES]),
        ".SH EXAMPLES",
        *_blocks(TOPICS["recipes"].blocks),
        ".SH SEE ALSO",
        ".BR kubectl (1)",
        ".SH VERSION",
        f"runjob {VERSION}",
    ]
    return "\n".join(_spaced(lines))


def _spaced(lines: Iterable[str]) -> Iterator[str]:
    """Leave out the paragraphs that a heading begins already."""
    before = ""
    for line in lines:
        if not (line == ".PP" and before.startswith((".SH", ".SS"))):
            yield line
        before = line


def _date() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch.isdecimal():
        return ""
    return f"{datetime.fromtimestamp(int(epoch), timezone.utc):%Y-%m-%d}"


def _synopsis() -> Iterator[str]:
    lines = [" ".join(words) for words in _SYNOPSIS]
    lines += [known.line for known in SUBCOMMANDS.values()]
    for line in lines:
        yield ".br" if line is not lines[0] else ".B runjob"
        if line is not lines[0]:
            yield ".B runjob"
        yield roff(line)


def _subcommands() -> Iterator[str]:
    for name, known in SUBCOMMANDS.items():
        yield f".SS {name}"
        text = TOPICS[name].blocks if name in TOPICS and name != "completion" else ()
        yield from _blocks(text or [Prose(f"`{known.line}`"), Prose(known.meaning)])


def _blocks(found: Iterable[Block]) -> Iterator[str]:
    for block in found:
        if isinstance(block, Heading):
            yield f".SS {roff(block.text)}"
        elif isinstance(block, Rows):
            for term, meaning in block.rows:
                yield from (".TP", rf"\fB{roff(bare(term))}\fP", *_lines(meaning))
        elif isinstance(block, Code):
            yield from (".PP", ".RS 4", ".nf", *map(_guarded, map(roff, block.lines)), ".fi", ".RE")
        else:
            yield from (".PP", *_lines(block.text))


def _lines(text: str) -> list[str]:
    """Return a paragraph in lines of the length that roff's readers ask for."""
    parts = textwrap.wrap(roff(text), 79, break_long_words=False, break_on_hyphens=False)
    return [_guarded(line) for line in parts]


def _guarded(line: str) -> str:
    """Return a line that roff does not take for a request."""
    return rf"\&{line}" if line[:1] in (".", "'") else line


def roff(text: str) -> str:
    """Return a text as roff reads it to the letter; what stands between backticks is bold."""
    parts = ["".join(_LETTERS.get(each, each) for each in part) for part in text.split("`")]
    for at in range(1, len(parts), 2):
        parts[at] = rf"\fB{parts[at]}\fP"
    return "".join(parts)


# A bare hyphen and quote are typographic to roff, and it reads bytes and not letters.
_LETTERS = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "…": r"\[u2026]"}
