"""The launcher's process: what it does at its very end."""

from __future__ import annotations

import subprocess
import sys

_RUN = """
import atexit, sys

class Late:
    def __del__(self):
        print("taken apart")

def main(script):
    atexit.register(lambda: print("cleared away"))
    print("told")
    {ends}

late = Late()
from runjob import process
process.main = main
process.start()
"""


def run(ends: str, out: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    code = _RUN.format(ends=ends)
    return subprocess.run(
        [sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE, text=True
    )


def test_it_leaves_with_the_exit_code_once_others_have_cleared_away() -> None:
    done = run("return 7")
    assert (done.stdout, done.returncode) == ("told\ncleared away\n", 7)


def test_it_ends_as_any_python_does_where_the_command_raises() -> None:
    done = run("sys.exit('no')")
    assert done.stdout == "told\ncleared away\ntaken apart\n"
    assert (done.stderr, done.returncode) == ("no\n", 1)


def test_what_cannot_be_written_any_more_is_no_success() -> None:
    with open("/dev/full", "w") as full:
        assert run("return 0", full.fileno()).returncode != 0
