"""Show a Job to a person: how it stands, its pods, events, last words, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from runjob.commands import Commands
from runjob.diagnosis import describe
from runjob.endings import Ending, early_end, natural_end
from runjob.existing import manager
from runjob.identity import TOLD
from runjob.lease import Lease
from runjob.leftovers import span
from runjob.observed import ContainerView, EventView, Picture, PodView
from runjob.plan import LAUNCH
from runjob.request import Body
from runjob.waiting import causes, why_container_waits

# How much of each is shown, the most telling first.
PODS = 8
EVENTS = 10
LOGS = 4
LINES = 10
WIDTH = 400


@dataclass(frozen=True)
class LastWords:
    """The last lines of a container's log, or why they cannot be read."""

    pod: str
    container: str
    lines: tuple[str, ...] = ()
    trouble: str = ""


def pods_to_show(picture: Picture) -> tuple[PodView, ...]:
    """Return the pods that tell most: what failed, waits, runs, is done; the latest first."""
    order = {"Failed": 0, "Pending": 1, "Unknown": 2, "Running": 3, "Succeeded": 4}

    def rank(pod: PodView) -> tuple[int, float]:
        return order.get(pod.phase, 2), -(pod.created.timestamp() if pod.created else 0)

    return tuple(sorted(picture.pods.values(), key=rank)[:PODS])


def logs_to_show(picture: Picture) -> tuple[tuple[PodView, ContainerView], ...]:
    """Return the containers whose latest finished run failed, as many as are shown."""
    failed = [
        (pod, view)
        for pod in pods_to_show(picture)
        for view in pod.containers
        if (end := view.terminated or view.last) and end.exit_code != 0
    ]
    return tuple(failed[:LOGS])


def described(
    job: Body,
    picture: Picture,
    words: tuple[LastWords, ...],
    now: datetime,
    commands: Commands,
) -> tuple[str, ...]:
    """Return the lines that tell of a Job; picture is what was seen of it, words its failures'."""
    told = (
        *_head(job, picture, now),
        *_pods(picture, now),
        *_events(picture, now),
        *_words(words),
        *_verdict(picture),
    )
    return (*(line[:WIDTH] for line in told), *_next(next_commands(job, picture, commands)))


def _head(job: Body, picture: Picture, now: datetime) -> Iterator[str]:
    metadata, spec, view = job["metadata"], job.get("spec") or {}, picture.job
    yield f"Job {metadata['namespace']}/{metadata['name']}: {_state(picture, now)}"
    made = (
        f"{view.created:%Y-%m-%d %H:%M:%S} UTC, {_ago(view.created, now)}, " if view.created else ""
    )
    yield f"  made        {made}by {maker(job)}"
    if view.lease.launcher:
        kept = TOLD in (metadata.get("annotations") or {})
        life = "has told how the Job ended, and left it" if kept else _life(view.lease, now)
        yield f"  launcher    {view.lease.launcher}: {life}"
    pod = (spec.get("template") or {}).get("spec") or {}
    yield f"  image       {', '.join(each['image'] for each in pod.get('containers') or ())}"
    limits = f"completions {spec.get('completions', 1)}, backoffLimit {spec.get('backoffLimit', 6)}"
    if spec.get("activeDeadlineSeconds"):
        limits += f", deadline {span(spec['activeDeadlineSeconds'])}"
    counts = f"{view.active} active, {view.succeeded} succeeded, {view.failed} failed"
    yield f"  pods        {counts} ({limits})"
    for each in view.conditions:
        if each.status == "True":
            why = ": ".join(part for part in (each.reason, each.message) if part)
            yield f"  condition   {each.type} {_ago(each.since, now)}{f': {why}' if why else ''}"
    if metadata.get("deletionTimestamp"):
        waits = ", ".join(metadata.get("finalizers") or ()) or "nothing"
        yield f"  deletion    under way since {metadata['deletionTimestamp']}, waits for: {waits}"


def _life(lease: Lease, now: datetime) -> str:
    life = lease.life(now)
    return life if life == "unknown" else f"{life}, latest sign of life {_ago(lease.heard, now)}"


def _state(picture: Picture, now: datetime) -> str:
    for state in ("Complete", "Failed"):
        condition = picture.job.condition(state)
        if condition:
            return f"{state}, {_ago(condition.since, now)}"
    if picture.job.suspended:
        return "suspended"
    if early_end(picture):
        return "cannot start"
    if any(pod.phase == "Running" for pod in picture.pods.values()):
        return "running"
    return "waiting"


def maker(job: Body) -> str:
    """Name who made a Job, as far as it tells: a launcher, an owner, or a client program."""
    metadata = job["metadata"]
    launch = (metadata.get("annotations") or {}).get(LAUNCH)
    if launch:
        return f"runjob (launch {launch})"
    owner = next((each for each in metadata.get("ownerReferences") or ()), None)
    if owner:
        return f"{owner['kind']} {owner['name']}"
    return manager(job) or "somebody else than runjob"


