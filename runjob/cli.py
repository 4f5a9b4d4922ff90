"""The command: read the line, run the launch, tell the verdict, return the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from runjob import resultfile
from runjob.commands import Commands, started_by
from runjob.console import Console, standard
from runjob.errors import Exit, LaunchError, UsageError
from runjob.flags import ASKING, FLAGS, SUBCOMMANDS, Asked, parse
from runjob.interrupts import Interrupts, code_of
from runjob.masking import without
from runjob.options import Connection, Options
from runjob.plan import check_names, fitted, in_effect, is_address, plan, secrets_given
from runjob.request import JobRequest
from runjob.sources import beside, read


def main(argv: Sequence[str] | None = None, script: str | None = None) -> int:
    """Run one command line and return the exit code.

    script is the file that was started, beside which manifests are looked for.
    """
    console = standard()
    started = sys.argv[0] if argv is None else ""
    words = sys.argv[1:] if argv is None else list(argv)
    if words and words[0] in SUBCOMMANDS:
        return _look_after(words[0], words[1:], console, started, script)
    interrupts = Interrupts()
    interrupts.install()
    try:
        try:
            code = _command(words, console, interrupts, started, script)
        finally:
            interrupts.restore()
    except LaunchError as error:
        console.remark(f"error: {error}")
        code = int(error.exit_code)
    # A signal that came too late for the launch still counts: after it no path returns 0.
    return code or (int(code_of(interrupts.last)) if interrupts.last else 0)


def _command(
    words: Sequence[str], console: Console, interrupts: Interrupts, started: str, script: str | None
) -> int:
    """Run a line that is no subcommand's. Raises LaunchError."""
    if words and not words[0].startswith("-"):
        raise _no_subcommand(words[0])
    asked = parse(words)
    if isinstance(asked, Asked):
        return _tell(asked, console, started)
    if asked.form is not None:
        asked = _filled(asked, words)
        if isinstance(asked, Asked):
            return _tell(asked, console, started)
    console.secrets = secrets_given(asked)
    if asked.kill:
        interrupts.moment = "before the Job was seen to be gone; kill again"
        return _kill(asked, console, script)
    return _run(asked, console, interrupts, script)


def _no_subcommand(word: str) -> UsageError:
    """Return the refusal of a line that begins with neither an option nor a subcommand."""
    from difflib import get_close_matches

    known = {name for flag in (*FLAGS, *ASKING) for name in flag.names}
    near = get_close_matches(word.lower(), SUBCOMMANDS, 1) or [f"--{word}"] * (word in known)
    meant = f" (did you mean {near[0]}?)" if near else ""
    *others, last = SUBCOMMANDS
    return UsageError(
        f"{word!r:.80} is no option and no subcommand{meant}: a launch begins with an option, as "
        f"-j NAME, and the subcommands are {', '.join(others)} and {last}"
    )


def _look_after(
    name: str, words: Sequence[str], console: Console, started: str, script: str | None
) -> int:
    """Run a subcommand. A signal may end it at any point: each request stands for itself."""
    from runjob import subcommands

    try:
        asked = subcommands.read(name, words)
        if isinstance(asked, Asked):
            from runjob.guide.usage import called, subcommand

            return _print(subcommand(name, called(started)), console)
        if isinstance(asked, subcommands.Text):
            from runjob.guide import answer
            from runjob.guide.usage import called

            return _print(answer.text(name, asked.word, called(started)), console)
        from runjob.afterwards import Caretaker
        from runjob.cluster import Cluster
        from runjob.login import login

        commands = _commands(asked.connection, script)
        caretaker = Caretaker(Cluster(login(asked.connection)), console, commands=commands)
        if isinstance(asked, subcommands.Show):
            return caretaker.show(asked)
        if isinstance(asked, subcommands.Roster):
            return caretaker.roster(asked)
        return caretaker.collect(asked)
    except LaunchError as error:
        console.remark(f"error: {error}")
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)


def _filled(line: Options, words: Sequence[str]) -> Options | Asked:
    """Read the line again behind the words that the job type's form stands for.

    A form that makes a launch of a kill, or a kill of a launch, is refused.
    """
    try:
        return _with_form(line.form or "", words, line.kill)
    except LaunchError:
        if not line.kill:
            resultfile.forget(line)
        raise


def _with_form(path: str, words: Sequence[str], kill: bool) -> Options | Asked:
    from runjob import form

    found = parse([*form.words(read("--form", path)), *words])
    if (kill or isinstance(found, Options)) and getattr(found, "kill", False) != kill:
        raise UsageError(
            "the form's More Options hold --kill, --help or --version, or end with an option "
            "without its value: write them as on a command line"
        )
    return found


def _kill(options: Options, console: Console, script: str | None) -> int:
    """End the Job of another launch."""
    from runjob.identity import ordered

    run = options.run_id or ordered(os.environ)
    if not run:
        raise UsageError(
            "--kill ends the Job of one run: name it with --run-id, as at its start, or have its "
            "order id in the environment (RUNJOB_ORDER_ID)"
        )
    if options.run_id is None and options.job_name:
        run = f"{options.job_name}/{run}"
    if options.connection.sandbox:
        raise UsageError("--sandbox ends with its launch: there is nothing to --kill")
    namespace = options.namespace
    # As in a launch, a manifest counts before an image.
    if namespace is None and (options.manifest or not options.job.image):
        namespace = _namespace_planned(options, script)
    namespace = namespace or "default"
    check_names(JobRequest("any", namespace, {}))
    from runjob.cluster import Cluster
    from runjob.kill import APPEARANCE, Killer
    from runjob.login import login
    from runjob.remote import TIMEOUT

    killer = Killer(
        Cluster(login(options.connection)),
        options.run.api_timeout,
        commands=_commands(options.connection, script),
    )
    # The launcher fetches its manifest first, and makes the Job after that.
    appearance = APPEARANCE + (TIMEOUT if is_address(options.manifest) else 0)
    console.line(killer.kill(namespace, run, appearance))
    return int(Exit.SUCCEEDED)


