"""An embedded Kafka that jobs start and stop: `python -m ctm.rehearse.kafka start|stop`.

The settings of its clients are known before it is up, as those of a real one are. What starts it
returns when it answers; it stays until it is stopped, at the latest until the rehearsal ends.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from misc.engines import kafka
from misc.engines.process import EngineError

NAME = "kafka"
TOPICS = {"tweets": 4, "tweets-dead-letters": 1}
PORT, PID_FILE = "REHEARSAL_KAFKA_PORT", "REHEARSAL_KAFKA_PID_FILE"
END_SECONDS = 15.0
_LOOK_SECONDS = 0.1


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def settings_of(port: int, pid_file: Path) -> dict[str, str]:
    """Return what clients of that Kafka, and the jobs that start and stop it, are told."""
    command = f"{shlex.quote(sys.executable)} -m ctm.rehearse.kafka"
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "KAFKA_PROPERTIES": kafka.PROPERTIES,
        "KAFKA_START": f"{command} start",
        "KAFKA_STOP": f"{command} stop",
        PORT: str(port),
        PID_FILE: str(pid_file),
    }


def main() -> int:
    """Start, stop or be it; 0 when that is done, also when it was done before."""
    words = sys.argv[1:]
    if len(words) != 1 or words[0] not in ("start", "stop", "serve") or PORT not in os.environ:
        print(f"{NAME}: error: start or stop, within a rehearsal", file=sys.stderr)
        return 2
    port, pid_file = int(os.environ[PORT]), Path(os.environ[PID_FILE])
    if words[0] == "serve":
        return _serve(port, pid_file)
    return _start(port, pid_file) if words[0] == "start" else _stop(port, pid_file)


def _start(port: int, pid_file: Path) -> int:
    if pid_file.exists():
        print(f"{NAME}: it is up already, on port {port}")
        return 0
    # In the job's process group, by which the rehearsal ends what jobs have left running.
    child = subprocess.Popen(
        [sys.executable, "-m", "ctm.rehearse.kafka", "serve"], stdin=subprocess.DEVNULL
    )
    while child.poll() is None:
        if pid_file.exists():
            print(f"{NAME}: up on port {port}")
            return 0
        threading.Event().wait(_LOOK_SECONDS)
    print(f"{NAME}: error: it ended with {child.returncode}", file=sys.stderr)
    return 3


def _serve(port: int, pid_file: Path) -> int:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        with kafka.embedded(TOPICS, port=port):
            pid_file.write_text(str(os.getpid()), encoding="ascii")
            while not ended.wait(_LOOK_SECONDS):
                pass
    except EngineError as error:
        print(f"{NAME}: error: {error}", file=sys.stderr)
        return 3
    return 0


def _stop(port: int, pid_file: Path) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pid_file.read_text(encoding="ascii")), signal.SIGTERM)
    for _ in range(int(END_SECONDS / _LOOK_SECONDS)):
        if not _answers(port):
            pid_file.unlink(missing_ok=True)
            print(f"{NAME}: down")
            return 0
        threading.Event().wait(_LOOK_SECONDS)
    print(f"{NAME}: error: it still answers after {END_SECONDS:.0f} s", file=sys.stderr)
    return 3


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
