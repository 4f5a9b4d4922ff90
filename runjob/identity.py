"""Whose run a launch is, and how that is written on what it makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from runjob.commands import Commands
from runjob.options import RunOptions
from runjob.plan import LAUNCH, RUN_ID, is_ours
from runjob.request import Body, JobRequest

# Which run an object was made for: the text of `identity`.
IDENTITY = "runjob/identity"
# What the Job was asked to be, so that it is not taken for another one of the same name.
CONTENT = "runjob/content"
# That the Job's end was told already, where it stays after that.
TOLD = "runjob/told"
# The label by which a Job with a generated name is found again: a hash of its identity.
SOUGHT = "runjob/identity"

# What a scheduler calls a run: variables of the environment, the first that is set counts. It sets
# them by itself nowhere; docs/launcher.md tells how a job of Control-M does.
ORDER = ("RUNJOB_ORDER_ID", "ORDERID")
COUNT = ("RUNJOB_RUN_COUNT", "RUNCOUNT")


def identity(
    request: JobRequest, run_id: str | None, environment: Mapping[str, str]
) -> tuple[str, bool]:
    """Return the identity of a launch, and whether it is bound to one run.

    It is `namespace/name`, and after another slash the --run-id, or the scheduler's `order:count`,
    where there is one. A generated name counts as `START*`. No two runs that differ in a part have
    the same identity: a name holds no slash, a --run-id no colon, and what comes from the
    environment is quoted as in an address.
    """
    place = f"{request.namespace}/" + (
        f"{request.generated}*" if request.generated else request.name
    )
    if run_id is not None:
        return f"{place}/{run_id}", True
    run = ordered(environment)
    return (f"{place}/{run}", True) if run else (place, False)


def ordered(environment: Mapping[str, str]) -> str:
    """Return the run that a scheduler's environment names, `order:count`; empty for none."""
    order = _first(environment, ORDER)
    count = _first(environment, COUNT)
    return f"{quote(order, safe='')}:{quote(count, safe='')}" if order else ""


