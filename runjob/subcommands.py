"""Read the lines of the subcommands; `gc`, `list` and `show` lead to a cluster as a launch does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from getopt import GetoptError, gnu_getopt
from typing import Any

from runjob.errors import UsageError
from runjob.flags import FLAGS, Asked, Flag
from runjob.leftovers import GRACE, Wanted
from runjob.options import Connection
from runjob.plan import check_names
from runjob.request import JobRequest
from runjob.values import seconds


@dataclass(frozen=True, kw_only=True)
class Collect:
    """What `gc` is asked for; namespace is None for all of them."""

    namespace: str | None
    connection: Connection
    wanted: Wanted
    delete: bool = False
    lost: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options that ask for Jobs of this kind."""
        wanted = self.wanted
        age = () if wanted.older_than == GRACE else ("--older-than", str(wanted.older_than))
        return (
            *(("--lost",) if self.lost else ()),
            *(("--failed",) if wanted.failed_only else ()),
            *age,
            *(("--all-makers",) if wanted.all_makers else ()),
        )


@dataclass(frozen=True, kw_only=True)
class Roster:
    """What `list` is asked for; namespace is None for all of them."""

    namespace: str | None
    connection: Connection


@dataclass(frozen=True, kw_only=True)
class Show:
    """What `show` is asked for."""

    name: str
    namespace: str
    connection: Connection


@dataclass(frozen=True)
class Text:
    """What `help` and `completion` are asked for: a topic, or a shell; empty for an overview."""

    word: str


@dataclass(frozen=True)
class Subcommand:
    """One subcommand: its line after the name, what it does, and its options."""

    line: str
    meaning: str
    flags: tuple[Flag, ...]


def _age(text: str) -> int:
    return 0 if text == "0" else seconds(text)


def _shared() -> tuple[Flag, ...]:
    """Pick out of the launcher's table what leads to a namespace."""
    targets = ("namespace", "connection.kubeconfig", "connection.context")
    namespace, *connection = (flag for flag in FLAGS if flag.target in targets)
    # An empty one is refused: it comes of a variable without a value, and gc would look elsewhere.
    asked = replace(namespace, help="namespace to look in (default: default)", blank=...)
    return (asked, *connection)


_ALL = Flag("A", ("all-namespaces",), "everywhere", "look in all namespaces", None)
_HELP = Flag("h", ("help",), "help", "this text", None)

SUBCOMMANDS = {
    "gc": Subcommand(
        "gc [--delete] [options]",
        "List the Jobs that have ended and were left behind; with --delete remove them.",
        (
            Flag("", ("delete",), "delete", "remove them, with their pods", None),
            Flag("", ("failed",), "wanted.failed_only", "only those that failed", None),
            Flag("", ("older-than",), "wanted.older_than", "only those that ended so long ago: "
                 f"1h, 2d, 0 (default: {GRACE // 60}m, for a launcher may still read one)", "TIME",
                 convert=_age),
            Flag("", ("lost",), "lost", "instead those whose launcher is gone, running ones too",
                 None),
            Flag("", ("all-makers",), "wanted.all_makers", "also those that runjob did not make",
                 None),
            _ALL,
            *_shared(),
            _HELP,
        ),
    ),
    "list": Subcommand(
        "list [options]",
        "List the Jobs of launches: how each stands, and whether its launcher lives.",
        (_ALL, *_shared(), _HELP),
    ),
    "show": Subcommand(
        "show NAME [options]",
        "Show a Job: how it stands, its pods, events, last words, and what to do next.",
        (*_shared(), _HELP),
    ),
    "help": Subcommand("help [TOPIC]", "List the topics, or tell of one or an option.", (_HELP,)),
    "completion": Subcommand(
        "completion bash|zsh|fish", "Print the completion script of a shell.", (_HELP,)
    ),
}  # fmt: skip


