"""What a pod's status tells of one run of a container."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from runjob.observed import ContainerView, PodView


@dataclass(frozen=True)
class RunView:
    """One run of a container, 0 the first; the status comes later than what it tells of."""

    number: int
    container: ContainerView
    pod: PodView

    @property
    def superseded(self) -> bool:
        """Whether the container was started once more after it."""
        return self.container.restarts > self.number

    @property
    def begun(self) -> bool:
        """Whether it has begun."""
        present = self.container.restarts == self.number
        return self.superseded or (present and self.container.started)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        present = self.container.restarts == self.number
        ended = present and self.container.latest_end is not None
        return self.superseded or self.pod.over or ended

    @property
    def may_repeat(self) -> bool:
        """Whether the kubelet may run the container more than once."""
        return self.pod.restarts_in_place or self.container.role == "sidecar"

    @property
    def pending(self) -> bool:
        """Whether it has not begun, and the kubelet may yet start it."""
        if self.begun or self.pod.over:
            return False
        if not self.may_repeat:
            return not self.container.started
        end = self.container.latest_end
        return end is None or end.exit_code != 0 or self.container.role == "sidecar"

    @property
    def last_second(self) -> bytes | None:
        """The last second in which it can have written, as in a log's stamps; None: not known."""
        end = self.container.latest_end
        if end is None or end.finished is None:
            return None
        return (end.finished + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S").encode()


def run_of(pod: PodView, container: str, number: int) -> RunView:
    """Return what the pod's status tells of that run of the container."""
    view = next(each for each in pod.containers if each.name == container)
    return RunView(number, view, pod)