def is_of_order(body: Body, run: str) -> bool:
    """Tell whether an object is of a run `order:count`, or `name/order:count`."""
    return is_ours(body) and note(body, IDENTITY).endswith(f"/{run}")


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    found = (environment.get(name, "").strip() for name in names)
    # Control-M hands a variable that it does not know on as it is written: %%ORDERID.
    return next((value for value in found if value and not value.startswith("%%")), "")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who launches, as it is written on what a launch makes.

    launch is new with each launch, identity and content are the same where a run is launched once
    more; commands words what a refusal tells to run.
    """

    launch: str
    identity: str
    bound: bool
    content: str
    commands: Commands = field(default_factory=Commands)

    @property
    def this_run(self) -> str:
        """Which run this launch is, for a refusal; empty where none is named."""
        return f"this is run {self.identity}" if self.bound else ""

    def with_run(self, text: str) -> str:
        """Return a refusal that says which run it is that ends so."""
        run = self.this_run
        return f"{run[:1].upper()}{run[1:]}: {text}" if run else text

    @property
    def kinship(self) -> str:
        """What an object and this launch have in common where both carry the same identity."""
        same_name = "was asked for under the same name (no run is named)"
        return "is of this run" if self.bound else same_name


def signature(request: JobRequest, options: RunOptions, launch: str) -> Signature:
    """Return the signature of the launch of a request, as it was asked for."""
    return Signature(
        launch=launch,
        identity=options.identity or request.label,
        bound=options.bound and bool(options.identity),
        content=content(request.job),
        commands=request.commands,
    )


def content(job: Body) -> str:
    """Return a hash of what a Job is asked to be.

    Its name (it may be a generated one) and what we write on it count as no part of that.
    """
    metadata = {key: value for key, value in job["metadata"].items() if key != "name"}
    for part in ("labels", "annotations"):
        kept = _foreign(metadata.pop(part, None))
        metadata.update({part: kept} if kept else {})
    return _hash(json.dumps({**job, "metadata": metadata}, sort_keys=True))


def is_own(key: str) -> bool:
    """Tell whether an annotation or a label of that name says something in our name."""
    return str(key).startswith("runjob/")


def _foreign(notes: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (notes or {}).items() if not is_own(key)}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def named(
    request: JobRequest, identity: str, content: str, beside: Iterable[str] = ()
) -> JobRequest:
    """Return the request with a generated name that each launch of that content by one run has.

    So of two launches at the same moment the API lets one make the Job. beside are the names of
    Jobs of the run that stay as they are, and have it take another name.
    """
    name = request.generated + _hash("\n".join((identity, content, *sorted(beside))))[:6]
    job = {**request.job, "metadata": {**request.job["metadata"], "name": name}}
    return replace(request, name=name, job=job)


def selector(signature: Signature) -> str:
    """Return the label selector of the Jobs with a generated name that this run made."""
    return f"{SOUGHT}={_hash(signature.identity)}"


def signed(request: JobRequest, signature: Signature) -> JobRequest:
    """Return the request with the signature on all its objects.

    It goes on as the request was read: what else a launch writes on its Job comes after it, and is
    no part of what was asked for. What a manifest says in our name, since it was read off an
    earlier Job, is left out, also of its pods: it told of that one, and a kill of that run would
    find this Job by it.
    """
    made = {LAUNCH: signature.launch, IDENTITY: signature.identity}
    labels = _own_labels(request, signature)
    job = _marked(_with_foreign_pods(request.job), {**made, CONTENT: signature.content}, labels)
    others = tuple(_marked(body, made, {}) for body in request.prerequisites)
    return replace(request, job=job, prerequisites=others)


def _own_labels(request: JobRequest, signature: Signature) -> dict[str, str]:
    """Return the labels by which a kill and a later launch find the Job of this very run."""
    run = (request.job["metadata"].get("labels") or {}).get(RUN_ID)
    labels = {}
    if signature.bound and signature.identity.split("/")[-1] == run:
        labels[RUN_ID] = run
    if signature.bound and request.generated:
        labels[SOUGHT] = _hash(signature.identity)
    return labels


def _marked(body: Body, annotations: Mapping[str, str], labels: Mapping[str, str]) -> Body:
    """Return an object that says this in our name, and nothing else."""
    metadata = _without_ours(body["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    if labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    return {**body, "metadata": metadata}


def _with_foreign_pods(job: Body) -> Body:
    """Return a Job whose pods say nothing in our name."""
    spec = job.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    metadata = template.get("metadata") if isinstance(template, dict) else None
    if spec is None or template is None or not isinstance(metadata, dict):
        return job  # pods without metadata, or no Job at all, which is for the API to say
    template = {**template, "metadata": _without_ours(metadata)}
    return {**job, "spec": {**spec, "template": template}}


def _without_ours(metadata: Body) -> dict[str, Any]:
    kept = dict(metadata)
    for part in ("labels", "annotations"):
        notes = kept.get(part)
        if isinstance(notes, Mapping) and any(map(is_own, notes)):
            kept[part] = _foreign(notes)
            if not kept[part]:
                del kept[part]
    return kept


def unsigned(body: Body) -> Body:
    """Return an object without our annotations and its owners, to compare what is in it."""
    metadata = body["metadata"]
    kept = _foreign(metadata.get("annotations"))
    rest = {k: v for k, v in metadata.items() if k not in ("annotations", "ownerReferences")}
    return {**body, "metadata": {**rest, **({"annotations": kept} if kept else {})}}


def same_run(there: Body, signature: Signature) -> bool:
    """Tell whether an object was made for the run of that signature."""
    return note(there, IDENTITY) == signature.identity


def note(body: Body, key: str) -> str:
    """Return an annotation of an object, empty where it has none."""
    return str((body["metadata"].get("annotations") or {}).get(key) or "")
