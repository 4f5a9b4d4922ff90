"""Containers as processes of this machine.

Each runs in a session of its own. When its first process ends, the rest of its process group is
killed, as the end of a PID namespace would do. Nothing else isolates it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .logfile import LogFile

PIPE = 1 << 20
DRAINS = 8


class StartError(Exception):
    """A command that cannot be run, in the container runtime's words."""


def start_error(command: str, error: OSError) -> StartError:
    """Word why a command cannot be run."""
    if error.errno == errno.EACCES:
        why = "permission denied"
    elif "/" in command:
        why = f"stat {command}: no such file or directory"
    else:
        why = "executable file not found in $PATH"
    return StartError(
        "failed to create containerd task: failed to create shim task: OCI runtime create "
        "failed: runc create failed: unable to start container process: exec: "
        f'"{command}": {why}'
    )


def exit_code(returncode: int) -> int:
    """Give the code that a container runtime reports: 128 + n after signal n."""
    return 128 - returncode if returncode < 0 else returncode


class Container:
    """One running container instance."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: str | Path,
        log: LogFile,
    ) -> None:
        """Start the process; raise StartError when there is nothing to run."""
        self._loop = asyncio.get_running_loop()
        self._log = log
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._pipe, writing = os.pipe()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._pipe)
            raise start_error(command[0], error) from error
        finally:
            os.close(writing)
        self.pid = self._process.pid
        os.set_blocking(self._pipe, False)
        self._loop.add_reader(self._pipe, self._read)
        _when_ended(self._loop, self._process, self._finish)

    def signal(self, number: int) -> None:
        """Send a signal to the first process, as a container runtime does; SIGKILL to all."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self.pid, number)
                else:
                    os.kill(self.pid, number)

    def _read(self) -> bool:
        try:
            data = os.read(self._pipe, PIPE)
        except BlockingIOError:
            return False
        if data:
            self._log.write(data)
        else:
            self._loop.remove_reader(self._pipe)
        return bool(data)

    def _finish(self) -> None:
        if self.ended.done():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # The group outlives its leader, so its number cannot have been given away before
            # the leader is reaped by wait() below.
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait()
        # What left the group may write for ever: only what the pipe holds now is the container's.
        for _ in range(DRAINS):
            if not self._read():
                break
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)
        self._log.finish()
        self.ended.set_result(exit_code(code))


def _when_ended(
    loop: asyncio.AbstractEventLoop, process: subprocess.Popen[bytes], call: Callable[[], None]
) -> None:
    """Call back in the loop once the process has ended, without reaping it."""
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(process.pid)

        def ended() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            call()

        loop.add_reader(handle, ended)
        return

    def wait() -> None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(call)

    threading.Thread(target=wait, daemon=True).start()
