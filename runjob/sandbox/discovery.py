"""Discovery: what clients ask about the server before they ask for objects."""

from __future__ import annotations

from .http import Reply, Request, json_reply
from .refusals import no_such_path
from .resources import JOBS, NAMESPACES, PODS, RESOURCES, Json

VERSION = {"major": "1", "minor": "35", "gitVersion": "v1.35.4+runjob-sandbox", "platform": "linux"}
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
GROUPS = ("", "batch", "scheduling.k8s.io")


def answer(request: Request) -> Reply:
    """Answer a request that is about no object."""
    path = request.path.rstrip("/")
    if path == "/version":
        return json_reply(VERSION)
    if path in ("/healthz", "/livez", "/readyz"):
        return Reply(200, b"ok", "text/plain; charset=utf-8")
    if path == "/api":
        return json_reply({"kind": "APIVersions", "versions": ["v1"]})
    if path == "/apis":
        groups = [_group(name) for name in GROUPS if name]
        return json_reply({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    for group in GROUPS:
        prefix = f"/apis/{group}/v1" if group else "/api/v1"
        if path == prefix:
            return json_reply(_resources(group))
        if group and path == f"/apis/{group}":
            return json_reply({"kind": "APIGroup", "apiVersion": "v1", **_group(group)})
        if path == f"/openapi/v3{prefix}":
            return json_reply(_openapi(group))
    if path == "/openapi/v3":
        return json_reply({"paths": dict(map(_openapi_path, GROUPS))})
    raise no_such_path()


def _group(name: str) -> Json:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group: str) -> Json:
    entries: list[Json] = []
    for resource in RESOURCES:
        if resource.group != group:
            continue
        entry: Json = {
            "name": resource.plural,
            "singularName": resource.kind.lower(),
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(VERBS),
        }
        names: Json = {}
        if resource.short:
            names["shortNames"] = list(resource.short)
        if resource.categories:
            names["categories"] = list(resource.categories)
        entries.append({**entry, **names})
        if resource in (JOBS, PODS, NAMESPACES):
            status = {**entry, "name": f"{resource.plural}/status", "verbs": ["get", "patch"]}
            entries.append({**status, "singularName": ""})
        if resource is PODS:
            entries.append({**entry, "name": "pods/log", "verbs": ["get"], "singularName": ""})
    version = f"{group}/v1" if group else "v1"
    head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version}
    return {**head, "resources": entries}


def _openapi_path(group: str) -> tuple[str, Json]:
    path = f"apis/{group}/v1" if group else "api/v1"
    return path, {"serverRelativeURL": f"/openapi/v3/{path}?hash=1"}


def _openapi(group: str) -> Json:
    """Say that fieldValidation is supported, which kubectl looks up before it creates."""
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    paths: Json = {}
    for resource in RESOURCES:
        if resource.group == group:
            where = "/namespaces/{namespace}" if resource.namespaced else ""
            kind = {"group": group, "version": "v1", "kind": resource.kind}
            operation = {
                "operationId": f"patch{resource.kind}",
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": kind,
            }
            paths[f"{resource.prefix}{where}/{resource.plural}/{{name}}"] = {"patch": operation}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": paths,
    }
