"""Read the command line, by one table of flags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from runjob.errors import UsageError
from runjob.lease import check
from runjob.masking import masked_text
from runjob.options import (
    Connection,
    IfExists,
    JobOptions,
    Keep,
    OnLost,
    Options,
    Prefix,
    RunOptions,
    Shown,
)
from runjob.values import (
    Convert,
    env_from,
    exit_map,
    heartbeat,
    identity,
    number,
    one_of,
    pair,
    pairs,
    positive,
    pull_policy,
    seconds,
    size,
    toleration,
)


@dataclass(frozen=True)
class Flag:
    """One option.

    target is `part.field` of Options, or `field` alone; metavar is None for a switch; a flag that
    collects may stand several times, any other counts the last time it stands. With blank an
    empty value or the word `none` (the job type sends both for a field left empty) means this
    value instead; without it an empty value is refused. A secret's text is never shown. choices
    are the only values that it takes, where these can be counted.
    generation tells when it came (1: in the original): a start that was unique then stays so.
    """

    short: str
    names: tuple[str, ...]
    target: str
    help: str
    metavar: str | None = "NAME"
    convert: Convert = str
    collects: bool = False
    blank: Any = ...
    choices: tuple[str, ...] = ()
    generation: int = 2
    secret: bool = False

    @property
    def legacy(self) -> bool:
        return self.generation == 1

    @property
    def name(self) -> str:
        return self.names[0]


def _legacy(short: str, names: str, target: str, help: str, metavar: str, **more: Any) -> Flag:
    return Flag(short, tuple(names.split()), target, help, metavar, generation=1, **more)


def _new(name: str, target: str, help: str, metavar: str | None, **more: Any) -> Flag:
    return Flag("", (name,), target, help, metavar, **more)


def _newer(name: str, target: str, help: str, metavar: str | None, **more: Any) -> Flag:
    return _new(name, target, help, metavar, generation=3, **more)


def _choice(words: tuple[str, ...]) -> dict[str, Any]:
    return {"choices": words, "convert": one_of(*words)}


FLAGS: tuple[Flag, ...] = (
    _legacy("a", "args", "job.args", "arguments of the command, split at blanks", "TEXT",
            convert=lambda value: tuple(value.split()), collects=True, blank=()),
    _legacy("b", "backofflimit", "job.backoff_limit", "retries before the Job fails (default: 0)",
            "N", convert=number, blank=0),
    _legacy("c", "claim", "job.claim", "PersistentVolumeClaim to mount at -t", "NAME", blank=None),
    _legacy("e", "envname", "env.names", "environment variable; its value is the -v at the same "
            "position", "NAME", convert=lambda value: (value,), collects=True, blank=("",)),
    _legacy("H", "hostpath", "job.host_path", "directory of the node to mount at -t", "DIR",
            blank=None),
    _legacy("i", "image", "job.image", "container image", "IMAGE", blank=None),
    _legacy("j", "jobname", "job_name", "name of the Job; alone, NAME.yaml is the manifest",
            "NAME", blank=None),
    _legacy("k", "commands", "job.command", "command to run, a word each time (default: the "
            "image's entrypoint)", "WORD", convert=lambda value: (value,), collects=True,
            blank=()),
    _legacy("m", "volname", "job.volume_name", "name of the volume (default: data)", "NAME",
            blank=None),
    _legacy("n", "namespace", "namespace", "namespace to use, or to verify against the manifest "
            "(default: default, whatever the kubeconfig says)", "NAME", blank=None),
    _legacy("p", "image_pull_policy imagepullpolicy", "job.pull_policy",
            "Always, IfNotPresent or Never (default: Always; Latest means Always)", "POLICY",
            convert=pull_policy, blank="Always", choices=("Always", "IfNotPresent", "Never")),
    _legacy("r", "restartpolicy", "job.restart_policy", "Never or OnFailure (default: Never)",
            "POLICY", blank="Never", **_choice(("Never", "OnFailure"))),
    _legacy("s", "imagesecret imagepullsecret", "job.pull_secret",
            "imagePullSecret, none for none (default: regcred)", "NAME", blank=None),
    _legacy("t", "volpath", "job.mount_path", "where the pod sees the volume", "DIR", blank=None),
    _legacy("v", "envvalue", "env.values", "value of the -e at the same position", "TEXT",
            convert=lambda value: (value,), collects=True),
    _legacy("y", "yaml", "manifest", "manifest to run instead of -i and its like: a file, - for "
            "standard input, or an https address", "FILE", blank=None),
    _newer("argument", "job.args", "argument of the command, a word each time", "WORD",
           convert=lambda value: (value,), collects=True),
    _new("requests", "job.requests", "what the pod asks of its node: cpu=1,memory=1Gi", "PAIRS",
         convert=pairs, collects=True),
    _new("limits", "job.limits", "what the pod may use at most: memory=1Gi", "PAIRS",
         convert=pairs, collects=True),
    _new("service-account", "job.service_account", "ServiceAccount of the pod", "NAME"),
    _new("node-selector", "job.node_selector", "labels that the node must have", "PAIRS",
         convert=pairs, collects=True),
    _new("toleration", "job.tolerations", "taint that the pod tolerates: KEY[=VALUE][:EFFECT]",
         "TAINT", convert=toleration, collects=True),
    _new("label", "job.labels", "label of the Job and its pods", "NAME=VALUE", convert=pair,
         collects=True),
    _new("annotation", "job.annotations", "annotation of the Job and its pods", "NAME=VALUE",
         convert=pair, collects=True),
    _new("env-from", "job.env_from", "all environment of a Secret or ConfigMap: secret/NAME or "
         "configmap/NAME", "SOURCE", convert=env_from, collects=True),
    _new("deadline", "job.deadline", "how long the Job may take: 90s, 10m, 2h", "TIME",
         convert=seconds),
    _new("completions", "job.completions", "pods that must succeed", "N", convert=positive),
    _new("parallelism", "job.parallelism", "pods that may run at once", "N", convert=positive),
    _new("indexed", "job.indexed", "number the completions (JOB_COMPLETION_INDEX)", None),
    _new("security", "job.security", "restricted: run as that Pod Security Standard asks",
         "LEVEL", **_choice(("restricted",))),
    _new("set", "sets", "set any field of the Job: spec.template.spec.priorityClassName=high",
         "PATH=VALUE", convert=pair, collects=True),
    _new("param", "params", "value of the placeholder ${{NAME}} in the manifest", "NAME=VALUE",
         convert=pair, collects=True, secret=True),
    _newer("query", "query", "parameter that is sent with the https address of -y", "NAME=VALUE",
           convert=pair, collects=True, secret=True),
    _newer("token-file", "token_file", "file with the bearer token for the https address of -y",
           "FILE"),
    _new("generate-name", "generate_name", "start of a Job name; its end is the run's where one is "
         "named, else random", "START"),
    _new("kubeconfig", "connection.kubeconfig", "cluster and credentials from this file", "FILE"),
    _new("context", "connection.context", "context of the kubeconfig; its namespace does not count",
         "NAME"),
    _new("sandbox", "connection.sandbox", "run on an embedded cluster, for trying out and testing "
         "only: containers are processes of this machine", None),
    _new("dry-run", "dry_run", "print the manifest and create nothing: client or server",
         "WHERE", **_choice(("client", "server"))),
    _newer("preflight", "preflight", "check all that the launch needs, tell what stands in the "
           "way, and create nothing", None),
    _new("keep", "run.keep", "leave the Job after its end: never, failed or always (default: "
         "never)", "WHEN", **_choice(get_args(Keep))),
    _new("prefix", "run.prefix", "[pod/container] before each log line: auto, always or never "
         "(default: auto, with more than one source)", "WHEN", **_choice(get_args(Prefix))),
    _newer("log-limit", "run.log_limit", "print of a longer log only its beginning and its end, "
           "half of SIZE each: 500K, 10M, 1Gi", "SIZE", convert=size),
    _newer("guard-output", "run.guard_output", "mark log lines that begin like a line of runjob's "
           "own with '| '", None),
    _new("start-timeout", "run.start_timeout", "how long a pod may wait while nothing moves "
         "(default: 10m)", "TIME", convert=seconds),
    _new("api-timeout", "run.api_timeout", "how long the API may give no answer (default: 10m)",
         "TIME", convert=seconds),
    _newer("main-container", "run.main_container", "container that decides how the Job ends, where "
           "sidecars would keep it alive", "NAME"),
    _newer("ignore-disruptions", "run.ignore_disruptions", "do not count a pod that was evicted, "
           "preempted or lost with its node as a failure", None),
    _newer("heartbeat", "run.heartbeat", "how often the Job gets a sign that its launcher lives, "
           "or off (default: 5m)", "TIME", convert=heartbeat),
    _newer("on-lost", "run.on_lost", "what becomes of the Job without its launcher: keep or kill "
           "(default: keep)", "WHAT", **_choice(get_args(OnLost))),
    _new("exit-code", "run.container_exit", "container: exit with the main container's code",
         "WHOSE", convert=lambda value: one_of("container")(value) == "container",
         choices=("container",)),
    _new("map-exit", "run.exit_map", "exit with another code than the container's: 4=0",
         "CODE=CODE", convert=exit_map, collects=True),
    _new("result-file", "run.result_file", "write the verdict as JSON", "FILE"),
    _newer("print", "run.shown", "one more closing line: exit-code (of the main container) or "
           "result (the verdict as JSON)", "WHAT",
           convert=lambda value: (one_of(*get_args(Shown))(value),), collects=True,
           choices=get_args(Shown)),
    _newer("run-id", "run_id", "identity of this run: --kill finds its Job by it, and a launch "
           "takes up the Job that a killed one left", "ID", convert=identity),
    _newer("if-exists", "run.if_exists", "what becomes of a Job of that name: auto, adopt, fail "
           "or replace (default: auto, adopt what is of this very run)", "WHAT",
           **_choice(get_args(IfExists))),
    _newer("state-dir", "run.state_dir", "folder that holds how far the log was printed, so that "
           "a launch after a killed one goes on there", "DIR"),
    _newer("kill", "kill", "end the Job of the run of that --run-id, instead of running one", None),
    _newer("form", "form", "read the form of the runKjob job type; - is standard input", "FILE"),
)  # fmt: skip

_HELP = Flag("h", ("help",), "", "a short help; runjob help has the whole", None, generation=1)
_VERSION = Flag("", ("version",), "", "the version", None)
# What may stand first on a line. No launch begins so: its words before the first option were always
# refused.
SUBCOMMANDS = ("gc", "list", "show", "help", "completion")
# What a text is asked for with, instead of a launch.
ASKING = (_HELP, _VERSION)
_BY_LETTER = {flag.short: flag for flag in (*FLAGS, *ASKING) if flag.short}
_BY_NAME = {name: flag for flag in (*FLAGS, *ASKING) for name in flag.names}


@dataclass(frozen=True)
class Asked:
    """The user asked for a text and not for a Job: `help` or `version`."""

    topic: str


def parse(argv: Sequence[str]) -> Options | Asked:
    """Read argv (without the program's name).

    Raises UsageError, one line that names the option, what it was given and what it takes.
    """
    found = list(_words(list(argv)))
    for _, flag, _ in found:
        if flag in ASKING:
            return Asked(flag.name)
    return _options(found)


def _words(words: list[str]) -> Iterator[tuple[str, Flag, str]]:
    """Split a line as getopt does: yield (the option as written, its flag, its value).

    The standard getopt cannot do it, since an abbreviation that was unique before the newer
    options came has to stay what it was.
    """
    flag, dashes = _HELP, False
    while words:
        word = words.pop(0)
        if word == "--":
            dashes = True
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            flag = _by_prefix(name)
            if equals and flag.metavar is None:
                raise UsageError(f"--{name} takes no value")
            yield f"--{name}", flag, value if equals else _next(f"--{name}", flag, words)
        elif word.startswith("-") and word != "-":
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                flag = _by_letter(letter)
                if flag.metavar is not None and letters:
                    value, letters = letters, ""
                    yield f"-{letter}", flag, value
                else:
                    yield f"-{letter}", flag, _next(f"-{letter}", flag, words)
        else:
            words.insert(0, word)
            break
    if words:
        raise UsageError(
            f"argument {masked_text(words[0])!r:.80} belongs to no option: "
            + _stray(words[0], "commands" if dashes else flag.name)
        )


def _stray(word: str, before: str) -> str:
    """Say why a word may stand behind the value of that option and belong to none."""
    if before in ("commands", "argument"):
        return "-k takes one word each time, as in -k echo -k hello"
    if word in SUBCOMMANDS:
        return f"a subcommand comes first, as in runjob {word} and then the options"
    return "is a value before it empty or unquoted?"


def _next(option: str, flag: Flag, words: list[str]) -> str:
    if flag.metavar is None:
        return ""
    if not words:
        raise UsageError(f"{option} needs a value: {flag.help}")
    return words.pop(0)


def _by_letter(letter: str) -> Flag:
    if letter not in _BY_LETTER:
        raise UsageError(f"option -{letter} is not known; runjob help options lists all")
    return _BY_LETTER[letter]


def _by_prefix(name: str) -> Flag:
    """Find a long option by its name or by a start that no other shares."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    for generation in (1, 2, 3):
        starts = [
            known for known, flag in _BY_NAME.items()
            if known.startswith(name) and flag.generation <= generation
        ]  # fmt: skip
        if len({_BY_NAME[known].name for known in starts}) == 1:
            return _BY_NAME[starts[0]]
    if starts and name:
        raise UsageError(f"option --{name} can mean --{', --'.join(sorted(starts))}")
    from difflib import get_close_matches

    near = get_close_matches(name[:80], _BY_NAME, 1, 0.7)
    meant = f" (did you mean --{near[0]}?)" if near else ""
    raise UsageError(f"option --{name:.80} is not known; runjob help options lists all{meant}")


def _options(found: Sequence[tuple[str, Flag, str]]) -> Options:
    values: dict[str, Any] = {}
    given: set[str] = set()
    notes: list[str] = []
    for option, flag, text in found:
        value = _value(flag, option, text)
        if value == "Latest" and flag.target == "job.pull_policy":
            notes.append("-p Latest is no Kubernetes value and is read as Always")
            value = "Always"
        if text != "" or flag.blank is ...:
            given.add(flag.name)
        if flag.collects:
            value = values.get(flag.target, ()) + value
        values[flag.target] = value
    values["job.env"] = _environment(
        values.pop("env.names", ()), values.pop("env.values", ()), notes
    )
    if values.get("run.exit_map"):
        values["run.container_exit"] = True

    def part(name: str, kind: type) -> dict[str, Any]:
        return {
            field.name: values[f"{name}.{field.name}"]
            for field in fields(kind)
            if f"{name}.{field.name}" in values
        }

    run = RunOptions(**part("run", RunOptions))
    check(run)
    return Options(
        job=JobOptions(**part("job", JobOptions)),
        run=run,
        connection=Connection(**part("connection", Connection)),
        given=frozenset(given),
        notes=tuple(notes),
        **{name: value for name, value in values.items() if "." not in name},
    )


def _value(flag: Flag, option: str, text: str) -> Any:
    if flag.metavar is None:
        return True
    if "\0" in text:
        raise UsageError(f"{option} has a NUL byte in its value")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{option} has a value that is not UTF-8, which the API cannot take")
    if flag.blank is not ... and (text == "" or (text == "none" and not flag.collects)):
        return flag.blank
    if text == "" and flag.name not in ("envvalue", "argument"):
        raise UsageError(f"{option} needs a value: {flag.help}")
    try:
        return flag.convert(text)
    except ValueError as error:
        if flag.secret:
            raise UsageError(f"{option} takes {error}; what was given is not shown") from None
        raise UsageError(f"{option} takes {error}, not {masked_text(text)!r}") from error


def _environment(
    names: tuple[str, ...], values: tuple[str, ...], notes: list[str]
) -> tuple[tuple[str, str], ...]:
    """Pair each -e with the -v at the same position.

    The job type's older form left a pair empty as `-e  -v`, which a shell hands on as the
    variable `-v` without a value; such a pair, and an empty one, counts as not given.
    """
    while len(names) > len(values) and "-v" in names:
        at = len(names) - 1 - names[::-1].index("-v")
        names = names[:at] + names[at + 1 :]
        notes.append("an empty pair -e -v was left out")
    for name in names:
        if "=" in name:
            raise UsageError(
                f"-e takes a name alone: the value of {name.partition('=')[0]!r} belongs to -v"
            )
    if len(names) != len(values):
        raise UsageError(
            f"{len(names)} times -e but {len(values)} times -v: each variable needs its value"
        )
    if any(value and not name for name, value in zip(names, values, strict=True)):
        raise UsageError("-e is empty but its -v is not: name the variable")
    return tuple((name, value) for name, value in zip(names, values, strict=True) if name)
