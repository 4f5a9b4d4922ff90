"""The launcher as a library: build a Job, run it, get a verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runjob.clock import Inbox
from runjob.cluster import Cluster
from runjob.console import Console, standard
from runjob.creator import Creator
from runjob.errors import Exit, NoClusterError, OutsideError, UsageError
from runjob.heartbeat import here
from runjob.identity import Signature, signature, signed
from runjob.interrupts import ctrl_c
from runjob.lease import lent
from runjob.login import login
from runjob.messages import Signalled
from runjob.options import Connection, JobOptions, RunOptions
from runjob.plan import check_names, fitted
from runjob.request import JobRequest

if TYPE_CHECKING:
    from runjob.state import Journal
    from runjob.verdict import Verdict

Listen = Callable[[Callable[[int], None]], None]


def build_job(
    name: str,
    image: str,
    *,
    namespace: str = "default",
    command: Sequence[str] = (),
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    **more: Any,
) -> JobRequest:
    """Describe a Job of one container; more are fields of JobOptions, by their names.

    Raises UsageError for options that do not go together.
    """
    from runjob import jobspec

    options = JobOptions(
        image=image,
        command=tuple(command),
        args=tuple(args),
        env=tuple((env or {}).items()),
        **more,
    )
    request = JobRequest(name, namespace, jobspec.build(name, namespace, options))
    check_names(request)
    return request


def read_job(
    text: str, *, namespace: str | None = None, params: Mapping[str, str] | None = None
) -> JobRequest:
    """Read a Job, and what it needs, from the text of a manifest.

    params are the values of its ${{NAME}} placeholders. Raises ManifestError or UsageError.
    """
    from runjob import manifest

    objects = manifest.documents(text, tuple((params or {}).items()), "manifest")
    job, others = manifest.divide(objects, "manifest")
    place = manifest.agreed_namespace(objects, namespace, "manifest")
    name = manifest.agreed_name(job, None, "manifest")
    request = JobRequest(
        name,
        place,
        manifest.placed(job, place),
        tuple(manifest.placed(body, place) for body in others),
        "manifest",
    )
    check_names(request)
    return request


def run(
    job: JobRequest,
    *,
    options: RunOptions | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    sandbox: bool = False,
    console: Console | None = None,
    listen: Listen | None = None,
    journal: Journal | None = None,
) -> Verdict:
    """Create the Job, print its log, remove it, and return how it ended; blocks until then.

    Without a kubeconfig the cluster that this process runs in is used. listen is called once with
    a function that takes a signal's number: whoever wants a signal to end the launch has it called
    from the handler. Without it Ctrl-C removes the Job all the same, and is raised afterwards as
    KeyboardInterrupt. journal is the open folder of this run where the caller closes it, once it
    has told the verdict; without it options.state_dir is opened and closed here. Raises
    NoClusterError, UsageError for options that do not go together or a state folder that cannot be
    used, LaunchError for one that another launcher holds; every other end is a Verdict.
    """
    options, console = options or RunOptions(), console or standard()
    job = fitted(job, options)
    with ExitStack() as stack:
        connection = Connection(kubeconfig=kubeconfig, context=context)
        own = None
        if journal is None and options.state_dir is not None:
            journal = own = stack.enter_context(opened(job, options, connection, console))
        if sandbox:
            connection = _embedded(stack, job.namespace)
            options = replace(options, keep="never")  # it takes all with it
        job = replace(job, commands=job.commands.to(connection.kubeconfig, connection.context))
        try:
            cluster = Cluster(login(connection))
        except OutsideError as error:
            raise NoClusterError(f"{error}, or try things out with --sandbox") from error
        mine = signature(job, options, os.urandom(8).hex())
        job = lent(signed(job, mine), options, here())
        inbox, signals = Inbox(), list[int]()

        def tell(number: int) -> None:
            signals.append(number)
            inbox.put(Signalled(number))

        if listen is not None:
            listen(tell)
        else:
            stack.enter_context(ctrl_c(tell))
        verdict = _launched(
            cluster, job, mine, options, inbox, lambda: bool(signals), console, journal
        )
        if sandbox:
            verdict = _as_it_ends(verdict)
        if own is not None:
            own.told(verdict)
        if verdict.ending.code in (Exit.REFUSED, Exit.MANIFEST):
            from runjob.preflight.check import explain

            explain(cluster, job, verdict.ending.text, console.remark)
        return verdict


def _launched(
    cluster: Cluster,
    job: JobRequest,
    mine: Signature,
    options: RunOptions,
    inbox: Inbox,
    signalled: Callable[[], bool],
    console: Console,
    journal: Journal | None,
) -> Verdict:
    """Launch the Job and follow it to its end; inbox brings the signals, as signalled tells."""
    creator = Creator(
        cluster,
        job,
        mine,
        options.if_exists,
        inbox.now,
        console,
        journal=journal,
        patience=options.api_timeout,
    )
    creator.start(inbox.put)
    # What follows the Job is loaded while the API creates it.
    from runjob.launcher import Launch
    from runjob.logprinter import LogPrinter
    from runjob.workshop import Workshop

    logs = LogPrinter(console, options.log_limit)
    if journal is not None:
        journal.print_through(logs)
    workshop = Workshop(
        cluster,
        job.namespace,
        logs,
        inbox.now,
        prefix=options.prefix,
        guard=options.guard_output,
        journal=journal,
        commands=job.commands,
    )
    launch = Launch(job, options, creator.cancel, workshop, inbox, console, journal=journal)
    hurry = True
    try:
        verdict = launch.run()
        hurry = verdict.ending.code in (Exit.KILLED, Exit.INTERRUPTED)
        logs.add_at_end(verdict.lost)
    finally:
        logs.close(lambda: hurry or signalled())
    return verdict


def opened(
    job: JobRequest, options: RunOptions, connection: Connection, console: Console
) -> Journal:
    """Open the folder of a run in options.state_dir, before anything is printed.

    Raises UsageError or LaunchError.
    """
    from runjob.state import Journal

    if options.log_limit is not None:
        raise UsageError(
            "--log-limit holds the end of the log back, which --state-dir cannot write down: "
            "leave one of them out"
        )
    if job.generated and not options.bound:
        raise UsageError(
            "--state-dir with --generate-name needs --run-id: without it no later launch can tell "
            "which Job was its own"
        )
    assert options.state_dir is not None
    identity = signature(job, options, "").identity
    # The same names may stand in two clusters.
    cluster = "\n".join((connection.kubeconfig or "", connection.context or ""))
    return Journal(options.state_dir, identity, cluster, here(), console)


def _as_it_ends(verdict: Verdict) -> Verdict:
    """Return the verdict as it is once the sandbox has ended, with all that is in it."""
    ending = verdict.ending
    if ending.code == Exit.IMAGE:
        from runjob.sandbox.images import KNOWN

        names = ", ".join(image.name for image in KNOWN)
        ending = replace(ending, hint=f"a sandbox has no images but {names}")
    if verdict.left_behind:
        ending = replace(ending, hint="the sandbox has ended, and Job and pods with it")
    return replace(verdict, ending=ending, left_behind="")


def _embedded(stack: ExitStack, namespace: str) -> Connection:
    from runjob.sandbox import Sandbox

    sandbox = stack.enter_context(Sandbox(namespace=namespace))
    return Connection(kubeconfig=str(sandbox.kubeconfig))
