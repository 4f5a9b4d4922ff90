"""Judge what a preflight has learned: what stands in the way, in the order in which to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from runjob.errors import Exit
from runjob.existing import Adopt, AwaitRemoval, Fate, Refuse, Replace, told
from runjob.manifest import same_content
from runjob.preflight.capacity import admitted, limited
from runjob.preflight.data import Answer, Facts, Finding, Listing, Object, Right, Trial
from runjob.preflight.data import error as _error
from runjob.preflight.data import warning as _warning
from runjob.preflight.questions import NEEDED, QUOTAS, RANGES, SPARE, is_name, wants_rights
from runjob.preflight.references import (
    Reference,
    priority_class,
    pull_secrets,
    references,
    service_account,
)
from runjob.preflight.shapes import mapping, text

_CLAIM = "PersistentVolumeClaim"


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what stands in the way, or may.

    Where the API or the namespace is not there, nothing else can be told, and nothing else is.
    """
    for first in (*_access(facts), *_namespace(facts)):
        return (first,)
    return tuple(
        dict.fromkeys(
            (
                *_rights(facts),
                *_service_account(facts),
                *_pull_secrets(facts),
                *_referred(facts),
                *_capacity(facts),
                *_priority(facts),
                *_standing(facts),
                *_trials(facts),
            )
        )
    )


def not_looked_at(facts: Facts) -> str:
    """Say in one line what could not be asked and why; empty where all could."""
    return "; ".join(f"{', '.join(whats)} ({reason})" for reason, whats in _unseen(facts).items())


def unseen(facts: Facts) -> int:
    """Count the kinds of which something could not be asked."""
    return len({what for whats in _unseen(facts).values() for what in whats})


def _unseen(facts: Facts) -> dict[str, dict[str, None]]:
    """Return what could not be asked, by the reason why; each in the order of the questions."""
    why: dict[str, dict[str, None]] = {}
    for question, answer in facts.answers.items():
        if answer.unknown and not isinstance(question, Trial):
            why.setdefault(_why(answer), {})[_what(question)] = None
    return why


def _why(answer: Answer) -> str:
    if answer.status == 403:
        return "no right to get them"
    return answer.message if answer.status else "no answer in time"


def _what(question: object) -> str:
    if isinstance(question, Right):
        return "own rights"
    if isinstance(question, Object):
        return f"{question.kind}{'es' if question.kind.endswith('s') else 's'}"
    return str(question)


def _access(facts: Facts) -> Iterator[Finding]:
    """Yield why there is no API to ask, where no question got an answer."""
    answers = facts.answers.values()
    if not answers or any(each.status not in (0, 401) and each.status < 500 for each in answers):
        return
    worst = next((each for each in answers if each.status), next(iter(answers)))
    if worst.status == 401:
        yield _error(
            Exit.NO_CLUSTER,
            f"the API does not accept our credentials: {worst.message}",
            "have a new token or kubeconfig issued",
        )
    elif worst.reason == "NoCluster":
        yield _error(Exit.NO_CLUSTER, worst.message)
    else:
        yield _error(
            Exit.UNREADABLE,
            f"the API gives no answer: {worst.message}",
            "look whether it runs and whether this machine reaches it",
        )


def _namespace(facts: Facts) -> Iterator[Finding]:
    namespace = facts.request.namespace
    for question, answer in facts.answers.items():
        if not isinstance(question, Trial):
            continue
        if answer.missing and "namespaces" in answer.message:
            yield _error(
                facts.refused,
                f"the namespace {namespace} does not exist",
                "create it, or name another with -n",
            )
        elif answer.status == 403 and "being terminated" in answer.message:
            yield _error(
                facts.refused,
                f"the namespace {namespace} is being deleted",
                "wait until it is gone and create it anew, or name another with -n",
            )


