"""Whether what one object names, another object is: profiles, drivers, folders to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ctm.lint.finding import Finding
from ctm.lint.tree import Item, Tree, is_a

_PROFILES: Mapping[str, tuple[str, ...]] = {
    "Job:FileTransfer": ("ConnectionProfileSrc", "ConnectionProfileDest"),
}
"""The properties that name a profile, where it is not ConnectionProfile alone."""

_KINDS: Mapping[str, str] = {
    "Job:FileTransfer": "ConnectionProfile:FileTransfer",
    "Job:Database": "ConnectionProfile:Database",
    "Job:Kubernetes": "ConnectionProfile:Kubernetes",
    "Job:Snowflake": "ConnectionProfile:Snowflake",
    "Job:Snowflake IdP": "ConnectionProfile:Snowflake IdP",
}
"""The kind of profile that a kind of job takes."""


def profiles(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find jobs whose connection profile is missing or of the wrong kind.

    Where no profile is among the files they are defined elsewhere, and nothing is said.
    """
    known = {item.name: item for tree in trees for item in tree.of("ConnectionProfile")}
    for tree in trees:
        for job in tree.of("Job"):
            both = ("ConnectionProfileSrc", "ConnectionProfileDest")
            if is_a(job.type, "Job:FileTransfer") and not job.is_default:
                for name in both:
                    if not job.get(name) and not job.get("ConnectionProfileDualEndpoint"):
                        yield tree.finding(
                            job.path, "required", f"a {job.type} needs {name}; add it"
                        )
            for name in _PROFILES.get(job.type, ("ConnectionProfile",)):
                path, value = job.properties().get(name, ((), None))
                if not isinstance(value, str) or "%%" in value or not known:
                    continue
                if value not in known:
                    yield tree.finding(
                        path, "profile",
                        f"no connection profile {value} is among these files; correct the name, "
                        "or give the file that defines it, too",
                    )  # fmt: skip
                elif (kind := _kind(job)) and not is_a(known[value].type, kind):
                    yield tree.finding(
                        path, "profile",
                        f"a {job.type} takes a {kind}, and {value} is a {known[value].type}",
                    )  # fmt: skip


def _kind(job: Item) -> str | None:
    if is_a(job.type, "Job:ApplicationIntegrator"):
        return f"ConnectionProfile{job.type.removeprefix('Job')}"
    fitting = (kind for family, kind in _KINDS.items() if is_a(job.type, family))
    return next(fitting, None)


def drivers(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find JDBC profiles whose driver is missing, where drivers are among the files."""
    known = {item.name for tree in trees for item in tree.of("Driver")}
    for tree in trees:
        for profile in tree.of("ConnectionProfile:Database:JDBC"):
            path, name = profile.properties().get("Driver", ((), None))
            if isinstance(name, str) and known and name not in known:
                yield tree.finding(
                    path, "profile",
                    f"no driver {name} is among these files; correct the name, or give the file "
                    "that defines it, too",
                )  # fmt: skip


def runs(trees: Sequence[Tree]) -> Iterator[Finding]:
    """Find an Action:Run of a folder, or of a job in it, that is nowhere."""
    folders = {
        item.name: (tree, item) for tree in trees for item in tree.of("Folder", "SimpleFolder")
    }
    for tree in trees:
        for action in tree.of("Action:Run"):
            folder, job = action.get("Folder"), action.get("Job")
            if not isinstance(folder, str) or "%%" in folder:
                continue
            # A path of folders: the first is the one that is ordered.
            top, *inner = folder.split("/")
            if top not in folders:
                yield tree.finding(
                    (*action.path, "Folder"), "run",
                    f"no folder {top} is among these files; correct the name, or give the file "
                    "that defines it, too",
                )  # fmt: skip
                continue
            there, start = folders[top]
            path = (*start.path, *inner)
            if path not in there.items:
                yield tree.finding(
                    (*action.path, "Folder"), "run", f"{top} has no subfolder {'/'.join(inner)}"
                )
            elif (
                isinstance(job, str)
                and not set("%*?") & set(job)
                and not is_a(getattr(there.items.get((*path, job)), "type", ""), "Job")
            ):
                yield tree.finding(
                    (*action.path, "Job"), "run", f"{folder} has no job {job}; correct the name"
                )
