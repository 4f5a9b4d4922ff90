"""What a launch writes down, so that one after a kill can go on: positions in logs, and the end."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import sys
import threading
import zlib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Protocol

from runjob.errors import Exit, LaunchError, UsageError
from runjob.existing import Past
from runjob.frozen import from_json, to_json
from runjob.logs import LogCursor, prefixed
from runjob.marks import mark
from runjob.positions import (
    SIZE,
    Place,
    Record,
    Resumption,
    Standing,
    encoded,
    latest,
    resumption,
)
from runjob.request import Body
from runjob.verdict import Verdict

Position = tuple[int, Any]

_RUN = "run.json"
_END = "end.json"
_LOCK = "lock"
_POSITION = ".position"
_TOLD = "told"
_NAMES = ("name", "namespace", "uid", "resourceVersion")


class Printer(Protocol):
    """Where logs are printed."""

    @property
    def reading(self) -> bool:
        """Whether what is printed still reaches somebody."""

    def log(self, lines: bytes, prefix: bytes = b"") -> None:
        """Print a part of a log, with prefix before each line."""

    def start_line(self) -> None:
        """End a line that has no end yet."""

    def line(self, text: str) -> None:
        """Print one line of ours to stdout."""

    def remark(self, text: str) -> None:
        """Print one line to stderr."""


def stdout_place() -> Place | None:
    """Return the end of stdout, None where it is no regular file."""
    try:
        status = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    try:
        shared = os.path.samestat(status, os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):
        shared = False
    return Place(status.st_dev, status.st_ino, status.st_size, shared)


def standing_at(place: Place | None, size: int) -> bytes | None:
    """Return what stands at that place of stdout, size bytes at most; None for not known."""
    now = stdout_place()
    if place is None or now is None or now.size < place.size:
        return None
    if (now.device, now.inode) != (place.device, place.inode):
        return None
    try:
        # Its own way of reading: a scheduler opens it for writing only.
        with open(f"/dev/fd/{sys.stdout.fileno()}", "rb") as file:
            return os.pread(file.fileno(), size, place.size)
    except OSError:
        return None


class Journal:
    """The folder of one run, held by one launcher at a time; cluster tells where it runs.

    Nothing here waits for the disk: what a process has written outlives its death, only a machine
    that loses its power may lose the last of it, and lines are repeated then.
    """

    def __init__(
        self,
        directory: str,
        identity: str,
        cluster: str,
        launcher: str,
        printer: Printer,
    ) -> None:
        self._folder, self._lock = _held(directory, identity, cluster, launcher)
        self._printer = printer
        self._over = False
        self._told = False
        self._staying = ""  # the uid of the Job that stays, though its end is being told
        self._writing = threading.Lock()
        self._files: list[int] = []
        self._complained = False
        self._run = self._load(_RUN) or {}
        self._end = self._load(_END)

    # -- what was written before -------------------------------------------------------------------

    @property
    def past(self) -> Past | None:
        """What an earlier launch left, None where there was none."""
        try:
            return Past(self._run["job"], tuple(self._run["ours"]), self.verdict is not None)
        except (KeyError, TypeError):
            return None

    @property
    def verdict(self) -> Verdict | None:
        """How the Job ended, where that was written down before its removal."""
        try:
            return None if self._end is None else from_json(Verdict, self._end["verdict"])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def ends_told(self) -> list[str]:
        """The uids of Jobs that may stand yet, though their ends were told."""
        found = self._run.get(_TOLD)
        return found if isinstance(found, list) else []

    # -- writing -----------------------------------------------------------------------------------

    def begin(self, job: Body, ours: Sequence[Body], beside: Collection[str] = ()) -> bool:
        """Begin with that Job; tell whether an earlier launch has written of it.

        What was written of another Job is no longer of use and is removed. beside are the uids of
        Jobs of the run that stay as they are.
        """
        past = self.past
        known = past is not None and past.job["metadata"]["uid"] == job["metadata"]["uid"]
        if not known:
            self._clear()
        self._over = True
        told = [uid for uid in self.ends_told if uid in beside]
        self._run = {"job": _named(job), "ours": [_named(body) for body in ours], _TOLD: told}
        self._save(_RUN, self._run)
        return known

    def conclude(self, verdict: Verdict) -> None:
        """Write down how it ended, before anything is removed."""
        self._save(_END, {"verdict": to_json(verdict)})

    def forget(self) -> None:
        """Let a launch of the same run begin anew: this one is being ended by somebody."""
        self._clear()

    def stays(self) -> None:
        """Hear that the Job stays, and that nothing on it says that its end was told."""
        with suppress(KeyError, TypeError):
            self._staying = self._run["job"]["metadata"]["uid"]

    def print_through(self, printer: Printer) -> None:
        """Print there from now on."""
        self._printer = printer

    def knows_only(self, pod: str, container: str) -> bool:
        """Tell whether no log but that one was opened by this launch or an earlier one."""
        with suppress(OSError):
            names = set(os.listdir(self._folder)) - {_file_name(pod, container)}
            return not any(name.endswith(_POSITION) for name in names)
        return True

    def account(
        self, pod: str, container: str, prefix: bytes, name: str
    ) -> tuple[bytes, Position | None, Callable[[Position, bytes], None]]:
        """Open the account of one container's log; pod is a uid, name what people call it.

        Return what stands before each line, where to go on, None for its start, and what to call
        with each chunk and the position after it. A log that an earlier launcher has begun keeps
        the prefix that it has, since what stands above is found by it.
        """
        path = os.path.join(self._folder, _file_name(pod, container))
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._files.append(file)
            # Room for both slots now: a disk that is full later cannot part stdout and record.
            os.posix_fallocate(file, 0, 2 * SIZE)
            number, record = latest(os.pread(file, 2 * SIZE, 0))
        except OSError as error:
            self._complain(error)
            return prefix, None, lambda _, data: self._printer.log(data, prefix)
        prefix = prefix if record.prefix is None else record.prefix.encode()
        standing = standing_at(record.place, record.bytes) if record.coming else None
        resumed = resumption(record, standing)
        try:
            if resumed.position is not None:
                LogCursor.restored(resumed.position[1])
        except (KeyError, TypeError, ValueError, AttributeError):
            resumed = Resumption()  # written by another version
            self._printer.line(mark(f"all of {name} may stand above already"))
        if resumed.doubt:
            self._printer.line(
                mark(f"up to {resumed.doubt} bytes of {name} may stand above already")
            )
        account = _Account(
            file, number, resumed, self._printer, prefix, self._writing, self._complain
        )
        return prefix, resumed.position, account.write

    # -- the end -----------------------------------------------------------------------------------

    def take_up(self) -> None:
        """Bring what is written of the past to its end: this launch does nothing else."""
        self._over = True

    def told(self, verdict: Verdict) -> None:
        """Hear that this verdict was told: what is written of its Job is no longer of use."""
        self._told = verdict.ending.code is not Exit.UNREADABLE

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the folder, and remove it where the Job's end was told or nothing is in it.

        Where that Job stays, it stays too, lest the end is told again. A launch that was refused
        never touches what an earlier one wrote.
        """
        if (self._told and self._over) or not self._run:
            if self._staying:
                self._run = {_TOLD: [*self.ends_told, self._staying]}
            self._clear()
            if not self._run:
                with suppress(OSError):
                    os.remove(os.path.join(self._folder, _LOCK))
                    os.rmdir(self._folder)
        for file in (*self._files, self._lock):
            with suppress(OSError):
                os.close(file)

    def _clear(self) -> None:
        """Remove what is written of a Job, first by which Job it was; ends that were told stay."""
        told = self.ends_told
        self._run, self._end = {_TOLD: told} if told else {}, None
        if told:
            self._save(_RUN, self._run)
        names = sorted(os.listdir(self._folder), key=lambda name: name != _RUN)
        for name in names:
            if name != _LOCK and not (told and name == _RUN):
                with suppress(OSError):
                    os.remove(os.path.join(self._folder, name))

    def _load(self, name: str) -> Any:
        try:
            with open(os.path.join(self._folder, name), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _save(self, name: str, value: Any) -> None:
        """Write a file whole or not at all; a launch goes on without it."""
        path = os.path.join(self._folder, name)
        draft = f"{path}.new"
        try:
            with open(draft, "w", encoding="utf-8") as file:
                json.dump(value, file)
            os.replace(draft, path)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if self._complained:
            return
        self._complained = True
        self._printer.remark(
            f"the state folder cannot be written ({error.strerror}): a launch after a kill would "
            "print this log once more"
        )


def _file_name(pod: str, container: str) -> str:
    """Name the file of a log's position."""
    return hashlib.sha256(f"{pod}/{container}".encode()).hexdigest()[:32] + _POSITION


def _held(directory: str, identity: str, cluster: str, launcher: str) -> tuple[str, int]:
    """Make and lock the folder of a run within a state directory; return it and the lock's file.

    Raises UsageError for one that cannot be used, LaunchError while another launcher holds it.
    """
    key = hashlib.sha256(f"{identity}\n{cluster}".encode(errors="surrogatepass")).hexdigest()[:32]
    folder = os.path.join(directory, key)
    path = os.path.join(folder, _LOCK)
    try:
        while True:
            os.makedirs(directory, 0o700, exist_ok=True)
            os.makedirs(folder, 0o700, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(lock, 200).decode(errors="replace")
                os.close(lock)
                raise LaunchError(
                    f"another launcher ({holder or 'just started'}) follows run {identity} with "
                    "this --state-dir: wait for its end, or end it first",
                    Exit.EXISTS,
                ) from None
            if _is_at(lock, path):
                os.ftruncate(lock, 0)
                os.pwrite(lock, launcher.encode(), 0)
                return folder, lock
            os.close(lock)  # its last holder removed it meanwhile
    except OSError as error:
        raise UsageError(
            f"--state-dir {directory:.80}: cannot be written there ({error.strerror})"
        ) from error


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


class _Account:
    """Brackets each chunk of one log by an intent and a commit."""

    def __init__(
        self,
        file: int,
        number: int,
        resumed: Resumption,
        printer: Printer,
        prefix: bytes,
        writing: threading.Lock,
        complain: Callable[[OSError], None],
    ) -> None:
        self._file = file
        self._number = number
        self._position = resumed.position
        self._standing = Standing(resumed)
        self._doubt = resumed.doubt
        self._printer = printer
        self._prefix = prefix
        # One for all logs: what is printed stands where its intent says.
        self._writing = writing
        self._complain = complain

    def write(self, position: Position, data: bytes) -> None:
        """Print a chunk, and write down that it is printed up to position."""
        with self._writing:
            if not self._printer.reading:
                return  # nobody will see it: whoever goes on prints it
            if data:
                data = self._unprinted(data)
                if not data:
                    return  # the intent that stands tells of it still
                if self._prefix:
                    self._printer.start_line()  # now: the intent tells what stands from here on
                shown = self._shown(data)
                doubt, skipped = self._doubt, self._standing.lines
                intent = Record(
                    self._position,
                    position,
                    len(shown),
                    zlib.crc32(shown),
                    stdout_place(),
                    skipped,
                    doubt,
                    self._prefix.decode(),
                )
                self._put(intent)
                self._printer.log(data, self._prefix)
                if not self._printer.reading:
                    return  # nobody may have seen it
                self._doubt = max(doubt - skipped - len(shown), 0)
            self._standing.lines = 0
            self._position = position
            self._put(Record(position, doubt=self._doubt, prefix=self._prefix.decode()))

    def _shown(self, data: bytes) -> bytes:
        return prefixed(data, self._prefix) if self._prefix else data

    def _unprinted(self, data: bytes) -> bytes:
        """Leave out the lines that an earlier launcher had printed of a chunk that it began.

        A line that it printed in part is printed once more, as a whole.
        """
        if not self._standing:
            return data
        shown = self._shown(data)
        out = self._standing.find(shown)
        if out == len(shown):
            return b""
        if self._standing.part:
            self._printer.line(mark("of the next line a part stands above already"))
        at = 0
        for _ in range(shown.count(b"\n", 0, out)):
            at = data.find(b"\n", at) + 1
        return data[at:]

    def _put(self, record: Record) -> None:
        self._number += 1
        try:
            os.pwrite(self._file, encoded(self._number, record), self._number % 2 * SIZE)
        except OSError as error:
            self._complain(error)  # a volume that went away must not cost the log too


def _named(body: Body) -> Body:
    """Return what it takes to find an object again, and nothing of what it holds."""
    found = body["metadata"]
    metadata = {key: found[key] for key in _NAMES if key in found}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata}
