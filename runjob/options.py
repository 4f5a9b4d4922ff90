"""What the caller asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Pairs = tuple[tuple[str, str], ...]
Keep = Literal["never", "failed", "always"]
Prefix = Literal["auto", "always", "never"]
OnLost = Literal["keep", "kill"]
Shown = Literal["exit-code", "result"]
IfExists = Literal["auto", "adopt", "fail", "replace"]


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What the Job is made of, when flags and not a manifest describe it.

    requests, limits, labels … are (name, value) pairs in the order given; deadline is in seconds.
    """

    image: str | None = None
    pull_policy: str = "Always"
    pull_secret: str | None = "regcred"
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Pairs = ()
    env_from: Pairs = ()
    backoff_limit: int = 0
    restart_policy: str = "Never"
    claim: str | None = None
    host_path: str | None = None
    volume_name: str | None = None
    mount_path: str | None = None
    requests: Pairs = ()
    limits: Pairs = ()
    service_account: str | None = None
    node_selector: Pairs = ()
    tolerations: tuple[str, ...] = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    deadline: int | None = None
    completions: int | None = None
    parallelism: int | None = None
    indexed: bool = False
    security: str | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Which cluster to talk to; with nothing said, the one that this process runs in."""

    kubeconfig: str | None = None
    context: str | None = None
    sandbox: bool = False


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run the Job and how to tell of it. Times are in seconds.

    identity names the launch (empty: after its Job), bound tells that it names one run and no
    other; if_exists says what becomes of a Job that stands there already, state_dir where it is
    written down how far the log was printed, log_limit how many bytes of it are printed.
    main_container is the one that decides where sidecars would keep the Job alive.
    """

    keep: Keep = "never"
    prefix: Prefix = "auto"
    start_timeout: int = 600
    api_timeout: int = 600
    heartbeat: int = 300
    on_lost: OnLost = "keep"
    log_limit: int | None = None
    guard_output: bool = False
    container_exit: bool = False
    main_container: str | None = None
    ignore_disruptions: bool = False
    exit_map: tuple[tuple[int, int], ...] = ()
    result_file: str | None = None
    shown: tuple[Shown, ...] = ()
    identity: str = ""
    bound: bool = False
    if_exists: IfExists = "auto"
    state_dir: str | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """A whole command line.

    sets are the (path, value) pairs of --set, params the (name, value) pairs of --param and query
    those of --query; run_id is the identity by which --kill finds the Job of this run, form the
    file that holds the job type's form; given holds the long names that stood on the line, so that
    a default can be told from a wish; notes are remarks for the user about how the line was read.
    """

    job_name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    manifest: str | None = None
    params: Pairs = ()
    query: Pairs = ()
    token_file: str | None = None
    sets: Pairs = ()
    dry_run: Literal["client", "server"] | None = None
    preflight: bool = False
    run_id: str | None = None
    kill: bool = False
    form: str | None = None
    job: JobOptions = field(default_factory=JobOptions)
    run: RunOptions = field(default_factory=RunOptions)
    connection: Connection = field(default_factory=Connection)
    given: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