def _pods(picture: Picture, now: datetime) -> Iterator[str]:
    shown = pods_to_show(picture)
    waits = {} if natural_end(picture) else causes(picture)
    for pod in shown:
        node = f" on {pod.node}" if pod.node else ""
        leaving = ", being deleted" if pod.deleting else ""
        yield f"Pod {pod.name}: {pod.phase}{node}, made {_ago(pod.created, now)}{leaving}"
        if pod.reason:
            yield f"  {pod.reason}: {pod.message}"
        if pod.uid in waits:
            yield f"  waits: {waits[pod.uid].text}"
        for view in pod.containers:
            yield f"  {_container(view, pod, now)}"
    if "" in waits:
        yield f"Waits: {waits[''].text}"
    rest = Counter(pod.phase for pod in picture.pods.values() if pod not in shown)
    if rest:
        yield f"… and more pods: {', '.join(f'{n} {phase}' for phase, n in rest.items())}"


def _container(view: ContainerView, pod: PodView, now: datetime) -> str:
    name = view.name if view.role == "main" else f"{view.name} ({view.role})"
    waiting = why_container_waits(view)
    if view.running:
        text = f"runs for {span((now - view.running).total_seconds())}"
    elif view.terminated:
        text = f"{describe(view, view.terminated, pod)}, {_ago(view.terminated.finished, now)}"
    else:
        text = f"waits: {waiting.text}" if waiting else "has not started"
    if view.restarts:
        text += f"; {view.restarts} restarts"
    if view.last and not view.terminated:
        text += f"; the run before {describe(view, view.last, pod)}"
    return f"container {name}: {text}"


def _events(picture: Picture, now: datetime) -> Iterator[str]:
    events = sorted(
        (each for each in picture.events.values() if not _misleads(each, picture)),
        key=lambda each: (each.type == "Warning", each.at.timestamp() if each.at else 0),
    )[-EVENTS:]
    names = {pod.uid: f"pod {pod.name}" for pod in picture.pods.values()}
    if events:
        yield "Events, warnings last"
    for each in events:
        yield (
            f"  {_ago(each.at, now)}  {each.type:<7}  {names.get(each.about, 'Job')}: {_said(each)}"
        )


def _misleads(event: EventView, picture: Picture) -> bool:
    """Tell whether an event warns of an absent pull secret that the pod did without."""
    pod = picture.pods.get(event.about)
    return event.reason == "FailedToRetrieveImagePullSecret" and pod is not None and pod.started


def _said(event: EventView) -> str:
    times = f" ({event.count} times)" if event.count > 1 else ""
    return f"{event.reason}: {' '.join(event.message.split())}{times}"


def _words(words: tuple[LastWords, ...]) -> Iterator[str]:
    for each in words:
        if each.trouble:
            yield f"Log of {each.pod}/{each.container}: cannot be read ({each.trouble})"
        elif not each.lines:
            yield f"Log of {each.pod}/{each.container}: empty"
        else:
            yield f"Last lines of {each.pod}/{each.container}"
            yield from (f"  | {line}" for line in each.lines)


def _verdict(picture: Picture) -> Iterator[str]:
    ending = natural_end(picture) or early_end(picture)
    if ending:
        yield f"Verdict: {_sentence(ending)}"


def _next(commands: tuple[str, ...]) -> Iterator[str]:
    # Whole, however long: a command that is cut does something else.
    for word, command in zip(("Next:", *[""] * len(commands)), commands, strict=False):
        yield f"{word:<8} {command}"


def _sentence(ending: Ending) -> str:
    return ". ".join(part[:1].upper() + part[1:] for part in (ending.text, ending.hint) if part)


def next_commands(job: Body, picture: Picture, commands: Commands) -> tuple[str, ...]:
    """Return the commands that lead on from here, the one to run now first."""
    name = job["metadata"]["name"]

    def kubectl(*words: str) -> str:
        return commands.kubectl(job["metadata"]["namespace"], *words)

    remove = kubectl("delete", "job", name, "--cascade=foreground")
    failed = logs_to_show(picture)
    first = next(iter(pods_to_show(picture)), None)
    if picture.job.condition("Complete"):
        return (remove,)
    if picture.job.condition("Failed"):
        look = kubectl("describe", "job", name)
        if failed:
            pod, view = failed[0]
            look = kubectl("logs", pod.name, "-c", view.name)
        return (look, remove)
    if picture.job.suspended:
        return (kubectl("patch", "job", name, "-p", '{"spec":{"suspend":false}}'),)
    if first is None:
        return (kubectl("describe", "job", name),)
    running = [
        (pod.name, view.name)
        for pod in picture.pods.values()
        for view in pod.containers
        if view.running
    ]
    if running:
        return (kubectl("logs", "-f", running[0][0], "-c", running[0][1]),)
    look = kubectl("describe", "pod", first.name)
    return (look, remove) if early_end(picture) else (look,)


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{span((now - at).total_seconds())} ago" if at else "some time ago"


def near(name: str, names: list[str]) -> tuple[str, ...]:
    """Return the names that may have been meant, at most five, the likeliest first."""
    holding = [each for each in sorted(names) if name in each or each in name]
    return tuple(dict.fromkeys([*get_close_matches(name, names, 5), *holding]))[:5]
