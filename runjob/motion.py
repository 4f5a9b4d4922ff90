"""Tell whether a Job moves."""

from __future__ import annotations

from runjob.observed import Picture, PodView
from runjob.waiting import causes


def is_moving(picture: Picture) -> bool:
    """Tell whether the Job runs, or something is under way whose end another party bounds."""
    if picture.job.ready or any(
        pod.started and not pod.over and _at_work(pod) for pod in picture.pods.values()
    ):
        return True
    return any(why.moving for why in causes(picture).values())


def _at_work(pod: PodView) -> bool:
    """Tell whether a container runs; one that restarts counts, backoffLimit ends that."""
    return pod.phase == "Running" or any(each.running for each in pod.containers)


def progress(picture: Picture) -> tuple[int, ...]:
    """Measure how far the pods have come; it grows when something moved, and with each new pod."""
    return tuple(
        sum(
            (
                1,
                bool(pod.node),
                sum(each.started for each in pod.containers),
                sum(bool(each.terminated) for each in pod.containers if each.role == "init"),
                pod.over,
            )
        )
        for pod in picture.pods.values()
    )
