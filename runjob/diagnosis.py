"""Say what went wrong in the pods of a Job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from signal import Signals

from runjob.disruptions import CONDITION, disruption
from runjob.observed import ContainerView, Picture, PodView, Terminated


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One run of a container that did not end well."""

    pod: str
    container: str
    node: str
    attempt: int
    exit_code: int
    reason: str
    text: str


def failures(picture: Picture) -> tuple[Failure, ...]:
    """Return every run of a container that failed, the earliest first, and pods that just failed.

    Kubernetes keeps the last two runs of a container; of more restarts only these are told.
    """
    told: list[tuple[datetime | None, Failure]] = []
    for number, pod in enumerate(picture.pods.values(), 1):
        before = len(told)
        for view in pod.containers:
            ends = dict.fromkeys(each for each in (view.last, view.terminated) if each)
            told.extend(
                (end.finished, _failure(pod, number, view, end))
                for end in ends
                # A killed child leaves OOMKilled beside a 0, in pods that succeed as in others.
                if end.exit_code != 0 or (end.reason == "OOMKilled" and pod.phase == "Failed")
            )
        if len(told) == before and pod.phase == "Failed":
            told.append((None, _pod_failure(pod, number)))
    latest = max((at for at, _ in told if at), default=None)
    told.sort(key=lambda each: (each[0] or latest).timestamp() if latest else 0)
    return tuple(failure for _, failure in told)


def _failure(pod: PodView, number: int, view: ContainerView, end: Terminated) -> Failure:
    return Failure(
        pod=pod.name,
        container=view.name,
        node=pod.node,
        attempt=number,
        exit_code=end.exit_code,
        reason=pod.reason or end.reason,
        text=f"container {view.name} of pod {pod.name} " + describe(view, end, pod),
    )


def _pod_failure(pod: PodView, number: int) -> Failure:
    text = f"pod {pod.name} failed: {pod.reason or 'no reason given'}"
    return Failure(
        pod=pod.name,
        container="",
        node=pod.node,
        attempt=number,
        exit_code=0,
        reason=pod.reason,
        text=text + (f" ({pod.message})" if pod.message else ""),
    )


def describe(view: ContainerView, end: Terminated, pod: PodView) -> str:
    """Say how a container ended: its code, the signal behind it, and what is known beyond."""
    signal = end.signal or (end.exit_code - 128 if 128 < end.exit_code < 160 else 0)
    text = f"ended with exit code {end.exit_code}"
    if signal:
        text += f" ({_signal_name(signal)})"
    if end.reason == "OOMKilled":
        limit = f", its memory limit is {view.memory_limit}" if view.memory_limit else ""
        text += f", OOMKilled{limit}"
    elif end.reason not in ("", "Error", "Completed"):
        text += f", {end.reason}"
    if pod.condition(CONDITION):
        text += f"; the pod {disruption(pod)}"
    elif pod.reason:
        text += f"; the pod was {pod.reason}" + (f" ({pod.message})" if pod.message else "")
    message = " ".join(end.message.split())
    return text + (f": {message[-500:]}" if message else "")


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def warnings(picture: Picture) -> tuple[str, ...]:
    """Return the events that warn and tell more than the verdict, each text once, the last five."""
    texts = dict.fromkeys(
        f"{each.reason}: {' '.join(each.message.split())}"
        for each in picture.events.values()
        if each.type == "Warning" and each.reason not in _TOLD_ALREADY
    )
    return tuple(texts)[-5:]


# The Job's own conditions; and an absent pull secret, which is no harm unless the pull fails, and
# then the pull's own message tells.
_TOLD_ALREADY = {"BackoffLimitExceeded", "DeadlineExceeded", "FailedToRetrieveImagePullSecret"}


def is_main(view: ContainerView, name: str | None) -> bool:
    """Tell whether it is the main container, or may be while no name says which one is."""
    return view.role == "main" and name in (None, view.name)


def main_container_code(picture: Picture, name: str | None = None) -> int | None:
    """Return the exit code of the main container whose run ended last, None where none did.

    The main container is the one of that name, else the pod's first, as kubectl takes it; a failed
    one goes before one that succeeded.
    """
    ends = []
    for pod in picture.pods.values():
        main = next((view for view in pod.containers if is_main(view, name)), None)
        end = main.latest_end if main else None
        if end is not None:
            ends.append((end.exit_code != 0, end.finished.timestamp() if end.finished else 0.0,
                         end.exit_code))  # fmt: skip
    return max(ends)[2] if ends else None
