"""The topics of `runjob help`: prose, with the tables where they belong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from runjob.guide import tables
from runjob.guide.text import Block, Tables, blocks
from runjob.identity import IDENTITY
from runjob.plan import LAUNCH, RUN_ID
from runjob.subcommands import SUBCOMMANDS


@dataclass(frozen=True)
class Topic:
    """One topic: what it is about in a few words, and its text as `guide.text` reads it."""

    about: str
    text: str

    @property
    def blocks(self) -> tuple[Block, ...]:
        return blocks(self.text, TABLES)


TABLES: Tables = {
    "options": tables.options,
    "exits": tables.exits,
    "result": tables.result,
    **{name: partial(tables.subcommand, name) for name in SUBCOMMANDS},
}

TOPICS: dict[str, Topic] = {}

# What is printed as it is, for programs to read.
RAW = {
    "schema": "JSON Schema of the result file",
    "man": "the manual page, for man -l -",
}


def _topic(name: str, about: str, text: str) -> None:
    TOPICS[name] = Topic(about, text)


_topic(
    "options",
    "every option of a launch",
    """
Short options may be grouped, long ones shortened to a start that no other has, and a value may
begin with `-`. Of an option that is not repeatable the last one counts. For most options with
a short form an empty value, or the word `none`, means not given, and for `-s` no secret, since the
runKjob job type leaves its fields so.

@options
""",
)

_topic(
    "exit-codes",
    "how a launch can end, in numbers",
    """
The exit code tells what ended the launch; the last line of the output says the same in words.

@exits

`--exit-code container` passes the main container's own code on where the Job came to its end by its
containers (0 or 1 above), and `--map-exit 4=0` turns one such code into another and implies it.
Every other ending keeps the code of the table. After a signal no launch returns 0.

`gc`, `list`, `show`, `help` and `completion` end with 0 when they did what was asked, with 1 when
they did not, and with a code of the table when the API did not let them. What `--kill` returns:
runjob help kill.
""",
)

_topic(
    "output",
    "what is printed, and the closing lines in their order",
    """
stdout holds the options in effect, `Job created` (or `Job adopted`), the log byte for byte, and the
closing lines; stderr holds what is worth knowing meanwhile, each line behind the word `runjob:`.

The closing lines, always in this order, each at the start of a line:

`Failed: …` :: each failed run of a container, the last five
`Event: …` :: warnings of the cluster that tell more, the last five
`Container exit code: N` :: with `--print exit-code`; `none` where the main container did not end
`Result: {…}` :: with `--print result`: the result file's JSON in one line
`Pods Statuses: R Running / S Succeeded / F Failed` :: the Job's own counts before
    it was removed; a pod that waits is running too
`Job Completion status: N` :: the exit code of the launcher
`Verdict: Job NAMESPACE/NAME …` :: what happened, and what to do about it

`Failed` and `Event` lines stand only where something failed. What is refused before the Job is
asked for is one line on stderr, `runjob: error: …`, without closing lines.

Values that look like secrets, by their names (PASSWORD, TOKEN, KEY and the like) or by themselves,
are masked among the options in effect, and so is all that `--query` sends. A value that is a
secret still belongs into a Secret: `--env-from secret/NAME`.
""",
)

_topic(
    "result",
    "the JSON that --result-file writes",
    """
`--result-file FILE` writes one JSON object, whole or not at all; a file that cannot be written
there is refused before the Job is made, and an earlier launch's file is removed first of all, so
that it tells of no launch that was refused; only a line that cannot be read, a dry run and
`--kill` leave it alone.
`--print result` prints the same in one line. `runjob help schema` prints its JSON Schema.

@result
""",
)

_topic(
    "manifests",
    "-y, placeholders, what comes with a Job, https",
    """
`-y FILE` runs the Job of a manifest; `-y -` reads standard input. Without `-y` and `-i`,
`-j NAME` alone looks for NAME.yaml in the current directory and beside runJob.py.

