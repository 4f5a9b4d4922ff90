"""Say why a request was not answered as it was meant."""

from __future__ import annotations

import json
from http.client import HTTPException

from runjob.errors import ApiError


def refusal(status: int, answer: bytes, retry_after: str | None) -> ApiError:
    """Return what the API's answer of that status says; retry_after is the header of that name."""
    try:
        told = json.loads(answer)
        message, reason = str(told["message"]), str(told.get("reason") or "")
    except (ValueError, KeyError, TypeError):
        message, reason = answer[:300].decode(errors="replace"), ""
    after = retry_after or ""
    return ApiError(
        status,
        " ".join(message.split()) or f"HTTP {status}",
        reason=reason,
        retry_after=float(after) if after.isdigit() else None,
    )


def broken(error: Exception) -> ApiError:
    """Return what stands for a connection that broke, or on which nothing came in time."""
    reason = "Silence" if isinstance(error, TimeoutError) else ""
    return ApiError(0, words(error), reason=reason)


def words(error: Exception) -> str:
    """Say in words what broke."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, (HTTPException, ValueError, AttributeError)):
        return "the connection broke off"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
