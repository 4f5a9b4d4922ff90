"""Say what holds an object whose deletion the API has accepted."""

from __future__ import annotations

import json

from runjob.commands import Commands
from runjob.request import Body

# Those without a domain are the garbage collector's: foregroundDeletion and orphan.
OWN = "kubernetes.io"


def holders(answer: Body) -> tuple[str, ...]:
    """Return the finalizers of others that hold an object, by the answer to its deletion.

    That is the object as it stays for now, or a Status where it went. What Kubernetes itself does
    first, such as deleting the pods or waiting for those that use a claim, holds nothing. See
    https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
    """
    metadata = answer.get("metadata") or {}
    return tuple(each for each in metadata.get("finalizers") or () if not _is_own(each))


def _is_own(finalizer: str) -> bool:
    domain, slash, _ = finalizer.partition("/")
    return not slash or domain == OWN or domain.endswith(f".{OWN}")


def held(body: Body, by: tuple[str, ...], namespace: str, commands: Commands) -> str:
    """Say by which finalizers an object is held, how to look at it, and what force risks.

    The command that uses force takes these off and no other: those of Kubernetes itself keep what
    is in use, such as a claim whose volume a pod writes to.
    """
    kind, name = body["kind"].lower(), body["metadata"]["name"]
    look = commands.kubectl(namespace, "get", kind, name, "-o", "yaml", "--show-managed-fields")
    # A later object of that name is not meant: with another uid the API refuses. What is to stay
    # is not written out: it may have gone by then, and the API lets nobody put it back.
    metadata = {"uid": body["metadata"]["uid"], "$deleteFromPrimitiveList/finalizers": by}
    patch = json.dumps({"metadata": metadata}, separators=(",", ":"))
    force = commands.kubectl(namespace, "patch", kind, name, "--type=strategic", "-p", patch)
    return (
        f"{body['kind']} {name} is being deleted, but stays until whoever set its finalizer "
        f"{', '.join(by)} takes that off; look who that is with: {look}; only where nobody will "
        f"any more, take it off by force, and what it was to clean up stays behind: {force}"
    )
