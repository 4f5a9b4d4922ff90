"""The API: what each verb does with each resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import discovery
from .admission import admit_new, admit_update, namespace_contents
from .deletion import ORPHANS_WARNING, delete, delete_options
from .disruption import EVICTION, disrupt
from .faults import Target
from .http import Reply, Request, json_reply, refusal_reply
from .paging import part
from .patches import patched
from .podlogs import PodLogs
from .refusals import Refusal, no_such_method, unprocessable
from .resources import (
    JOBS,
    NAMESPACES,
    PODS,
    RESOURCES,
    Json,
    Resource,
    key_of,
    resource_named,
)  # fmt: skip
from .schema import parse_json, refused_option
from .selection import Match, both, fields_match, labels_match
from .store import Store
from .tables import as_table, wants_table
from .validation import immutable
from .watching import watch_reply

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SUBRESOURCES = {PODS: ("log", "status", "eviction"), JOBS: ("status",), NAMESPACES: ("status",)}


def locate(request: Request) -> Target | None:
    """Read verb, resource and names out of a request; None when it is about no resource."""
    parts = [part for part in request.path.split("/") if part]
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif len(parts) > 2 and parts[0] == "apis" and parts[2] == "v1":
        group, rest = parts[1], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in SUBRESOURCES[NAMESPACES]:
        namespace, rest = rest[1], rest[2:]
    resource = resource_named(group, rest[0]) if rest else None
    if resource is None or len(rest) > 3:
        return None
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if subresource and subresource not in SUBRESOURCES.get(resource, ()):
        return None
    verb = VERBS.get(request.method, request.method.lower())
    if not name and verb in ("get", "delete"):
        watching = request.parameters.get("watch", "").lower() in ("1", "true")
        verb = "deletecollection" if verb == "delete" else "watch" if watching else "list"
    return Target(verb, resource, namespace, name, subresource)


class Api:
    """Serves the resources of one store."""

    def __init__(
        self, store: Store, logs: PodLogs, bookmark_seconds: float, authority: str
    ) -> None:
        self._store = store
        self._logs = logs
        self._bookmark_seconds = bookmark_seconds
        self._authority = authority
        self._verbs: dict[str, Callable[[Request, Target], Reply]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def handle(self, request: Request, target: Target | None) -> Reply:
        try:
            if target is None:
                return discovery.answer(request)
            verb = self._verbs.get(target.verb)
            if verb is None or (target.verb in ("update", "patch") and not target.name):
                raise no_such_method()
            if request.parameters.get("dryRun", "All") != "All":
                raise refused_option("Create", "dryRun", request.parameters["dryRun"], ("All",))
            return verb(request, target)
        except Refusal as refusal:
            return refusal_reply(refusal)

    def _get(self, request: Request, target: Target) -> Reply:
        item = self._named(target)
        if target.subresource == "log":
            return self._logs.reply(item, request.parameters)
        if wants_table(request):
            return json_reply(as_table(target.resource, [item], self._store.version))
        return json_reply(item)

    def _list(self, request: Request, target: Target) -> Reply:
        match = _match(request, target.resource)
        everything = self._store.select(target.resource, target.namespace, match)
        items, more = part(everything, request.parameters)
        version = self._store.version
        answer = (as_table if wants_table(request) else _list_of)(target.resource, items, version)
        answer["metadata"].update(more)
        return json_reply(answer)

    def _watch(self, request: Request, target: Target) -> Reply:
        match = _match(request, target.resource)
        if target.namespace:
            namespace = target.namespace
            match = both(lambda item: item["metadata"]["namespace"] == namespace, match)
        return watch_reply(self._store, request, target.resource, match, self._bookmark_seconds)

    def _create(self, request: Request, target: Target) -> Reply:
        resource = target.resource
        if target.subresource == "eviction":
            return self._evict(target)
        if target.name:
            raise no_such_method()
        body, parameters = _body(request), request.parameters
        item, warnings = admit_new(
            self._store, resource, body, target.namespace, _validation(parameters)
        )
        if parameters.get("dryRun") and self._store.find(resource, key_of(item)) is None:
            return json_reply(item, 201, warnings)
        return json_reply(self._store_new(resource, item), 201, warnings)

    def create(self, resource: Resource, namespace: str, body: Json) -> Json:
        """Create an object without a request, as the cluster's own parts do."""
        item, _ = admit_new(self._store, resource, body, namespace)
        return self._store_new(resource, item)

    def _store_new(self, resource: Resource, item: Json) -> Json:
        item = self._store.create(resource, item)
        if resource is NAMESPACES:
            name = item["metadata"]["name"]
            for kind, body in namespace_contents(self._authority):
                self.create(kind, name, body)
        return item

    def _update(self, request: Request, target: Target) -> Reply:
        return self._replace(request, target, self._named(target), _body(request))

    def _patch(self, request: Request, target: Target) -> Reply:
        stored = self._named(target)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        body = patched(stored, kind, parse_json(request.body))
        wanted, uid = (body.get("metadata") or {}).get("uid"), stored["metadata"]["uid"]
        if wanted not in (None, "", uid):
            # A replacement is refused as a conflict, a patch as a field that may not change.
            raise unprocessable(target.resource, target.name, [immutable("metadata.uid", wanted)])
        return self._replace(request, target, stored, body)

    def _replace(self, request: Request, target: Target, stored: Json, body: Json) -> Reply:
        resource = target.resource
        item, warnings = admit_update(
            resource, stored, body, target.subresource, _validation(request.parameters)
        )
        if not request.parameters.get("dryRun"):
            item = self._store.update(resource, item)
        return json_reply(item, 200, warnings)

    def _delete(self, request: Request, target: Target) -> Reply:
        resource = target.resource
        options = delete_options(request.parameters, _body(request, optional=True))
        item = self._named(target)
        warnings: tuple[str, ...] = ()
        if resource is JOBS and options.policy is None:
            warnings = (ORPHANS_WARNING,)
        if resource is NAMESPACES:
            self._empty_namespace(target.name)
        left = delete(self._store, resource, item, options)
        if resource is PODS or self._store.find(resource, key_of(item)) is not None:
            return json_reply(left, 200, warnings)
        details = {
            "name": target.name,
            **({"group": resource.group} if resource.group else {}),
            "kind": resource.plural,
            "uid": item["metadata"]["uid"],
        }
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return json_reply({**status, "details": details}, 200, warnings)

    def _delete_collection(self, request: Request, target: Target) -> Reply:
        resource = target.resource
        options = delete_options(request.parameters, _body(request, optional=True))
        match = _match(request, resource)
        items = self._store.select(resource, target.namespace, match)
        for item in items:
            delete(self._store, resource, item, options)
        return json_reply(_list_of(resource, items, self._store.version))

    def _evict(self, target: Target) -> Reply:
        """Mark a pod as disrupted and delete it, as the eviction API does."""
        disrupt(self._store, self._named(target), EVICTION)
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return json_reply({**status, "code": 201}, 201)

    def _named(self, target: Target) -> Json:
        return self._store.get(target.resource, (target.namespace, target.name))

    def _empty_namespace(self, name: str) -> None:
        everything = delete_options({"propagationPolicy": "Background"}, {})
        for resource in RESOURCES:
            if resource.namespaced:
                for item in self._store.select(resource, name):
                    delete(self._store, resource, item, everything)


def _match(request: Request, resource: Resource) -> Match | None:
    parameters = request.parameters
    return both(
        labels_match(parameters.get("labelSelector", "")),
        fields_match(resource, parameters.get("fieldSelector", "")),
    )


def _list_of(resource: Resource, items: list[Json], version: int) -> Json:
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(version)},
        "items": items,
    }


def _body(request: Request, optional: bool = False) -> Json:
    if optional and not request.body.strip():
        return {}
    if "protobuf" in request.headers.get("content-type", ""):
        raise Refusal(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json",
        )
    body = parse_json(request.body)
    if not isinstance(body, dict):
        raise Refusal(400, "the request body is no object")
    return body


def _validation(parameters: Mapping[str, str]) -> str:
    return parameters.get("fieldValidation") or "Warn"
