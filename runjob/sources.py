"""Read the texts that a command line names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from runjob.errors import ManifestError, UsageError
from runjob.request import MAX_SIZE


def read(option: str, path: str) -> str:
    """Return the text of a file, or of standard input for -; option names it to the user."""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_SIZE + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_SIZE + 1)
        if len(data) > MAX_SIZE:
            named = "standard input" if path == "-" else path
            raise ManifestError(
                f"{named} is larger than {MAX_SIZE >> 20} MiB, so it is no manifest"
            )
        return data.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 at byte {error.start}") from error


def beside(name: str, folders: Sequence[str]) -> str | None:
    """Return the path of that file in the first folder that has it."""
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)
