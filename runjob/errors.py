"""How a launch can end badly, and the exit code of each ending."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. 0, 1, 3, 5, 6, 8, 16 and 18 are those that callers have always known."""

    SUCCEEDED = 0
    FAILED = 1
    REFUSED = 3
    MANIFEST = 5
    UNREADABLE = 6
    KILLED = 8
    NO_CLUSTER = 9
    IMAGE = 10
    UNSCHEDULABLE = 11
    CONFIGURATION = 12
    DEADLINE = 13
    DELETED = 14
    EXISTS = 15
    NAME_MISMATCH = 16
    NOT_STARTED = 17
    NAMESPACE_MISMATCH = 18
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.SUCCEEDED: "the Job completed",
    Exit.FAILED: "the Job failed, or the options were wrong",
    Exit.REFUSED: "the API refused the Job",
    Exit.MANIFEST: "the manifest is wrong, or the API refused it",
    Exit.UNREADABLE: "the API gave no answer for too long; the Job lives on",
    Exit.KILLED: "ended by SIGTERM, SIGHUP or --kill; the Job was removed",
    Exit.NO_CLUSTER: "no cluster to talk to, or no way to log in there",
    Exit.IMAGE: "the image cannot be pulled: not found, denied, no valid name, "
    "or no registry for too long",
    Exit.UNSCHEDULABLE: "no node took the pod within --start-timeout",
    Exit.CONFIGURATION: "the pod cannot start as it is written: "
    "a missing ConfigMap, Secret, key, ServiceAccount or command",
    Exit.DEADLINE: "the Job ran into its deadline (activeDeadlineSeconds), "
    "or its launcher was lost (--on-lost kill)",
    Exit.DELETED: "somebody else deleted the Job",
    Exit.EXISTS: "an object of that name exists already and is not ours",
    Exit.NAME_MISMATCH: "the manifest and -j name different Jobs",
    Exit.NOT_STARTED: "the pod did not start within --start-timeout",
    Exit.NAMESPACE_MISMATCH: "the manifest and -n name different namespaces",
    Exit.INTERRUPTED: "ended by SIGINT (Ctrl-C); the Job was removed",
}


class LaunchError(Exception):
    """One clear line for the user: what was attempted, what came back, what to do.

    hint is what to do where the line does not say it.
    """

    exit_code = Exit.FAILED

    def __init__(self, message: str, exit_code: Exit | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if exit_code is not None:
            self.exit_code = exit_code


class UsageError(LaunchError):
    """An option is wrong, missing, or does not go with another."""


class ManifestError(LaunchError):
    """A manifest cannot be used as it is written."""

    exit_code = Exit.MANIFEST


class NoClusterError(LaunchError):
    """There is no cluster to talk to."""

    exit_code = Exit.NO_CLUSTER


class OutsideError(NoClusterError):
    """No cluster is named, and this process does not run in one."""


class ApiError(Exception):
    """What the API answered, or that it did not.

    status is the HTTP status, 0 when no answer came; reason is the word of the API's Status
    object ("AlreadyExists", "Expired", …), or one of ours where none came: "NoSuchHost",
    "Untrusted" for a certificate, "Silence" where nothing at all came in time; retry_after are the
    seconds that the API asked for.
    """

    def __init__(
        self, status: int, message: str, *, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    @property
    def heals(self) -> bool:
        """Whether the same request may be answered otherwise a little later."""
        # Creates that come at once contend for their quota: kubernetes/kubernetes#67761.
        contended = self.status == 409 and "resourcequotas" in str(self)
        return contended or self.status in (0, 401, 408, 410, 429) or self.status >= 500
