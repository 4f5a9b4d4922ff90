"""Read a manifest: its documents, its placeholders, the Job in it and what the Job needs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from runjob.errors import Exit, ManifestError, UsageError
from runjob.options import Pairs
from runjob.request import PREREQUISITES, Body
from runjob.yamltext import BadYamlError, Document, read

PLACEHOLDER = re.compile(r"\$\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")


def documents(text: str, params: Pairs, origin: str) -> tuple[Body, ...]:
    """Return the objects in text, with each ${{NAME}} replaced by its value in params.

    A value takes the place of a part of one scalar and stays there: whatever it holds, it cannot
    start a new key or document. Where a plain scalar is nothing but a placeholder, the value is
    read as YAML reads a plain scalar, so that numbers are numbers; quoted, it stays text. Items of
    a `kind: List` count as documents of their own. origin names the manifest in messages.

    Raises ManifestError with file, line and what is wrong there; UsageError for parameters that
    are missing, unused or given twice.
    """
    values = dict(params)
    if len(values) != len(params):
        raise UsageError("--param names the same placeholder twice")
    used: set[str] = set()
    found: list[Body] = []
    try:
        for document in read(text):
            used |= _fill(document, values, origin)
            found.extend(_objects(document.value(), f"{origin}, line {document.line}"))
    except BadYamlError as error:
        raise ManifestError(f"{origin}{error}") from error
    unused = sorted(values.keys() - used)
    if unused:
        raise UsageError(f"--param {unused[0]}: {origin} has no placeholder ${{{{{unused[0]}}}}}")
    return tuple(found)


def _fill(document: Document, values: Mapping[str, str], origin: str) -> set[str]:
    """Replace the placeholders of one document and return the names of those that it has."""
    used: set[str] = set()
    for node in document.scalars():
        names = PLACEHOLDER.findall(node.value)
        for name in names:
            if name not in values:
                raise UsageError(
                    f"{origin}, line {node.start_mark.line + 1}: no value for ${{{{{name}}}}}; "
                    f"give it as --param {name}=VALUE"
                )
        if names:
            used.update(names)
            alone = node.style is None and PLACEHOLDER.fullmatch(node.value) is not None
            text = PLACEHOLDER.sub(lambda match: values[match[1]], node.value)
            document.fill(node, text, plain=alone)
    return used


def _objects(document: Any, place: str) -> list[Body]:
    if document is None:
        return []
    if isinstance(document, dict) and document.get("kind") == "List":
        items = document.get("items") or []
        if not isinstance(items, list):
            raise ManifestError(f"{place}: the items of a List must be a list")
        return [_object(item, place) for item in items]
    return [_object(document, place)]


def _object(document: Any, place: str) -> Body:
    if not isinstance(document, dict):
        raise ManifestError(f"{place}: a Kubernetes object is expected, not {document!r:.40}")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str):
            raise ManifestError(f"{place}: an object without {field}")
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ManifestError(f"{place}: metadata must be an object")
    for field in ("annotations", "labels"):
        if not isinstance(metadata.get(field) or {}, dict):
            raise ManifestError(f"{place}: metadata.{field} must be an object")
    return {**document, "metadata": metadata}


def divide(objects: tuple[Body, ...], origin: str) -> tuple[Body, tuple[Body, ...]]:
    """Return the one Job among objects, and the others in their order.

    Raises ManifestError when there is no Job, more than one, or an object that no Job needs.
    """
    jobs = [body for body in objects if body["kind"] == "Job"]
    if not jobs:
        kinds = ", ".join(dict.fromkeys(str(body["kind"]) for body in objects)) or "nothing"
        raise ManifestError(f"{origin}: holds {kinds} but no Job")
    if len(jobs) > 1:
        raise ManifestError(f"{origin}: holds {len(jobs)} Jobs; one launch runs one Job")
    if jobs[0]["apiVersion"] != "batch/v1":
        raise ManifestError(
            f"{origin}: the Job has apiVersion {jobs[0]['apiVersion']!r}; it must be batch/v1"
        )
    others = tuple(body for body in objects if body["kind"] != "Job")
    for body in others:
        if (body["apiVersion"], body["kind"]) not in PREREQUISITES:
            known = ", ".join(kind for _, kind in PREREQUISITES)
            raise ManifestError(
                f"{origin}: {body['apiVersion']} {body['kind']} cannot stand beside a Job here; "
                f"what can: {known}"
            )
        if not isinstance(body["metadata"].get("name"), str):
            raise ManifestError(f"{origin}: a {body['kind']} without metadata.name")
    return jobs[0], others


def agreed_name(body: Body, wanted: str | None, origin: str) -> str:
    """Return the Job's name, by -j or the manifest; LaunchError 16 where they differ."""
    written = body["metadata"].get("name")
    if written is None and wanted is None:
        raise ManifestError(f"{origin}: the Job has no metadata.name; name it there or with -j")
    if written is not None and not isinstance(written, str):
        raise ManifestError(f"{origin}: metadata.name must be text, not {written!r}; quote it")
    if written and wanted and written != wanted:
        raise ManifestError(
            f"{origin} names the Job {written!r}, but -j says {wanted!r}: make them the same",
            Exit.NAME_MISMATCH,
        )
    return str(wanted or written)


def agreed_namespace(objects: tuple[Body, ...], wanted: str | None, origin: str) -> str:
    """Return the namespace, by -n, the manifest or `default`; LaunchError 18 where they differ."""
    written: dict[str, Mapping[str, Any]] = {}
    for body in objects:
        namespace = body["metadata"].get("namespace")
        if namespace is None:
            continue
        if not isinstance(namespace, str):
            raise ManifestError(f"{origin}: metadata.namespace must be text, not {namespace!r}")
        written.setdefault(namespace, body)
    for namespace in written:
        if wanted and namespace != wanted:
            raise ManifestError(
                f"{origin} names the namespace {namespace!r}, but -n says {wanted!r}: "
                "make them the same",
                Exit.NAMESPACE_MISMATCH,
            )
    if len(written) > 1:
        raise ManifestError(
            f"{origin} names several namespaces, {' and '.join(written)}: one launch uses one",
            Exit.NAMESPACE_MISMATCH,
        )
    return wanted or next(iter(written), None) or "default"


def placed(body: Body, namespace: str, name: str | None = None) -> Body:
    """Return the object in its namespace, under its settled name."""
    metadata = {**body["metadata"], "namespace": namespace}
    if name is not None:
        metadata["name"] = name
        metadata.pop("generateName", None)  # so that a repeated create is the same Job
    return {**body, "metadata": metadata}


def same_content(wanted: Any, known: Any) -> bool:
    """Tell whether an object that exists holds all that is written in the manifest.

    What the API added (defaults, status) does not count; a Secret's stringData is compared with
    its data.
    """
    if isinstance(wanted, Mapping) and isinstance(known, Mapping):
        return all(
            key in known and same_content(value, known[key])
            for key, value in _stored(wanted).items()
            if value is not None
        )
    if isinstance(wanted, list) and isinstance(known, list):
        return len(wanted) == len(known) and all(map(same_content, wanted, known))
    return bool(wanted == known)


def _stored(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if body.get("kind") != "Secret" or "stringData" not in body:
        return body
    texts = {
        key: base64.b64encode(str(text).encode()).decode()
        for key, text in (body["stringData"] or {}).items()
    }
    rest = {key: value for key, value in body.items() if key != "stringData"}
    return {**rest, "data": {**(body.get("data") or {}), **texts}}
