"""Keep the file of --result-file: it tells of this launch, whole, or is not there."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

from runjob.console import Console
from runjob.errors import UsageError
from runjob.options import Options

if TYPE_CHECKING:
    from runjob.verdict import Verdict


def forget(options: Options) -> None:
    """Remove what an earlier launch wrote, before this one is refused for anything else.

    A scheduler would read it as this launch's. What cannot be written there, or would take the
    place of what is read, is refused.
    """
    path = options.run.result_file
    if not path or options.dry_run or options.preflight:
        return
    read = (options.manifest, options.form, options.token_file, options.connection.kubeconfig)
    if os.path.realpath(path) in {os.path.realpath(each) for each in read if each}:
        raise UsageError(f"--result-file {path:.80}: the launch reads that file, name another")
    draft = _draft(path)
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        with open(draft, "w", encoding="utf-8"):
            os.remove(draft)
        if os.path.exists(path):
            os.remove(path)
    except OSError as error:
        raise UsageError(
            f"--result-file {path:.80}: cannot be written there ({error.strerror})"
        ) from error


def write(path: str, verdict: Verdict, console: Console) -> None:
    """Write the result whole or not at all."""
    from runjob.result import as_json

    draft = _draft(path)
    try:
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(as_json(verdict), file, indent=2)
            file.write("\n")
        os.replace(draft, path)
    except OSError as error:
        console.remark(f"error: --result-file {path}: {error.strerror}")


def _draft(path: str) -> str:
    """Name the file that becomes the result file once it is whole."""
    return f"{path}.{os.getpid()}"