A manifest holds one Job of `batch/v1`, and may bring what the Job needs: ConfigMap, Secret,
PersistentVolumeClaim, ServiceAccount, Service, Role, RoleBinding, NetworkPolicy. These are created
before it, in the order written, and removed with it, whoever removes it. What exists already must
be the same, and is left alone.

`-j` and `-n` name what the manifest leaves open, or are verified against it (exit codes 16 and 18).
`--generate-name START` names the Job anew each time, or for each run that is named, whatever the
manifest says. Old options that shape a Job (`-i`, `-e`, `-b` …) are ignored with a note; newer ones
are refused.

# Values from outside

`--param NAME=VALUE` :: takes the place of each ${{NAME}}; the value stays inside its scalar,
    whatever it holds. A placeholder without a value is an error, and the other way round too
`--set PATH=VALUE` :: sets any field of the Job: spec.backoffLimit=2
`--dry-run client` :: prints what would be sent; `--dry-run server` has the API check it too
`--preflight` :: tells what of the launch's needs is missing, creating nothing: rights, Secrets,
    ConfigMaps and keys, claims, quotas and more, in the order in which to mend them

# From an https address

`-y https://host/job.yaml` fetches the manifest: https only, no redirects, at most 1 MiB, within
30 seconds. `--query NAME=VALUE` is sent with the address, `--token-file FILE` as its bearer token;
neither is ever shown.
""",
)

_topic(
    "preflight",
    "what a launch would lack, told without creating anything",
    """
    runjob -y job.yaml -n controlm --preflight

Looks at all that a launch needs, creates nothing, and tells what stands in the way, all at once and
in the order in which to mend it: the API and the login, the namespace, the launcher's own rights,
ServiceAccount, Secrets and ConfigMaps with their keys, claims, quotas, LimitRanges, PriorityClass,
names that are taken, and what the API says to a dry run of each object. Whether the image exists is
not asked: only a node that pulls it can tell.

It ends with 0 where nothing was found in the way, warnings aside, else with the code that a launch
would end with. What this account may not read is named and counted, and ends with 0 too: a launch
needs no right to read it. It is a look and no promise; what it saw may change.
""",
)

_topic(
    "logs",
    "what of the pods' logs is printed, and how",
    """
Every container of every pod is followed: init containers and sidecars, retries, replacements and
parallel pods, each restart. Each line is printed exactly once and byte for byte, also over broken
streams and a restart of the API; a last line without a newline is not lost.

`--prefix WHEN` :: `auto` puts [pod/container] before each line where there is more than one source,
    `always` and `never` do as they say

`--log-limit SIZE` :: of a longer log only the first and the last half of so much is printed, the
    end when the launch ends, and a line between tells how much was left out: 500K, 10M, 1Gi. Not
    with `--state-dir`, which goes on where a log was left

`--guard-output` :: puts '| ' before each log line that begins like a line of runjob's own, so that
    who reads the output cannot take it for one

Lines come whole, except that one of more than a mebibyte is passed on in parts. The kubelet keeps
the log of a container's present run and of the one before: what restarts faster, or was rotated
away, cannot be read. A line in its place, which begins with `--- runjob: a gap:`, and one on
stderr say so. The Job is removed once all is read, or when nothing more came for 30 seconds.
""",
)

_topic(
    "waiting",
    "what is waited for, how long, and what cannot heal",
    """
While a pod does not run, a line on stderr says why, once for each cause:

    runjob: waiting: pod hello-x7k2p: Unschedulable: 0/3 nodes are available

`--start-timeout TIME` :: how long a pod may wait while nothing moves. A pod that was created,
    scheduled or started has moved; a pull and an autoscaler at work move all the while. It ends
    with 11 (no node), 10 (image), 12 (something is missing) or 17
