"""Decide after each read of a run's log what comes next, until its end is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runjob.errors import ApiError
from runjob.retry import REFUSALS
from runjob.runs import RunView

# How many reads in a row must bring nothing new where the log's last line does not tell the end, as
# in an empty log.
SAME_READS = 4

# How often a kubelet may say that it knows no such pod while the API has it, over some 25 s. One
# that has just started knows none until it has synced with the API: seconds, on a busy node.
STRANGERS = 9

# How often the end of a log is tried when the stream breaks off before what is known to be there.
SHORT_READS = 6
# And where the node seems to have removed the log of a run after which the container was started
# once more: to wait longer may cost the log of the next one, which goes when that one's next ends.
REMOVED_READS = 2
_ROTATED = "its log was rotated away by the kubelet"
_SHORT = "each try breaks off before its log's end"


@dataclass(frozen=True)
class Known:
    """What the reads of one run's log have shown up to now."""

    at_end: bool = False  # whether the latest one came to what may be the log's end
    rest: bytes = b""  # what it left unfinished there
    removed: bool = False  # whether the node seems to have removed the log since
    same: int = 0  # reads in a row that brought nothing new
    short: int = 0  # reads that broke off before what is known to be there
    refused: int = 0  # reads after the end that were forbidden, or met nobody who knows the pod
    moved: bool = False  # whether something is new since the latest pause

    # Whether the present log is the next run's already, which the status tells later; None
    # before there is a sign of it.
    passed: bool | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """What is counted of answers that bring nothing, until enough of them tell the end."""
        return self.same, self.short, self.refused

    @property
    def is_whole(self) -> bool:
        """Whether all that is known to have been there was read, to the end of its last line."""
        return self.at_end and not self.rest


@dataclass(frozen=True)
class Ask:
    """Which log to ask for: the one that the node calls the previous one, or the present one.

    In doubt it may be another run's. It is where it does not go on where we are, or begins after
    `until`; and with first, since none came before that run, where the node has a previous log.
    """

    over: bool  # whether the run is, so that its log has an end
    previous: bool
    doubt: bool
    first: bool
    until: bytes | None


@dataclass(frozen=True)
class Seen:
    """What a stream showed until it came to its end, or broke off with an error."""

    fresh: bool  # whether it brought something new
    rest: bytes  # what it left unfinished
    caught_up: bool  # whether it brought all that had come before
    refused: bool  # whether the node says, instead of that, that there is no log
    error: ApiError | None = None


@dataclass(frozen=True)
class Ending:
    """Whether all was read, by the log's last line, asked for alone; None where that does not tell.

    bare tells that there was no such line.
    """

    whole: bool | None
    bare: bool = False


# A stream that did not bring all that had come before need not be compared.
CUT = Ending(whole=False)


@dataclass(frozen=True)
class Again:
    """Read again at once."""

    known: Known


@dataclass(frozen=True)
class Pause:
    """Read again after a pause; where the run is not over, its end cuts that short."""

    known: Known
    over: bool
    anew: bool  # whether the waits begin anew
    asked: float | None = None  # how long the API asked to wait
    trouble: ApiError | None = None  # what is to be told


@dataclass(frozen=True)
class Whole:
    """All was read; a last line without a newline is still to be handed on."""


@dataclass(frozen=True)
class Done:
    """Nothing more can be read; lost says in words why, where something may be missing."""

    lost: str = ""


Next = Again | Pause | Whole | Done


def question(known: Known, run: RunView) -> Ask:
    """Return which log to ask for next."""
    over = run.over or bool(known.passed)
    previous = run.superseded or bool(known.passed)
    doubt = run.may_repeat and not run.superseded and known.passed is not False
    first = doubt and not previous and run.number == 0
    until = run.last_second if doubt and known.passed is None else None
    return Ask(over, previous, doubt, first, until)


def after_another_run(known: Known) -> Again:
    """Go on after a log that turned out to be another run's."""
    # What is missing in one of the two logs may stand in the other one.
    return Again(replace(known, passed=known.passed is None))


def after_read(known: Known, seen: Seen) -> Known:
    """Return what is known after a stream that came to its end."""
    # A node that has removed a container says so, or nothing, which takes nothing back.
    removed = seen.refused or (known.at_end and not seen.fresh and not seen.caught_up)
    same = known.same + 1 if not seen.fresh and seen.rest == known.rest else 0
    moved = known.moved or seen.fresh
    known = replace(known, removed=removed, same=same, moved=moved, refused=0)
    return known if removed else replace(known, at_end=seen.caught_up, rest=seen.rest)


def after_break(known: Known, seen: Seen) -> Known:
    """Return what is known after a stream that broke off."""
    # The log goes on behind what was taken for its end; even a stream that is cut shows that.
    goes_on = seen.fresh or (seen.caught_up and seen.rest and not seen.refused)
    return replace(known, at_end=False, same=0) if goes_on else known


def while_it_runs(known: Known) -> Pause:
    """Go on after a stream that ended where the container did not: that was no end."""
    return pause(replace(known, at_end=known.at_end and known.removed), over=False)


def at_its_end(known: Known, seen: Seen, ending: Ending, *, superseded: bool) -> Next:
    """Decide what comes after a stream that ended after its run did.

    superseded is what the status told before the stream was opened.
    """
    if ending.whole or (ending.whole is None and known.same >= SAME_READS):
        return Whole()
    if not known.removed:
        # No last line at all: a cut again, or the node has removed the log meanwhile.
        known = replace(known, at_end=ending.whole is not False or ending.bare)
    if ending.whole is None or seen.fresh:
        return Again(known)
    known = replace(known, short=known.short + 1)
    if superseded and known.removed and known.is_whole and known.short >= REMOVED_READS:
        return Done()
    if known.short == SHORT_READS and known.passed and not superseded:
        # No later run is told of: what is missing may stand in the present log after all.
        known = replace(known, short=0, passed=False)
    elif known.short == SHORT_READS:
        why = _SHORT if seen.caught_up else _ROTATED
        return Done("" if known.is_whole else why)
    return pause(known, over=True, trouble=ApiError(0, "the log broke off"))


def after_error(known: Known, error: ApiError, *, superseded: bool, over: bool, gone: bool) -> Next:
    """Decide what comes after a log, or its last line, that was not given, or broke off.

    superseded is what the status told before; the run is over, and its pod gone, by what it tells
    now.
    """
    if known.passed and not superseded and error.status in (400, 404):
        return Again(replace(known, passed=False))  # there was no run before this one
    # A server that has just started knows no roles, and a kubelet no pods.
    forbidden = error.status == 403 and over
    unknown = error.status == 404
    if forbidden or unknown:
        moved = known.moved or not known.refused
        known = replace(known, refused=known.refused + 1, moved=moved)
    believed = known.refused >= (STRANGERS if unknown else REFUSALS)
    if forbidden and believed:
        return Done(str(error))
    if (unknown and (gone or believed)) or (error.status == 400 and over):
        # What was read to an end is whole, if its last line is.
        return Done("" if known.is_whole else str(error))
    trouble = None if error.status == 400 else error  # 400: the container is about to start
    known = replace(known, at_end=known.at_end and over)
    return pause(known, over=over, asked=error.retry_after, trouble=trouble)


def pause(
    known: Known, *, over: bool, asked: float | None = None, trouble: ApiError | None = None
) -> Pause:
    """Read again after a pause, which is the shortest one where something is new."""
    return Pause(replace(known, moved=False), over, known.moved, asked, trouble)
