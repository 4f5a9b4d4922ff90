"""Whether what is allowed is also wise: secrets, locks and pools, Ifs, reruns, lengths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctm.definition import Path
from ctm.lint.finding import Finding
from ctm.lint.tree import Item, Tree

_SECRET = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|api.?key|access.?key|private.?key"
    r"|(?:^|db|user|[_-])pass(?:$|[_-])|[a-z0-9]_?pwd)"
)
# A pull secret is told by its name, as Kubernetes has it.
_NO_SECRET = re.compile(r"(?i)(name|file|path|url|type|endpoint|id|pull.?secret)$")
_IN_A_LINE = re.compile(
    r"(?i)(?:--?(?:password|passwd|token|secret|api-?key)[= ]|\b\w*(?:password|token|secret)=)"
    r"(?![%$'\"]*[%$<{])\S+"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|://[^/\s:@%$]+:[^/\s@%$<{]+@"
)
_STATUS = re.compile(r"(?i)OK|NOTOK|ANY|EVEN|ODD|([<>=!]{1,2}\s*)?-?\d+")
_COUNT = re.compile(r"([<>=!]{1,2}\s*)?\d+")
_COUNTS = ("NumberOfReruns", "NumberOfExecutions", "NumberOfFailures")
_COMMAND_LENGTH = 512
_SCRIPT_BYTES = 64_000


def secrets(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find passwords and keys that stand there to be read."""
    for tree in trees:
        for name, value in tree.definition.content.items():
            yield from _secrets(tree, (name,), name, value)


def _secrets(tree: Tree, path: Path, name: str, value: Any) -> Iterator[Finding]:
    if isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _secrets(tree, (*path, position), name, inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("Secret", "Type"):
                yield from _secrets(tree, (*path, key), key, inner)
    elif isinstance(value, str) and value:
        named = _SECRET.search(name) and not _NO_SECRET.search(name)
        if (named and not value.startswith("%%")) or "PRIVATE KEY-----" in value:
            yield tree.finding(
                path, "secret",
                'is a secret for all to read; write {"Secret": "name"} and keep it with '
                "ctm config secret::add",
            )  # fmt: skip
        elif _IN_A_LINE.search(value):
            yield tree.finding(
                path, "secret",
                "holds a password or a key for all to read; let the job read it from a file or "
                "from its environment",
            )  # fmt: skip


def resources(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find pools that ask for nothing, and locks that a job's own folder withholds."""
    for tree in trees:
        for pool in tree.of("Resource:Pool"):
            quantity = str(pool.get("Quantity", "1"))
            if "%%" not in quantity and not (quantity.isdigit() and int(quantity) > 0):
                yield tree.finding(
                    (*pool.path, "Quantity"), "resource",
                    f"asks for {quantity}; ask for a whole number above 0, or remove the pool",
                )  # fmt: skip
        for lock in tree.of("Resource:Lock"):
            holder = tree.parent(lock)
            for above in tree.ancestors(holder) if holder is not None else ():
                for other in tree.children(above, "Resource:Lock"):
                    kinds = {lock.get("LockType"), other.get("LockType")}
                    if other.name == lock.name and "Exclusive" in kinds:
                        yield tree.finding(
                            lock.path, "deadlock",
                            f"can never be had: {above.name} around it holds {lock.name} while "
                            "it runs; lock it in one place",
                        )  # fmt: skip


def ifs(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find Ifs that do nothing, contradict themselves or can never hold."""
    for tree in trees:
        for item in tree.of("If", "IfCollection"):
            actions = [action.type for action in tree.children(item, "Action", "Event")]
            if not actions:
                yield tree.finding(item.path, "if", "does nothing; add an Action, or remove it")
            if {"Action:SetToOK", "Action:SetToNotOK"} <= set(actions):
                yield tree.finding(
                    item.path, "if", "sets the job to OK and to not OK; keep one of them"
                )
            status = item.get("CompletionStatus")
            if (
                item.type == "If:CompletionStatus"
                and isinstance(status, str)
                and "%%" not in status
                and not _STATUS.fullmatch(status.strip())
            ):
                yield tree.finding(
                    (*item.path, "CompletionStatus"), "if",
                    f"never holds: a job ends OK or NOTOK or with a number, not {status!r}",
                )  # fmt: skip
            for name in _COUNTS:
                count = str(item.get(name, 1)).strip()
                if "%%" not in count and not _COUNT.fullmatch(count):
                    yield tree.finding(
                        (*item.path, name), "if",
                        f"never holds: {count!r} is no number; write one, such as 3 or >=3",
                    )  # fmt: skip
            if item.type == "If:Output" and not (item.get("Statement") or item.get("Code")):
                yield tree.finding(item.path, "required", "an If:Output needs Code; add it")
            if "Action:Rerun" in actions and not item.is_default:
                yield from _rerun(tree, item)


def _rerun(tree: Tree, item: Item) -> Iterator[Finding]:
    job = tree.parent(item)
    limit: Any = job.get("RerunLimit") if job is not None else None
    times = limit.get("Times") if isinstance(limit, Mapping) else None
    if not str(times or "").isdigit() or int(str(times)) < 1:
        yield tree.finding(
            item.path, "rerun",
            'reruns the job without end; give it a limit: "RerunLimit": {"Times": "2"}',
        )  # fmt: skip


def lengths(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find commands and scripts that are longer than Control-M takes."""
    for tree in trees:
        for job in tree.of("Job"):
            command, script = job.content.get("Command"), job.content.get("Script")
            if isinstance(command, str) and len(command) > _COMMAND_LENGTH:
                yield tree.finding(
                    (*job.path, "Command"), "length",
                    f"has {len(command)} characters, and Control-M takes {_COMMAND_LENGTH}; make "
                    "it a Job:Script",
                )  # fmt: skip
            if isinstance(script, str) and len(script.encode()) > _SCRIPT_BYTES:
                yield tree.finding(
                    (*job.path, "Script"), "length",
                    f"has {len(script.encode())} bytes, and Control-M takes {_SCRIPT_BYTES}; "
                    "make it a Job:Script",
                )  # fmt: skip
