"""Deletion: grace, propagation to dependents, and the collector that carries it out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from .moments import stamp
from .refusals import conflict
from .resources import JOBS, PODS, RESOURCES, Json, Key, Resource, key_of, uid_of, with_metadata
from .schema import refused_option
from .store import Change, Store

FOREGROUND = "foregroundDeletion"
POLICIES = ("Foreground", "Background", "Orphan")
ORPHANS_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning"
)


@dataclass(frozen=True)
class DeleteOptions:
    """What a client asks for with a deletion; None leaves it to the resource."""

    policy: str | None = None
    grace: int | None = None
    uid: str | None = None
    version: str | None = None
    dry_run: bool = False


def delete_options(parameters: dict[str, str], body: Json) -> DeleteOptions:
    """Read the options from the body, or from the query where the body has none."""
    conditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy") or parameters.get("propagationPolicy") or None
    if policy is None:
        orphan: Any = body.get("orphanDependents", parameters.get("orphanDependents"))
        if orphan not in (None, ""):
            policy = "Orphan" if str(orphan).lower() == "true" else "Background"
    if policy not in (None, *POLICIES):
        raise refused_option("Delete", "propagationPolicy", policy, (*POLICIES, "nil"))
    grace = body.get("gracePeriodSeconds", parameters.get("gracePeriodSeconds"))
    return DeleteOptions(
        policy,
        None if grace in (None, "") else max(0, int(grace)),
        conditions.get("uid"),
        conditions.get("resourceVersion"),
        bool(body.get("dryRun") or parameters.get("dryRun")),
    )


def delete(store: Store, resource: Resource, item: Json, options: DeleteOptions) -> Json:
    """Delete an object or begin to; return it as it then is."""
    _check_preconditions(resource, item, options)
    if options.dry_run:
        return item
    if resource is PODS:
        return _delete_pod(store, item, options)
    policy = options.policy
    if policy is None and resource is JOBS:
        # What batch/v1 does for the sake of old clients: the pods of a Job stay.
        policy = "Orphan"
    if policy == "Foreground":
        item = _mark(store, resource, item, FOREGROUND)
        settle_foreground(store, resource, item)
        return item
    if policy == "Orphan":
        item = _mark(store, resource, item, "orphan")
        _orphan_dependents(store, uid_of(item))
        return _unmark(store, resource, item, "orphan")
    if item["metadata"].get("finalizers"):
        return _mark(store, resource, item, None)
    return store.remove(resource, key_of(item))


def _check_preconditions(resource: Resource, item: Json, options: DeleteOptions) -> None:
    metadata = item["metadata"]
    for label, wanted, actual, why in (
        ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.version, metadata["resourceVersion"], "modified"),
    ):
        if wanted not in (None, actual):
            text = (
                f"the {label} in the precondition ({wanted}) does not match the {label} in record "
                f"({actual}). The object might have been {why}"
            )
            raise conflict(resource, metadata["name"], text)


def pod_grace(pod: Json, asked: int | None) -> int:
    """Decide how many seconds a pod has to end; none where no kubelet runs it any more."""
    phase = (pod.get("status") or {}).get("phase")
    if not pod["spec"].get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    if asked is not None:
        return asked
    grace: int = pod["spec"].get("terminationGracePeriodSeconds", 30)
    return grace


def _delete_pod(store: Store, pod: Json, options: DeleteOptions) -> Json:
    grace = pod_grace(pod, options.grace)
    metadata = pod["metadata"]
    pending = metadata.get("deletionGracePeriodSeconds")
    if pending is not None and "deletionTimestamp" in metadata and grace >= pending:
        return pod
    if grace == 0 and not metadata.get("finalizers"):
        return store.remove(PODS, key_of(pod))
    marked = with_metadata(
        pod,
        deletionTimestamp=stamp(time.time() + grace),
        deletionGracePeriodSeconds=grace,
    )
    return store.update(PODS, marked)


def _mark(store: Store, resource: Resource, item: Json, finalizer: str | None) -> Json:
    metadata = item["metadata"]
    finalizers = list(metadata.get("finalizers") or ())
    if finalizer is not None and finalizer not in finalizers:
        finalizers.append(finalizer)
    when = metadata.get("deletionTimestamp") or stamp()
    marked = with_metadata(
        item,
        finalizers=finalizers,
        deletionTimestamp=when,
        deletionGracePeriodSeconds=0,
    )
    return store.update(resource, marked)


def _unmark(store: Store, resource: Resource, item: Json, finalizer: str) -> Json:
    left = [each for each in item["metadata"].get("finalizers") or () if each != finalizer]
    return store.update(resource, with_metadata(item, finalizers=left or None))


def _orphan_dependents(store: Store, uid: str) -> None:
    for resource, item in list(store.owned_by(uid)):
        owners = [o for o in item["metadata"]["ownerReferences"] if o["uid"] != uid]
        store.update(resource, with_metadata(item, ownerReferences=owners or None))


def settle_foreground(store: Store, resource: Resource, owner: Json) -> None:
    """Delete the dependents that hold an owner in foreground deletion; let it go without them.

    Those that do not block it follow once it is gone.
    """
    for kind, item in _blocking(store, uid_of(owner)):
        if "deletionTimestamp" not in item["metadata"]:
            delete(store, kind, item, DeleteOptions("Background"))
    current = store.find(resource, key_of(owner))
    if current is not None and not _blocking(store, uid_of(owner)):
        _unmark(store, resource, current, FOREGROUND)


def _blocking(store: Store, uid: str) -> list[tuple[Resource, Json]]:
    return [
        (resource, item)
        for resource, item in store.owned_by(uid)
        if any(
            owner["uid"] == uid and owner.get("blockOwnerDeletion")
            for owner in item["metadata"]["ownerReferences"]
        )
    ]


class Collector:
    """Deletes what has lost its last owner, of whatever kind, and ends foreground deletions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        for resource in RESOURCES:
            store.observe(resource, partial(self._note, resource))

    def _note(self, resource: Resource, change: Change) -> None:
        metadata = change.item["metadata"]
        owners = metadata.get("ownerReferences") or ()
        if change.type != "DELETED":
            before = change.previous["metadata"].get("ownerReferences") if change.previous else ()
            if owners and owners != before:
                # Its writer is answered first, as by a collector that watches.
                asyncio.get_running_loop().call_soon(self._judge, resource, key_of(change.item))
            return
        for kind, item in list(self._store.owned_by(uid_of(change.item))):
            self._judge(kind, key_of(item))
        for reference in owners:
            owner = self._owner(reference, metadata.get("namespace", ""))
            if owner is not None and FOREGROUND in (owner[1]["metadata"].get("finalizers") or ()):
                settle_foreground(self._store, *owner)

    def _judge(self, resource: Resource, key: Key) -> None:
        """Take owners that are gone off an object, and delete it where none is left."""
        item = self._store.find(resource, key)
        if item is None or "deletionTimestamp" in item["metadata"]:
            return
        owners = item["metadata"].get("ownerReferences") or []
        left = [each for each in owners if not self._is_gone(each, key[0])]
        if owners and not left:
            delete(self._store, resource, item, DeleteOptions("Background"))
        elif left != owners:
            self._store.update(resource, with_metadata(item, ownerReferences=left))

    def _is_gone(self, reference: Json, namespace: str) -> bool:
        """Tell whether an owner is gone; of a kind that is not served here nobody knows."""
        known = any(each.kind == reference["kind"] for each in RESOURCES)
        return known and self._owner(reference, namespace) is None

    def _owner(self, reference: Json, namespace: str) -> tuple[Resource, Json] | None:
        for resource in RESOURCES:
            if resource.kind == reference["kind"]:
                place = namespace if resource.namespaced else ""
                item = self._store.find(resource, (place, reference["name"]))
                if item is not None and uid_of(item) == reference["uid"]:
                    return resource, item
        return None