def _namespace_planned(options: Options, script: str | None) -> str:
    try:
        return _planned(options, script)[0].namespace
    except LaunchError as error:
        raise LaunchError(
            f"{error}; a kill looks there for the namespace alone: name it with -n (in a form, in "
            "the Namespace field) and it needs no manifest",
            error.exit_code,
        ) from error


def _planned(options: Options, script: str | None) -> tuple[JobRequest, tuple[str, ...]]:
    folders = ["", *([os.path.dirname(os.path.realpath(script))] if script else [])]

    def manifest(path: str) -> str:
        if not is_address(path):
            return read("-y", path)
        from runjob.remote import fetch

        return fetch(path, options.query, options.token_file)

    return plan(options, lambda name: beside(name, folders), manifest)


def _tell(asked: Asked, console: Console, started: str) -> int:
    if asked.topic == "help":
        from runjob.guide.usage import called, short

        return _print(short(called(started)), console)
    from runjob.version import VERSION

    return _print(VERSION, console)


def _print(text: str, console: Console) -> int:
    """Print what was asked for; a script that is cut short on a full disk must not look whole."""
    console.log(f"{text}\n".encode())
    return int(Exit.FAILED if console.lost else Exit.SUCCEEDED)


def _run(options: Options, console: Console, interrupts: Interrupts, script: str | None) -> int:
    resultfile.forget(options)
    from runjob.identity import content, identity, named

    request, notes = _planned(options, script)
    connection = options.connection
    request = replace(request, commands=_commands(connection, script))
    run, bound = identity(request, options.run_id, os.environ)
    options = replace(options, run=replace(options.run, identity=run, bound=bound))
    if bound and request.generated:
        request = named(request, run, content(request.job))
    _refuse_contradictions(options)
    for note in notes:
        console.remark(f"note: {note}")
    if options.dry_run:
        from runjob import dryrun

        if options.dry_run == "client":
            return int(dryrun.as_written(request, console))
        return int(dryrun.as_answered(request, connection, console))
    if options.preflight:
        return _preflight(request, options, console)
    return _launch(request, options, console, interrupts)


def _refuse_contradictions(options: Options) -> None:
    """Refuse options that contradict each other, which only the whole line shows."""
    connection = options.connection
    asks_only = options.preflight or options.dry_run == "server"
    if connection.sandbox and (connection.kubeconfig or asks_only):
        raise UsageError(
            "--sandbox is a cluster of its own: leave out --kubeconfig, --dry-run and --preflight"
        )
    if options.preflight and options.dry_run:
        raise UsageError("--preflight and --dry-run both create nothing: give one of them")
    if connection.context and not connection.kubeconfig:
        raise UsageError("--context chooses within a kubeconfig: name it with --kubeconfig")


def _launch(request: JobRequest, options: Options, console: Console, interrupts: Interrupts) -> int:
    # The rest of the launcher is loaded here: what is refused before is refused at once.
    from runjob.api import opened, run
    from runjob.report import report, without_secrets

    connection, how = options.connection, options.run
    if connection.sandbox:
        console.remark("note: --sandbox is for trying out only; containers are processes here")
        if how.keep != "never":
            console.remark("note: --keep is of no use with --sandbox, which ends with its launch")
    with ExitStack() as stack:
        journal = None
        if how.state_dir is not None:
            journal = stack.enter_context(opened(request, how, connection, console))
        console.line(in_effect(request, options))
        verdict = run(
            request,
            options=how,
            kubeconfig=connection.kubeconfig,
            context=connection.context,
            sandbox=connection.sandbox,
            console=console,
            listen=interrupts.listen,
            journal=journal,
        )
        verdict = without_secrets(verdict, console.secrets)
        if how.result_file:
            resultfile.write(how.result_file, verdict, console)
        _print_report(report(verdict, how.shown), console, interrupts)
        if journal is not None:
            journal.told(verdict)
    return verdict.exit_code


def _commands(connection: Connection, script: str | None) -> Commands:
    commands = Commands(launcher=started_by(script))
    return commands.to(connection.kubeconfig, connection.context)


def _print_report(closing: Sequence[str], console: Console, interrupts: Interrupts) -> None:
    """Print the closing lines; after a signal do not wait for a reader that has stopped reading."""
    from runjob.logprinter import printed

    def lines() -> None:
        for line in closing:
            console.line(line)

    printed(lines, lambda: bool(interrupts.last))
    if not console.reading:
        console.remark(closing[-1])  # nobody reads stdout any more, or there is none


def _preflight(request: JobRequest, options: Options, console: Console) -> int:
    from runjob.cluster import Cluster
    from runjob.login import login
    from runjob.preflight.check import preflight

    def line(text: str) -> None:
        console.line(without(text, console.secrets))

    how = options.run
    cluster = Cluster(login(options.connection))
    return int(preflight(cluster, fitted(request, how), how, line))
