"""`python -m misc.release --out dist`: read the line, make the release, tell its files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from misc.release import lock, make, relock, tree
from misc.release.errors import ReleaseError

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m misc.release", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder (default: dist)")
    parser.add_argument("--root", type=Path, default=ROOT, help="tree to release (default: this)")
    parser.add_argument(
        "--relock", action="store_true", help="write the lock anew, of what is installed"
    )
    asked = parser.parse_args(argv)
    try:
        locked = lock.read(lock.FILE.read_text(encoding="utf-8"))
        if asked.relock:
            with TemporaryDirectory(prefix="release-") as scratch:
                lock.FILE.write_text(lock.text(relock.lock(locked, Path(scratch))))
            return 0
        root = asked.root.resolve()
        epoch = tree.epoch(root, environ)
        if tree.changed(root):
            _tell("note: made of files that differ from the commit")
        for path in make.make(root, asked.out, locked, epoch, _tell):
            print(path)
    except ReleaseError as error:
        _tell(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _tell("interrupted")
        return 130
    return 0


def _tell(words: str) -> None:
    print(f"release: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Python 3.10 compiles a set in the order of its hashes: https://bugs.python.org/issue37596
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
