"""What a manifest brings along belongs to its Job, so that it goes with it whoever removes that."""

from __future__ import annotations

from runjob.request import JOB, Body


def bequest(body: Body, job: Body) -> Body | None:
    """Return the patch by which an object goes with the Job; None where it does so already.

    It is a strategic one: other owners stay, since the API keeps the list by their uids.
    """
    metadata, uid = job["metadata"], job["metadata"]["uid"]
    if any(owner["uid"] == uid for owner in _owners(body)):
        return None
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "name": metadata["name"],
        "uid": uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }
    return {"metadata": {"uid": body["metadata"]["uid"], "ownerReferences": [owner]}}


def jobs_of(body: Body) -> tuple[Body, ...]:
    """Return the Jobs with whose last an object goes, by name and uid; none where it stays."""
    owners = _owners(body)
    if any((each["apiVersion"], each["kind"]) != (JOB.api_version, JOB.name) for each in owners):
        return ()  # another kind's part in it is not ours to judge
    return tuple(
        {"kind": JOB.name, "metadata": {"name": each["name"], "uid": each["uid"]}}
        for each in owners
    )


def _owners(body: Body) -> tuple[Body, ...]:
    return tuple(body["metadata"].get("ownerReferences") or ())