def _rights(facts: Facts) -> Iterator[Finding]:
    asked = {
        question: answer.body
        for question, answer in facts.answers.items()
        if isinstance(question, Right) and answer.status == 200
    }
    namespace = facts.request.namespace
    if len(asked) > 1 and not any(asked.values()):
        yield _error(
            facts.refused,
            f"none of the rights that a launch needs are given in the namespace {namespace}",
            "look whether the namespace exists and is the right one (-n), and apply "
            "k8s/runjob.yaml there",
        )
        return
    missing = [right for right, given in asked.items() if not given]
    for (group, resource), rights in groupby(missing, lambda one: (one.group, one.resource)):
        verbs = [right.verb for right in rights]
        line = f"- {{apiGroups: [{group!r}], resources: [{resource}], verbs: [{', '.join(verbs)}]}}"
        hint = f"Add to the Role: {line}"
        losses = [SPARE.get((resource, verb)) for verb in verbs]
        said = f"no right to {', '.join(verbs)} {resource} in the namespace {namespace}"
        if all(losses):
            yield _warning(f"{said}: {losses[0]}", hint)
        elif (group, resource) in NEEDED or "create" in verbs:
            yield _error(facts.refused, said, hint)
        else:
            yield _warning(f"{said}: what the manifest brings along would be left behind", hint)


def _service_account(facts: Facts) -> Iterator[Finding]:
    name = service_account(facts.request.job)
    if not _is_there(facts, "ServiceAccount", name):
        yield _error(
            Exit.CONFIGURATION,
            f"ServiceAccount {name} does not exist",
            f"create it: {_kubectl(facts, 'create', 'serviceaccount', name)}",
        )


def _pull_secrets(facts: Facts) -> Iterator[Finding]:
    for name in pull_secrets(facts.request.job):
        if not _is_there(facts, "Secret", name):
            yield _warning(
                f"the imagePullSecret {name} does not exist, and an image that asks for a login "
                "cannot be pulled",
                "create it (kubectl create secret docker-registry), name another with -s, or none "
                "with -s none",
            )


def _kubectl(facts: Facts, *words: str) -> str:
    return facts.request.commands.kubectl(facts.request.namespace, *words)


def _is_there(facts: Facts, kind: str, name: str) -> bool:
    """Tell whether an object is there, comes along with the Job, or may be there for all we know.

    A name that nothing can have was never asked about.
    """
    answer = facts.object(kind, name)
    return facts.brought(kind, name) is not None or (
        is_name(name) if answer is None else not answer.missing
    )


def _referred(facts: Facts) -> Iterator[Finding]:
    """Yield what is missing of Secrets, ConfigMaps and claims: all of one, or keys of it."""
    uses: dict[tuple[str, str], list[Reference]] = {}
    for each in references(facts.request.job):
        uses.setdefault((each.kind, each.name), []).append(each)
    # A claim last: it is the slowest to mend.
    for (kind, name), group in sorted(uses.items(), key=lambda use: use[0][0] == _CLAIM):
        if not _is_there(facts, kind, name):
            yield _missing(facts, kind, name, group)
        elif kind == _CLAIM:
            yield from _claim(facts, name)
        else:
            yield from _keys(facts, kind, name, group)


def _missing(facts: Facts, kind: str, name: str, group: list[Reference]) -> Finding:
    keys = list(dict.fromkeys(each.key for each in group if each.key))
    users = ", ".join(dict.fromkeys(each.user for each in group))
    said = f"{kind} {name!r:.253} can be no name" if not is_name(name) else f"{kind} {name}"
    wanted = f" with {' and '.join(keys)}" if keys else ""
    how = {
        "Secret": ("create", "secret", "generic"),
        "ConfigMap": ("create", "configmap"),
    }.get(kind)
    namespace = facts.request.namespace
    hint = "create it"
    if how:
        file = f"--from-file={keys[0] if keys else 'KEY'}=FILE"
        hint += f": {_kubectl(facts, *how, name, file)}"
    if not is_name(name):
        return _error(Exit.CONFIGURATION, f"{said} (for {users})", "mend the name")
    return _error(
        Exit.CONFIGURATION,
        f"{said} does not exist in the namespace {namespace}; {users} needs it{wanted}",
        f"{hint}, or mark it optional where it is used" if how else hint,
    )