def read(name: str, words: Sequence[str]) -> Collect | Roster | Show | Text | Asked:
    """Read the words after the subcommand's name; raises UsageError."""
    known = SUBCOMMANDS[name]
    if name == "help" and len(words) == 1 and _asks_about_an_option(words[0]):
        return Text(words[0])
    values, operands = _values(name, known.flags, list(words))
    if "help" in values:
        return Asked(name)
    if name in ("help", "completion"):
        return _text(name, operands)
    connection = Connection(**_part(values, "connection"))
    if connection.context and not connection.kubeconfig:
        raise UsageError("--context chooses within a kubeconfig: name it with --kubeconfig")
    if name in ("gc", "list"):
        if operands:
            raise UsageError(f"{name} takes no name, and {operands[0]!r:.80} belongs to no option")
        namespace = _place(values)
        if name == "list":
            return Roster(namespace=namespace, connection=connection)
        wanted, lost = _part(values, "wanted"), values.get("lost", False)
        if lost and wanted:
            raise UsageError(
                "--lost asks for the Jobs whose launcher is gone, however they stand: leave out "
                "--failed, --older-than and --all-makers"
            )
        delete = values.get("delete", False)
        if delete and namespace is None:
            raise UsageError(
                "a removal names its namespace: gc --delete -n NAME; gc -A lists what was left in "
                "all of them"
            )
        return Collect(
            namespace=namespace,
            connection=connection,
            wanted=Wanted(**wanted),
            delete=delete,
            lost=lost,
        )
    if len(operands) != 1:
        raise UsageError("show takes the name of one Job: show NAME -n NAMESPACE")
    namespace = values.get("namespace", "default")
    _check(operands[0], namespace)
    return Show(name=operands[0], namespace=namespace, connection=connection)


def _place(values: dict[str, Any]) -> str | None:
    """Return the namespace to look in, None for all of them."""
    named: str | None = values.get("namespace")
    if "everywhere" not in values:
        _check("any", named or "default")
        return named or "default"
    if named is not None:
        raise UsageError("-A looks in all namespaces and -n in one: leave one of them out")
    return None


def _asks_about_an_option(word: str) -> bool:
    return word.startswith("-") and word != "-h" and not "--help".startswith(word)


def _text(name: str, operands: Sequence[str]) -> Text:
    if name == "completion" and len(operands) != 1:
        raise UsageError("completion takes the name of a shell: completion bash, zsh or fish")
    if len(operands) > 1:
        raise UsageError(f"help takes one topic, and {operands[1]!r:.80} is a second")
    return Text(operands[0] if operands else "")


def _values(
    name: str, flags: tuple[Flag, ...], words: list[str]
) -> tuple[dict[str, Any], list[str]]:
    known = {f"-{flag.short}": flag for flag in flags if flag.short}
    known |= {f"--{each}": flag for flag in flags for each in flag.names}
    short = "".join(flag.short + (":" if flag.metavar else "") for flag in flags if flag.short)
    long = [each + ("=" if flag.metavar else "") for flag in flags for each in flag.names]
    try:
        found, operands = gnu_getopt(words, short, long)
    except GetoptError as error:
        meant = _meant(error.opt, [each.rstrip("=") for each in long])
        raise UsageError(f"{error.msg:.120}; {name} --help lists the options{meant}") from error
    values = {}
    for option, text in found:
        flag = known[option]
        if flag.metavar is None:
            values[flag.target] = True
        else:
            values[flag.target] = _converted(flag, option, text)
    return values, operands


def _meant(option: str, names: Sequence[str]) -> str:
    near = [] if option in names else get_close_matches(option[:80], names, 1, 0.7)
    return f" (did you mean --{near[0]}?)" if near else ""


def _converted(flag: Flag, option: str, text: str) -> Any:
    try:
        if not text:
            raise ValueError("a value")
        return flag.convert(text)
    except ValueError as error:
        raise UsageError(f"{option} takes {error}, not {text!r:.80}") from error


def _part(values: dict[str, Any], name: str) -> dict[str, Any]:
    start = f"{name}."
    return {key[len(start) :]: value for key, value in values.items() if key.startswith(start)}


def _check(name: str, namespace: str) -> None:
    """Refuse names that the API would refuse, before they become parts of its addresses."""
    check_names(JobRequest(name, namespace, {}))