`--api-timeout TIME` :: how long the API may give no answer. Then the launch ends with 6, the Job
    lives on, and the verdict names the commands to look after it. An API that hangs, and neither
    refuses nor breaks off, is noticed after 150 seconds, whatever TIME is
`--deadline TIME` :: how long the Job may take in all; the cluster ends it, with 13

While a container runs there is no limit but `--deadline`.

What no waiting can help ends at once: an image that is not found or denied (10); a missing
ConfigMap, Secret, key or ServiceAccount, or a command that does not exist (12). A claim that is not
bound yet, a pull quota, a registry that answers 5xx, a full cluster may heal and are waited for.
""",
)

_topic(
    "signals",
    "SIGTERM, SIGINT and SIGHUP",
    """
SIGTERM and SIGHUP end a launch with 8, SIGINT (Ctrl-C) with 130, in every phase of it: the Job is
deleted with its pods and what came with its manifest, what the containers print on their way out is
printed too, and the launcher waits until all are gone: for the pods' grace period and 15 seconds
more. What is still there then is named, with the command that removes it.

A second signal waits only until the deletion is on its way. `--keep` keeps nothing then. A signal
that is ignored from the start, as SIGHUP under nohup, stays ignored. SIGKILL cannot be answered:
runjob help gc tells what finds the Job that it leaves behind.
""",
)

_topic(
    "kill",
    "end the Job of a run from elsewhere",
    f"""
A launch with `--run-id ID` writes that identity on its Job (label {RUN_ID}), and

    runjob --kill --run-id ID -n NAMESPACE

ends that Job and its pods, from any machine that reaches the cluster. Without `-n` the launch's own
`-y` or `-j` is read for the namespace, and for nothing else. It looks for the Job for 5 seconds,
with an https address in `-y` for 35, since its launcher may just be starting.

0 :: the Job and its pods are gone, or it had ended already and is left alone
15 :: the Job is not runjob's, or several carry that identity: none was touched
17 :: no Job of that run: it is gone already, or a launcher that still tries may make it yet

Any other code means what it means for a launch. The launcher of that Job, where it lives, ends with
8, says that a kill of its run ended it, and removes what else its manifest made.
""",
)

_topic(
    "pods",
    "pods that are taken away, and pods that a sidecar keeps alive",
    """
A pod that is drained, evicted, preempted, deleted by somebody or lost with its node is replaced by
the Job. A line says so, and the launcher follows the replacement.

