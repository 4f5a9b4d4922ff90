"""Judge a Job by its main container, where sidecars would keep its pods alive for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runjob.observed import ContainerView, Picture, PodView, Terminated
from runjob.request import Body


@dataclass(frozen=True)
class Held:
    """A pod whose main container has ended for good, while the others run on."""

    pod: PodView
    main: ContainerView
    end: Terminated
    others: tuple[str, ...]


def names(job: Body) -> tuple[str, ...]:
    """Return the names among which the main container is: native sidecars do not keep a pod."""
    return tuple(each.get("name", "") for each in job["spec"]["template"]["spec"]["containers"])


def without(picture: Picture, name: str) -> PodView | None:
    """Return a pod that lacks the main container: an admission webhook may change what we wrote."""
    return next(
        (pod for pod in picture.pods.values() if pod.containers and _main(pod, name) is None), None
    )


def held(picture: Picture, name: str) -> tuple[Held, ...]:
    """Return the pods that only their sidecars keep alive."""
    found = []
    for pod in picture.pods.values():
        main = _main(pod, name)
        if main is None or pod.over or pod.deleting or main.terminated is None:
            continue
        if pod.restarts_in_place and main.terminated.exit_code != 0:
            continue  # the kubelet starts it once more
        others = tuple(
            each.name
            for each in pod.containers
            if each.role == "main" and each.name != name and each.terminated is None
        )
        if others:
            found.append(Held(pod, main, main.terminated, others))
    return tuple(found)


def held_by_the_rest(picture: Picture) -> tuple[Held, ...]:
    """Return the pods of which a container has ended and others run on: the one that ended last.

    It may be none of a sidecar's doing: several containers may share the work.
    """
    pods = picture.pods.values()
    names = dict.fromkeys(c.name for pod in pods for c in pod.containers if c.role == "main")
    # Of those that ended within one second, which is all that is known, the first to be listed.
    ended = (each for name in reversed(names) for each in held(picture, name))
    found = {each.pod.uid: each for each in sorted(ended, key=_finished)}
    return tuple(found.values())


def _finished(held: Held) -> float:
    return held.end.finished.timestamp() if held.end.finished else 0.0


def is_decided(picture: Picture, holding: Sequence[Held]) -> bool:
    """Tell whether the main containers of these pods decide how the Job ends."""
    if any(each.end.exit_code for each in holding):
        return True  # its pod does not fail while it is held, so nothing is tried again
    return bool(holding) and (is_enough(picture, holding) or is_stalled(picture, holding))


def is_enough(picture: Picture, holding: Sequence[Held]) -> bool:
    """Tell whether the main containers that ended with 0 complete the Job."""
    job = picture.job
    done = job.succeeded + sum(each.end.exit_code == 0 for each in holding)
    if job.completions is None:
        # A work queue is done when each of its pods is, and one at least did well.
        return done > 0 and len(holding) == len(_alive(picture))
    return done >= job.completions


def is_stalled(picture: Picture, holding: Sequence[Held]) -> bool:
    """Tell whether no further pod can come, since those that are held take all the places."""
    alive = _alive(picture)
    return len(holding) == len(alive) >= picture.job.parallelism


def _alive(picture: Picture) -> list[PodView]:
    return [pod for pod in picture.pods.values() if not pod.over]


def _main(pod: PodView, name: str) -> ContainerView | None:
    views = (view for view in pod.containers if view.role == "main")
    return next((view for view in views if view.name == name), None)
