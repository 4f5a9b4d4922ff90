"""The command: read the line, run the launch, tell the verdict, return the exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runjob.console import Console, standard
from runjob.errors import ApiError, Exit, LaunchError, ManifestError, UsageError
from runjob.flags import Asked, parse, usage
from runjob.interrupts import Interrupts
from runjob.options import Connection, Options
from runjob.plan import in_effect, plan
from runjob.request import JobRequest

if TYPE_CHECKING:
    from runjob.verdict import Verdict


def main(argv: Sequence[str] | None = None, script: str | None = None) -> int:
    """Run one command line and return the exit code.

    script is the file that was started, beside which manifests are looked for.
    """
    interrupts = Interrupts()
    interrupts.install()
    console = standard()
    try:
        asked = parse(sys.argv[1:] if argv is None else argv)
        if isinstance(asked, Asked):
            return _tell(asked)
        return _run(asked, console, interrupts, script)
    except LaunchError as error:
        console.remark(f"error: {error}")
        return int(error.exit_code)


def _tell(asked: Asked) -> int:
    from runjob.version import VERSION

    print(usage() if asked.topic == "help" else VERSION)
    return int(Exit.SUCCEEDED)


def _run(options: Options, console: Console, interrupts: Interrupts, script: str | None) -> int:
    folders = ["", *([os.path.dirname(os.path.realpath(script))] if script else [])]
    request, notes = plan(options, lambda name: _beside(name, folders), _read)
    connection = options.connection
    if connection.sandbox and (connection.kubeconfig or options.dry_run == "server"):
        raise UsageError("--sandbox is a cluster of its own: leave out --kubeconfig and --dry-run")
    if connection.context and not connection.kubeconfig:
        raise UsageError("--context chooses within a kubeconfig: name it with --kubeconfig")
    for note in notes:
        console.remark(f"note: {note}")
    if options.dry_run == "client":
        _print_manifest([*request.prerequisites, request.job])
        return int(Exit.SUCCEEDED)
    if options.run.result_file:
        _check_writable(options.run.result_file)
    if options.dry_run == "server":
        return _ask_server(request, connection)
    # The rest of the launcher is loaded here: what is refused above is refused at once.
    from runjob.api import run

    if connection.sandbox:
        console.remark("note: --sandbox is for trying out only; containers are processes here")
    console.line(in_effect(request, options))
    verdict = run(
        request,
        options=options.run,
        kubeconfig=connection.kubeconfig,
        context=connection.context,
        sandbox=connection.sandbox,
        console=console,
        listen=interrupts.listen,
    )
    interrupts.restore()
    from runjob.report import report

    if options.run.result_file:
        _write_result(options.run.result_file, verdict, console)
    for line in report(verdict):
        console.line(line)
    return verdict.exit_code


def _beside(name: str, folders: Sequence[str]) -> str | None:
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)


def _read(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8")
        with open(path, "rb") as file:
            return file.read().decode("utf-8")
    except OSError as error:
        raise UsageError(f"-y {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 at byte {error.start}") from error


def _print_manifest(bodies: Sequence[Any]) -> None:
    import yaml

    print(yaml.safe_dump_all([dict(body) for body in bodies], sort_keys=False), end="")


def _ask_server(request: JobRequest, connection: Connection) -> int:
    from runjob.cluster import Cluster
    from runjob.login import login

    cluster = Cluster(login(connection))
    manifest = request.source == "manifest"
    answers = []
    for body in (*request.prerequisites, request.job):
        try:
            answers.append(cluster.create(body, request.namespace, dry_run=True))
        except ApiError as error:
            code = Exit.EXISTS if error.reason == "AlreadyExists" else (
                Exit.MANIFEST if manifest else Exit.REFUSED
            )  # fmt: skip
            raise LaunchError(f"the API refuses {body['kind']} {request.label}: {error}",
                              code if error.status else Exit.UNREADABLE) from error  # fmt: skip
    _print_manifest(answers)
    return int(Exit.SUCCEEDED)


def _check_writable(path: str) -> None:
    """Refuse a result file that cannot be written before there is anything to lose."""
    draft = _draft(path)
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        with open(draft, "w", encoding="utf-8"):
            os.remove(draft)
    except OSError as error:
        raise UsageError(
            f"--result-file {path:.80}: cannot be written there ({error.strerror})"
        ) from error


def _draft(path: str) -> str:
    """Name the file that becomes the result file once it is whole."""
    return f"{path}.{os.getpid()}"


def _write_result(path: str, verdict: Verdict, console: Console) -> None:
    """Write the result whole or not at all."""
    from runjob.verdict import as_json

    draft = _draft(path)
    try:
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(as_json(verdict), file, indent=2)
            file.write("\n")
        os.replace(draft, path)
    except OSError as error:
        console.remark(f"error: --result-file {path}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