Kubernetes counts such a pod as a failed attempt. With `--ignore-disruptions` it does not, where the
cluster itself took the pod away (the pod's condition DisruptionTarget): the Job gets a rule for it
in spec.podFailurePolicy, before any of its own. It needs restartPolicy Never, and a pod is replaced
only once it has ended: one on a lost node when the node is back, or is removed from the cluster.

A sidecar among the plain containers keeps its pod, and the Job, alive for ever. Make it an init
container with restartPolicy Always, or name the container that decides: `--main-container NAME`.
When it has ended and the others have not within 3 seconds, the launcher ends the Job, with `--keep`
too: with 0 when as many have ended with 0 as the Job wants completions, with 1 as soon as one
failed (nothing is tried again then). The codes of `--exit-code` and of the result are its own.
""",
)

_topic(
    "adoption",
    "take up the Job of a launcher that was killed",
    f"""
A launcher that dies by SIGKILL, or with its machine, leaves its Job behind. Where the run is named,
the same command once more takes the Job up, running or ended: it prints `Job adopted` and the log,
ends with the true exit code and removes the Job. The run's identity is on its Job as the annotation
{IDENTITY}:

`--run-id ID` :: names the run
`RUNJOB_ORDER_ID`, `RUNJOB_RUN_COUNT` :: do so from the environment, where there is no `--run-id`

Without any of these a launch goes by the name of its Job, and is told apart from no other run: the
same command once more ends with 15, unless `--if-exists adopt` or `replace` stands on it.

`--if-exists WHAT` :: what becomes of a Job of that name: `auto` takes up this very run's, `adopt`
    also one where no run is named, `fail` none. `replace` removes what runjob made, and of another
    run only once it has ended or its launcher gives no sign of life. Anything else ends with 15, as
    does a Job of this run that was asked for in other words, or whose end was told already
`--state-dir DIR` :: holds how far the log was printed and how the Job ended. The next launcher goes
    on there, and runs nothing that has ended. Without it the log is printed once more from its
    beginning, behind a line that says so

The folder must outlive the launcher. Where it cannot be known whether the last lines before a kill
were printed, as in a pipe, they are printed once more and marked.
""",
)

_topic(
    "environment",
    "variables that the launcher reads, and those of the Job",
    """
# The launcher's

`KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT` :: the cluster around us, as every pod has
    them; its token and authority lie in /var/run/secrets/kubernetes.io/serviceaccount
`https_proxy`, `no_proxy` :: the way to the API and to an https manifest, also in capitals
`SSL_CERT_FILE` :: the authorities that vouch for an https manifest

`RUNJOB_ORDER_ID`, `RUNJOB_RUN_COUNT` :: what a scheduler calls this run, else `ORDERID` and
    `RUNCOUNT`: runjob help adoption

KUBECONFIG is not read: a cluster is named with `--kubeconfig`, never guessed. A kubeconfig may
start a program to log in, which reads what it likes.

# The Job's

`-e NAME -v TEXT` :: one variable; the nth `-e` and the nth `-v` belong together
`--env-from secret/NAME` :: all keys of a Secret, or of a ConfigMap by configmap/NAME
""",
)

_topic(
    "recipes",
    "lines to start from",
    """
All but those with `--sandbox` or `--dry-run client` need a cluster: the one around us, or that of
`--kubeconfig FILE`. `--sandbox` at the end of a launch does for a trial, with the images of
runjob help sandbox.

# Run one command

    runjob -j hello -i busybox:1 -k echo -k "hello world" --kubeconfig config

# The same on no cluster at all

    runjob -j hello -i busybox:1 -k echo -k "hello world" --sandbox

# Look at what would be created

    runjob -j hello -i busybox:1 -k date --dry-run client

# A manifest with a parameter and a changed field

    runjob -y job.yaml --param TAG=1.4 --set spec.backoffLimit=2

# Pass the program's exit code on, and let 4 mean success

    runjob -y job.yaml --exit-code container --map-exit 4=0

# Keep what failed, look at it, clear up a week later

    runjob -y job.yaml -n controlm --keep failed
    runjob show hello -n controlm
    runjob gc -n controlm --failed --older-than 7d --delete

# At most ten minutes, at most 256 MiB, three tries

    runjob -j sum -i python:3 -k python3 -k sum.py --deadline 10m --limits memory=256Mi -b 2

# Four of twelve numbered parts at a time

    runjob -j part -i python:3 -k python3 -k part.py --completions 12 --parallelism 4 --indexed

# Where only restricted pods are let in (the image must not run as root)

    runjob -j hello -i example/tool:1 -k tool -s none --security restricted

# A run that can be ended from elsewhere

    runjob -y job.yaml -n controlm --run-id load-20260131
    runjob --kill --run-id load-20260131 -n controlm

# A run that outlives its launcher: the same line once more goes on where a killed one stopped

    runjob -y job.yaml -n controlm --run-id load-20260131 --state-dir /var/lib/runjob

# What happened, for a program to read

    runjob -y job.yaml --result-file result.json
""",
)

_topic(
    "gc",
    "list and remove Jobs that were left behind",
    f"""
    runjob gc -n controlm
    runjob gc -n controlm --older-than 1h --delete

Lists the Jobs that have ended and were left behind, with `--keep` or by a launcher that was killed;
`--delete` removes them with their pods, each only if it is still as it was looked at. It means Jobs
that runjob made (annotation {LAUNCH}), or with `--all-makers` others' too, never a CronJob's.

    runjob gc -n controlm --lost --delete

`--lost` means those whose launcher is gone, however they stand: it gave no sign of life for three
of its intervals (`--heartbeat`, 5 minutes each). A Job whose launcher lives, or gives no signs, is
never touched by it, and one whose launcher gives a sign meanwhile stays. A Job that runs without
signs (`--heartbeat off`) is ended by `--kill` where its run is named, else by kubectl delete job.

`-A` lists what was left in all namespaces, and the commands that remove it, one for each: a removal
names its namespace. It takes the right to list the Jobs of all (a ClusterRole).

@gc

0 :: listed, or all removed
1 :: some could not be removed; stderr names them
""",
)

_topic(
    "list",
    "the Jobs of launches, and whether their launchers live",
    """
    runjob list -n controlm

Lists the Jobs that runjob made, the newest last: how each stands and since when, its pods, which
launcher follows it (host/pid), when that gave the latest sign of life, and which run it is. `-A`
lists those of all namespaces, by namespace; it takes the right to list the Jobs of all.

The sign is an annotation of the Job that its launcher renews every `--heartbeat`, 5 minutes if not
said otherwise; before the first one the Job's creation counts. After three intervals without one
the launcher is gone; with `--heartbeat off` it is unknown. Other clocks must agree within minutes.

With `--on-lost kill` a Job ends by itself when its launcher is gone: it has a deadline of three
intervals, at least 15 minutes, which each sign moves on, and goes an hour after its end.

@list
""",
)

_topic(
    "show",
    "all about one Job",
    """
    runjob show hello -n controlm

Shows how a Job stands, who made it, its pods and exit codes, what they wait for, events, the last
ten lines of what failed, the verdict and the next command. It ends with 0 however the Job stands.

@show
""",
)

_topic(
    "completion",
    "completion for bash, zsh and fish",
    """
`runjob completion SHELL` prints a script that completes options, their values, files, subcommands
and topics, for the commands runjob, runJob.py and runjob.pyz. At each start of a shell:

    eval "$(runjob completion bash)"      # in ~/.bashrc
    source <(runjob completion zsh)       # in ~/.zshrc, behind compinit
    runjob completion fish | source       # in ~/.config/fish/config.fish

Or once, into a file that the shell loads when it is needed, which in bash and fish is for the
command runjob alone:

    runjob completion bash > ~/.local/share/bash-completion/completions/runjob
    runjob completion zsh > DIR/_runjob   # DIR being one of $fpath
    runjob completion fish > ~/.config/fish/completions/runjob.fish

It is made from the launcher's own tables: print it anew after an upgrade.
""",
)

_topic(
    "sandbox",
    "try a launch out without a cluster",
    """
    runjob -j hello -i busybox:1 -k echo -k hello --sandbox

`--sandbox` runs the Job on an embedded cluster of one node that starts and ends with the launch. It
is for trying out and testing only: containers are processes of this machine with its files and
rights, nothing is mounted or shut in, and a SIGKILL of the launcher leaves them running. It knows
the images busybox:1, busybox, python:3 and joegoldberg/controlm:appimage; any other is not found,
as in a registry that has it not.

A sandbox that stays, for kubectl and for several launches:

    python3 -m runjob.sandbox --kubeconfig config
    runjob -j hello -i busybox:1 -k echo -k hello --kubeconfig config

The KUBECONFIG that it prints is for kubectl, which it answers in part:

yes :: `apply`, `create` and `replace` of files, `get`, `describe`, `logs`, `wait`, `label`,
    `annotate`, `patch`, `run`, `delete`
no :: a kind made by its name, as `create secret` or `create namespace` (its body is protobuf),
    server-side apply, `exec`, `port-forward`, `auth can-i`, and the kinds that it has not, as
    Role, Deployment and Node: of k8s/runjob.yaml it takes the ServiceAccount only
""",
)
