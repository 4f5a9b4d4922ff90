"""Refusals: the Status objects with which an API server says no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .resources import Json, Resource

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """An answer other than success, on its way to the client."""

    def __init__(
        self,
        code: int,
        message: str,
        reason: str | None = None,
        details: Json | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = REASONS.get(code, "") if reason is None else reason
        self.details = details
        self.retry_after = retry_after

    def status(self) -> Json:
        """Write the refusal as the Status object that clients parse."""
        details = dict(self.details or {})
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None or details:
            status["details"] = details
        status["code"] = self.code
        return status


@dataclass(frozen=True)
class Cause:
    """One field that fails validation, worded as the real server words it."""

    field: str
    reason: str
    message: str


def required(path: str, detail: str = "") -> Cause:
    """Say that a field is missing."""
    text = "Required value" + (f": {detail}" if detail else "")
    return Cause(path, "FieldValueRequired", text)


def invalid(path: str, value: object, detail: str) -> Cause:
    """Say that a field's value is wrong."""
    return Cause(path, "FieldValueInvalid", f"Invalid value: {_go(value)}: {detail}")


def unsupported(path: str, value: object, choices: Sequence[str]) -> Cause:
    """Say that a field's value is none of the choices."""
    names = ", ".join(_go(choice) for choice in choices)
    text = f"Unsupported value: {_go(value)}: supported values: {names}"
    return Cause(path, "FieldValueNotSupported", text)


def duplicate(path: str, value: object) -> Cause:
    """Say that a value stands twice where it must be unique."""
    return Cause(path, "FieldValueDuplicate", f"Duplicate value: {_go(value)}")


def absent(path: str, value: object) -> Cause:
    """Say that a value names nothing."""
    return Cause(path, "FieldValueNotFound", f"Not found: {_go(value)}")


def forbidden_field(path: str, detail: str) -> Cause:
    """Say that a field may not be set."""
    return Cause(path, "FieldValueForbidden", f"Forbidden: {detail}")


def unprocessable(resource: Resource, name: str, causes: Sequence[Cause]) -> Refusal:
    """Refuse an object with everything that is wrong in it."""
    lines = [f"{cause.field}: {cause.message}" for cause in causes]
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    details = {
        **({"name": name} if name else {}),
        **({"group": resource.group} if resource.group else {}),
        "kind": resource.kind,
        "causes": [
            {"reason": cause.reason, "message": cause.message, "field": cause.field}
            for cause in causes
        ],
    }
    message = f'{resource.qualified_kind} "{name}" is invalid: {text}'
    return Refusal(422, message, details=details)


def not_found(resource: Resource, name: str) -> Refusal:
    """Refuse what does not exist."""
    message = f'{resource.qualified} "{name}" not found'
    return Refusal(404, message, details=_named(resource, name))


def already_exists(resource: Resource, name: str) -> Refusal:
    """Refuse a second object of the same name."""
    message = f'{resource.qualified} "{name}" already exists'
    return Refusal(409, message, "AlreadyExists", _named(resource, name))


def conflict(resource: Resource, name: str, why: str) -> Refusal:
    """Refuse a write to something that is not as the client believes."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refusal(409, message, details=_named(resource, name))


def forbidden(resource: Resource, name: str, why: str) -> Refusal:
    """Refuse what the client may not do."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return Refusal(403, f"{subject} is forbidden: {why}", details=_named(resource, name))


def expired(version: int, oldest: int) -> Refusal:
    """Refuse a version that the history no longer has."""
    return Refusal(410, f"too old resource version: {version} ({oldest})")


def no_such_path() -> Refusal:
    """Refuse a path that leads nowhere."""
    return Refusal(404, "the server could not find the requested resource", details={})


def no_such_method() -> Refusal:
    """Refuse a verb that the resource does not have."""
    text = "the server does not allow this method on the requested resource"
    return Refusal(405, text, details={})


def _named(resource: Resource, name: str) -> Json:
    return {
        **({"name": name} if name else {}),
        **({"group": resource.group} if resource.group else {}),
        "kind": resource.plural,
    }


def _go(value: object) -> str:
    """Print a value as Go's field errors do: strings quoted, numbers and booleans bare."""
    if isinstance(value, bool):
        return str(value).lower()
    if type(value) is str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
