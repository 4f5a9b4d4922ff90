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
from runjob.errors import Exit, NoClusterError, OutsideError
from runjob.login import login
from runjob.messages import Signalled
from runjob.options import Connection, JobOptions, RunOptions
from runjob.plan import check_names, signed
from runjob.request import JobRequest

if TYPE_CHECKING:
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
) -> Verdict:
    """Create the Job, print its log, remove it, and return how it ended; blocks until then.

    Without a kubeconfig the cluster that this process runs in is used. listen is called once with
    a function that takes a signal's number: whoever wants a signal to end the launch has it called
    from the handler. Raises NoClusterError; every other end is a Verdict.
    """
    options, console = options or RunOptions(), console or standard()
    with ExitStack() as stack:
        connection = Connection(kubeconfig=kubeconfig, context=context)
        if sandbox:
            connection = _embedded(stack)
            options = replace(options, keep="never")  # it takes all with it
        try:
            cluster = Cluster(login(connection))
        except OutsideError as error:
            raise NoClusterError(f"{error}, or try things out with --sandbox") from error
        launch = os.urandom(8).hex()
        job = signed(job, launch)
        inbox = Inbox()
        if listen is not None:
            listen(lambda number: inbox.put(Signalled(number)))
        creator = Creator(
            cluster,
            job,
            launch,
            inbox.now,
            lambda: console.line("Job created"),
            patience=options.api_timeout,
        )
        creator.start(inbox.put)
        # What follows the Job is loaded while the API creates it.
        from runjob.launcher import Launch
        from runjob.workshop import Workshop

        workshop = Workshop(cluster, job.namespace, console, inbox.now, prefix=options.prefix)
        verdict = Launch(job, options, creator.cancel, workshop, inbox, console).run()
        if verdict.ending.code in (Exit.REFUSED, Exit.MANIFEST):
            from runjob.preflight.check import explain

            explain(cluster, job, verdict.ending.text, console.remark)
        return verdict


def _embedded(stack: ExitStack) -> Connection:
    from runjob.sandbox import Sandbox

    sandbox = stack.enter_context(Sandbox())
    return Connection(kubeconfig=str(sandbox.kubeconfig))