def _claim(facts: Facts, name: str) -> Iterator[Finding]:
    answer = facts.object(_CLAIM, name)
    body = answer.body if answer else None
    if mapping(body, "metadata").get("deletionTimestamp"):
        why = "is being deleted"
    elif text(body, "status", "phase") == "Lost":
        why = "has lost its volume"
    else:
        return
    yield _error(
        Exit.UNSCHEDULABLE, f"PersistentVolumeClaim {name} {why}", "name another, or make it anew"
    )


def _keys(facts: Facts, kind: str, name: str, group: list[Reference]) -> Iterator[Finding]:
    answer = facts.object(kind, name)
    body = answer.body if answer and answer.status == 200 else facts.brought(kind, name)
    if body is None:
        return
    there = {key for part in ("data", "binaryData", "stringData") for key in mapping(body, part)}
    for each in group:
        if each.key and each.key not in there:
            yield _error(
                Exit.CONFIGURATION,
                f"{kind} {name} has no key {each.key}, which {each.user} needs",
                f"its keys: {', '.join(sorted(there)) or 'none'}",
            )


def _capacity(facts: Facts) -> Iterator[Finding]:
    quotas, ranges = (_listed(facts, listing) for listing in (QUOTAS, RANGES))
    request = facts.request
    new = [
        body
        for body in request.prerequisites
        if (answer := facts.object(body["kind"], body["metadata"]["name"])) is None
        or answer.status != 200
    ]
    yield from limited(request.job, ranges)
    yield from admitted(request.job, new, quotas, ranges, facts.refused)


def _listed(facts: Facts, listing: Listing) -> list[dict[str, object]]:
    answer = facts.answers.get(listing)
    return list(answer.body) if answer and answer.status == 200 else []


def _priority(facts: Facts) -> Iterator[Finding]:
    name = priority_class(facts.request.job)
    if name and not _is_there(facts, "PriorityClass", name):
        yield _error(
            Exit.CONFIGURATION,
            f"PriorityClass {name if is_name(name) else repr(name)} does not exist",
            "name one that kubectl get priorityclass lists",
        )


def _standing(facts: Facts) -> Iterator[Finding]:
    """Yield which names are taken."""
    request = facts.request
    for body in (*request.prerequisites, request.job):
        kind, name = body["kind"], body["metadata"]["name"]
        answer = facts.object(kind, name)
        if answer is None or answer.status != 200:
            continue
        said = f"{kind} {request.namespace}/{name} exists already"
        if body is request.job:
            yield from _met(facts.fate, f"{said}, {told(answer.body)}")
        elif not same_content(body, answer.body):
            yield _error(Exit.EXISTS, f"{said} with other content", "rename it in the manifest")


def _met(fate: Fate | None, said: str) -> Iterator[Finding]:
    """Yield what a launch would do with the Job that stands there; a refusal in its own words."""
    if isinstance(fate, Refuse):
        yield _error(Exit.EXISTS, fate.text, fate.hint)
    elif isinstance(fate, Adopt):
        yield _warning(said, "a launch would follow it")
    elif isinstance(fate, Replace):
        yield _warning(said, "a launch would remove it and begin anew (--if-exists replace)")
    elif isinstance(fate, AwaitRemoval):
        yield _warning(said, "a launch would wait until it is gone")


def _trials(facts: Facts) -> Iterator[Finding]:
    missing = any(each.severity == "error" for each in _rights(facts))
    for question, answer in facts.answers.items():
        if not isinstance(question, Trial) or answer.status == 200:
            continue
        if answer.reason == "AlreadyExists" or (missing and wants_rights(answer.message)):
            continue  # told by what stands there, and by the rights that are missing
        what = f"{question.kind} {facts.request.namespace}/{question.name}"
        if answer.unknown and answer.status in (0, 401, 429):
            yield _warning(f"whether the API takes {what} is not known: {answer.message}")
        else:
            # A launch tries again what may heal, such as a webhook that fails.
            code = Exit.UNREADABLE if answer.status >= 500 else facts.refused
            yield _error(code, f"the API refuses {what}: {answer.message}")
